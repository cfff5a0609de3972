//! What an earlier run published about a person, read back from the broker.

use super::payload::RememberedState;
use super::presence::Presence;
use super::time::WholeSeconds;
use super::word::{Activity, Availability, LONGEST_WORD};

/// Bytes that a published activity has at most.
const LONGEST_ACTIVITY: usize = LONGEST_WORD * 4;

/// The two words, and since when they held together.
#[derive(Debug)]
pub(in crate::core) struct Remembered {
    availability: Availability,
    activity: Activity,
    since: WholeSeconds,
}

impl Remembered {
    /// What could ever be published again; other words match nothing.
    pub(in crate::core) fn from_state(state: &RememberedState) -> Option<Self> {
        let is_published = |word: &Availability| word.as_str() == state.availability;
        let availability = Availability::ALL.iter().copied().find(is_published)?;
        if state.activity.len() > LONGEST_ACTIVITY {
            return None;
        }
        let activity = Activity::published(&state.activity);
        Some(Self { availability, activity, since: state.since.into() })
    }

    pub(in crate::core) fn since(&self) -> WholeSeconds {
        self.since
    }

    pub(in crate::core) fn matches(&self, presence: &Presence) -> bool {
        self.availability == presence.availability() && self.activity == presence.activity()
    }
}
