//! Shelly, first generation: RGBW2 in colour mode, Bulb, Duo RGBW (vendor: `shelly-api-docs.shelly.cloud/gen1`, "MQTT"
//! and each device's own section).
//!
//! The configured topic is `shellies/<model>-<id>`. Effects are numbers, and which number is which differs between
//! models: so `blink` and `breathe` have none here and are plain colours.

use std::time::Duration;

use serde::Serialize;

use super::order::{Announcement, Order};
use super::scale::units_of;
use crate::core::lights::look::{Lit, Look};
use crate::core::model::name::InvalidName;
use crate::core::model::payload::json;

/// In milliseconds.
const LONGEST_TRANSITION: u32 = 5000;
const LAST_EFFECT: u8 = 6;

#[derive(Serialize)]
struct Set {
    turn: &'static str,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    shown: Option<Shown>,
    /// Milliseconds, for this change only.
    transition: u32,
}

#[derive(Serialize)]
struct Shown {
    red: u8,
    green: u8,
    blue: u8,
    /// The white channel has a brightness of its own that would pale the colour.
    white: u8,
    /// Per cent.
    gain: u8,
    /// Always: the one before stays otherwise.
    effect: u8,
}

pub(super) fn order(topic: &str, channel: u8, look: &Look) -> Order {
    let set = Set {
        turn: if look.lit.is_some() { "on" } else { "off" },
        shown: look.lit.as_ref().map(shown),
        transition: units_of(Duration::from_millis(1), look.transition, LONGEST_TRANSITION),
    };
    Order { topic: format!("{topic}/color/{channel}/set"), payload: json(&set) }
}

pub(super) fn announcement(topic: &str) -> Announcement {
    Announcement { topic: format!("{topic}/online"), says: |payload| payload == b"true", repeats: false }
}

pub(super) fn check_effect(name: &str) -> Result<(), InvalidName> {
    let allowed =
        InvalidName("\"blink\", \"breathe\" or the number of an effect of the device, \"0\" to \"6\"");
    number(name).map(drop).ok_or(allowed)
}

fn shown(lit: &Lit) -> Shown {
    Shown {
        red: lit.color.red,
        green: lit.color.green,
        blue: lit.color.blue,
        white: 0,
        gain: lit.brightness,
        effect: lit.effect.name().and_then(number).unwrap_or(0),
    }
}

fn number(effect: &str) -> Option<u8> {
    effect.parse().ok().filter(|number| *number <= LAST_EFFECT)
}
