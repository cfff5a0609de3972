//! What time does to people, and how their account is doing: changes that have lasted, and values that nobody
//! confirms.

use std::time::Duration;

use super::Roster;
use super::person::{Person, Rules};
use crate::core::accounts::requests::Requests;
use crate::core::context::Context;
use crate::core::model::account::AccountId;
use crate::core::model::dirty_topics::DirtyTopics;
use crate::core::model::health::{GraphState, Health};
use crate::core::model::place::Place;
use crate::core::model::time::Tick;

/// Nobody turns stale so soon after time passed unseen: a read that succeeds at once spares everybody the
/// alarm.
const WAKING_GRACE: Duration = Duration::from_millis(1200);

/// What the people of one account have in common, and their health depends on besides their own answers.
#[derive(Debug)]
pub(super) struct Terms {
    /// How many there are by the word of their health, in the order of [`Health::ALL`].
    census: [usize; Health::ALL.len()],
    /// Nobody is signed in.
    sign_in_required: bool,
    /// After how long without an answer values are stale.
    stale_after: Duration,
    /// Nobody's health changes by time alone before this.
    judge_at: Tick,
}

impl Terms {
    pub(super) fn new(requests: &Requests, cx: &Context) -> Self {
        Self {
            census: [0; Health::ALL.len()],
            sign_in_required: requests.source().state() == GraphState::SignInRequired,
            stale_after: requests.stale_after(&cx.settings),
            judge_at: cx.now,
        }
    }

    /// There is one more with this health.
    pub(super) fn count(&mut self, health: Health) {
        self.census[health as usize] += 1;
    }

    /// There is one less.
    pub(super) fn discount(&mut self, health: Health) {
        self.census[health as usize] -= 1;
    }

    pub(super) fn count_of(&self, health: Health) -> usize {
        self.census[health as usize]
    }

    pub(super) fn all(&self) -> usize {
        self.census.iter().sum()
    }

    /// Takes the terms of now. `true` if they, or the time, may change somebody's health.
    fn take(&mut self, requests: &Requests, cx: &Context) -> bool {
        let now = Self::new(requests, cx);
        // With a longer time before values are stale, `judge_at` comes too early, which costs only a look.
        let may_change = cx.now >= self.judge_at
            || now.stale_after < self.stale_after
            || now.sign_in_required != self.sign_in_required;
        let judge_at = if may_change { cx.now } else { self.judge_at };
        *self = Self { census: self.census, judge_at, ..now };
        may_change
    }
}

impl Roster {
    /// Publishes a change of one person that has lasted, or looks again when it will have.
    pub(super) fn settle_one(&mut self, place: Place, cx: &Context) {
        let rules = Rules::from_settings(&cx.settings);
        let later = self.update(place, |person, dirty| person.settle(cx.now, rules, dirty));
        self.settling.extend(later.flatten().map(|later| (later, place)));
    }

    /// Publishes changes that have lasted, and brings everybody's health up to date, if time or the terms of
    /// their account may have changed anybody's.
    pub(in crate::core) fn judge<'a>(&mut self, requests: impl Iterator<Item = &'a Requests>, cx: &Context) {
        while let Some(&(at, place)) = self.settling.first().filter(|&&(at, _)| at <= cx.now) {
            self.settling.remove(&(at, place));
            self.settle_one(place, cx);
        }
        let mut is_judged = false;
        for (account, requests) in self.accounts.iter_mut().zip(requests) {
            is_judged |= account.take(requests, cx);
        }
        if is_judged {
            self.judge_all_who_are_due(cx);
        }
    }

    fn judge_all_who_are_due(&mut self, cx: &Context) {
        let is_due: Vec<bool> = self.accounts.iter().map(|account| account.judge_at <= cx.now).collect();
        for account in self.accounts.iter_mut().filter(|account| account.judge_at <= cx.now) {
            account.judge_at = cx.now + account.stale_after;
        }
        for number in 0..self.people.len() {
            let account = self.people[number].as_ref().map(Person::account);
            let Some(account) = account.filter(|account| is_due[account.index()]) else { continue };
            if let Some(at) = self.judge_one(Place::new(number), cx) {
                let earliest = &mut self.terms(account).judge_at;
                *earliest = at.min(*earliest);
            }
        }
    }

    /// Graph answered, so that somebody is signed in to this account. Its people's health is brought up to
    /// date at the next occasion.
    pub(super) fn signed_in(&mut self, account: AccountId, cx: &Context) {
        let account = self.terms(account);
        if std::mem::take(&mut account.sign_in_required) {
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
        let Terms { sign_in_required, stale_after, .. } = *account;
        let before = person.health();
        let changes_at = person.judge(sign_in_required, stale_after, rules, cx.now, &mut dirty);
        let after = person.health();
        account.discount(before);
        account.count(after);
        self.change(place, dirty);
        changes_at
    }
}
