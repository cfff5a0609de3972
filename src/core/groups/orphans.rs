//! What earlier runs left of people who may be members of a group that was not read yet.
//!
//! Nobody's topics are emptied before it is known that they left; until then nobody may believe them.

use std::collections::{BTreeMap, BTreeSet};

use crate::core::model::name::TopicLevel;
use crate::core::model::remembered::Remembered;
use crate::core::model::topic::{Field, Topics};

/// Retained topics of people who are unknown so far.
#[derive(Debug, Default)]
pub(super) struct Orphans {
    states: BTreeMap<TopicLevel, Option<Remembered>>,
    /// Of people who have nothing else.
    healths: BTreeSet<TopicLevel>,
}

impl Orphans {
    /// Keeps a `state` in mind.
    pub(super) fn state(&mut self, user: TopicLevel, state: Option<Remembered>) {
        self.states.insert(user, state);
    }

    /// Keeps in mind that somebody has a `health` and nothing else.
    pub(super) fn health(&mut self, user: TopicLevel) {
        self.healths.insert(user);
    }

    /// Somebody of this name has come: what an earlier run said of them.
    pub(super) fn take(&mut self, user: &TopicLevel) -> Option<Remembered> {
        self.healths.remove(user);
        self.states.remove(user).flatten()
    }

    /// Everybody whom nobody may believe yet.
    pub(super) fn doubted(&self, topics: &Topics) -> Vec<String> {
        self.states.keys().map(|user| topics.of_user(user, Field::Health)).collect()
    }

    /// Who will not come, as only those do who still `may_come`: who has a `state`, and who has only a
    /// `health`.
    pub(super) fn take_decided(
        &mut self,
        may_come: impl Fn(&TopicLevel) -> bool,
    ) -> (Vec<TopicLevel>, Vec<TopicLevel>) {
        let Self { states, healths } = std::mem::take(self);
        let (states, decided): (_, BTreeMap<_, _>) = states.into_iter().partition(|(name, _)| may_come(name));
        let (healths, decided_healths): (_, BTreeSet<_>) = healths.into_iter().partition(may_come);
        *self = Self { states, healths };
        (decided.into_keys().collect(), decided_healths.into_iter().collect())
    }
}
