//! A person, and where their presence comes from: their own days or a test, and what apps wrote.

use std::time::Duration;

use serde_json::{Value, json};

use super::clock::Now;
use super::person::Person;
use super::sessions::Sessions;
use super::settings::Settings;
use super::status_message::StatusMessage;
use super::working_day::{self, Situation};

#[derive(Debug)]
pub(super) struct Resident {
    pub(super) person: Person,
    /// Counted in the order in which people were added.
    pub(super) place: u64,
    own: Own,
    pub(super) sessions: Sessions,
    status: Status,
    /// What was last seen, and the sequence number it got.
    seen: Option<(Shown, u64)>,
}

/// What somebody's Teams clients say.
#[derive(Debug)]
pub(super) enum Own {
    /// Lives through working days.
    Living,
    /// Stays as a test put it.
    Pinned { availability: String, activity: String },
    /// The whole entity is as a test wants it, whatever apps write.
    Raw(Value),
}

/// Whose status message is shown.
#[derive(Debug)]
enum Status {
    /// The one of the day.
    Own,
    /// What an app wrote last; none if it removed the message.
    Written(Option<StatusMessage>),
}

/// All there is to show of somebody, but for its sequence number.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Shown {
    pub(super) availability: String,
    pub(super) activity: String,
    pub(super) status_message: Option<Value>,
    pub(super) situation: Situation,
}

impl Resident {
    pub(super) fn new(person: Person, place: u64) -> Self {
        let sessions = Sessions::default();
        Self { person, place, own: Own::Living, sessions, status: Status::Own, seen: None }
    }

    /// Changes what the Teams clients say.
    pub(super) fn set_own(&mut self, own: Own) {
        self.own = own;
        self.changed();
    }

    /// Replaces the status message, or removes it.
    pub(super) fn say(&mut self, message: Option<StatusMessage>) {
        self.status = Status::Written(message);
    }

    /// Makes the next look find a new sequence number.
    pub(super) fn changed(&mut self) {
        self.seen = None;
    }

    /// The entity, if a test wants a certain one.
    pub(super) fn raw(&self) -> Option<&Value> {
        match &self.own {
            Own::Raw(entity) => Some(entity),
            Own::Living | Own::Pinned { .. } => None,
        }
    }

    /// What is to be seen at `now`, when the clock on the tenant's wall shows `day`.
    pub(super) fn shown(&self, settings: &Settings, day: Duration, now: Now) -> Shown {
        let (pinned, day) = match &self.own {
            // Whoever is pinned stays as they are in every way.
            Own::Pinned { availability, activity } => {
                (Some((availability.as_str(), activity.as_str())), settings.day_starts)
            }
            Own::Living | Own::Raw(_) => (None, day),
        };
        let seed = settings.seed.wrapping_mul(1_000_003);
        let situation = working_day::situation(seed.wrapping_add(self.place), day);
        let own = pinned.unwrap_or((situation.availability, situation.activity));
        let (availability, activity) = self.sessions.aggregate(own, now.up);
        let status_message = match &self.status {
            Status::Own => situation
                .status_message
                .map(|content| json!({"message": {"content": content, "contentType": "text"}})),
            Status::Written(message) => message.as_ref().and_then(|message| message.at(now.wall)).cloned(),
        };
        let (availability, activity) = (availability.to_owned(), activity.to_owned());
        Shown { availability, activity, status_message, situation }
    }

    /// The sequence number of what is shown; `newest` is the tenant's newest.
    pub(super) fn sequence(&mut self, shown: &Shown, newest: &mut u64) -> u64 {
        match &self.seen {
            Some((seen, sequence)) if seen == shown => *sequence,
            Some(_) | None => {
                *newest += 1;
                self.seen = Some((shown.clone(), *newest));
                *newest
            }
        }
    }
}
