//! Other topics that win over presence while they say so: a camera in use, a door bell, a button.

use std::time::Duration;

use super::color::Shade;
use super::condition::Condition;

/// A topic of somebody else's, and what the light shows while it says so.
#[derive(Debug, Clone, PartialEq)]
pub struct Also {
    /// The full topic, without wildcards.
    pub topic: String,
    /// When it says so.
    pub on: On,
    /// Nothing: the colour stays that of presence.
    pub shade: Option<Shade>,
    /// Of the device.
    pub effect: Option<Box<str>>,
    /// After how long a message that was not followed by another one counts no more.
    pub expires: Option<Duration>,
}

/// What a payload has to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum On {
    /// Exactly this.
    Payload(Box<str>),
    /// One for which a template says so.
    Template(Condition),
}

impl Also {
    /// Whether a payload says so.
    pub(super) fn says(&self, payload: &[u8]) -> bool {
        match &self.on {
            On::Payload(on) => on.as_bytes() == payload,
            On::Template(condition) => condition.holds(payload),
        }
    }
}
