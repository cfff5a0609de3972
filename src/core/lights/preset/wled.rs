//! WLED (vendor: `WLED-Docs` `docs/interfaces/mqtt.md` and `docs/interfaces/json-api.md`).
//!
//! The JSON API over MQTT: all in one message. Off leaves brightness and colour as they are.

use std::time::Duration;

use serde::Serialize;

use super::order::{Announcement, Order, online_at};
use super::scale::{per_cent_of, units_of};
use crate::core::lights::look::{Lit, Look};
use crate::core::model::name::InvalidName;
use crate::core::model::payload::json;

/// WLED counts milliseconds of a transition in sixteen bits and takes tenths of a second.
const LONGEST_TRANSITION: u32 = 655;

/// The part of WLED's state object that is set.
#[derive(Serialize)]
struct State {
    on: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    bri: Option<u8>,
    /// Tenths of a second.
    transition: u32,
    /// The first segment, which is the whole strip unless somebody has cut it.
    #[serde(skip_serializing_if = "Option::is_none")]
    seg: Option<[Segment; 1]>,
}

#[derive(Serialize)]
struct Segment {
    col: [[u8; 3]; 1],
    fx: u8,
}

pub(super) fn order(topic: &str, look: &Look) -> Order {
    let lit = look.lit.as_ref();
    let state = State {
        on: lit.is_some(),
        bri: lit.map(|lit| per_cent_of(255, lit.brightness)),
        transition: units_of(Duration::from_millis(100), look.transition, LONGEST_TRANSITION),
        seg: lit.map(|lit| [segment(lit)]),
    };
    Order { topic: format!("{topic}/api"), payload: json(&state) }
}

/// WLED says `online` with every change of its state, not only when it connects.
pub(super) fn announcement(topic: &str) -> Announcement {
    Announcement { repeats: true, ..online_at(format!("{topic}/status")) }
}

pub(super) fn check_effect(name: &str) -> Result<(), InvalidName> {
    let allowed = InvalidName("\"blink\", \"breathe\" or the number of an effect of WLED, \"0\" to \"255\"");
    name.parse::<u8>().map(drop).map_err(|_| allowed)
}

fn segment(lit: &Lit) -> Segment {
    Segment { col: [[lit.color.red, lit.color.green, lit.color.blue]], fx: effect(lit.effect.name()) }
}

/// The number of an effect; 0 is a plain colour.
fn effect(name: Option<&str>) -> u8 {
    match name {
        Some("blink") => 1,
        Some("breathe") => 2,
        Some(other) => other.parse().unwrap_or(0),
        None => 0,
    }
}
