//! AWTRIX 3, an indicator or the whole matrix (vendor: `Blueforcer/awtrix3` `docs/api.md`, "Colored
//! Indicators" and "Mood Lighting", and `docs/effects.md`).
//!
//! The configured topic is the clock's MQTT prefix. It knows no transitions, and the mood light no effects.
//!
//! The mood light has a `brightness`, but that is the matrix's own (`src/DisplayManager.cpp`, `moodlight`):
//! it stays when the mood light ends, and the clock's sensor overwrites it. So the colour itself is dimmed,
//! and the matrix stays as bright as the clock has it.

use serde::Serialize;

use super::ear::{Ear, Means};
use super::order::{Announcement, COMMON_EFFECTS, Order};
use super::scale::dimmed;
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

/// The clock sends the list of its effects when it connects, and only then. It has a topic with `online` too,
/// but not while its discovery for Home Assistant is on.
pub(super) fn announcement(topic: &str) -> Announcement {
    Announcement::new(format!("{topic}/stats/effects"), |payload| !payload.is_empty())
}

/// Whatever it says; `stats` every ten seconds.
pub(super) fn ears(topic: &str) -> Vec<Ear> {
    ["stats", "stats/effects", "stats/currentApp"]
        .map(|level| Ear { topic: format!("{topic}/{level}"), means: Means::State })
        .into()
}

/// No JSON, which the clock overlooks; an empty object would turn an indicator off.
pub(super) fn question(topic: &str, target: Target) -> Order {
    Order { payload: "?".to_owned(), ..order(topic, target, &Look::OFF) }
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
        json(&Moodlight { color: dimmed(lit.color, lit.brightness).to_string() })
    })
}
