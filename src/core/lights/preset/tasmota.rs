//! Tasmota (vendor: `tasmota/docs` `docs/Commands.md`, sections Control and Light, and `docs/MQTT.md`).
//!
//! The configured topic is Tasmota's own `%topic%`, within the default `%prefix%/%topic%/` of `FullTopic`.
//! Several commands go in one message with `Backlog`.
//! Tasmota has no effect that would mean blinking, so every effect is a plain colour.

use std::time::Duration;

use super::order::{Announcement, Order};
use super::scale::units_of;
use crate::core::lights::look::Look;

/// The longest fade that Tasmota takes: 20 seconds, in halves.
const LONGEST_FADE: u32 = 40;

/// `Speed2` is a fade for this change only, 0 being none; `Fade` and `Speed` would be stored.
///
/// `Color2` keeps the dimmer as it is, where `Color1` would flash at full brightness until `Dimmer` is obeyed. The power
/// commands make it true even for devices that do not switch with their colour (`SetOption20`), and off that way keeps
/// the dimmer. They mean the first output.
pub(super) fn order(topic: &str, look: &Look) -> Order {
    let fade = units_of(Duration::from_millis(500), look.transition, LONGEST_FADE);
    let payload = match &look.lit {
        Some(lit) => format!("Speed2 {fade}; Color2 {}; Dimmer {}; Power ON", lit.color, lit.brightness),
        None => format!("Speed2 {fade}; Power OFF"),
    };
    Order { topic: format!("cmnd/{topic}/Backlog"), payload }
}

pub(super) fn announcement(topic: &str) -> Announcement {
    Announcement { topic: format!("tele/{topic}/LWT"), says: |payload| payload == b"Online", repeats: false }
}
