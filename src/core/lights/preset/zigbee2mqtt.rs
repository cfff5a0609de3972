//! zigbee2mqtt (vendor: `Koenkk/zigbee2mqtt.io` `docs/guide/usage/mqtt_topics_and_messages.md` and, per lamp,
//! `docs/devices`).
//!
//! Which effects a lamp has is on its page there. `blink` and `breathe` end by themselves; others have to be
//! stopped.

use serde::Serialize;

use super::ear::{Ear, Means};
use super::order::{Announcement, Order};
use super::scale::{Seconds, per_cent_of};
use crate::core::lights::color::Color;
use crate::core::lights::look::{Effect, Look};
use crate::core::model::payload::json;

/// Which of the keys is obeyed first differs between lamps.
#[derive(Serialize)]
struct Set<'a> {
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    brightness: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    color: Option<Hex>,
    /// Behind the colour, which would end it where the keys are obeyed in the order written.
    #[serde(skip_serializing_if = "Option::is_none")]
    effect: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    transition: Option<Seconds>,
}

#[derive(Serialize)]
struct Hex {
    hex: String,
}

/// A plain colour ends an effect only where there can be one: a lamp without effects would log an error each
/// time. It does so in a message of its own before the colour, which an ending effect might put back: in one
/// message a Hue lamp takes the colour first.
///
/// Off carries a transition only if there is one: with it, even of no length, zigbee2mqtt dims the lamp to
/// nothing instead of turning it off, which the lamp remembers as its brightness. An effect never does: some
/// take it for their speed.
pub(super) fn orders(topic: &str, look: &Look) -> Vec<Order> {
    let order = |payload: String| Order { topic: format!("{topic}/set"), payload };
    let transition = Seconds::of(look.transition);
    let Some(lit) = &look.lit else {
        let transition = (transition.tenths > 0).then_some(transition);
        return vec![order(json(&Set {
            state: "OFF",
            brightness: None,
            color: None,
            effect: None,
            transition,
        }))];
    };
    let set = Set {
        state: "ON",
        brightness: Some(per_cent_of(254, lit.brightness)),
        color: (!look.white).then(|| hex(lit.color)),
        effect: lit.effect.name(),
        transition: lit.effect.name().is_none().then_some(transition),
    };
    let ends = (lit.effect == Effect::Ended).then(|| r#"{"effect":"stop_effect"}"#.to_owned());
    ends.into_iter().chain([json(&set)]).map(order).collect()
}

/// Only where the availability feature of zigbee2mqtt is on. Its payload was a bare word before version 2.
pub(super) fn announcement(topic: &str) -> Announcement {
    Announcement::new(format!("{topic}/availability"), is_online)
}

/// A name may have slashes; the base topic of zigbee2mqtt is one level unless somebody has changed it.
pub(super) fn ears(topic: &str) -> Vec<Ear> {
    let ear = |topic: String, means| Ear { topic, means };
    let (base, name) = topic.split_once('/').unwrap_or((topic, ""));
    let list = |of: &str| ear(format!("{base}/bridge/{of}"), Means::List(name.to_owned()));
    vec![
        ear(format!("{topic}/availability"), Means::Announcement(is_online)),
        ear(topic.to_owned(), Means::State),
        list("devices"),
        list("groups"),
    ]
}

/// The first changes nothing, and has the topic of orders; the second has the lamp asked.
pub(super) fn questions(topic: &str) -> Vec<Order> {
    let order =
        |level, payload: &str| Order { topic: format!("{topic}/{level}"), payload: payload.to_owned() };
    vec![order("set", "{}"), order("get", r#"{"state":""}"#)]
}

fn is_online(payload: &[u8]) -> bool {
    #[derive(serde::Deserialize)]
    struct Availability {
        state: String,
    }
    payload == b"online"
        || serde_json::from_slice::<Availability>(payload).is_ok_and(|said| said.state == "online")
}

fn hex(color: Color) -> Hex {
    Hex { hex: color.to_string() }
}
