//! Tasmota (vendor: `tasmota/docs` `docs/Commands.md`, sections Control and Light, and `docs/MQTT.md`).
//!
//! The configured topic is Tasmota's own `%topic%`, within the default `%prefix%/%topic%/` of `FullTopic`.
//! Several commands go in one message with `Backlog0`, which unlike `Backlog` does not pause between them.
//! Tasmota has no effect that would mean blinking, so every effect is a plain colour.

use std::time::Duration;

use super::scale::{dimmed, units_of};
use super::{Announcement, Order};
use crate::core::light::look::Look;

/// The longest fade that Tasmota takes: 20 seconds, in halves.
const LONGEST_FADE: u32 = 40;

/// `Speed2` is a fade for this change only, 0 being none; `Fade` and `Speed` would be stored.
///
/// `Color1` takes the dimmer from the brightest channel, so a dimmed colour says both at once, where a `Dimmer`
/// after it would flash at full brightness first. The power commands make it true even for devices that do not
/// switch with their colour (`SetOption20`), and off that way keeps the dimmer. They mean the first output.
pub(super) fn order(topic: &str, look: &Look) -> Order {
    let fade = units_of(Duration::from_millis(500), look.transition, LONGEST_FADE);
    let payload = match &look.lit {
        Some(lit) => format!("Speed2 {fade};Color1 {};Power1 ON", dimmed(lit.color, lit.brightness)),
        None => format!("Speed2 {fade};Power1 OFF"),
    };
    Order { topic: format!("cmnd/{topic}/Backlog0"), payload }
}

pub(super) fn announcement(topic: &str) -> Announcement {
    Announcement { topic: format!("tele/{topic}/LWT"), says: |payload| payload == b"Online", repeats: false }
}
