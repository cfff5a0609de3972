//! Shelly, second generation and later, RGBW profile (vendor: `shelly-api-docs.shelly.cloud/gen2`, "RGBW", "Mqtt" and
//! "RPC Protocol").
//!
//! The configured topic is the device's `topic_prefix`. The component has no effects: each is a plain colour.

use serde::Serialize;

use super::order::{Announcement, Order};
use super::scale::Seconds;
use crate::core::lights::look::Look;
use crate::core::model::payload::json;

/// The shortest transition that a Shelly takes, in tenths of a second.
const SHORTEST_TRANSITION: u32 = 5;

/// A request frame.
///
/// The protocol's page requires `id` and `src` in a request. It is JSON-RPC, where a message without an id would be
/// a notification without an answer, but no page says that a Shelly obeys one. So each order is answered, not
/// retained, at `presence2mqtt/rpc`, where nobody listens; always the same id, because nobody matches answers.
#[derive(Serialize)]
struct Request {
    id: u8,
    src: &'static str,
    method: &'static str,
    params: Params,
}

#[derive(Serialize)]
struct Params {
    id: u8,
    on: bool,
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

pub(super) fn order(topic: &str, channel: u8, look: &Look) -> Order {
    let lit = look.lit.as_ref();
    let params = Params {
        id: channel,
        on: lit.is_some(),
        rgb: lit.map(|lit| [lit.color.red, lit.color.green, lit.color.blue]),
        white: lit.map(|_| 0),
        brightness: lit.map(|lit| lit.brightness),
        transition_duration: transition(look),
    };
    let request = Request { id: 1, src: "presence2mqtt", method: "RGBW.Set", params };
    Order { topic: format!("{topic}/rpc"), payload: json(&request) }
}

pub(super) fn announcement(topic: &str) -> Announcement {
    Announcement { topic: format!("{topic}/online"), says: |payload| payload == b"true", repeats: false }
}

fn transition(look: &Look) -> Option<Seconds> {
    let wanted = Seconds::of(look.transition);
    (!look.transition.is_zero()).then_some(Seconds { tenths: wanted.tenths.max(SHORTEST_TRANSITION) })
}
