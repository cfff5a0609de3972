//! ESPHome (vendor: `esphome/esphome` `esphome/components/light/light_json_schema.cpp`; `esphome.io/components/mqtt`,
//! "birth_message").
//!
//! The configured topic is the node's `topic_prefix`. Effects are those that the node's own configuration names.

use std::time::Duration;

use serde::Serialize;

use super::order::{Announcement, Order, online_at};
use super::scale::{per_cent_of, units_of};
use crate::core::lights::look::{Effect, Look};
use crate::core::model::payload::json;

#[derive(Serialize)]
struct Command<'a> {
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    brightness: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    color: Option<Rgb>,
    /// Whole seconds: ESPHome overlooks a number with decimals.
    #[serde(skip_serializing_if = "Option::is_none")]
    transition: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    effect: Option<&'a str>,
}

#[derive(Serialize)]
struct Rgb {
    r: u8,
    g: u8,
    b: u8,
}

/// An effect starts without a transition, which ESPHome would drop with a warning. Off ends an effect by itself.
pub(super) fn order(topic: &str, object: &str, look: &Look) -> Order {
    let transition = units_of(Duration::from_secs(1), look.transition, u32::from(u16::MAX));
    let command = match &look.lit {
        Some(lit) => Command {
            state: "ON",
            brightness: Some(per_cent_of(255, lit.brightness)),
            color: Some(Rgb { r: lit.color.red, g: lit.color.green, b: lit.color.blue }),
            transition: lit.effect.name().is_none().then_some(transition),
            effect: effect(&lit.effect),
        },
        None => Command {
            state: "OFF",
            brightness: None,
            color: None,
            transition: Some(transition),
            effect: None,
        },
    };
    Order { topic: format!("{topic}/light/{object}/command"), payload: json(&command) }
}

/// The node's birth message, at its default topic.
pub(super) fn announcement(topic: &str) -> Announcement {
    online_at(format!("{topic}/status"))
}

fn effect(effect: &Effect) -> Option<&str> {
    match effect {
        Effect::Named(name) => Some(name),
        Effect::Ended => Some("None"),
        Effect::Never => None,
    }
}
