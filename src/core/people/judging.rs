//! What time does to people: changes that have lasted, and values that nobody confirms.

use std::time::Duration;

use super::Roster;
use super::person::{Person, Rules};
use crate::core::context::Context;
use crate::core::model::account::AccountId;
use crate::core::model::dirty_topics::DirtyTopics;
use crate::core::model::place::Place;
use crate::core::model::terms::Terms;
use crate::core::model::time::Tick;

/// Nobody turns stale so soon after time passed unseen: a read that succeeds at once spares everybody the
/// alarm.
const WAKING_GRACE: Duration = Duration::from_millis(1200);

impl Roster {
    /// Publishes a change of one person that has lasted, or looks again when it will have.
    pub(super) fn settle_one(&mut self, place: Place, cx: &Context) {
        let rules = Rules::from_settings(&cx.settings);
        let later = self.update(place, |person, dirty| person.settle(cx.now, rules, dirty));
        self.settling.extend(later.flatten().map(|later| (later, place)));
    }

    /// Publishes changes that have lasted, and brings everybody's health up to date, if time or the terms of
    /// their account may have changed anybody's.
    pub(in crate::core) fn judge(&mut self, terms: impl Iterator<Item = Terms>, cx: &Context) {
        while let Some(&(at, place)) = self.settling.first().filter(|&&(at, _)| at <= cx.now) {
            self.settling.remove(&(at, place));
            self.settle_one(place, cx);
        }
        let mut is_judged = false;
        for (account, terms) in self.accounts.iter_mut().zip(terms) {
            if account.take(terms, cx.now) {
                account.judge_at = cx.now;
                is_judged = true;
            }
        }
        if is_judged {
            self.judge_all_who_are_due(cx);
        }
    }

    fn judge_all_who_are_due(&mut self, cx: &Context) {
        let is_due: Vec<bool> = self.accounts.iter().map(|account| account.judge_at <= cx.now).collect();
        for account in self.accounts.iter_mut().filter(|account| account.judge_at <= cx.now) {
            account.judge_at = cx.now + account.terms.stale_after;
        }
        for number in 0..self.people.len() {
            let account = self.people[number].as_ref().map(Person::account);
            let Some(account) = account.filter(|account| is_due[account.index()]) else { continue };
            if let Some(at) = self.judge_one(Place::new(number), cx) {
                let earliest = &mut self.under_terms(account).judge_at;
                *earliest = at.min(*earliest);
            }
        }
    }

    /// Graph answered, so that somebody is signed in to this account. Its people's health is brought up to
    /// date at the next occasion.
    pub(super) fn signed_in(&mut self, account: AccountId, cx: &Context) {
        let account = self.under_terms(account);
        if std::mem::take(&mut account.terms.sign_in_required) {
            account.judge_at = cx.now;
        }
    }

    /// Time went on unseen. Nobody turns stale for a moment, and nobody looked whether these changes lasted.
    pub(in crate::core) fn slept(&mut self, cx: &Context) {
        self.accounts.iter_mut().for_each(|account| account.judge_at = cx.now + WAKING_GRACE);
        for (_, place) in std::mem::take(&mut self.settling) {
            self.update(place, |person, _| person.forget_candidate());
        }
    }

    /// When time alone changes somebody.
    pub(in crate::core) fn wake_at(&self) -> Option<Tick> {
        let settles = self.settling.first().map(|&(at, _)| at);
        let judged = self.accounts.iter().filter(|account| account.all() > 0).map(|account| account.judge_at);
        settles.into_iter().chain(judged).min()
    }

    /// Brings one person's health up to date. Returns when time alone will change it.
    pub(super) fn judge_one(&mut self, place: Place, cx: &Context) -> Option<Tick> {
        let rules = Rules::from_settings(&cx.settings);
        let mut dirty = DirtyTopics::default();
        let person = self.people.get_mut(place.number())?.as_mut()?;
        let account = &mut self.accounts[person.account().index()];
        let Terms { sign_in_required, stale_after } = account.terms;
        let before = person.health();
        let changes_at = person.judge(sign_in_required, stale_after, rules, cx.now, &mut dirty);
        let after = person.health();
        account.discount(before);
        account.count(after);
        self.change(place, dirty);
        changes_at
    }
}
