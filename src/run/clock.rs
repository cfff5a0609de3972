//! The two clocks of the process.

use jiff::Timestamp;
use tokio::time::Instant;

use crate::core::time::{Now, Tick};

/// Where the core's time comes from.
pub(super) struct Clock {
    started: Instant,
}

impl Clock {
    #[expect(clippy::disallowed_methods, reason = "this is where the core's time comes from")]
    pub(super) fn start() -> Self {
        Self { started: Instant::now() }
    }

    #[expect(clippy::disallowed_methods, reason = "this is where the core's time comes from")]
    pub(super) fn now(&self) -> Now {
        Now { tick: Tick(self.started.elapsed()), wall: Timestamp::now() }
    }

    pub(super) async fn sleep_until(&self, tick: Tick) {
        tokio::time::sleep_until(self.started + tick.0).await;
    }
}
