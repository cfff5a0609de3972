//! zigbee2mqtt (vendor: `Koenkk/zigbee2mqtt.io` `docs/guide/usage/mqtt_topics_and_messages.md` and, per lamp,
//! `docs/devices`).
//!
//! Which effects a lamp has is on its page there. `blink` and `breathe` end by themselves; others have to be stopped.

use serde::Serialize;

use super::order::{Announcement, Order};
use super::scale::{Seconds, per_cent_of};
use crate::core::lights::color::Color;
use crate::core::lights::look::{Effect, Look};
use crate::core::model::payload::json;

/// zigbee2mqtt obeys the keys in the order in which they are written, after state and brightness.
#[derive(Serialize)]
struct Set<'a> {
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    brightness: Option<u8>,
    /// Before the colour, which an ending effect might otherwise put back.
    #[serde(rename = "effect", skip_serializing_if = "Option::is_none")]
    ending: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    color: Option<Hex>,
    /// After the colour, which would otherwise end it. Never together with `ending`.
    #[serde(rename = "effect", skip_serializing_if = "Option::is_none")]
    effect: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    transition: Option<Seconds>,
}

#[derive(Serialize)]
struct Hex {
    hex: String,
}

/// A plain colour ends an effect only where there can be one: a lamp without effects would log an error each time.
///
/// Off carries a transition only if there is one: with it, even of no length, zigbee2mqtt dims the lamp to nothing
/// instead of turning it off, which the lamp remembers as its brightness. An effect likewise: some take the
/// transition for their speed.
pub(super) fn order(topic: &str, look: &Look) -> Order {
    let transition = Seconds::of(look.transition);
    let set = match &look.lit {
        Some(lit) => Set {
            state: "ON",
            brightness: Some(per_cent_of(254, lit.brightness)),
            ending: (lit.effect == Effect::Ended).then_some("stop_effect"),
            color: Some(hex(lit.color)),
            effect: lit.effect.name(),
            transition: (transition.tenths > 0 || lit.effect.name().is_none()).then_some(transition),
        },
        None => Set {
            state: "OFF",
            brightness: None,
            ending: None,
            color: None,
            effect: None,
            transition: (transition.tenths > 0).then_some(transition),
        },
    };
    Order { topic: format!("{topic}/set"), payload: json(&set) }
}

/// Only where the availability feature of zigbee2mqtt is on. Its payload was a bare word before version 2.
pub(super) fn announcement(topic: &str) -> Announcement {
    Announcement { topic: format!("{topic}/availability"), says: is_online, repeats: false }
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
