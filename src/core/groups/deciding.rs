//! What becomes of those whom earlier runs followed and nobody knows yet, once it is known who will come.

use super::{Groups, may_come};
use crate::core::broker::outbox::Outbox;
use crate::core::context::Context;
use crate::core::model::name::TopicLevel;
use crate::core::model::remembered::Remembered;
use crate::core::model::report::Report;
use crate::core::model::topic::Field;
use crate::core::people::Roster;

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

    /// Who is in none of the groups that may have them will not come: what earlier runs left of them is removed. A group that cannot
    /// be read keeps only those waiting whose names its members may have.
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
