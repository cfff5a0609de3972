//! Tasmota (vendor: `tasmota/docs` `docs/Commands.md`, sections Control and Light, and `docs/MQTT.md`;
//! source: `tasmota/tasmota_xdrv_driver/xdrv_04_light.ino`, `xdrv_02_9_mqtt.ino`).
//!
//! The configured topic is Tasmota's own `%topic%`, within the default `%prefix%/%topic%/` of `FullTopic`.
//! Several commands go in one message with `Backlog`.
//! Tasmota has no effect that would mean blinking, so every effect is a plain colour.

use std::time::Duration;

use super::ear::{Ear, Means};
use super::order::{Announcement, Order};
use super::scale::{dimmed, units_of};
use crate::core::lights::look::Look;

/// The longest fade that Tasmota takes: 20 seconds, in halves.
const LONGEST_FADE: u32 = 40;

/// `Online` is published before the topics of orders are subscribed to. How long that takes is the network's
/// affair.
const DEAF_FOR: Duration = Duration::from_millis(1500);

/// `Speed2` is a fade for the next change only, 0 being none; `Fade` and `Speed` would be stored.
///
/// So colour and brightness must be one change: a `Dimmer` behind `Color2` would jump. `Color1` sets both,
/// and the colour is dimmed here. The power command makes it true even for devices that do not switch with
/// their colour (`SetOption20`). Lights are numbered after relays, and without a number the first output is
/// meant, which is the relay where there is one.
pub(super) fn order(topic: &str, channel: Option<u8>, look: &Look) -> Order {
    let fade = units_of(Duration::from_millis(500), look.transition, LONGEST_FADE);
    let power = channel.map_or_else(String::new, |channel| channel.to_string());
    let payload = match &look.lit {
        Some(lit) if look.white => format!("Speed2 {fade}; Dimmer {}; Power{power} ON", lit.brightness),
        Some(lit) => {
            format!("Speed2 {fade}; Color1 {}; Power{power} ON", dimmed(lit.color, lit.brightness))
        }
        None => format!("Speed2 {fade}; Power{power} OFF"),
    };
    Order { topic: format!("cmnd/{topic}/Backlog"), payload }
}

pub(super) fn announcement(topic: &str) -> Announcement {
    let online = Announcement::new(format!("tele/{topic}/LWT"), |payload| payload == b"Online");
    Announcement { deaf_for: DEAF_FOR, ..online }
}

pub(super) fn ears(topic: &str) -> Vec<Ear> {
    vec![
        Ear {
            topic: format!("tele/{topic}/LWT"),
            means: Means::Announcement(|payload| payload == b"Online"),
        },
        Ear { topic: format!("stat/{topic}/RESULT"), means: Means::Answer(refusal) },
    ]
}

/// Its state is answered.
pub(super) fn question(topic: &str) -> Order {
    Order { topic: format!("cmnd/{topic}/Backlog"), payload: "State".to_owned() }
}

fn refusal(answer: &[u8]) -> Option<String> {
    #[derive(serde::Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Answer {
        command: String,
        input: Option<String>,
    }
    let Answer { command, input } = serde_json::from_slice(answer).ok()?;
    Some(format!("{}: {command}", input.as_deref().unwrap_or("a command")))
}
