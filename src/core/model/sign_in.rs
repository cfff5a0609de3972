//! Inviting a person to sign in again: when to start a device code, how long to show it, what to say meanwhile.

use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;

use crate::core::model::backoff::Backoff;
use crate::core::model::name::ObjectId;
use crate::core::model::time::Tick;

/// After somebody declined or the wrong person signed in: they are at it, but should not be pestered.
const AFTER_A_NO: Duration = Duration::from_secs(60);

/// After somebody signed in, until it shows whether that was enough.
const AFTER_A_YES: Duration = Duration::from_secs(60);

/// An order to whoever signs in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignInOrder {
    /// Start a device code and wait until it is used, declined or over.
    Invite,
    /// Nobody needs it any more.
    TakeBack,
}

/// What happened with signing in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SignInEvent {
    /// There is a code to be shown.
    Code(DeviceCode),
    /// The invitation is over.
    Ended(InvitationEnd),
    /// What proves who the bridge is was changed: somebody signed in beside it, or replaced a secret's file.
    CredentialsChanged,
    /// The app's certificate was replaced, and this is when it ends; nothing if it cannot be read.
    CertificateEnds(Option<Timestamp>),
    /// Who is signed in now.
    Account(Option<SignedIn>),
}

/// Whose sign-in it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedIn {
    /// What they sign in with.
    pub username: String,
    /// Who they are.
    pub object_id: ObjectId,
    /// They consented to their presence being set.
    pub may_write: bool,
}

/// A device code, for people (Microsoft identity platform: `v2-oauth2-device-code`). Also the payload of
/// `<base>/<bridge>/sign_in`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DeviceCode {
    /// Where to go.
    pub verification_uri: String,
    /// What to type there.
    pub user_code: String,
    /// Until when; UTC, whole seconds.
    pub expires_at: Timestamp,
}

/// How an invitation ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InvitationEnd {
    /// The remembered account, or the first one there is, signed in.
    SignedIn,
    /// Nobody came.
    Expired,
    /// Somebody said no.
    Declined,
    /// Another account than the remembered one signed in, and was discarded.
    AnotherAccount(String),
    /// There is no code, or no end of it: why, as a fragment.
    Failed(String),
}

/// Where the invitation stands.
#[derive(Debug)]
pub(in crate::core) struct Invitation {
    phase: Phase,
    backoff: Backoff,
    /// Why the last one failed, if what happened then should be known.
    trouble: Option<String>,
}

#[derive(Debug)]
enum Phase {
    /// None is under way; the next one may begin at the given time.
    None(Tick),
    /// Ordered.
    Ordered,
    /// Shown.
    Shown(DeviceCode),
}

impl Invitation {
    pub(in crate::core) fn new(now: Tick) -> Self {
        Self {
            phase: Phase::None(now),
            backoff: Backoff::new(Duration::from_secs(15), Duration::from_secs(900)),
            trouble: None,
        }
    }

    /// The code that people should see now.
    pub(in crate::core) fn code(&self) -> Option<&DeviceCode> {
        match &self.phase {
            Phase::Shown(code) => Some(code),
            Phase::None(_) | Phase::Ordered => None,
        }
    }

    /// What went wrong with the last invitation.
    pub(in crate::core) fn trouble(&self) -> Option<&str> {
        self.trouble.as_deref()
    }

    /// What has to be ordered, given whether a sign-in is needed.
    pub(in crate::core) fn order(&mut self, needed: bool, now: Tick) -> Option<SignInOrder> {
        match &self.phase {
            Phase::None(at) if needed && *at <= now => {
                self.phase = Phase::Ordered;
                Some(SignInOrder::Invite)
            }
            Phase::Ordered | Phase::Shown(_) if !needed => {
                self.phase = Phase::None(now);
                self.trouble = None;
                Some(SignInOrder::TakeBack)
            }
            Phase::None(_) | Phase::Ordered | Phase::Shown(_) => None,
        }
    }

    /// When the next order is due.
    pub(in crate::core) fn wake_at(&self, needed: bool) -> Option<Tick> {
        match self.phase {
            Phase::None(at) if needed => Some(at),
            Phase::None(_) | Phase::Ordered | Phase::Shown(_) => None,
        }
    }

    pub(in crate::core) fn shown(&mut self, code: DeviceCode) {
        // An answer to an invitation that was taken back meanwhile shows nothing.
        if matches!(self.phase, Phase::Ordered) {
            self.backoff.reset();
            self.phase = Phase::Shown(code);
        }
    }

    pub(in crate::core) fn ended(&mut self, end: &InvitationEnd, now: Tick, random: &mut fastrand::Rng) {
        if matches!(self.phase, Phase::None(_)) {
            return;
        }
        let (wait, trouble) = match end {
            InvitationEnd::SignedIn => (AFTER_A_YES, None),
            InvitationEnd::Expired => (Duration::ZERO, None),
            InvitationEnd::Declined => (AFTER_A_NO, Some("the sign-in was declined".to_owned())),
            InvitationEnd::AnotherAccount(name) => {
                let trouble = format!(
                    "{name} signed in, but this bridge watches another account; to change that, run `presence2mqtt login`"
                );
                (AFTER_A_NO, Some(trouble))
            }
            InvitationEnd::Failed(why) => (self.backoff.failed(random), Some(why.clone())),
        };
        self.phase = Phase::None(now + wait);
        self.trouble = trouble;
    }
}
