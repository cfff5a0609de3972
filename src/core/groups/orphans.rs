//! What earlier runs left of people who may be members of a group that was not read yet.
//!
//! Nobody's topics are emptied before it is known that they left; until then nobody may believe them.

use std::collections::{BTreeMap, BTreeSet};

use super::Groups;
use crate::core::broker::outbox::Outbox;
use crate::core::context::Context;
use crate::core::model::report::Report;
use crate::core::people::Roster;

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
    fn doubted(&self, topics: &Topics) -> Vec<String> {
        self.states.keys().map(|user| topics.of_user(user, Field::Health)).collect()
    }

    /// Nobody else will come: who has a `state`, and who has only a `health`.
    fn take_all(&mut self) -> (Vec<TopicLevel>, Vec<TopicLevel>) {
        let Self { states, healths } = std::mem::take(self);
        (states.into_keys().collect(), healths.into_iter().collect())
    }
}

impl Groups {
    /// Somebody who is not known yet has a `state` of an earlier run, which nobody may believe until they are.
    pub(in crate::core) fn keep_state(
        &mut self,
        user: TopicLevel,
        state: Option<Remembered>,
        outbox: &mut Outbox,
        cx: &Context,
    ) {
        outbox.doubt(cx.topics.of_user(&user, Field::Health));
        self.orphans.state(user, state);
    }

    /// Somebody who is not known yet has a `health` of an earlier run, and nothing else.
    pub(in crate::core) fn keep_health(&mut self, user: TopicLevel) {
        self.orphans.health(user);
    }

    /// Everything is sent: nobody may believe what is retained of people who are not known yet.
    pub(in crate::core) fn doubt_orphans(&self, outbox: &mut Outbox, cx: &Context) {
        self.orphans.doubted(&cx.topics).into_iter().for_each(|health| outbox.doubt(health));
    }

    /// Once every group was read, nobody else will come: what earlier runs left of others is removed.
    pub(in crate::core) fn decide_orphans(&mut self, people: &Roster, outbox: &mut Outbox, cx: &mut Context) {
        if self.are_undecided() {
            return;
        }
        let (states, healths) = self.orphans.take_all();
        for name in states.into_iter().filter(|name| people.by_name(name).is_none()) {
            outbox.remove_user(&name, cx);
            cx.report(Report::Removed(name));
        }
        for name in healths.into_iter().filter(|name| people.by_name(name).is_none()) {
            outbox.remove(cx.topics.of_user(&name, Field::Health));
            cx.report(Report::Removed(name));
        }
    }
}
