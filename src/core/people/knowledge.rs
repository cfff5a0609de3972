//! What is known of somebody's presence, by whom, and since when; and whether an answer is newer than that.

use std::time::Duration;

use crate::core::model::presence::Presence;
use crate::core::model::remembered::Remembered;
use crate::core::model::time::{Tick, WholeSeconds};

/// So many answers in a row that seem older are left out.
const OLDER_ANSWERS_MAX: u8 = 3;

/// An answer is not left out any more this long after the first that seemed older.
const OUT_OF_ORDER_MAX: Duration = Duration::from_secs(30);

/// What is known of somebody's presence.
#[derive(Debug)]
pub(super) enum Knowledge {
    Nothing,
    /// Left on the broker by an earlier run, and not confirmed yet.
    Remembered(Remembered),
    Known(Known),
}

/// What Graph told.
#[derive(Debug)]
pub(super) struct Known {
    pub presence: Presence,
    pub since: WholeSeconds,
    /// The words have been the same since the first answer of this run, so an earlier run may know since
    /// when.
    pub from_start: bool,
}

/// A change that has not lasted long enough yet.
#[derive(Debug)]
pub(super) struct Candidate {
    pub presence: Presence,
    pub since: WholeSeconds,
    pub first_seen: Tick,
}

impl Knowledge {
    pub(super) fn known(&self) -> Option<&Known> {
        match self {
            Self::Known(known) => Some(known),
            Self::Nothing | Self::Remembered(_) => None,
        }
    }

    pub(super) fn presence(&self) -> Option<&Presence> {
        self.known().map(|known| &known.presence)
    }

    /// Takes what an earlier run left on the broker; `true` if that is news to whoever was told.
    pub(super) fn remember(&mut self, remembered: Option<Remembered>) -> bool {
        let Self::Known(known) = self else {
            *self = remembered.map_or(Self::Nothing, Self::Remembered);
            return false;
        };
        let earlier = remembered.filter(|remembered| {
            known.from_start && remembered.since() < known.since && remembered.matches(&known.presence)
        });
        if let Some(earlier) = &earlier {
            known.since = earlier.since();
        }
        earlier.is_some()
    }

    /// Since when the first answer of this run holds: an earlier run may know it better.
    pub(super) fn since_of_first(&self, presence: &Presence, now: WholeSeconds) -> WholeSeconds {
        match self {
            Self::Remembered(remembered) if remembered.matches(presence) => remembered.since().min(now),
            Self::Remembered(_) | Self::Nothing | Self::Known(_) => now,
        }
    }
}

/// What to do with an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    /// Take it.
    Newer,
    /// Leave it out.
    Older,
    /// Take it although it seems older: the numbers went back and stay there.
    WentBack,
}

/// Answers in a row that seemed older than what was known. Microsoft does not say what a sequence number
/// looks like, so they are left out only for a while.
#[derive(Debug, Default)]
pub(super) struct OutOfOrder {
    first: Option<Tick>,
    answers: u8,
}

impl OutOfOrder {
    /// Judges an answer that is older than what is known, or is not.
    pub(super) fn judge(&mut self, older: bool, now: Tick) -> Order {
        if !older {
            *self = Self::default();
            return Order::Newer;
        }
        let first = *self.first.get_or_insert(now);
        if self.answers == OLDER_ANSWERS_MAX || now.since(first) >= OUT_OF_ORDER_MAX {
            *self = Self::default();
            return Order::WentBack;
        }
        self.answers += 1;
        Order::Older
    }

    /// Whether no answer seemed older since the last that did not.
    pub(super) fn is_over(&self) -> bool {
        self.first.is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_answers_or_half_a_minute_and_no_longer() {
        let judge = |times: &[u64]| {
            let mut out_of_order = OutOfOrder::default();
            let at = |seconds| Tick(Duration::from_secs(seconds));
            times.iter().map(|&t| out_of_order.judge(true, at(t))).collect::<Vec<_>>()
        };
        use Order::{Older, WentBack};
        assert_eq!(judge(&[0, 5, 10, 15, 20]), [Older, Older, Older, WentBack, Older]);
        assert_eq!(judge(&[0, 29, 30]), [Older, Older, WentBack]);
        assert_eq!(judge(&[0, 3600]), [Older, WentBack]);
    }

    #[test]
    fn an_answer_in_order_begins_the_count_again() {
        let mut out_of_order = OutOfOrder::default();
        let mut judge = |older| out_of_order.judge(older, Tick::default());
        let answers = [true, true, false, true, true, true, true, false];
        use Order::{Newer, Older, WentBack};
        assert_eq!(answers.map(&mut judge), [Older, Older, Newer, Older, Older, Older, WentBack, Newer]);
    }
}
