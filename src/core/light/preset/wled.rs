//! WLED (vendor: `WLED-Docs docs/interfaces/mqtt.md`, `docs/interfaces/json-api.md`).

use serde::Serialize;

use super::{Announcement, Order};
use crate::core::light::look::Look;
use crate::core::payload::json;

/// The part of WLED's state object that is set.
#[derive(Serialize)]
struct State {
    on: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    bri: Option<u8>,
    /// Tenths of a second.
    transition: u16,
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
        transition: u16::try_from(look.transition.as_millis() / 100).unwrap_or(u16::MAX),
        seg: lit.map(|lit| {
            [Segment {
                col: [[lit.color.red, lit.color.green, lit.color.blue]],
                fx: effect(lit.effect.as_deref()),
            }]
        }),
    };
    Order { topic: format!("{topic}/api"), payload: json(&state) }
}

pub(super) fn announcement(topic: &str) -> Announcement {
    Announcement { topic: format!("{topic}/status"), says: |payload| payload == b"online" }
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

fn per_cent_of(full: u8, per_cent: u8) -> u8 {
    let scaled = (u32::from(full) * u32::from(per_cent) + 50) / 100;
    u8::try_from(scaled).unwrap_or(full)
}
