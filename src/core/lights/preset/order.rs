//! What is sent to a device, and how it says that it is there.

use std::time::Duration;

use crate::core::model::effect::Message;
use crate::core::model::name::InvalidName;

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
    /// How long after it the device does not listen yet.
    pub deaf_for: Duration,
}

impl Announcement {
    /// A device that listens before it says that it is there, and says so once.
    pub(super) fn new(topic: String, says: fn(&[u8]) -> bool) -> Self {
        Self { topic, says, repeats: false, deaf_for: Duration::ZERO }
    }
}

/// The refusal of devices that have no effects of their own.
pub(super) const COMMON_EFFECTS: InvalidName = InvalidName("\"blink\" or \"breathe\"");

/// Many devices write the same word, on topics of their own.
pub(super) fn online_at(topic: String) -> Announcement {
    Announcement::new(topic, |payload| payload == b"online")
}
