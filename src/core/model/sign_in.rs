//! What happens with signing in, and what is ordered about it.

use std::fmt;

use jiff::Timestamp;
use serde::Serialize;
use url::form_urlencoded;

use super::foreign::{Legible, WebAddress};
use super::name::ObjectId;

/// How a person signs in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignInBy {
    /// With a code that they type on any device.
    DeviceCode,
    /// In a browser, which ends on an address of the machine that it runs on.
    Browser,
}

/// What tells one invitation from the next of the same account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct InvitationId(u64);

impl InvitationId {
    /// The invitation of this number.
    #[must_use]
    pub const fn new(number: u64) -> Self {
        Self(number)
    }

    /// The one after this.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

/// An order to whoever signs in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SignInOrder {
    /// Start an invitation and wait until it is used, declined or over.
    Invite(InvitationId, SignInBy),
    /// The same for whoever comes: a person asked for it. A browser comes back to this port of localhost;
    /// without one, to a port that is listened on, or by a person's hand. It takes the place of any other
    /// invitation.
    InviteAnybody(InvitationId, SignInBy, Option<u16>),
    /// Whether the account that signed in takes the place of another.
    Change(bool),
    /// Forget the sign-in.
    SignOut,
    /// End the browser invitation that is shown with this address.
    Redeem(LandingAddress),
    /// Nobody needs it any more.
    TakeBack,
}

/// The address that a browser ended on, as a person pasted it. The code in it is as good as a password until
/// it is redeemed, so it is never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct LandingAddress(String);

impl LandingAddress {
    /// An authorization code is about two kilobytes; nothing that is much longer is such an address.
    const LONGEST: usize = 16 * 1024;

    /// What a person pasted, without white space: mail breaks long lines. What cannot be an address is an
    /// empty one, which ends no sign-in.
    #[must_use]
    pub fn pasted(text: &str) -> Self {
        let mut text: String = text.split_whitespace().collect();
        if text.len() > Self::LONGEST {
            text.clear();
        }
        Self(text)
    }

    /// What tells whose sign-in it ends; nothing if it holds no such thing.
    #[must_use]
    pub fn state(&self) -> Option<String> {
        let (_, query) = self.0.split_once('?')?;
        let query = query.split('#').next().unwrap_or_default();
        state(query)
    }

    /// The address, to be redeemed.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for LandingAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LandingAddress")
    }
}

/// Another account signed in than the one that is followed, by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountChange {
    /// Who is followed.
    pub before: Legible,
    /// Who signed in.
    pub now: Legible,
}

/// What happened with signing in. What is about an invitation says which: the next one may be ordered
/// already.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SignInEvent {
    /// There is an invitation to be shown.
    Invited(InvitationId, ShownInvitation),
    /// That address does not end the invitation, and why; the invitation stands.
    NotTaken(InvitationId, Legible),
    /// Another account signed in to an invitation for whoever comes: a person has to say whether it is meant.
    Another(InvitationId, AccountChange),
    /// The sign-in was forgotten, or why not.
    SignedOut(Result<(), Legible>),
    /// The invitation is over.
    Ended(InvitationId, InvitationEnd),
    /// What proves who the bridge is was changed: somebody signed in beside it, or replaced a secret's file.
    CredentialsChanged,
    /// The app's certificate was replaced, and this is when it ends; nothing if it cannot be read.
    CertificateEnds(Option<Timestamp>),
    /// Who is signed in now.
    Account(Option<SignedIn>),
    /// Whether the disk takes new tokens: why not, and where, as a fragment; nothing when it does again.
    NotStored(Option<Legible>),
}

/// Whose sign-in it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedIn {
    /// What they sign in with.
    pub username: Legible,
    /// Who they are.
    pub object_id: ObjectId,
    /// They consented to their presence being set.
    pub may_write: bool,
}

/// What people need to follow an invitation (Microsoft identity platform: `v2-oauth2-device-code`,
/// `v2-oauth2-auth-code-flow`). Also the payload of `<base>/<bridge>/sign_in`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ShownInvitation {
    /// Where to go.
    pub verification_uri: WebAddress,
    /// What to type there; nothing where a browser signs in by the address alone.
    pub user_code: Option<Legible>,
    /// Until when; UTC, whole seconds.
    pub expires_at: Timestamp,
}

impl ShownInvitation {
    /// Whether a browser that follows it ends on this address.
    #[must_use]
    pub fn ends_on(&self, address: &LandingAddress) -> bool {
        let query = self.verification_uri.as_str().split_once('?').map(|(_, query)| query);
        let state = query.and_then(state);
        state.is_some() && state == address.state()
    }

    /// How it is followed.
    #[must_use]
    pub fn by(&self) -> SignInBy {
        if self.user_code.is_some() { SignInBy::DeviceCode } else { SignInBy::Browser }
    }
}

/// The value of `state` in the query of an address (RFC 6749, section 4.1.1).
fn state(query: &str) -> Option<String> {
    let mut pairs = form_urlencoded::parse(query.as_bytes());
    pairs.find(|(key, _)| key == "state").map(|(_, value)| value.into_owned())
}

/// How an invitation ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InvitationEnd {
    /// The remembered account, or the first one there is, signed in.
    SignedIn,
    /// Nobody came: what else to try, as a sentence.
    Expired(Legible),
    /// Somebody said no: what Microsoft said and what to try, as a sentence.
    Declined(Legible),
    /// Another account than the remembered one signed in, and was discarded.
    AnotherAccount(Legible),
    /// A person said that another account which signed in is not to be followed, or said nothing in time.
    NotChanged,
    /// The tenant allows no device codes: what to do, as a sentence.
    CodesBlocked(Legible),
    /// There is no code, or no end of it: why, as a fragment.
    Failed(Legible),
}
