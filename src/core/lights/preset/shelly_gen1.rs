//! Shelly, first generation: RGBW2 in colour mode, Bulb, Duo RGBW (vendor:
//! `shelly-api-docs.shelly.cloud/gen1`, "MQTT" and each device's own section).
//!
//! The configured topic is `shellies/<model>-<id>`. `white` is for those without colours: Duo, Vintage,
//! Dimmer. Effects are numbers, and which number is which differs between models: so `blink` and `breathe`
//! have none here and are plain colours.

use std::time::Duration;

use serde::Serialize;

use super::ear::{Ear, Means};
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
    /// A bulb in white mode would stay white.
    #[serde(skip_serializing_if = "Option::is_none")]
    mode: Option<&'static str>,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    shown: Option<Shown>,
    /// Per cent, of a lamp without colours.
    #[serde(skip_serializing_if = "Option::is_none")]
    brightness: Option<u8>,
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
    let lit = look.lit.as_ref();
    let set = Set {
        turn: if lit.is_some() { "on" } else { "off" },
        mode: lit.filter(|_| !look.white && knows_mode(topic)).map(|_| "color"),
        shown: lit.filter(|_| !look.white).map(shown),
        brightness: lit.filter(|_| look.white).map(|lit| lit.brightness),
        transition: units_of(Duration::from_millis(1), look.transition, LONGEST_TRANSITION),
    };
    let kind = if look.white { "light" } else { "color" };
    Order { topic: format!("{topic}/{kind}/{channel}/set"), payload: json(&set) }
}

/// An RGBW2 has its mode in its settings, and is started anew by another one.
fn knows_mode(topic: &str) -> bool {
    !topic.to_ascii_lowercase().contains("rgbw2")
}

pub(super) fn announcement(topic: &str) -> Announcement {
    Announcement::new(format!("{topic}/online"), |payload| payload == b"true")
}

pub(super) fn ears(topic: &str, channel: u8) -> Vec<Ear> {
    let ear = |topic, means| Ear { topic, means };
    vec![
        ear(format!("{topic}/online"), Means::Announcement(|payload| payload == b"true")),
        ear(format!("{topic}/color/{channel}/status"), Means::State),
        ear(format!("{topic}/light/{channel}/status"), Means::State),
    ]
}

/// The first changes nothing, and has the topic of orders; the second has the device publish its state.
pub(super) fn questions(topic: &str, channel: u8, white: bool) -> Vec<Order> {
    let order = |topic, payload: &str| Order { topic, payload: payload.to_owned() };
    let kind = if white { "light" } else { "color" };
    vec![order(format!("{topic}/{kind}/{channel}/set"), "{}"), order(format!("{topic}/command"), "update")]
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
