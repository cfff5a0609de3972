//! What becomes of those whom earlier runs followed and nobody knows yet, once it is known who will come.

use std::collections::BTreeSet;

use super::{Groups, may_come};
use crate::core::broker::outbox::Outbox;
use crate::core::context::Context;
use crate::core::model::event::Incoming;
use crate::core::model::heard::Heard;
use crate::core::model::name::TopicLevel;
use crate::core::model::payload::RememberedState;
use crate::core::model::remembered::Remembered;
use crate::core::model::report::Report;
use crate::core::model::topic::Field;
use crate::core::people::Roster;

impl Groups {
    /// Takes what is retained, if it is somebody's `state`, whoever published it. Nobody may believe that of
    /// an earlier run of somebody who is not known yet.
    pub(in crate::core) fn found(
        &mut self,
        heard: &Heard,
        message: &Incoming,
        people: &mut Roster,
        outbox: &mut Outbox,
        cx: &mut Context,
    ) {
        let Heard::Person(user, Field::State) = heard else { return };
        let state: Option<RememberedState> = serde_json::from_slice(&message.payload).ok();
        let Some(state) = state.filter(|state| cx.is_own(&state.bridge)) else { return };
        if let Some(place) = people.by_name(user) {
            people.remember(place, Remembered::from_state(&state), cx);
        } else if self.may_come(user) {
            outbox.doubt(cx.topics.of_user(user, Field::Health));
            self.orphans.state(user.clone(), Remembered::from_state(&state));
        } else {
            outbox.remove_user(user, cx);
            cx.report(Report::Removed(user.clone()));
        }
    }

    /// These have a `health` of an earlier run, and nothing else.
    pub(in crate::core) fn keep_healths(&mut self, users: BTreeSet<TopicLevel>, people: &Roster) {
        let unknown = users.into_iter().filter(|user| people.by_name(user).is_none());
        unknown.for_each(|user| self.orphans.health(user));
    }

    /// Everything is sent: nobody may believe what is retained of people who are not known yet.
    pub(in crate::core) fn doubt_orphans(&self, outbox: &mut Outbox, cx: &Context) {
        self.orphans.doubted(&cx.topics).into_iter().for_each(|health| outbox.doubt(health));
    }

    /// Who is in none of the groups that may have them will not come: what earlier runs left of them is
    /// removed. A group that cannot be read keeps only those waiting whose names its members may have.
    pub(in crate::core) fn decide_orphans(&mut self, people: &Roster, outbox: &mut Outbox, cx: &mut Context) {
        let Self { list, orphans, .. } = self;
        let (states, healths) = orphans.take_decided(|name| may_come(list, name));
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
