//! Another client with the same client id: the broker throws one out for the other, without a word.

use std::time::Duration;

use crate::core::model::backoff::Backoff;
use crate::core::model::event::LinkFailure;
use crate::core::model::time::Tick;

/// A connection that the broker closes sooner than this after letting the client in was taken over, perhaps.
const TAKEN_OVER_WITHIN: Duration = Duration::from_secs(10);

/// So many of them in a row are not chance.
const SUSPICIOUS: u8 = 3;

/// Whether there is another client of the same id, by the pattern that it leaves: let in, closed soon, let in
/// again at the next attempt.
#[derive(Debug)]
pub(super) struct DuplicateClient {
    closes: u8,
    backoff: Backoff,
}

impl DuplicateClient {
    /// None so far.
    pub(super) fn none() -> Self {
        // The first wait is short: a broker that is restarted again and again leaves the same pattern.
        Self { closes: 0, backoff: Backoff::new(Duration::from_secs(4), Duration::from_secs(60)) }
    }

    /// Counts the end of a connection, or of an attempt. Returns how long to leave the broker to the other
    /// client, if one is suspected.
    pub(super) fn lost(
        &mut self,
        failure: &LinkFailure,
        lasted: Option<Duration>,
        random: &mut fastrand::Rng,
    ) -> Option<Duration> {
        match (failure, lasted) {
            (LinkFailure::TakenOver, _) => self.closes = SUSPICIOUS,
            (LinkFailure::Closed, Some(lasted)) if lasted < TAKEN_OVER_WITHIN => {
                self.closes = self.closes.saturating_add(1)
            }
            // Another client that was there is not gone because the broker was.
            _ if self.is_suspected() => {}
            _ => self.closes = 0,
        }
        self.is_suspected().then(|| self.backoff.failed(random))
    }

    /// A connection has lasted: there is none, or it has given up.
    pub(super) fn gone(&mut self) {
        *self = Self::none();
    }

    /// Whether there seems to be one.
    pub(super) fn is_suspected(&self) -> bool {
        self.closes >= SUSPICIOUS
    }

    /// When a connection made at `since` will have shown that there is none, if one is suspected.
    pub(super) fn gone_at(&self, since: Tick) -> Option<Tick> {
        self.is_suspected().then(|| since + TAKEN_OVER_WITHIN)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_quick_closes_in_a_row_are_a_duplicate_client() {
        let mut random = fastrand::Rng::with_seed(1);
        let lost = || LinkFailure::Lost("refused".into());
        let quick = Some(Duration::from_millis(50));
        let long = Some(Duration::from_secs(11));
        for (story, suspected) in [
            (
                vec![
                    (LinkFailure::Closed, quick),
                    (LinkFailure::Closed, quick),
                    (LinkFailure::Closed, quick),
                ],
                true,
            ),
            (
                vec![(LinkFailure::Closed, quick), (LinkFailure::Closed, quick), (LinkFailure::Closed, long)],
                false,
            ),
            // The broker was away between two closes: it is restarted, not shared.
            (
                vec![
                    (LinkFailure::Closed, quick),
                    (LinkFailure::Closed, quick),
                    (lost(), None),
                    (LinkFailure::Closed, quick),
                ],
                false,
            ),
        ] {
            let mut duplicate = DuplicateClient::none();
            let last =
                story.iter().map(|(failure, lasted)| duplicate.lost(failure, *lasted, &mut random)).last();
            assert_eq!(last.flatten().is_some(), suspected, "{story:?}");
            assert_eq!(duplicate.is_suspected(), suspected);
        }
    }

    #[test]
    fn a_broker_that_says_so_is_believed_at_once() {
        let mut duplicate = DuplicateClient::none();
        let mut random = fastrand::Rng::with_seed(1);
        assert!(
            duplicate.lost(&LinkFailure::TakenOver, Some(Duration::from_secs(3600)), &mut random).is_some()
        );
    }

    #[test]
    fn a_duplicate_client_is_left_alone_for_longer_each_time_until_it_is_gone() {
        let mut random = fastrand::Rng::with_seed(1);
        let mut duplicate = DuplicateClient::none();
        let quick = Some(Duration::from_millis(50));
        let waits: Vec<u64> = (0..12)
            .filter_map(|_| duplicate.lost(&LinkFailure::Closed, quick, &mut random))
            .map(|wait| wait.as_secs())
            .collect();
        assert_eq!(waits.len(), 10);
        assert!((4..=8).contains(&waits[0]), "{waits:?}");
        assert!(waits.iter().max() > Some(&30) && waits.iter().max() <= Some(&60), "{waits:?}");
        duplicate.gone();
        assert_eq!(duplicate.lost(&LinkFailure::Closed, quick, &mut random), None);
    }
}
