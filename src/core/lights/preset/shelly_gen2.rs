//! Shelly, second generation and later (vendor: `shelly-api-docs.shelly.cloud/gen2`, "RGB", "RGBW", "RGBCCT",
//! "Light", "Mqtt" and "RPC Protocol").
//!
//! The configured topic is the device's `topic_prefix`. Each profile has a component and a method of its own;
//! none has no effects: each is a plain colour.

use serde::Serialize;

use super::ear::{Ear, Means};
use super::order::{Announcement, Order};
use super::scale::Seconds;
use crate::core::lights::look::Look;
use crate::core::model::payload::json;

/// The shortest transition that a Shelly takes, in tenths of a second.
const SHORTEST_TRANSITION: u32 = 5;

/// Below it Shellys answer, each below its own topic.
const ANSWERED_TO: &str = "presence2mqtt";

/// Which component of the device is the light.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Profile {
    /// Three colours.
    Rgb,
    /// Three colours and white.
    Rgbw,
    /// Three colours, or cold and warm white: the bulbs of the third generation.
    Rgbcct,
}

/// A request frame.
///
/// The protocol's page requires `id` and `src` in a request. It is JSON-RPC, where a message without an id
/// would be a notification without an answer, but no page says that a Shelly obeys one. So each order is
/// answered, not retained, at `presence2mqtt/<topic>/rpc`, where only `light test` and `check --online`
/// listen; always the same id, because the topic tells whose answer it is.
#[derive(Serialize)]
struct Request {
    id: u8,
    src: String,
    method: String,
    params: Params,
}

#[derive(Serialize)]
struct Params {
    id: u8,
    on: bool,
    /// A bulb in white mode would stay white.
    #[serde(skip_serializing_if = "Option::is_none")]
    mode: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rgb: Option<[u8; 3]>,
    /// The white channel has a level of its own that would pale the colour.
    #[serde(skip_serializing_if = "Option::is_none")]
    white: Option<u8>,
    /// Per cent, 1 to 100.
    #[serde(skip_serializing_if = "Option::is_none")]
    brightness: Option<u8>,
    /// None is the device's own setting: no transition at all cannot be asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    transition_duration: Option<Seconds>,
}

pub(super) fn order(topic: &str, channel: u8, profile: Profile, look: &Look) -> Order {
    let lit = look.lit.as_ref();
    let colored = lit.filter(|_| !look.white);
    let params = Params {
        id: channel,
        on: lit.is_some(),
        mode: colored.filter(|_| profile == Profile::Rgbcct).map(|_| "rgb"),
        rgb: colored.map(|lit| [lit.color.red, lit.color.green, lit.color.blue]),
        white: colored.filter(|_| profile == Profile::Rgbw).map(|_| 0),
        brightness: lit.map(|lit| lit.brightness),
        transition_duration: transition(look),
    };
    let method = format!("{}.Set", component(profile, look.white));
    let request = Request { id: 1, src: answered_to(topic), method, params };
    Order { topic: format!("{topic}/rpc"), payload: json(&request) }
}

pub(super) fn announcement(topic: &str) -> Announcement {
    Announcement::new(format!("{topic}/online"), |payload| payload == b"true")
}

pub(super) fn ears(topic: &str) -> Vec<Ear> {
    vec![
        Ear { topic: format!("{topic}/online"), means: Means::Whole(|payload| payload == b"true") },
        Ear { topic: format!("{}/rpc", answered_to(topic)), means: Means::Answer(refusal) },
    ]
}

/// A device without this component refuses it.
pub(super) fn question(topic: &str, channel: u8, profile: Profile, white: bool) -> Order {
    let (src, component) = (json(&answered_to(topic)), component(profile, white));
    let payload =
        format!(r#"{{"id":1,"src":{src},"method":"{component}.GetStatus","params":{{"id":{channel}}}}}"#);
    Order { topic: format!("{topic}/rpc"), payload }
}

fn answered_to(topic: &str) -> String {
    format!("{ANSWERED_TO}/{topic}")
}

fn component(profile: Profile, white: bool) -> &'static str {
    match profile {
        _ if white => "Light",
        Profile::Rgb => "RGB",
        Profile::Rgbw => "RGBW",
        Profile::Rgbcct => "RGBCCT",
    }
}

fn refusal(answer: &[u8]) -> Option<String> {
    #[derive(serde::Deserialize)]
    struct Answer {
        error: Refusal,
    }
    #[derive(serde::Deserialize)]
    struct Refusal {
        code: i64,
        message: Option<String>,
    }
    let Answer { error } = serde_json::from_slice(answer).ok()?;
    Some(format!("{}, {}", error.code, error.message.as_deref().unwrap_or("without a reason")))
}

fn transition(look: &Look) -> Option<Seconds> {
    let wanted = Seconds::of(look.transition);
    (!look.transition.is_zero()).then_some(Seconds { tenths: wanted.tenths.max(SHORTEST_TRANSITION) })
}
