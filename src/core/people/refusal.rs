//! Graph refuses to read somebody: when that is believed, and when it is tried again.
//!
//! One server of Graph's that is unwell answers 403 or 404 as readily as 503. So somebody who could be read
//! is not called unreadable before it has lasted; and it is tried again within seconds first.

use std::time::Duration;

use crate::core::model::request::DENIED_RETRY;
use crate::core::model::time::Tick;

/// A refusal that lasts this long is believed.
const BELIEVED_AFTER: Duration = Duration::from_secs(15);

/// The first tries again.
const FIRST_RETRY: Duration = Duration::from_secs(2);

/// The longest pause before it is believed: an end of the trouble is noticed soon.
const QUICK_RETRY_MAX: Duration = Duration::from_secs(8);

/// Graph answered, but not with this person's presence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::core) enum Denied {
    Forbidden,
    NotFound,
}

/// Refusals in a row of one kind.
#[derive(Debug)]
pub(super) struct Refusal {
    denied: Denied,
    since: Tick,
    count: u32,
    retry_at: Tick,
}

impl Refusal {
    /// None was counted yet.
    pub(super) fn first(denied: Denied, now: Tick) -> Self {
        Self { denied, since: now, count: 0, retry_at: now }
    }

    /// Counts a refusal. Returns how long to wait with the next try, and whether it is believed.
    pub(super) fn again(&mut self, at_once: bool, now: Tick) -> (Duration, bool) {
        let is_believed = at_once || now.since(self.since) >= BELIEVED_AFTER;
        let longest = if is_believed { DENIED_RETRY } else { QUICK_RETRY_MAX };
        let wait = FIRST_RETRY.saturating_mul(2_u32.saturating_pow(self.count)).min(longest);
        self.count = self.count.saturating_add(1);
        self.retry_at = now + wait;
        (wait, is_believed)
    }

    pub(super) fn denied(&self) -> Denied {
        self.denied
    }

    pub(super) fn since(&self) -> Tick {
        self.since
    }

    pub(super) fn retry_at(&self) -> Tick {
        self.retry_at
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// When each refusal comes, and whether it is believed; until `until` seconds.
    fn story(at_once: bool, until: u64) -> Vec<(u64, bool)> {
        let (mut now, mut refusal) = (Tick::default(), Refusal::first(Denied::Forbidden, Tick::default()));
        let mut story = Vec::new();
        while now.0.as_secs() <= until {
            let (wait, is_believed) = refusal.again(at_once, now);
            story.push((now.0.as_secs(), is_believed));
            now = now + wait;
        }
        story
    }

    #[test]
    fn it_is_believed_within_half_a_minute_and_tried_again_ever_more_seldom() {
        let quick = [(0, false), (2, false), (6, false), (14, false), (22, true), (54, true), (118, true)];
        assert_eq!(story(false, 200), quick);
        let waits: Vec<u64> = story(true, 2000).windows(2).map(|two| two[1].0 - two[0].0).collect();
        assert_eq!(waits[..8], [2, 4, 8, 16, 32, 64, 128, 256]);
        assert!(waits[8..].iter().all(|wait| *wait == 300), "{waits:?}");
    }
}
