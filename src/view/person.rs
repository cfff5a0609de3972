//! What was heard of one person.

use jiff::Timestamp;
use serde::Deserialize;

use super::{ID, SENTENCE};
use crate::core::model::foreign::Legible;
use crate::core::model::topic::Field;

/// The four topics of a person; empty where nothing is retained.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Person {
    availability: Legible,
    activity: Legible,
    /// May the others be believed? A word.
    pub health: Legible,
    state: Option<State>,
}

/// What of `state` is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
struct State {
    availability: Legible,
    activity: Legible,
    since: Option<Timestamp>,
    bridge: Legible,
}

/// The same as it comes: from any version of the program, perhaps from another one.
#[derive(Deserialize)]
struct WireState {
    availability: String,
    activity: String,
    since: String,
    #[serde(default)]
    bridge: String,
}

impl Person {
    /// Takes what came on a topic; an empty text means that the topic is gone.
    pub(super) fn take(&mut self, field: Field, text: &str) {
        match field {
            Field::Availability => self.availability = Legible::at_most(text, SENTENCE),
            Field::Activity => self.activity = Legible::at_most(text, SENTENCE),
            Field::Health => self.health = Legible::at_most(text, SENTENCE),
            Field::State => self.state = serde_json::from_str::<WireState>(text).ok().map(State::from),
        }
    }

    /// The word on the topic that lights follow, else the one in `state`.
    pub(super) fn availability(&self) -> &str {
        self.word(&self.availability, |state| &state.availability)
    }

    pub(super) fn activity(&self) -> &str {
        self.word(&self.activity, |state| &state.activity)
    }

    pub(super) fn since(&self) -> Option<Timestamp> {
        self.state.as_ref().and_then(|state| state.since)
    }

    /// The client id of the bridge that published the state.
    pub(super) fn bridge(&self) -> Option<&str> {
        self.state.as_ref().map(|state| state.bridge.as_str())
    }

    /// Whether nothing is left.
    pub(super) fn is_gone(&self) -> bool {
        *self == Self::default()
    }

    /// What is new since `before`, a line each. A change comes in several messages, of which `state` tells
    /// the whole.
    pub(super) fn news(&self, name: &str, before: &Self) -> Vec<String> {
        if self.is_gone() && !before.is_gone() {
            return vec![format!("{name} is gone")];
        }
        let mut lines = Vec::new();
        if let Some(state) = self.state.as_ref().filter(|_| self.state != before.state) {
            let since = state.since.map(|since| format!(" since {since}")).unwrap_or_default();
            lines.push(format!("{name}: {}, {}{since}", state.availability, state.activity));
        }
        let differs = self.state.as_ref().is_some_and(|state| state.availability != self.availability);
        if differs && !self.availability.is_empty() && self.availability != before.availability {
            lines.push(format!("{name}: {}", self.availability));
        }
        if self.health != before.health && !self.health.is_empty() {
            lines.push(format!("{name}: health is {}", self.health));
        }
        lines
    }

    fn word<'p>(&'p self, topic: &'p str, of_state: impl Fn(&'p State) -> &'p str) -> &'p str {
        if topic.is_empty() { self.state.as_ref().map_or("", of_state) } else { topic }
    }
}

impl From<WireState> for State {
    fn from(wire: WireState) -> Self {
        Self {
            availability: Legible::at_most(&wire.availability, SENTENCE),
            activity: Legible::at_most(&wire.activity, SENTENCE),
            since: wire.since.parse().ok(),
            bridge: Legible::at_most(&wire.bridge, ID),
        }
    }
}
