//! AWTRIX 3, an indicator or the whole matrix (vendor: `Blueforcer/awtrix3` `docs/api.md`, "Colored Indicators" and
//! "Mood Lighting", and `docs/effects.md`).
//!
//! The configured topic is the clock's MQTT prefix. It knows no transitions, and the mood light no effects.

use serde::Serialize;

use super::order::{Announcement, COMMON_EFFECTS, Order};
use super::scale::per_cent_of;
use crate::core::lights::look::{Lit, Look};
use crate::core::model::name::InvalidName;
use crate::core::model::payload::json;

/// Half a period of blinking, in milliseconds.
const BLINK: u32 = 500;
/// A period of fading in and out, in milliseconds.
const FADE: u32 = 2000;

/// Which part of the clock is the light.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// The upper right corner.
    Indicator1,
    /// The middle of the right edge.
    Indicator2,
    /// The lower right corner.
    Indicator3,
    /// The whole matrix. It draws current and grows warm.
    Moodlight,
}

#[derive(Serialize)]
struct Indicator {
    color: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    blink: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fade: Option<u32>,
}

#[derive(Serialize)]
struct Moodlight {
    brightness: u8,
    color: String,
}

pub(super) fn order(topic: &str, target: Target, look: &Look) -> Order {
    let (level, payload) = match target {
        Target::Indicator1 => ("indicator1", indicator(look.lit.as_ref())),
        Target::Indicator2 => ("indicator2", indicator(look.lit.as_ref())),
        Target::Indicator3 => ("indicator3", indicator(look.lit.as_ref())),
        Target::Moodlight => ("moodlight", moodlight(look.lit.as_ref())),
    };
    Order { topic: format!("{topic}/{level}"), payload }
}

/// The clock sends the list of its effects when it connects, and only then. It has a topic with `online` too, but
/// not while its discovery for Home Assistant is on.
pub(super) fn announcement(topic: &str) -> Announcement {
    Announcement {
        topic: format!("{topic}/stats/effects"),
        says: |payload| !payload.is_empty(),
        repeats: false,
    }
}

pub(super) fn check_effect(target: Target, name: &str) -> Result<(), InvalidName> {
    match target {
        Target::Indicator1 | Target::Indicator2 | Target::Indicator3 if name == "fade" => Ok(()),
        Target::Indicator1 | Target::Indicator2 | Target::Indicator3 => {
            Err(InvalidName("\"blink\", \"breathe\" or \"fade\""))
        }
        Target::Moodlight => Err(COMMON_EFFECTS),
    }
}

/// An indicator has no brightness beside the matrix's own, which follows the light in the room.
fn indicator(lit: Option<&Lit>) -> String {
    let shown = match lit {
        Some(lit) => {
            let effect = lit.effect.name();
            Indicator {
                color: lit.color.to_string(),
                blink: (effect == Some("blink")).then_some(BLINK),
                fade: matches!(effect, Some("breathe" | "fade")).then_some(FADE),
            }
        }
        None => Indicator { color: String::from("0"), blink: None, fade: None },
    };
    json(&shown)
}

/// An empty payload gives the matrix back to the clock.
fn moodlight(lit: Option<&Lit>) -> String {
    lit.map_or_else(String::new, |lit| {
        json(&Moodlight { brightness: per_cent_of(255, lit.brightness), color: lit.color.to_string() })
    })
}
