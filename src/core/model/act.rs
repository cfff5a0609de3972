//! What a visitor of the status page wants done, and what they are answered.

use super::foreign::Legible;
use super::name::TopicLevel;
use super::sign_in::{LandingAddress, SignInBy};

/// What tells one act from another until it is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ActId(u64);

/// Something that a form of the page asks for. Accounts go by name; the only one may have none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Act {
    /// As on `<base>/<bridge>/refresh`.
    Refresh,
    /// As `ON` and `OFF` on `<base>/<bridge>/light/<name>/follow/set`.
    Follow(TopicLevel, bool),
    /// Walks a light through every state, or ends that.
    TestLight(TopicLevel),
    /// The payload of `<base>/<user>/set`.
    SetPresence(TopicLevel, String),
    /// The payload of `<base>/<user>/set_status_message`.
    SetStatusMessage(TopicLevel, String),
    /// Invites whoever comes to sign in to an account. A browser comes back to this port of localhost, where
    /// it can reach the page there.
    SignIn(Option<TopicLevel>, SignInBy, Option<u16>),
    /// The address that a browser ended on.
    Landed(LandingAddress),
    /// Another account signed in than the one that the bridge follows: whether it changes to that.
    Change(Option<TopicLevel>, bool),
    /// Forgets a sign-in.
    SignOut(Option<TopicLevel>),
}

/// How it went, as a sentence.
pub type Acted = Result<&'static str, Legible>;

impl Act {
    /// Whether it makes sense only while the bridge publishes.
    #[must_use]
    pub fn needs_broker(&self) -> bool {
        match self {
            Self::Refresh
            | Self::Follow(..)
            | Self::TestLight(_)
            | Self::SetPresence(..)
            | Self::SetStatusMessage(..) => true,
            Self::SignIn(..) | Self::Landed(_) | Self::Change(..) | Self::SignOut(_) => false,
        }
    }
}

impl ActId {
    /// The act of this number.
    #[must_use]
    pub fn new(number: u64) -> Self {
        Self(number)
    }
}
