//! The words of health: of a person, and of the way to Graph.

/// The words of `<base>/<user>/health`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Health {
    /// What is published is what Graph says.
    Ok,
    /// It is old, or nothing is known yet.
    Stale,
    /// Nobody is signed in who may read it.
    SignInRequired,
    /// This person may not be read.
    Forbidden,
    /// There is no such person.
    NotFound,
}

/// The words of `graph` on `<bridge>/health`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GraphState {
    /// Nothing was answered yet.
    Starting,
    /// Graph answers.
    Ok,
    /// It asks for fewer requests.
    Throttled,
    /// It cannot be reached, or fails.
    Unreachable,
    /// Nobody is signed in.
    SignInRequired,
    /// Graph answers, but lets this app read nobody.
    Forbidden,
}

impl Health {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Ok, Self::Stale, Self::SignInRequired, Self::Forbidden, Self::NotFound];

    /// Their words, in the same order.
    pub const WORDS: [&'static str; 5] = {
        let mut words = [""; 5];
        let mut i = 0;
        while i < words.len() {
            words[i] = Self::ALL[i].as_str();
            i += 1;
        }
        words
    };

    /// The word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Stale => "stale",
            Self::SignInRequired => "sign_in_required",
            Self::Forbidden => "forbidden",
            Self::NotFound => "not_found",
        }
    }

    /// Whether a payload is what `<base>/<user>/health` holds of a person who was never read and so has no
    /// `state`.
    #[must_use]
    pub fn is_never_read(payload: &[u8]) -> bool {
        Self::ALL.iter().any(|health| *health != Self::Ok && health.as_str().as_bytes() == payload)
    }
}

impl GraphState {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Starting, Self::Ok, Self::Throttled, Self::Unreachable, Self::SignInRequired, Self::Forbidden];

    /// Their words, in the same order.
    pub const WORDS: [&'static str; 6] = {
        let mut words = [""; 6];
        let mut i = 0;
        while i < words.len() {
            words[i] = Self::ALL[i].as_str();
            i += 1;
        }
        words
    };

    /// Of several accounts the one with the most is the worst off.
    pub(in crate::core) fn badness(self) -> u8 {
        match self {
            Self::Ok => 0,
            Self::Starting => 1,
            Self::Throttled => 2,
            Self::Unreachable => 3,
            Self::Forbidden => 4,
            Self::SignInRequired => 5,
        }
    }

    /// The word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Ok => "ok",
            Self::Throttled => "throttled",
            Self::Unreachable => "unreachable",
            Self::SignInRequired => "sign_in_required",
            Self::Forbidden => "forbidden",
        }
    }
}
