//! The request limit: so many requests in any stretch of so long, for one app in one tenant.

use std::collections::VecDeque;
use std::time::Duration;

/// Counts requests in a sliding window. Refused requests count too, as Graph counts them.
#[derive(Debug)]
pub(super) struct Window {
    limit: usize,
    length: Duration,
    /// When the newest requests came, oldest first; never more than `limit`, since older ones cannot decide
    /// anything.
    newest: VecDeque<Duration>,
}

/// The limit is used up: how long to wait for the next request that would be answered.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Exceeded {
    pub(super) retry_after: Duration,
}

impl Window {
    pub(super) fn new(limit: usize, length: Duration) -> Self {
        Self { limit, length, newest: VecDeque::new() }
    }

    /// Counts a request at `now`, which never runs backwards.
    pub(super) fn count(&mut self, now: Duration) -> Result<(), Exceeded> {
        self.newest.push_back(now);
        if self.newest.len() <= self.limit {
            return Ok(());
        }
        let oldest = self.newest.pop_front().unwrap_or(now);
        if now >= oldest + self.length {
            return Ok(());
        }
        let next_to_leave = self.newest.front().unwrap_or(&now);
        Err(Exceeded { retry_after: (*next_to_leave + self.length).saturating_sub(now) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[track_caller]
    fn check(limit: usize, requests: &[(u64, Option<u64>)]) {
        let mut window = Window::new(limit, at(30));
        for &(now, retry_after) in requests {
            let expected = retry_after.map_or(Ok(()), |s| Err(Exceeded { retry_after: at(s) }));
            assert_eq!(window.count(at(now)), expected, "at {now} s");
        }
    }

    #[test]
    fn the_window_slides() {
        check(2, &[(0, None), (10, None), (30, None), (40, None), (59, Some(11)), (70, None)]);
    }

    #[test]
    fn refused_requests_count() {
        check(2, &[(0, None), (1, None), (2, Some(29)), (3, Some(29)), (31, Some(2)), (60, None)]);
    }

    #[test]
    fn a_limit_of_nothing_refuses_everything() {
        check(0, &[(0, Some(30)), (60, Some(30))]);
    }
}
