//! Which people somebody wants to see: a page of them at most, however many there are.

use std::cmp::Ordering;

use super::foreign::Legible;
use super::word::Availability;

/// Characters of a search. No name has more.
const LONGEST_SEARCH: usize = 100;

/// How somebody is, in one word to filter by. Everybody is in exactly one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// What is published may not be believed.
    Trouble,
    /// `Available` and `AvailableIdle`.
    Available,
    /// `Busy` and `BusyIdle`.
    Busy,
    /// `DoNotDisturb`.
    DoNotDisturb,
    /// `Away` and `BeRightBack`.
    Away,
    /// `Offline`.
    Offline,
    /// `PresenceUnknown`.
    Unknown,
    /// The first answer is still to come, and not late.
    Waiting,
}

impl Standing {
    /// All of them, in the order in which they are shown.
    pub const ALL: [Self; 8] = [
        Self::Trouble,
        Self::Available,
        Self::Busy,
        Self::DoNotDisturb,
        Self::Away,
        Self::Offline,
        Self::Unknown,
        Self::Waiting,
    ];

    /// The word in an address.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Trouble => "trouble",
            Self::Available => "available",
            Self::Busy => "busy",
            Self::DoNotDisturb => "do_not_disturb",
            Self::Away => "away",
            Self::Offline => "offline",
            Self::Unknown => "unknown",
            Self::Waiting => "waiting",
        }
    }

    /// The one with this word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|standing| standing.as_str() == word)
    }
}

impl From<Availability> for Standing {
    fn from(availability: Availability) -> Self {
        match availability {
            Availability::Available | Availability::AvailableIdle => Self::Available,
            Availability::Busy | Availability::BusyIdle => Self::Busy,
            Availability::DoNotDisturb => Self::DoNotDisturb,
            Availability::Away | Availability::BeRightBack => Self::Away,
            Availability::Offline => Self::Offline,
            Availability::PresenceUnknown => Self::Unknown,
        }
    }
}

/// What is looked for in names, ignoring case: each of its words has to be in one of somebody's names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Search {
    text: Legible,
    words: Vec<String>,
}

impl Search {
    /// A search for what somebody typed.
    #[must_use]
    pub fn new(text: &str) -> Self {
        let text = Legible::at_most(text, LONGEST_SEARCH);
        Self { words: text.as_str().to_lowercase().split_whitespace().map(str::to_owned).collect(), text }
    }

    /// What was typed.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.text.as_str()
    }

    /// Whether somebody with these names is found; everybody is if nothing was typed.
    #[must_use]
    pub fn finds(&self, names: [&str; 2]) -> bool {
        self.words.iter().all(|word| names.iter().any(|name| holds(name, word)))
    }
}

/// Whether a name holds a word, which is in lower case.
fn holds(name: &str, word: &str) -> bool {
    if name.is_ascii() {
        // Nothing is copied: a whole tenant is searched while a visitor types.
        let (name, word) = (name.as_bytes(), word.as_bytes());
        let begins = |part: &[u8]| part.first().map(u8::to_ascii_lowercase) == word.first().copied();
        return name.windows(word.len()).any(|part| begins(part) && part.eq_ignore_ascii_case(word));
    }
    name.to_lowercase().contains(word)
}

/// The order of names in a list for people, ignoring case.
#[must_use]
pub fn by_name(one: &str, other: &str) -> Ordering {
    if one.is_ascii() && other.is_ascii() {
        let [one, other] = [one, other].map(|name| name.bytes().map(|byte| byte.to_ascii_lowercase()));
        return one.cmp(other);
    }
    let [one, other] = [one, other].map(|name| name.chars().flat_map(char::to_lowercase));
    one.cmp(other)
}

/// Which people are wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeopleQuery {
    /// Those with such a name.
    pub search: Search,
    /// Only these of them.
    pub standing: Option<Standing>,
    /// Which page of them, from 1 on.
    pub page: usize,
    /// How many are on a page. With none nobody is looked at, and that costs nothing.
    pub size: usize,
}

impl PeopleQuery {
    /// No people are wanted.
    #[must_use]
    pub fn nobody() -> Self {
        Self::first(0)
    }

    /// The first page, of so many.
    #[must_use]
    pub fn first(size: usize) -> Self {
        Self { search: Search::default(), standing: None, page: 1, size }
    }
}
