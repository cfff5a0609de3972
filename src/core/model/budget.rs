//! The request budget: never more than so many requests in any 30 seconds, and evenly.
//!
//! Microsoft documents 1,500 requests in 30 s per app and tenant for presence
//! (Graph: `cloudcommunications-getpresencesbyuserid`); repeats and refused requests count too.

use std::collections::VecDeque;
use std::time::Duration;

use super::account::AccountId;
use super::settings::{AccountSettings, App};
use crate::core::model::time::Tick;

/// The window the limit is counted in.
pub(in crate::core) const WINDOW: Duration = Duration::from_secs(30);

/// Requests that were late may catch up by this much at once.
const CATCH_UP: Duration = Duration::from_millis(250);

/// The budgets of all accounts: accounts of one app in one tenant share theirs.
#[derive(Debug, Default)]
pub(in crate::core) struct Budgets {
    list: Vec<(App, Budget)>,
    /// Which one an account has.
    of: Vec<usize>,
}

/// A sliding window with a pace inside it.
///
/// The window is the promise; the pace spreads the requests, at 98 % of the limit, so that steady work never
/// meets the window's edge and repeats find room.
#[derive(Debug)]
pub(in crate::core) struct Budget {
    limit: usize,
    gap: Duration,
    spent: VecDeque<Tick>,
    next_by_pace: Tick,
    /// The last request was a write: a read has its turn.
    wrote_last: bool,
}

impl Budgets {
    /// Those of other accounts, perhaps: what an app has spent counts. Of several limits for one app the
    /// smallest holds.
    pub(in crate::core) fn configured(&mut self, accounts: &[AccountSettings]) {
        let mut before = std::mem::take(self).list;
        for AccountSettings { app, reading, .. } in accounts {
            let (limit, known) =
                (reading.request_budget, self.list.iter().position(|(other, _)| other == app));
            let index = known.unwrap_or(self.list.len());
            if let Some((_, budget)) = self.list.get_mut(index) {
                budget.set_limit(limit.min(budget.limit()));
            } else {
                let spent = before.iter().position(|(other, _)| other == app);
                let mut budget =
                    spent.map_or_else(|| Budget::new(limit), |spent| before.swap_remove(spent).1);
                budget.set_limit(limit);
                self.list.push((app.clone(), budget));
            }
            self.of.push(index);
        }
    }

    pub(in crate::core) fn of(&self, account: AccountId) -> &Budget {
        &self.list[self.of[account.index()]].1
    }

    pub(in crate::core) fn of_mut(&mut self, account: AccountId) -> &mut Budget {
        &mut self.list[self.of[account.index()]].1
    }

    /// Whether these spend from the same one.
    pub(in crate::core) fn is_shared(&self, one: AccountId, other: AccountId) -> bool {
        self.of[one.index()] == self.of[other.index()]
    }

    /// Time went on by `slept` that may not have passed at Graph's: the windows wait for it.
    pub(in crate::core) fn slept(&mut self, slept: Duration) {
        self.list.iter_mut().for_each(|(_, budget)| budget.slept(slept));
    }
}

impl Budget {
    /// A budget of `limit` requests (at least one) per [`WINDOW`].
    pub(in crate::core) fn new(limit: u32) -> Self {
        let limit = limit.max(1);
        Self {
            limit: limit as usize,
            gap: WINDOW.div_f64(f64::from(limit) * 0.98),
            spent: VecDeque::new(),
            next_by_pace: Tick::default(),
            wrote_last: false,
        }
    }

    /// Whether the last request was a write.
    pub(in crate::core) fn wrote_last(&self) -> bool {
        self.wrote_last
    }

    /// The last request was a write, or a read.
    pub(in crate::core) fn was_for_a_write(&mut self, is_write: bool) {
        self.wrote_last = is_write;
    }

    /// Changes the limit; what was spent counts.
    fn set_limit(&mut self, limit: u32) {
        let spent = std::mem::take(&mut self.spent);
        let Self { next_by_pace, wrote_last, .. } = *self;
        *self = Self { spent, next_by_pace, wrote_last, ..Self::new(limit) };
    }

    /// Requests per [`WINDOW`].
    pub(in crate::core) fn limit(&self) -> u32 {
        u32::try_from(self.limit).unwrap_or(u32::MAX)
    }

    /// The shortest interval in which `requests` fit at the pace.
    pub(in crate::core) fn time_for(&self, requests: usize) -> Duration {
        self.gap.mul_f64(requests as f64)
    }

    /// The earliest time from `now` on at which a request may be sent.
    pub(in crate::core) fn ready_at(&self, now: Tick) -> Tick {
        let first_that_counts =
            self.spent.len().checked_sub(self.limit).and_then(|index| self.spent.get(index));
        let by_window = first_that_counts.map_or(now, |&spent| spent + WINDOW);
        by_window.max(self.next_by_pace).max(now)
    }

    /// Takes one request at `now`, which [`ready_at`](Self::ready_at) allowed.
    pub(in crate::core) fn spend(&mut self, now: Tick) {
        self.next_by_pace = self.next_by_pace.max(now - CATCH_UP) + self.gap;
        while self.spent.front().is_some_and(|&oldest| oldest + WINDOW <= now) {
            self.spent.pop_front();
        }
        self.spent.push_back(now);
    }

    /// Requests in the window that ends now.
    pub(in crate::core) fn used(&self, now: Tick) -> usize {
        self.spent.len() - self.spent.partition_point(|&spent| spent + WINDOW <= now)
    }

    fn slept(&mut self, slept: Duration) {
        self.spent.iter_mut().for_each(|spent| *spent = *spent + slept);
        self.next_by_pace = self.next_by_pace + slept;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(millis: u64) -> Tick {
        Tick(Duration::from_millis(millis))
    }

    #[test]
    fn a_handful_goes_out_at_once_and_the_rest_is_paced() {
        let mut budget = Budget::new(1500);
        let mut now = at(1000);
        let mut at_once = 0;
        while budget.ready_at(now) == now {
            budget.spend(now);
            at_once += 1;
        }
        assert_eq!(at_once, 13);
        for _ in 0..100 {
            let next = budget.ready_at(now);
            assert!(next > now && next.since(now) <= Duration::from_millis(21));
            now = next;
            budget.spend(now);
        }
    }

    #[test]
    fn one_request_per_window() {
        let mut budget = Budget::new(1);
        budget.spend(at(0));
        assert!(budget.ready_at(at(1)) >= at(30_000));
        assert_eq!((budget.used(at(29_999)), budget.used(at(30_000))), (1, 0));
    }

    proptest! {
        #[test]
        fn never_over_the_limit_in_any_window(limit in 1_u32..60, waits in prop::collection::vec(0_u64..4000, 1..400)) {
            let mut budget = Budget::new(limit);
            let mut now = at(0);
            let mut sent: Vec<Tick> = Vec::new();
            for wait in waits {
                now = now + Duration::from_millis(wait);
                if budget.ready_at(now) == now {
                    budget.spend(now);
                    sent.push(now);
                }
            }
            for (i, &first) in sent.iter().enumerate() {
                let inside = sent[i..].iter().filter(|&&t| t < first + WINDOW).count();
                prop_assert!(inside <= limit as usize, "{inside} requests in one window");
            }
        }

        #[test]
        fn eager_use_comes_within_three_per_cent_of_the_limit(limit in 100_u32..2000) {
            let mut budget = Budget::new(limit);
            let mut now = at(0);
            let mut sent = 0_u32;
            while now < at(300_000) {
                now = budget.ready_at(now);
                budget.spend(now);
                sent += 1;
            }
            prop_assert!(f64::from(sent) >= 0.97 * 10.0 * f64::from(limit), "{sent} for {limit}");
        }
    }
}
