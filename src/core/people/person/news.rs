//! What an answer, its absence, or time changes about a person.

use std::time::Duration;

use super::{Person, Rules};
use crate::core::model::dirty_topics::DirtyTopics;
use crate::core::model::health::Health;
use crate::core::model::presence::Presence;
use crate::core::model::remembered::Remembered;
use crate::core::model::request::DENIED_RETRY;
use crate::core::model::time::{Now, Tick, WholeSeconds};
use crate::core::model::topic::Field;
use crate::core::people::knowledge::{Candidate, Knowledge, Known, Order};
use crate::core::people::refusal::{Denied, Refusal};

impl Person {
    /// Whether an answer is newer than what is known, which it should be.
    pub(in crate::core::people) fn order(&mut self, presence: &Presence, now: Tick) -> Order {
        let candidate = self.rare.as_ref().and_then(|rare| rare.candidate.as_ref());
        let newest = candidate.map(|candidate| &candidate.presence).or(self.knowledge.presence());
        let known = newest.and_then(|newest| newest.sequence_number.as_ref());
        let older =
            presence.sequence_number.as_ref().zip(known).is_some_and(|(new, known)| new.is_older_than(known));
        match &mut self.rare {
            None if !older => Order::Newer,
            rare => rare.get_or_insert_default().out_of_order.judge(older, now),
        }
    }

    /// Takes a usable answer. Returns when a change that must last first will have lasted.
    pub(in crate::core::people) fn read(
        &mut self,
        presence: Presence,
        now: Now,
        rules: Rules,
        dirty: &mut DirtyTopics,
    ) -> Option<Tick> {
        self.confirmed = now.tick.into();
        self.answered = true;
        self.doubted = false;
        self.allow();
        self.unusable = false;
        let known = match &mut self.knowledge {
            Knowledge::Known(known) => known,
            Knowledge::Nothing | Knowledge::Remembered(_) => {
                let since = self.knowledge.since_of_first(&presence, now.wall.into());
                self.publish(presence, since, now.tick, dirty);
                return None;
            }
        };
        if known.presence.same_as(&presence) {
            known.presence.sequence_number = presence.sequence_number;
            self.forget_candidate();
            return None;
        }
        if rules.debounce.is_zero() {
            self.publish(presence, now.wall.into(), now.tick, dirty);
            return None;
        }
        match &mut self.rare.get_or_insert_default().candidate {
            // The words are what has to last; what people write meanwhile does not begin it again.
            Some(candidate) if candidate.presence.same_words(&presence) => candidate.presence = presence,
            candidate => {
                *candidate = Some(Candidate { presence, since: now.wall.into(), first_seen: now.tick });
            }
        }
        self.settle(now.tick, rules, dirty)
    }

    /// Graph answered that this person cannot be read. A first refusal of somebody who could be read is not
    /// believed, unless `at_once`. Returns how long to wait with the next try, and whether it is news that
    /// they cannot be read.
    pub(in crate::core::people) fn refuse(
        &mut self,
        denied: Denied,
        at_once: bool,
        now: Tick,
    ) -> (Duration, bool) {
        let refusal = &mut self.rare.get_or_insert_default().refusal;
        if refusal.as_ref().is_none_or(|refusal| refusal.denied() != denied) {
            *refusal = Some(Refusal::first(denied, now));
        }
        let (wait, counts) =
            refusal.as_mut().map_or((DENIED_RETRY, true), |refusal| refusal.again(at_once, now));
        (wait, counts && self.denied.replace(denied) != Some(denied))
    }

    /// Since when Graph has refused to read them, without an answer in between.
    pub(in crate::core::people) fn refused_since(&self) -> Option<Tick> {
        self.rare.as_ref()?.refusal.as_ref().map(Refusal::since)
    }

    /// Whether they were read since the bridge began, or since somebody else signed in.
    pub(in crate::core::people) fn is_answered(&self) -> bool {
        self.answered
    }

    /// Whether somebody missing from an answer should be read alone now, to learn why.
    pub(in crate::core::people) fn may_look_again(&self, now: Tick) -> bool {
        let refusal = self.rare.as_ref().and_then(|rare| rare.refusal.as_ref());
        refusal.is_none_or(|refusal| now >= refusal.retry_at())
    }

    /// What is known was told by somebody else than will be asked from now on.
    pub(in crate::core::people) fn doubt(&mut self) {
        self.allow();
        self.doubted = true;
    }

    /// Forgets what this person wrote: it is not to be published any more.
    pub(in crate::core::people) fn forget_messages(&mut self, now: Tick, dirty: &mut DirtyTopics) {
        if let Knowledge::Known(known) = &mut self.knowledge
            && known.presence.messages.take().is_some()
        {
            self.touch(Field::State, now, dirty);
        }
    }

    /// Gives up a change that should have lasted: nobody looked meanwhile.
    pub(in crate::core::people) fn forget_candidate(&mut self) {
        if let Some(rare) = &mut self.rare {
            rare.candidate = None;
            // Nobody refuses them and nothing is out of order: there is nothing to keep.
            if rare.refusal.is_none() && rare.out_of_order.is_over() {
                self.rare = None;
            }
        }
    }

    /// Publishes a change that has lasted; returns when it will have, if it has not.
    pub(in crate::core::people) fn settle(
        &mut self,
        now: Tick,
        rules: Rules,
        dirty: &mut DirtyTopics,
    ) -> Option<Tick> {
        let candidate = &mut self.rare.as_mut()?.candidate;
        let lasts_from = candidate.as_ref()?.first_seen;
        if now < lasts_from + rules.debounce {
            return Some(lasts_from + rules.debounce);
        }
        if let Some(candidate) = candidate.take() {
            self.publish(candidate.presence, candidate.since, now, dirty);
        }
        None
    }

    /// Takes what an earlier run left on the broker, before or after the first answer.
    pub(in crate::core::people) fn remember(
        &mut self,
        remembered: Option<Remembered>,
        now: Tick,
        dirty: &mut DirtyTopics,
    ) {
        if self.knowledge.remember(remembered) {
            self.touch(Field::State, now, dirty);
        }
    }

    /// Brings health, and with it faded values, up to date. Returns when time alone will change them.
    pub(in crate::core::people) fn judge(
        &mut self,
        sign_in_required: bool,
        stale_after: Duration,
        rules: Rules,
        now: Tick,
        dirty: &mut DirtyTopics,
    ) -> Option<Tick> {
        let stale_at = Tick::from(self.confirmed) + stale_after;
        let fresh = now < stale_at;
        let health = match (sign_in_required, self.denied) {
            (true, _) => Health::SignInRequired,
            (false, Some(Denied::Forbidden)) => Health::Forbidden,
            (false, Some(Denied::NotFound)) => Health::NotFound,
            (false, None) if self.answered && fresh && !self.doubted => Health::Ok,
            (false, None) => Health::Stale,
        };
        let awaited = !self.answered && fresh && health == Health::Stale;
        if std::mem::replace(&mut self.awaited, awaited) != awaited {
            dirty.add(DirtyTopics::AWAITED);
        }
        if self.health != health {
            self.health = health;
            self.touch(Field::Health, now, dirty);
        }
        // Before the first answer the retained words of an earlier run stand: nothing is guessed.
        let faded = rules.unknown_when_stale && self.answered && !fresh;
        if self.faded != faded {
            self.faded = faded;
            self.touch(Field::Activity, now, dirty);
            self.touch(Field::Availability, now, dirty);
        }
        fresh.then_some(stale_at)
    }

    /// Makes `presence` what is known; `since` holds if the two words are new.
    fn publish(&mut self, presence: Presence, since: WholeSeconds, now: Tick, dirty: &mut DirtyTopics) {
        self.forget_candidate();
        let before = self.knowledge.known();
        let new_availability =
            before.is_none_or(|before| before.presence.availability() != presence.availability());
        let new_activity = before.is_none_or(|before| !before.presence.words.same_activity(&presence.words));
        let (since, from_start) = match before {
            Some(before) if !new_availability && !new_activity => (before.since, before.from_start),
            Some(_) => (since, false),
            None => (since, true),
        };
        self.knowledge = Knowledge::Known(Known { presence, since, from_start });
        self.touch(Field::State, now, dirty);
        if new_activity {
            self.touch(Field::Activity, now, dirty);
        }
        if new_availability {
            self.touch(Field::Availability, now, dirty);
        }
    }

    fn touch(&mut self, field: Field, now: Tick, dirty: &mut DirtyTopics) {
        dirty.add(field);
        self.changed = now.into();
    }
}
