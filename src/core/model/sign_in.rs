//! What happens with signing in, and what is ordered about it.

use jiff::Timestamp;
use serde::Serialize;

use super::foreign::{Legible, WebAddress};
use super::name::ObjectId;

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
    pub username: Legible,
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
    pub verification_uri: WebAddress,
    /// What to type there.
    pub user_code: Legible,
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
    AnotherAccount(Legible),
    /// There is no code, or no end of it: why, as a fragment.
    Failed(Legible),
}
