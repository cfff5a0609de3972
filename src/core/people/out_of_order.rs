//! Answers out of order, told by Graph's sequence numbers.
//!
//! Microsoft says of `sequenceNumber` that it orders presences (Graph: `resources/presence`), and nothing of
//! what it looks like. So an answer that seems older than the one before is left out only for a while.

use std::time::Duration;

use crate::core::model::sequence_number::SequenceNumber;
use crate::core::model::time::Tick;

/// So many answers in a row that seem older are left out.
const OLDER_ANSWERS_MAX: u8 = 3;

/// An answer is not left out any more this long after the first that seemed older.
const OUT_OF_ORDER_MAX: Duration = Duration::from_secs(30);

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

/// Answers in a row that seemed older than what was known.
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

/// Whether the sequence number `new` comes before the one that is known, as far as they can be compared.
pub(super) fn is_older(new: Option<&SequenceNumber>, known: Option<&SequenceNumber>) -> bool {
    // Nearly always they are the same.
    new.zip(known).is_some_and(|(new, known)| new != known && comes_before(new.as_str(), known.as_str()))
}

/// Comparable are digits of any length behind the same letters.
fn comes_before(new: &str, known: &str) -> bool {
    fn split(text: &str) -> Option<(&str, &str)> {
        let letters = text.find(|c: char| c.is_ascii_digit()).unwrap_or(text.len());
        let (letters, digits) = text.split_at(letters);
        let counts = !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit());
        counts.then(|| (letters, digits.trim_start_matches('0')))
    }
    match (split(new), split(known)) {
        (Some((letters, new)), Some((same, known))) if letters == same => {
            (new.len(), new) < (known.len(), known)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_numbers_of_the_same_kind_are_compared() {
        for (new, known, older) in [
            ("A0000000001", "A0000000002", true),
            ("A0000000002", "A0000000002", false),
            ("A0000000003", "A0000000002", false),
            ("A99", "A100", true),
            ("A0099", "A100", true),
            ("7", "12", true),
            ("B1", "A2", false),
            ("A", "A2", false),
            ("A1b", "A2", false),
            ("", "", false),
            ("A1", "2026-11-23T09:00:00Z", false),
            ("9999999999999999999999999998", "9999999999999999999999999999", true),
        ] {
            assert_eq!(is_older(Some(&new.into()), Some(&known.into())), older, "{new} {known}");
        }
    }

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
