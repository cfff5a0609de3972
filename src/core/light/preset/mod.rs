//! What each kind of device wants to hear, and how it says that it is there.
//!
//! One file each: a pure function from a [`Look`] to a topic and a payload, after the vendor's page that it names.

mod wled;

use super::look::Look;

/// A message to a device. It is never retained: a device that comes back must not obey an old one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// The full topic.
    pub topic: String,
    /// The payload.
    pub payload: String,
}

/// How a device says that it has come: whoever hears it sends the colour again.
#[derive(Debug, Clone)]
pub struct Announcement {
    /// The full topic.
    pub topic: String,
    /// Whether a payload there says so.
    pub says: fn(&[u8]) -> bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize, serde::Serialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs)]
pub enum Target {
    Indicator1,
    Indicator2,
    Indicator3,
    Moodlight,
}

/// A device, with what its kind needs to know.
#[derive(Debug, Clone, PartialEq)]
pub enum Device {
    /// WLED.
    Wled,
}

impl Device {
    /// The order that makes the device show `look`. `topic` is the device's own base topic.
    #[must_use]
    pub fn order(&self, topic: &str, look: &Look) -> Order {
        match self {
            Self::Wled => wled::order(topic, look),
        }
    }

    /// Where the device announces itself, if it does.
    #[must_use]
    pub fn announcement(&self, topic: &str) -> Option<Announcement> {
        match self {
            Self::Wled => Some(wled::announcement(topic)),
        }
    }
}
