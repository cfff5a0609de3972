//! What time does to people: changes that have lasted, and values that nobody confirms.

use std::time::Duration;

use super::Roster;
use super::person::Rules;
use super::terms::Terms;
use crate::core::context::Context;
use crate::core::model::dirty_topics::DirtyTopics;
use crate::core::model::place::Place;
use crate::core::model::time::Tick;

impl Roster {
    /// Publishes changes that have lasted.
    pub(in crate::core) fn settle(&mut self, cx: &Context) {
        while let Some(&(at, place)) = self.settling.first().filter(|&&(at, _)| at <= cx.now) {
            self.settling.remove(&(at, place));
            self.settle_one(place, cx);
        }
    }

    /// Publishes a change of one person that has lasted, or looks again when it will have.
    pub(super) fn settle_one(&mut self, place: Place, cx: &Context) {
        let rules = Rules::from_settings(&cx.settings);
        let later = self.update(place, |person, dirty| person.settle(cx.now, rules, dirty));
        self.settling.extend(later.flatten().map(|later| (later, place)));
    }

    /// Brings everybody's health up to date, if time or the terms may have changed anybody's.
    pub(in crate::core) fn judge(&mut self, terms: Terms, cx: &Context) {
        let before = std::mem::replace(&mut self.terms, terms);
        // With a longer time before values are stale, `judge_at` comes too early, which costs only a look.
        let sooner = terms.stale_after < before.stale_after;
        if cx.now < self.judge_at && !sooner && terms.sign_in_required == before.sign_in_required {
            return;
        }
        let mut earliest = cx.now + terms.stale_after;
        for number in 0..self.people.len() {
            if let Some(at) = self.judge_one(Place::new(number), cx) {
                earliest = earliest.min(at);
            }
        }
        self.judge_at = earliest;
    }

    /// Graph answered, so that somebody is signed in. Everybody's health is brought up to date at the next occasion.
    pub(super) fn signed_in(&mut self, cx: &Context) {
        if std::mem::take(&mut self.terms.sign_in_required) {
            self.judge_everybody(cx);
        }
    }

    /// Everybody's health is brought up to date at the next occasion.
    pub(in crate::core) fn judge_everybody(&mut self, cx: &Context) {
        self.judge_at = cx.now;
    }

    /// Time went on unseen. Nobody turns stale for `grace`, and nobody looked whether these changes lasted.
    pub(in crate::core) fn slept(&mut self, grace: Duration, cx: &Context) {
        self.judge_at = cx.now + grace;
        for (_, place) in std::mem::take(&mut self.settling) {
            self.update(place, |person, _| person.forget_candidate());
        }
    }

    /// When time alone changes somebody.
    pub(in crate::core) fn wake_at(&self) -> Option<Tick> {
        let settles = self.settling.first().map(|&(at, _)| at);
        settles.into_iter().chain((self.count() > 0).then_some(self.judge_at)).min()
    }

    /// Brings one person's health up to date. Returns when time alone will change it.
    pub(super) fn judge_one(&mut self, place: Place, cx: &Context) -> Option<Tick> {
        let rules = Rules::from_settings(&cx.settings);
        let Terms { sign_in_required, stale_after } = self.terms;
        let mut dirty = DirtyTopics::default();
        let person = self.people.get_mut(place.number())?.as_mut()?;
        let before = person.health();
        let changes_at = person.judge(sign_in_required, stale_after, rules, cx.now, &mut dirty);
        let after = person.health();
        self.census[before as usize] -= 1;
        self.census[after as usize] += 1;
        self.change(place, dirty);
        changes_at
    }
}
