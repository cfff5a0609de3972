//! The actions with which apps set presence.

use std::fmt;

/// What an app can do to a person's presence: `POST /v1.0/users/{id}/presence/{action}`, or `me` instead of
/// the id.
///
/// Graph's pages: `presence: setPresence` and the related ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Action {
    /// Begins or renews the app's own presence session for the person.
    SetPresence,
    /// Ends that session.
    ClearPresence,
    /// Sets the preferred presence, which takes precedence over the sessions.
    SetUserPreferredPresence,
    /// Clears the preferred presence.
    ClearUserPreferredPresence,
    /// Writes the status message, or removes it.
    SetStatusMessage,
}

impl Action {
    /// Every action.
    pub const ALL: [Self; 5] = [
        Self::SetPresence,
        Self::ClearPresence,
        Self::SetUserPreferredPresence,
        Self::ClearUserPreferredPresence,
        Self::SetStatusMessage,
    ];

    /// The last segment of the path.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::SetPresence => "setPresence",
            Self::ClearPresence => "clearPresence",
            Self::SetUserPreferredPresence => "setUserPreferredPresence",
            Self::ClearUserPreferredPresence => "clearUserPreferredPresence",
            Self::SetStatusMessage => "setStatusMessage",
        }
    }

    /// The action of this name.
    pub(super) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|action| action.name() == name)
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
