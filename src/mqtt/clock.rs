//! The only file of this edge that reads clocks.

use tokio::time::Instant;

/// A moment for measuring durations.
#[expect(clippy::disallowed_methods, reason = "the edge reads the clock")]
pub(super) fn now() -> Instant {
    Instant::now()
}
