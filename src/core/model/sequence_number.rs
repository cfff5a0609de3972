//! Graph's sequence number, which comes with every presence and says nothing about a person.
//!
//! Microsoft calls it lexicographically sortable (Graph: `resources/presence`), and promises neither length
//! nor prefix.

use std::fmt;

use crate::core::model::words::{LONGEST_RAW_WORD, at_most};

/// Bytes that need no room of their own: Microsoft's examples have eleven.
const SHORT: usize = 14;

/// What Graph sends as `sequenceNumber`, at most [`LONGEST_RAW_WORD`] characters of it.
#[derive(Clone, PartialEq, Eq)]
pub struct SequenceNumber(Kept);

#[derive(Clone, PartialEq, Eq)]
enum Kept {
    /// The bytes behind `length` are zero.
    Short {
        length: u8,
        bytes: [u8; SHORT],
    },
    Long(Box<Long>),
}

#[derive(Clone, PartialEq, Eq)]
struct Long(Box<str>);

impl SequenceNumber {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match &self.0 {
            // What was put in is text, so it never comes out as anything else.
            Kept::Short { length, bytes } => bytes
                .get(..usize::from(*length))
                .and_then(|text| std::str::from_utf8(text).ok())
                .unwrap_or_default(),
            Kept::Long(long) => &long.0,
        }
    }

    /// Whether it is the older of the two, as far as they can be compared: digits of any length behind the
    /// same letters.
    pub(in crate::core) fn is_older_than(&self, known: &Self) -> bool {
        // Nearly always they are the same.
        if self == known {
            return false;
        }
        match (split(self.as_str()), split(known.as_str())) {
            (Some((letters, new)), Some((same, known))) if letters == same => {
                (new.len(), new) < (known.len(), known)
            }
            _ => false,
        }
    }
}

/// Letters, and digits without leading zeros.
fn split(text: &str) -> Option<(&str, &str)> {
    let letters = text.find(|c: char| c.is_ascii_digit()).unwrap_or(text.len());
    let (letters, digits) = text.split_at(letters);
    let counts = !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit());
    counts.then(|| (letters, digits.trim_start_matches('0')))
}

impl From<&str> for SequenceNumber {
    fn from(text: &str) -> Self {
        let mut bytes = [0; SHORT];
        match (bytes.get_mut(..text.len()), u8::try_from(text.len())) {
            (Some(short), Ok(length)) => {
                short.copy_from_slice(text.as_bytes());
                Self(Kept::Short { length, bytes })
            }
            _ => Self(Kept::Long(Box::new(Long(at_most(text, LONGEST_RAW_WORD).into())))),
        }
    }
}

impl fmt::Debug for SequenceNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_str().fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_goes_in_comes_out(one in ".{0,20}", other in ".{0,300}") {
            let [short, long] = [&one, &other].map(|text| SequenceNumber::from(text.as_str()));
            prop_assert_eq!(short.as_str(), one.as_str());
            prop_assert_eq!(long.as_str(), at_most(&other, LONGEST_RAW_WORD));
            prop_assert_eq!(short == long, short.as_str() == long.as_str());
        }
    }

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
            let [one, other] = [new, known].map(SequenceNumber::from);
            assert_eq!(one.is_older_than(&other), older, "{new} {known}");
        }
    }

    #[test]
    fn the_usual_one_takes_sixteen_bytes() {
        assert_eq!(size_of::<Option<SequenceNumber>>(), 16);
        assert!(matches!(SequenceNumber::from("A0129311063").0, Kept::Short { .. }));
    }
}
