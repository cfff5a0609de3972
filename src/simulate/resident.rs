//! A person, and the sources of their presence: a simulated day or a test, and what apps have set.

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
    /// The presence of the last read, and its sequence number.
    seen: Option<(Shown, u64)>,
}

/// What a person's Teams clients report.
#[derive(Debug)]
pub(super) enum Own {
    /// Follows simulated working days.
    Living,
    /// Stays as a test set it.
    Pinned { availability: String, activity: String },
    /// A test set the whole entity, whatever apps set.
    Raw(Value),
}

/// Which status message is shown.
#[derive(Debug)]
enum Status {
    /// That of the simulated day.
    Own,
    /// The one that an app set last; `None` if an app removed it.
    Written(Option<StatusMessage>),
}

/// A person's presence without its sequence number.
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

    /// Changes what the Teams clients report.
    pub(super) fn set_own(&mut self, own: Own) {
        self.own = own;
        self.changed();
    }

    /// Replaces the status message, or removes it.
    pub(super) fn say(&mut self, message: Option<StatusMessage>) {
        self.status = Status::Written(message);
    }

    /// Gives the next read a new sequence number.
    pub(super) fn changed(&mut self) {
        self.seen = None;
    }

    /// The entity that a test set, if it did.
    pub(super) fn raw(&self) -> Option<&Value> {
        match &self.own {
            Own::Raw(entity) => Some(entity),
            Own::Living | Own::Pinned { .. } => None,
        }
    }

    /// The presence at `now`, when `day` is the time of the simulated day.
    pub(super) fn shown(&self, settings: &Settings, day: Duration, now: Now) -> Shown {
        let (pinned, day) = match &self.own {
            // A presence that a test set does not change in any way.
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
