//! Graph refuses a token: whether the same one is tried again, or a new one.
//!
//! A sick server of Graph's answers 401 to good tokens. So the same token is tried again first, a new one is
//! asked for at most three times a minute, and only the sign-in service ends a sign-in.

use std::collections::VecDeque;
use std::time::Duration;

use crate::core::model::time::Tick;

/// New tokens in a [`WINDOW`] because Graph refused one.
const RENEWALS_MAX: usize = 3;

/// The time that they are counted in.
const WINDOW: Duration = Duration::from_secs(60);

/// A refusal that comes so soon after a new token was asked for may be of the old one.
const JUST_RENEWED: Duration = Duration::from_secs(5);

/// Which tokens may be used.
#[derive(Debug, Default)]
pub(super) struct Tokens {
    /// Older ones are not used any more.
    oldest: Option<Tick>,
    /// Older ones are somebody else's.
    own_from: Option<Tick>,
    renewals: VecDeque<Tick>,
}

impl Tokens {
    /// The age that a token may have at most.
    pub(super) fn max_age(&self, now: Tick) -> Option<Duration> {
        self.oldest.map(|oldest| now.since(oldest))
    }

    /// The age from which on a token is somebody else's.
    pub(super) fn own_age(&self, now: Tick) -> Option<Duration> {
        self.own_from.map(|from| now.since(from))
    }

    /// Those that there are are somebody else's.
    pub(super) fn forget(&mut self, now: Tick) {
        (self.oldest, self.own_from) = (Some(now), Some(now));
    }

    /// Graph refused a token twice. `true` if there is, or may be, a newer one to try.
    pub(super) fn renew(&mut self, now: Tick) -> bool {
        if self.oldest.is_some_and(|oldest| now.since(oldest) < JUST_RENEWED) {
            return true;
        }
        while self.renewals.front().is_some_and(|renewal| *renewal + WINDOW <= now) {
            self.renewals.pop_front();
        }
        let may = self.renewals.len() < RENEWALS_MAX;
        if may {
            self.renewals.push_back(now);
            self.oldest = Some(now);
        }
        may
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_new_tokens_a_minute_and_no_more() {
        let mut tokens = Tokens::default();
        assert_eq!(tokens.max_age(Tick::default()), None);
        let mut asked = 0;
        for second in 0..600 {
            let now = Tick(Duration::from_secs(second));
            let before = tokens.oldest;
            if tokens.renew(now) && tokens.oldest != before {
                asked += 1;
                assert_eq!(tokens.max_age(now), Some(Duration::ZERO));
            }
        }
        assert_eq!(asked, 30);
    }

    #[test]
    fn what_graph_refused_may_be_tried_again_but_not_what_is_somebody_elses() {
        let mut tokens = Tokens::default();
        let at = |second| Tick(Duration::from_secs(second));
        tokens.renew(at(1));
        assert_eq!((tokens.max_age(at(3)), tokens.own_age(at(3))), (Some(Duration::from_secs(2)), None));
        tokens.forget(at(10));
        tokens.renew(at(20));
        assert_eq!(tokens.max_age(at(21)), Some(Duration::from_secs(1)));
        assert_eq!(tokens.own_age(at(21)), Some(Duration::from_secs(11)));
    }
}
