//! What each kind of device wants to hear, and how it says that it is there.
//!
//! One file each: a pure function from a [`Look`] to topics and payloads, after the vendor's page that it
//! names. `order` is what they have in common, `scale` turns per cent and durations into a device's own
//! units, for all of them.

mod awtrix;
mod custom;
mod ear;
mod esphome;
mod openhasp;
mod order;
mod scale;
mod shelly_gen1;
mod shelly_gen2;
mod tasmota;
mod wled;
mod zigbee2mqtt;

use super::look::Look;
use crate::core::model::name::InvalidName;

pub use awtrix::Target;
pub use custom::Custom;
pub use ear::{Ear, Sign};
pub use order::{Announcement, Order};
pub use shelly_gen2::Profile;

use order::COMMON_EFFECTS;

/// A device, with what its kind needs to know.
#[derive(Debug, Clone, PartialEq)]
pub enum Device {
    /// WLED.
    Wled,
    /// Tasmota.
    Tasmota {
        /// The number of the light among the device's outputs; without one the first.
        channel: Option<u8>,
    },
    /// A lamp behind zigbee2mqtt.
    Zigbee2mqtt,
    /// A light of an ESPHome node.
    Esphome {
        /// The light's object id.
        object: Box<str>,
    },
    /// A Shelly of the first generation.
    ShellyGen1 {
        /// Its number among the device's channels.
        channel: u8,
    },
    /// A Shelly of the second generation or later.
    ShellyGen2 {
        /// The id of the component.
        channel: u8,
        /// Which component.
        profile: Profile,
    },
    /// An AWTRIX 3 clock.
    Awtrix(Target),
    /// The mood light of an openHASP plate.
    Openhasp,
    /// Anything else.
    Custom(Custom),
}

impl Device {
    /// The orders that make the device show `look`, in order. `topic` is the device's own base topic.
    ///
    /// None only where a custom template fails although it was tried in every state at start: then the light
    /// stays as it is.
    #[must_use]
    pub fn orders(&self, topic: &str, look: &Look) -> Vec<Order> {
        match self {
            Self::Wled => vec![wled::order(topic, look)],
            Self::Tasmota { channel } => vec![tasmota::order(topic, *channel, look)],
            Self::Zigbee2mqtt => zigbee2mqtt::orders(topic, look),
            Self::Esphome { object } => esphome::orders(topic, object, look),
            Self::ShellyGen1 { channel } => vec![shelly_gen1::order(topic, *channel, look)],
            Self::ShellyGen2 { channel, profile } => {
                vec![shelly_gen2::order(topic, *channel, *profile, look)]
            }
            Self::Awtrix(target) => vec![awtrix::order(topic, *target, look)],
            Self::Openhasp => vec![openhasp::order(topic, look)],
            Self::Custom(custom) => custom.order(topic, look).into_iter().collect(),
        }
    }

    /// Whether both mean the same part of what listens on one topic.
    #[must_use]
    pub fn same_address(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Custom(_), Self::Custom(_)) => true,
            // One colour for all outputs.
            (Self::Tasmota { .. }, Self::Tasmota { .. }) => true,
            (Self::ShellyGen2 { channel: one, .. }, Self::ShellyGen2 { channel: other, .. }) => one == other,
            (one, other) => one == other,
        }
    }

    /// Where the device announces itself, if it does. `topic` is the device's own base topic.
    #[must_use]
    pub fn announcement(&self, topic: &str) -> Option<Announcement> {
        match self {
            Self::Wled => Some(wled::announcement(topic)),
            Self::Tasmota { .. } => Some(tasmota::announcement(topic)),
            Self::Zigbee2mqtt => Some(zigbee2mqtt::announcement(topic)),
            Self::Esphome { .. } => Some(esphome::announcement(topic)),
            Self::ShellyGen1 { .. } => Some(shelly_gen1::announcement(topic)),
            Self::ShellyGen2 { .. } => Some(shelly_gen2::announcement(topic)),
            Self::Awtrix(_) => Some(awtrix::announcement(topic)),
            Self::Openhasp => Some(openhasp::announcement(topic)),
            Self::Custom(custom) => custom.announcement(),
        }
    }

    /// Where the device is heard of.
    #[must_use]
    pub fn ears(&self, topic: &str) -> Vec<Ear> {
        match self {
            Self::Wled => wled::ears(topic),
            Self::Tasmota { .. } => tasmota::ears(topic),
            Self::Zigbee2mqtt => zigbee2mqtt::ears(topic),
            Self::Esphome { object } => esphome::ears(topic, object),
            Self::ShellyGen1 { channel } => shelly_gen1::ears(topic, *channel),
            Self::ShellyGen2 { .. } => shelly_gen2::ears(topic),
            Self::Awtrix(_) => awtrix::ears(topic),
            Self::Openhasp => openhasp::ears(topic),
            Self::Custom(custom) => custom.ears(),
        }
    }

    /// What changes nothing, goes where orders go, and is answered by devices that answer. Nothing for those
    /// nobody knows.
    #[must_use]
    pub fn questions(&self, topic: &str, white: bool) -> Vec<Order> {
        match self {
            Self::Wled => vec![wled::question(topic)],
            Self::Tasmota { .. } => vec![tasmota::question(topic)],
            Self::Zigbee2mqtt => zigbee2mqtt::questions(topic),
            Self::Esphome { object } => vec![esphome::question(topic, object)],
            Self::ShellyGen1 { channel } => shelly_gen1::questions(topic, *channel, white),
            Self::ShellyGen2 { channel, profile } => {
                vec![shelly_gen2::question(topic, *channel, *profile, white)]
            }
            Self::Awtrix(target) => vec![awtrix::question(topic, *target)],
            Self::Openhasp => vec![openhasp::question(topic)],
            Self::Custom(_) => Vec::new(),
        }
    }

    /// Whether the device could mean something by an effect's name.
    ///
    /// `blink` and `breathe` are taken by all, so that a configuration can go from one device to another; a
    /// device without them shows the plain colour.
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
            Self::Tasmota { .. } | Self::ShellyGen2 { .. } | Self::Openhasp => Err(COMMON_EFFECTS),
        }
    }
}

/// The effects of these devices are known to whoever set the device up, not to us.
fn any_effect(name: &str) -> Result<(), InvalidName> {
    if name.trim().is_empty() || name.contains(char::is_control) {
        return Err(InvalidName("\"blink\", \"breathe\" or the name of an effect of the device"));
    }
    Ok(())
}
