//! Inviting a person to sign in again: how and when to begin an invitation, how long to show it, what to say
//! meanwhile.

use std::time::Duration;

use crate::core::model::backoff::Backoff;
use crate::core::model::foreign::Legible;
use crate::core::model::sign_in::{
    AccountChange, InvitationEnd, InvitationId, LandingAddress, ShownInvitation, SignInBy, SignInOrder,
};
use crate::core::model::time::Tick;

/// After somebody declined or the wrong person signed in: they are at it, but should not be pestered.
const DECLINED_RETRY: Duration = Duration::from_secs(60);

/// After somebody signed in, until it shows whether that was enough.
const SIGNED_IN_RETRY: Duration = Duration::from_secs(60);

/// A code that nobody used is followed by another no sooner than this after it was shown.
const CODE_EVERY: Duration = Duration::from_secs(15 * 60);

/// So many codes in a row that nobody used: the page may turn people away, which nobody tells a bridge.
const UNUSED_MAX: u8 = 2;

/// What is said then.
const UNUSED: &str = "two codes have expired unused, perhaps because the tenant blocks codes: run `presence2mqtt login --browser`, \
                      or `presence2mqtt login` for another code; if the page says \"Need admin approval\", hand the page \
                      docs/for-administrators.md to an administrator";

/// Where the invitation stands.
#[derive(Debug)]
pub(super) struct Invitation {
    /// That which was ordered last: whatever is said of an older one means nothing any more.
    id: InvitationId,
    phase: Phase,
    backoff: Backoff,
    /// Why the last one failed, if what happened then should be known.
    trouble: Option<Legible>,
    codes: Codes,
    /// A person asked for this one, for whoever comes: it stands whether or not it is needed.
    is_asked_for: bool,
}

#[derive(Debug)]
enum Phase {
    /// None is under way; the next one may begin at the given time.
    None(Tick),
    /// Ordered.
    Ordered,
    /// Shown.
    Shown(ShownInvitation),
    /// Another account signed in than the one that is followed, and a person has to say whether it is meant.
    Another(AccountChange),
}

/// What became of the codes so far.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Codes {
    /// When the next one may be asked for.
    next: Tick,
    /// How many expired in a row.
    unused: u8,
    /// The tenant said that it allows none.
    blocked: bool,
}

impl Codes {
    /// How a person is invited who should sign in like this: where codes are of no use, with a browser.
    fn or_browser(self, by: SignInBy) -> SignInBy {
        if self.blocked || self.unused >= UNUSED_MAX { SignInBy::Browser } else { by }
    }
}

impl Invitation {
    pub(super) fn new(codes: Codes, now: Tick) -> Self {
        Self {
            id: InvitationId::default(),
            phase: Phase::None(now),
            backoff: Backoff::new(Duration::from_secs(15), Duration::from_secs(900)),
            trouble: None,
            codes,
            is_asked_for: false,
        }
    }

    /// There is none any more, after these codes.
    pub(super) fn begin_anew(&mut self, codes: Codes, now: Tick) {
        *self = Self { id: self.id, ..Self::new(codes, now) };
    }

    /// Whether that is the one under way.
    pub(super) fn is(&self, id: InvitationId) -> bool {
        id == self.id && !matches!(self.phase, Phase::None(_))
    }

    /// What became of the codes so far.
    pub(super) fn codes(&self) -> Codes {
        self.codes
    }

    /// What people should see now.
    pub(super) fn shown(&self) -> Option<&ShownInvitation> {
        match &self.phase {
            Phase::Shown(shown) => Some(shown),
            Phase::None(_) | Phase::Ordered | Phase::Another(_) => None,
        }
    }

    /// Whether a person asked for it, so that it is nobody else's business.
    pub(super) fn is_asked_for(&self) -> bool {
        self.is_asked_for
    }

    /// Who signed in instead of whom.
    pub(super) fn change(&self) -> Option<&AccountChange> {
        match &self.phase {
            Phase::Another(change) => Some(change),
            Phase::None(_) | Phase::Ordered | Phase::Shown(_) => None,
        }
    }

    /// A person asks for one, in place of any other. A browser comes back to this port.
    pub(super) fn ask(&mut self, by: SignInBy, back_to: Option<u16>) -> SignInOrder {
        (self.phase, self.trouble, self.is_asked_for) = (Phase::Ordered, None, true);
        self.id = self.id.next();
        SignInOrder::InviteAnybody(self.id, by, back_to)
    }

    /// A person gives it up, or it was given up with the sign-in: another may begin.
    pub(super) fn give_up(&mut self, now: Tick) {
        self.begin_anew(self.codes, now);
    }

    /// Another account signed in to that which is shown.
    pub(super) fn another(&mut self, change: AccountChange) {
        if matches!(self.phase, Phase::Shown(_)) {
            self.phase = Phase::Another(change);
        }
    }

    /// What went wrong with the last invitation.
    pub(super) fn trouble(&self) -> Option<&Legible> {
        self.trouble.as_ref()
    }

    /// What has to be ordered, given how a person should sign in, if one has to.
    pub(super) fn order(&mut self, needed: Option<SignInBy>, now: Tick) -> Option<SignInOrder> {
        match (&self.phase, needed) {
            (Phase::None(_), Some(by)) if self.wake_at(needed).is_some_and(|at| at <= now) => {
                (self.phase, self.id) = (Phase::Ordered, self.id.next());
                Some(SignInOrder::Invite(self.id, self.codes.or_browser(by)))
            }
            (Phase::Ordered | Phase::Shown(_) | Phase::Another(_), None) if !self.is_asked_for => {
                self.begin_anew(Codes { next: self.codes.next, ..Codes::default() }, now);
                Some(SignInOrder::TakeBack)
            }
            (Phase::None(_) | Phase::Ordered | Phase::Shown(_) | Phase::Another(_), _) => None,
        }
    }

    /// When the next order is due.
    pub(super) fn wake_at(&self, needed: Option<SignInBy>) -> Option<Tick> {
        let Phase::None(at) = self.phase else { return None };
        match self.codes.or_browser(needed?) {
            SignInBy::DeviceCode => Some(at.max(self.codes.next)),
            SignInBy::Browser => Some(at),
        }
    }

    /// There is one to be shown.
    pub(super) fn show(&mut self, shown: ShownInvitation, now: Tick) {
        if shown.by() == SignInBy::DeviceCode {
            self.codes.next = now + CODE_EVERY;
        }
        self.backoff.reset();
        self.phase = Phase::Shown(shown);
    }

    /// The address for the browser invitation that is shown, to be redeemed; nothing if none is.
    pub(super) fn landed(&self, address: LandingAddress) -> Option<SignInOrder> {
        let waits = self.shown().is_some_and(|shown| shown.by() == SignInBy::Browser);
        waits.then_some(SignInOrder::Redeem(address))
    }

    /// What was handed in does not end the invitation.
    pub(super) fn not_taken(&mut self, why: &Legible) {
        if self.shown().is_some() {
            self.trouble = Some(why.clone());
        }
    }

    /// It is over. Returns what people should be told about it, if that is news.
    pub(super) fn ended(
        &mut self,
        end: &InvitationEnd,
        now: Tick,
        random: &mut fastrand::Rng,
    ) -> Option<&Legible> {
        let was_code = self.shown().is_some_and(|shown| shown.by() == SignInBy::DeviceCode);
        let (wait, trouble, is_told) = match end {
            InvitationEnd::SignedIn => {
                self.codes = Codes::default();
                (SIGNED_IN_RETRY, None, false)
            }
            InvitationEnd::Expired(advice) if was_code => {
                self.codes.unused = self.codes.unused.saturating_add(1);
                let is_enough = self.codes.unused >= UNUSED_MAX;
                (Duration::ZERO, Some(if is_enough { UNUSED.into() } else { advice.clone() }), is_enough)
            }
            InvitationEnd::Expired(advice) => {
                // The link stood for a day. Whatever kept codes from being used may be over.
                self.codes = Codes { unused: UNUSED_MAX - 1, blocked: false, ..self.codes };
                (Duration::ZERO, Some(advice.clone()), false)
            }
            InvitationEnd::Declined(advice) => {
                // Somebody used it.
                self.codes.next = now;
                (DECLINED_RETRY, Some(advice.clone()), true)
            }
            InvitationEnd::AnotherAccount(name) => {
                self.codes.next = now;
                let trouble = format!(
                    "{name} signed in, but this bridge follows another account; to switch, run \
                    `presence2mqtt login`"
                );
                (DECLINED_RETRY, Some(trouble.into()), true)
            }
            InvitationEnd::CodesBlocked(why) => {
                self.codes.blocked = true;
                (Duration::ZERO, Some(why.clone()), true)
            }
            InvitationEnd::NotChanged => (Duration::ZERO, None, false),
            InvitationEnd::Failed(why) => (self.backoff.failed(random), Some(why.clone()), true),
        };
        self.phase = Phase::None(now + wait);
        self.trouble = trouble;
        // Nobody was pestered, and who asked knows.
        let is_told = is_told && !std::mem::take(&mut self.is_asked_for);
        self.trouble.as_ref().filter(|_| is_told)
    }
}
