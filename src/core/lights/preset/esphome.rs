//! ESPHome (vendor: `esphome/esphome` `esphome/components/light/light_json_schema.cpp`;
//! `esphome.io/components/mqtt`, "birth_message").
//!
//! The configured topic is the node's `topic_prefix`. Effects are those that the node's own configuration
//! names.

use std::time::Duration;

use serde::Serialize;

use super::ear::{Ear, Means};
use super::order::{Announcement, Order, online_at};
use super::scale::{per_cent_of, units_of};
use crate::core::lights::color::Color;
use crate::core::lights::look::{Effect, Look};
use crate::core::model::payload::json;

#[derive(Serialize)]
struct Command<'a> {
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    brightness: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    color: Option<Channels>,
    /// The older name of the white channel, which begins at full and would pale the colour.
    #[serde(skip_serializing_if = "Option::is_none")]
    white_value: Option<u8>,
    /// Whole seconds: ESPHome overlooks a number with decimals.
    #[serde(skip_serializing_if = "Option::is_none")]
    transition: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    effect: Option<&'a str>,
}

/// With the white channels of those that have some; others overlook them.
#[derive(Serialize)]
struct Channels {
    r: u8,
    g: u8,
    b: u8,
    c: u8,
    w: u8,
}

/// ESPHome drops a transition beside an effect, with a warning; beside `None`, too, which ends one. So an
/// effect starts without, and ends in a message of its own before the colour. Off ends an effect by itself.
pub(super) fn orders(topic: &str, object: &str, look: &Look) -> Vec<Order> {
    let order = |payload: String| Order { topic: format!("{topic}/light/{object}/command"), payload };
    let transition = units_of(Duration::from_secs(1), look.transition, u32::from(u16::MAX));
    let Some(lit) = &look.lit else {
        let off = Command {
            state: "OFF",
            brightness: None,
            color: None,
            white_value: None,
            transition: Some(transition),
            effect: None,
        };
        return vec![order(json(&off))];
    };
    let Color { red: r, green: g, blue: b } = lit.color;
    let command = Command {
        state: "ON",
        brightness: Some(per_cent_of(255, lit.brightness)),
        color: (!look.white).then_some(Channels { r, g, b, c: 0, w: 0 }),
        white_value: (!look.white).then_some(0),
        transition: lit.effect.name().is_none().then_some(transition),
        effect: lit.effect.name(),
    };
    let ends = (lit.effect == Effect::Ended).then(|| r#"{"effect":"None"}"#.to_owned());
    ends.into_iter().chain([json(&command)]).map(order).collect()
}

pub(super) fn ears(topic: &str, object: &str) -> Vec<Ear> {
    vec![
        Ear { topic: format!("{topic}/status"), means: Means::Whole(|payload| payload == b"online") },
        Ear { topic: format!("{topic}/light/{object}/state"), means: Means::State },
    ]
}

/// Changes nothing; the state is published after it.
pub(super) fn question(topic: &str, object: &str) -> Order {
    Order { topic: format!("{topic}/light/{object}/command"), payload: "{}".to_owned() }
}

/// The node's birth message, at its default topic.
pub(super) fn announcement(topic: &str) -> Announcement {
    online_at(format!("{topic}/status"))
}
