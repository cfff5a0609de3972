//! What is known of somebody's presence, by whom, and since when.

use crate::core::model::presence::Presence;
use crate::core::model::remembered::Remembered;
use crate::core::model::time::{Tick, WholeSeconds};

/// What is known of somebody's presence.
#[derive(Debug)]
pub(super) enum Knowledge {
    Nothing,
    /// Left on the broker by an earlier run, and not confirmed yet.
    Remembered(Remembered),
    Known(Known),
}

/// What Graph told.
#[derive(Debug)]
pub(super) struct Known {
    pub presence: Presence,
    pub since: WholeSeconds,
    /// The words have been the same since the first answer of this run, so an earlier run may know since
    /// when.
    pub from_start: bool,
}

/// A change that has not lasted long enough yet.
#[derive(Debug)]
pub(super) struct Candidate {
    pub presence: Presence,
    pub since: WholeSeconds,
    pub first_seen: Tick,
}

impl Knowledge {
    pub(super) fn known(&self) -> Option<&Known> {
        match self {
            Self::Known(known) => Some(known),
            Self::Nothing | Self::Remembered(_) => None,
        }
    }

    pub(super) fn presence(&self) -> Option<&Presence> {
        self.known().map(|known| &known.presence)
    }

    /// Takes what an earlier run left on the broker; `true` if that is news to whoever was told.
    pub(super) fn remember(&mut self, remembered: Option<Remembered>) -> bool {
        let Self::Known(known) = self else {
            *self = remembered.map_or(Self::Nothing, Self::Remembered);
            return false;
        };
        let earlier = remembered.filter(|remembered| {
            known.from_start && remembered.since() < known.since && remembered.matches(&known.presence)
        });
        if let Some(earlier) = &earlier {
            known.since = earlier.since();
        }
        earlier.is_some()
    }

    /// Since when the first answer of this run holds: an earlier run may know it better.
    pub(super) fn since_of_first(&self, presence: &Presence, now: WholeSeconds) -> WholeSeconds {
        match self {
            Self::Remembered(remembered) if remembered.matches(presence) => remembered.since().min(now),
            Self::Remembered(_) | Self::Nothing | Self::Known(_) => now,
        }
    }
}
