//! A sign-in that was made.

use crate::core::model::name::ObjectId;
use crate::simulate::sign_in::scope::Scopes;

/// Who signed in, and what they allowed the app to do.
#[derive(Debug, Clone)]
pub(in super::super) struct SignedIn {
    pub(in super::super) user: ObjectId,
    pub(in super::super) scopes: Scopes,
}
