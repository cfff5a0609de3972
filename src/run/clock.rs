//! The two clocks of the process.

use jiff::Timestamp;
use tokio::time::Instant;

use crate::core::model::time::{Now, Tick};

/// The source of the core's time.
#[derive(Debug)]
pub struct Clock {
    started: Instant,
}

impl Clock {
    /// Tick 0.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "this is where the core's time comes from")]
    pub fn start() -> Self {
        Self { started: Instant::now() }
    }

    /// Both clocks at this instant.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "this is where the core's time comes from")]
    pub fn now(&self) -> Now {
        Now { tick: Tick(self.started.elapsed()), wall: Timestamp::now() }
    }

    /// Waits for a tick; returns immediately if it has passed.
    pub async fn sleep_until(&self, tick: Tick) {
        tokio::time::sleep_until(self.started + tick.0).await;
    }

    /// Waits for a tick, or for ever if there is none.
    pub(super) async fn sleep_until_any(&self, tick: Option<Tick>) {
        match tick {
            Some(tick) => self.sleep_until(tick).await,
            None => std::future::pending().await,
        }
    }
}
