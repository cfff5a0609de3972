//! The one place where the simulated tenant reads clocks; everything else is told what time it is.

use std::time::{Duration, Instant};

use jiff::Timestamp;

/// A moment, on both of the scales the tenant needs.
#[derive(Debug, Clone, Copy)]
pub(super) struct Now {
    /// How long the tenant has existed: what windows, token ends and working days are reckoned in.
    pub(super) up: Duration,
    /// The calendar, for what is written into answers.
    pub(super) wall: Timestamp,
}

/// A clock that tests can move forward.
#[derive(Debug)]
pub(super) struct Clock {
    start: Instant,
    start_wall: Timestamp,
    skipped: Duration,
}

impl Clock {
    #[expect(
        clippy::disallowed_methods,
        reason = "the simulated tenant is an edge: somebody has to know the time"
    )]
    pub(super) fn start() -> Self {
        Self { start: Instant::now(), start_wall: Timestamp::now(), skipped: Duration::ZERO }
    }

    pub(super) fn now(&self) -> Now {
        let up = self.start.elapsed() + self.skipped;
        Now { up, wall: self.start_wall.saturating_add(up).unwrap_or(self.start_wall) }
    }

    pub(super) fn skip(&mut self, by: Duration) {
        self.skipped += by;
    }
}
