//! What each kind of device wants to hear, and how it says that it is there.
//!
//! One file each: a pure function from a [`Look`] to a topic and a payload, after the vendor's page that it names.
//! `scale` turns per cent and durations into a device's own units, for all of them.

mod awtrix;
mod custom;
mod esphome;
mod openhasp;
mod scale;
mod shelly_gen1;
mod shelly_gen2;
mod tasmota;
mod wled;
mod zigbee2mqtt;

use super::look::Look;
use crate::core::model::effect::Message;
use crate::core::model::name::InvalidName;

pub use awtrix::Target;
pub use custom::{Custom, TemplateError};

/// A message to a device. It is never retained: a device that comes back must not obey an old one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// The full topic.
    pub topic: String,
    /// The payload; some devices are turned off by an empty one.
    pub payload: String,
}

impl From<Order> for Message {
    fn from(Order { topic, payload }: Order) -> Self {
        Self::handed_on(topic, payload)
    }
}

/// How a device says that it has come: whoever hears it sends the colour again.
#[derive(Debug, Clone)]
pub struct Announcement {
    /// The full topic.
    pub topic: String,
    /// Whether a payload there says so.
    pub says: fn(&[u8]) -> bool,
    /// Whether the device repeats it whenever its state changes, by our own orders too. Then it has come only
    /// if the last payload there did not say so; to answer each would undo what somebody did by hand.
    pub repeats: bool,
}

/// A device, with what its kind needs to know.
#[derive(Debug, Clone, PartialEq)]
pub enum Device {
    /// WLED.
    Wled,
    /// Tasmota.
    Tasmota,
    /// A lamp behind zigbee2mqtt.
    Zigbee2mqtt,
    /// A light of an ESPHome node.
    Esphome {
        /// The light's object id.
        object: Box<str>,
    },
    /// A Shelly of the first generation in colour mode.
    ShellyGen1 {
        /// Its number among the device's colour channels.
        channel: u8,
    },
    /// A Shelly of the second generation or later in its RGBW profile.
    ShellyGen2 {
        /// The id of its RGBW component.
        channel: u8,
    },
    /// An AWTRIX 3 clock.
    Awtrix(Target),
    /// The mood light of an openHASP plate.
    Openhasp,
    /// Anything else.
    Custom(Custom),
}

impl Device {
    /// The one order that makes the device show `look`. `topic` is the device's own base topic.
    ///
    /// Nothing only where a custom template fails although it was tried in every state at start: then the light
    /// stays as it is.
    #[must_use]
    pub fn order(&self, topic: &str, look: &Look) -> Option<Order> {
        match self {
            Self::Wled => Some(wled::order(topic, look)),
            Self::Tasmota => Some(tasmota::order(topic, look)),
            Self::Zigbee2mqtt => Some(zigbee2mqtt::order(topic, look)),
            Self::Esphome { object } => Some(esphome::order(topic, object, look)),
            Self::ShellyGen1 { channel } => Some(shelly_gen1::order(topic, *channel, look)),
            Self::ShellyGen2 { channel } => Some(shelly_gen2::order(topic, *channel, look)),
            Self::Awtrix(target) => Some(awtrix::order(topic, *target, look)),
            Self::Openhasp => Some(openhasp::order(topic, look)),
            Self::Custom(custom) => custom.order(topic, look),
        }
    }

    /// Whether both mean the same part of what listens on one topic.
    #[must_use]
    pub fn same_address(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Custom(_), Self::Custom(_)) => true,
            (one, other) => one == other,
        }
    }

    /// Where the device announces itself, if it does. `topic` is the device's own base topic.
    #[must_use]
    pub fn announcement(&self, topic: &str) -> Option<Announcement> {
        match self {
            Self::Wled => Some(wled::announcement(topic)),
            Self::Tasmota => Some(tasmota::announcement(topic)),
            Self::Zigbee2mqtt => Some(zigbee2mqtt::announcement(topic)),
            Self::Esphome { .. } => Some(esphome::announcement(topic)),
            Self::ShellyGen1 { .. } => Some(shelly_gen1::announcement(topic)),
            Self::ShellyGen2 { .. } => Some(shelly_gen2::announcement(topic)),
            Self::Awtrix(_) => Some(awtrix::announcement(topic)),
            Self::Openhasp => Some(openhasp::announcement(topic)),
            Self::Custom(custom) => custom.announcement(),
        }
    }

    /// Whether the device could mean something by an effect's name.
    ///
    /// `blink` and `breathe` are taken by all, so that a configuration can go from one device to another; a device
    /// without them shows the plain colour.
    ///
    /// # Errors
    /// With what is allowed instead.
    pub fn check_effect(&self, name: &str) -> Result<(), InvalidName> {
        if matches!(name, "blink" | "breathe") {
            return Ok(());
        }
        match self {
            Self::Wled => wled::check_effect(name),
            Self::ShellyGen1 { .. } => shelly_gen1::check_effect(name),
            Self::Awtrix(target) => awtrix::check_effect(*target, name),
            Self::Zigbee2mqtt | Self::Esphome { .. } | Self::Custom(_) => any_effect(name),
            Self::Tasmota | Self::ShellyGen2 { .. } | Self::Openhasp => Err(COMMON_EFFECTS),
        }
    }
}

/// The refusal of devices that have no effects of their own.
const COMMON_EFFECTS: InvalidName = InvalidName("\"blink\" or \"breathe\"");

/// The effects of these devices are known to whoever set the device up, not to us.
fn any_effect(name: &str) -> Result<(), InvalidName> {
    if name.trim().is_empty() || name.contains(char::is_control) {
        return Err(InvalidName("\"blink\", \"breathe\" or the name of an effect of the device"));
    }
    Ok(())
}

/// Many devices write the same word, on topics of their own.
fn online_at(topic: String) -> Announcement {
    Announcement { topic, says: |payload| payload == b"online", repeats: false }
}
