//! Inviting a person to sign in again: when to start a device code, how long to show it, what to say meanwhile.

use std::time::Duration;

use crate::core::model::backoff::Backoff;
use crate::core::model::foreign::Legible;
use crate::core::model::sign_in::{DeviceCode, InvitationEnd, SignInOrder};
use crate::core::model::time::Tick;

/// After somebody declined or the wrong person signed in: they are at it, but should not be pestered.
const DECLINED_RETRY: Duration = Duration::from_secs(60);

/// After somebody signed in, until it shows whether that was enough.
const SIGNED_IN_RETRY: Duration = Duration::from_secs(60);

/// Where the invitation stands.
#[derive(Debug)]
pub(super) struct Invitation {
    phase: Phase,
    backoff: Backoff,
    /// Why the last one failed, if what happened then should be known.
    trouble: Option<Legible>,
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
    pub(super) fn new(now: Tick) -> Self {
        Self {
            phase: Phase::None(now),
            backoff: Backoff::new(Duration::from_secs(15), Duration::from_secs(900)),
            trouble: None,
        }
    }

    /// The code that people should see now.
    pub(super) fn code(&self) -> Option<&DeviceCode> {
        match &self.phase {
            Phase::Shown(code) => Some(code),
            Phase::None(_) | Phase::Ordered => None,
        }
    }

    /// What went wrong with the last invitation.
    pub(super) fn trouble(&self) -> Option<&str> {
        self.trouble.as_deref()
    }

    /// What has to be ordered, given whether a sign-in is needed.
    pub(super) fn order(&mut self, needed: bool, now: Tick) -> Option<SignInOrder> {
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
    pub(super) fn wake_at(&self, needed: bool) -> Option<Tick> {
        match self.phase {
            Phase::None(at) if needed => Some(at),
            Phase::None(_) | Phase::Ordered | Phase::Shown(_) => None,
        }
    }

    pub(super) fn shown(&mut self, code: DeviceCode) {
        // An answer to an invitation that was taken back meanwhile shows nothing.
        if matches!(self.phase, Phase::Ordered) {
            self.backoff.reset();
            self.phase = Phase::Shown(code);
        }
    }

    pub(super) fn ended(&mut self, end: &InvitationEnd, now: Tick, random: &mut fastrand::Rng) {
        if matches!(self.phase, Phase::None(_)) {
            return;
        }
        let (wait, trouble) = match end {
            InvitationEnd::SignedIn => (SIGNED_IN_RETRY, None),
            InvitationEnd::Expired => (Duration::ZERO, None),
            InvitationEnd::Declined => (DECLINED_RETRY, Some("the sign-in was declined".into())),
            InvitationEnd::AnotherAccount(name) => {
                let trouble = format!(
                    "{name} signed in, but this bridge watches another account; to change that, run `presence2mqtt login`"
                );
                (DECLINED_RETRY, Some(trouble.into()))
            }
            InvitationEnd::Failed(why) => (self.backoff.failed(random), Some(why.clone())),
        };
        self.phase = Phase::None(now + wait);
        self.trouble = trouble;
    }
}
