//! The presence words: closed for availability, open for activity.
//!
//! Graph types both as plain strings, prints their lists in two spellings and may add words without notice
//! (Graph: `resources/presence`). So a word is compared ignoring case, published in one spelling, and a new
//! one is data, never an error.

use std::fmt;

use super::foreign::is_obeyed;

/// Characters of an unknown activity that are published at most.
pub const LONGEST_WORD: usize = 64;

macro_rules! closed_list {
    ($(#[$doc:meta])* $name:ident { $($word:ident $small:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $(#[allow(missing_docs, reason = "the word is its meaning")] $word),+ }

        impl $name {
            /// Every word, in alphabetical order.
            pub const ALL: &'static [Self] = &[$(Self::$word),+];

            /// The published spelling.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$word => stringify!($word)),+ }
            }

            /// The other spelling that Microsoft's pages have.
            #[must_use]
            pub fn with_small_first(self) -> &'static str {
                match self { $(Self::$word => $small),+ }
            }

            fn spelled_like(text: &str) -> Option<Self> {
                // Both spellings of Microsoft's first: a whole tenant is compared every half minute.
                match text {
                    $(stringify!($word) | $small => Some(Self::$word),)+
                    _ => Self::ALL.iter().copied().find(|word| word.as_str().eq_ignore_ascii_case(text)),
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

closed_list! {
    /// The base state: what an availability topic may hold.
    Availability {
        Available "available", AvailableIdle "availableIdle", Away "away", BeRightBack "beRightBack", Busy "busy",
        BusyIdle "busyIdle", DoNotDisturb "doNotDisturb", Offline "offline", PresenceUnknown "presenceUnknown",
    }
}

closed_list! {
    /// The activities known today.
    KnownActivity {
        Available "available", AvailableInactive "availableInactive", Away "away", BeRightBack "beRightBack",
        Busy "busy", DoNotDisturb "doNotDisturb", Focusing "focusing", InACall "inACall",
        InAConferenceCall "inAConferenceCall", InAMeeting "inAMeeting", Inactive "inactive", Offline "offline",
        OffWork "offWork", OutOfOffice "outOfOffice", PresenceUnknown "presenceUnknown", Presenting "presenting",
        UrgentInterruptionsOnly "urgentInterruptionsOnly",
    }
}

/// The detail: a known word, or a new one carried through as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Activity {
    /// On the list.
    Known(KnownActivity),
    /// On no list: trimmed, without control characters, at most [`LONGEST_WORD`] characters, not empty.
    New(Box<str>),
}

impl Availability {
    /// The word for what Graph sent, or nothing if there is no word in it.
    ///
    /// One of Microsoft's pages lists some activities as availabilities; they become the availability that
    /// goes with them. Anything else unknown is `PresenceUnknown`.
    #[must_use]
    pub fn from_graph(raw: &str) -> Option<Self> {
        let text = raw.trim();
        if text.is_empty() {
            return None;
        }
        Some(Self::spelled_like(text).unwrap_or_else(|| match KnownActivity::spelled_like(text) {
            Some(KnownActivity::InACall | KnownActivity::InAConferenceCall | KnownActivity::InAMeeting) => {
                Self::Busy
            }
            Some(
                KnownActivity::Presenting | KnownActivity::Focusing | KnownActivity::UrgentInterruptionsOnly,
            ) => Self::DoNotDisturb,
            Some(_) | None => Self::PresenceUnknown,
        }))
    }

    /// Whether `raw` is a spelling of one of the nine words.
    #[must_use]
    pub fn knows(raw: &str) -> bool {
        Self::spelled_like(raw.trim()).is_some()
    }
}

impl Activity {
    /// The word for what Graph sent; a missing or empty one is `PresenceUnknown`.
    ///
    /// A word of neither list is kept as it came. A word that is an availability only (`BusyIdle`) is
    /// published in that spelling.
    #[must_use]
    pub fn from_graph(raw: Option<&str>) -> Self {
        let text = raw.unwrap_or_default().trim();
        // No word of the list is too long, or holds what would be left out.
        if let Some(word) = KnownActivity::spelled_like(text) {
            return Self::Known(word);
        }
        let kept: String = text.chars().filter(|c| !is_obeyed(*c)).take(LONGEST_WORD).collect();
        let clean = kept.trim();
        if clean.is_empty() {
            return Self::Known(KnownActivity::PresenceUnknown);
        }
        match KnownActivity::spelled_like(clean) {
            Some(word) => Self::Known(word),
            None => Self::New(Availability::spelled_like(clean).map_or(clean, |word| word.as_str()).into()),
        }
    }

    /// What was published in these letters.
    pub(in crate::core) fn published(text: &str) -> Self {
        match KnownActivity::ALL.iter().find(|word| word.as_str() == text) {
            Some(word) => Self::Known(*word),
            None => Self::New(text.into()),
        }
    }

    /// The published spelling.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Known(word) => word.as_str(),
            Self::New(text) => text,
        }
    }
}

impl fmt::Display for Activity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn availability_words() {
        let long = "x".repeat(500);
        for (raw, expected) in [
            ("Busy", Some("Busy")),
            ("busy", Some("Busy")),
            ("  BUSYIDLE ", Some("BusyIdle")),
            ("presenceUnknown", Some("PresenceUnknown")),
            ("inACall", Some("Busy")),
            ("InAConferenceCall", Some("Busy")),
            ("inameeting", Some("Busy")),
            ("presenting", Some("DoNotDisturb")),
            ("focusing", Some("DoNotDisturb")),
            ("UrgentInterruptionsOnly", Some("DoNotDisturb")),
            ("OutOfOffice", Some("PresenceUnknown")),
            ("OnTheMoon", Some("PresenceUnknown")),
            (long.as_str(), Some("PresenceUnknown")),
            ("", None),
            ("   ", None),
        ] {
            assert_eq!(Availability::from_graph(raw).map(Availability::as_str), expected, "{raw:?}");
        }
    }

    #[test]
    fn activity_words() {
        let long = "é".repeat(100);
        let cut = "é".repeat(64);
        for (raw, expected) in [
            (Some("InACall"), "InACall"),
            (Some("inacall"), "InACall"),
            (Some("offWork"), "OffWork"),
            (Some(" OnTheMoon\t"), "OnTheMoon"),
            (Some("In A\u{7}Call\u{0}"), "In ACall"),
            (Some("\u{202e}llaC\u{9b}2J"), "llaC2J"),
            (Some("busyidle"), "BusyIdle"),
            (Some(long.as_str()), cut.as_str()),
            (Some("\u{1}\u{2}"), "PresenceUnknown"),
            (Some(""), "PresenceUnknown"),
            (None, "PresenceUnknown"),
        ] {
            assert_eq!(Activity::from_graph(raw).as_str(), expected, "{raw:?}");
        }
    }

    #[test]
    fn every_listed_word_is_its_own_spelling() {
        assert_eq!((Availability::ALL.len(), KnownActivity::ALL.len()), (9, 17));
        for word in Availability::ALL {
            assert_eq!(Availability::from_graph(&word.as_str().to_uppercase()), Some(*word));
            assert_eq!(Availability::from_graph(word.with_small_first()), Some(*word));
            let (small, rest) = word.with_small_first().split_at(1);
            assert_eq!(small.to_uppercase() + rest, word.as_str());
        }
        for word in KnownActivity::ALL {
            for raw in [&word.as_str().to_lowercase(), word.with_small_first()] {
                assert_eq!(Activity::from_graph(Some(raw)), Activity::Known(*word));
            }
            let (small, rest) = word.with_small_first().split_at(1);
            assert_eq!(small.to_uppercase() + rest, word.as_str());
        }
    }
}
