//! What everybody's health depends on besides their own answers.

use std::time::Duration;

/// What everybody's health depends on besides their own answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::core) struct Terms {
    /// Nobody is signed in.
    pub sign_in_required: bool,
    /// After how long without an answer values are stale.
    pub stale_after: Duration,
}
