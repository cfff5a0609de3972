//! What happens with signing in, and what is ordered about it.

use std::fmt;

use jiff::Timestamp;
use serde::Serialize;

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

/// An order to whoever signs in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SignInOrder {
    /// Start an invitation and wait until it is used, declined or over.
    Invite(SignInBy),
    /// End the browser invitation that is shown with this address.
    Redeem(LandingAddress),
    /// Nobody needs it any more.
    TakeBack,
}

/// The address that a browser ended on, as a person pasted it. The code in it is as good as a password until it is
/// redeemed, so it is never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct LandingAddress(String);

impl LandingAddress {
    /// An authorization code is about two kilobytes; nothing that is much longer is such an address.
    const LONGEST: usize = 16 * 1024;

    /// What a person pasted, without the white space around it; nothing if it cannot be an address.
    #[must_use]
    pub fn pasted(text: &str) -> Option<Self> {
        let text = text.trim();
        let is_likely = (1..=Self::LONGEST).contains(&text.len()) && !text.contains(char::is_whitespace);
        is_likely.then(|| Self(text.to_owned()))
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

/// What happened with signing in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SignInEvent {
    /// There is an invitation to be shown.
    Invited(ShownInvitation),
    /// A person handed in the address that their browser ended on.
    Landed(LandingAddress),
    /// That address does not end the invitation, and why; the invitation stands.
    NotTaken(Legible),
    /// The invitation is over.
    Ended(InvitationEnd),
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
    /// How it is followed.
    #[must_use]
    pub fn by(&self) -> SignInBy {
        if self.user_code.is_some() { SignInBy::DeviceCode } else { SignInBy::Browser }
    }
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
    /// The tenant allows no device codes: what to do, as a sentence.
    CodesBlocked(Legible),
    /// There is no code, or no end of it: why, as a fragment.
    Failed(Legible),
}
