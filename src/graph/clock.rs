//! The only file of this edge that reads clocks.

use jiff::Timestamp;
use tokio::time::Instant;

/// The date and time.
#[expect(clippy::disallowed_methods, reason = "the edge reads the clock")]
pub(super) fn wall() -> Timestamp {
    Timestamp::now()
}

/// A moment for measuring durations.
#[expect(clippy::disallowed_methods, reason = "the edge reads the clock")]
pub(super) fn now() -> Instant {
    Instant::now()
}
