//! WLED (vendor: `WLED-Docs` `docs/interfaces/mqtt.md` and `docs/interfaces/json-api.md`; source:
//! `wled00/json.cpp`, `deserializeState` and `deserializeSegment`).
//!
//! The JSON API over MQTT: all in one message. Off leaves brightness and colour as they are.

use std::time::Duration;

use serde::Serialize;

use super::ear::{Ear, Means};
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
    /// Tenths of a second, for this change only; `transition` would overwrite what the owner has set.
    tt: u32,
    /// Not in a list and without an id, which means every segment that is selected. New ones are.
    #[serde(skip_serializing_if = "Option::is_none")]
    seg: Option<Segment>,
}

#[derive(Serialize)]
struct Segment {
    on: bool,
    /// Somebody may have frozen it.
    frz: bool,
    /// Blinking and breathing go between the first and the second colour.
    col: [[u8; 3]; 2],
    fx: u8,
    /// The one that is made of these colours.
    pal: u8,
}

pub(super) fn order(topic: &str, look: &Look) -> Order {
    let lit = look.lit.as_ref();
    let state = State {
        on: lit.is_some(),
        bri: lit.map(|lit| per_cent_of(255, lit.brightness)),
        tt: units_of(Duration::from_millis(100), look.transition, LONGEST_TRANSITION),
        seg: lit.map(segment),
    };
    Order { topic: format!("{topic}/api"), payload: json(&state) }
}

/// WLED says `online` with every change of its state, not only when it connects.
pub(super) fn announcement(topic: &str) -> Announcement {
    Announcement { repeats: true, ..online_at(format!("{topic}/status")) }
}

pub(super) fn ears(topic: &str) -> Vec<Ear> {
    let ear = |level, means| Ear { topic: format!("{topic}/{level}"), means };
    vec![
        ear("status", Means::Announcement(|payload| payload == b"online")),
        ear("g", Means::State),
        ear("v", Means::State),
    ]
}

/// Changes nothing; WLED does not answer it by MQTT.
pub(super) fn question(topic: &str) -> Order {
    Order { topic: format!("{topic}/api"), payload: r#"{"v":true}"#.to_owned() }
}

pub(super) fn check_effect(name: &str) -> Result<(), InvalidName> {
    let allowed = InvalidName("\"blink\", \"breathe\" or the number of an effect of WLED, \"0\" to \"255\"");
    name.parse::<u8>().map(drop).map_err(|_| allowed)
}

fn segment(lit: &Lit) -> Segment {
    let color = [lit.color.red, lit.color.green, lit.color.blue];
    Segment { on: true, frz: false, col: [color, [0; 3]], fx: effect(lit.effect.name()), pal: 0 }
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
