//! What everybody's health depends on besides their own answers: how their account is doing.

use std::time::Duration;

/// How an account is doing, as far as the health of its people depends on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::core) struct Terms {
    /// Nobody is signed in.
    pub sign_in_required: bool,
    /// After how long without an answer values are stale.
    pub stale_after: Duration,
}
