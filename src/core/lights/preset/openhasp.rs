//! openHASP, the mood light (vendor: `HASwitchPlate/openHASP-docs` `docs/commands/global.md`, "moodlight").
//!
//! The configured topic is `hasp/<node>`. It knows neither transitions nor effects. Off keeps colour and
//! brightness.

use serde::Serialize;

use super::ear::{Ear, Means};
use super::order::{Announcement, Order, online_at};
use super::scale::per_cent_of;
use crate::core::lights::look::Look;
use crate::core::model::payload::json;

#[derive(Serialize)]
struct Moodlight {
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    brightness: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    color: Option<String>,
}

pub(super) fn order(topic: &str, look: &Look) -> Order {
    let lit = look.lit.as_ref();
    let moodlight = Moodlight {
        state: if lit.is_some() { "on" } else { "off" },
        brightness: lit.map(|lit| per_cent_of(255, lit.brightness)),
        color: lit.map(|lit| lit.color.to_string()),
    };
    Order { topic: format!("{topic}/command/moodlight"), payload: json(&moodlight) }
}

pub(super) fn ears(topic: &str) -> Vec<Ear> {
    vec![
        Ear { topic: format!("{topic}/LWT"), means: Means::Announcement(|payload| payload == b"online") },
        Ear { topic: format!("{topic}/state/moodlight"), means: Means::State },
    ]
}

/// The state is answered.
pub(super) fn question(topic: &str) -> Order {
    Order { topic: format!("{topic}/command/moodlight"), payload: String::new() }
}

pub(super) fn announcement(topic: &str) -> Announcement {
    online_at(format!("{topic}/LWT"))
}
