//! How many people an account has by their health, and when they are looked at again.

use crate::core::model::health::Health;
use crate::core::model::terms::Terms;
use crate::core::model::time::Tick;

/// What the people of one account have in common.
#[derive(Debug)]
pub(super) struct UnderTerms {
    /// How many there are by the word of their health, in the order of [`Health::ALL`].
    census: [usize; Health::ALL.len()],
    pub terms: Terms,
    /// Nobody's health changes by time alone before this.
    pub judge_at: Tick,
}

impl UnderTerms {
    pub(super) fn new(terms: Terms, now: Tick) -> Self {
        Self { census: [0; Health::ALL.len()], terms, judge_at: now }
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
    pub(super) fn take(&mut self, terms: Terms, now: Tick) -> bool {
        let before = std::mem::replace(&mut self.terms, terms);
        // With a longer time before values are stale, `judge_at` comes too early, which costs only a look.
        let sooner = terms.stale_after < before.stale_after;
        now >= self.judge_at || sooner || terms.sign_in_required != before.sign_in_required
    }
}
