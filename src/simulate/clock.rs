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
    /// The calendar of other machines, which skips leave alone: for what they sign and compare with their own
    /// clocks.
    pub(super) elsewhere: Timestamp,
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
        Self { start: Instant::now(), start_wall: calendar(), skipped: Duration::ZERO }
    }

    pub(super) fn now(&self) -> Now {
        let elapsed = self.start.elapsed();
        let up = elapsed + self.skipped;
        let wall = |since| self.start_wall.saturating_add(since).unwrap_or(self.start_wall);
        Now { up, wall: wall(up), elsewhere: wall(elapsed) }
    }

    pub(super) fn skip(&mut self, by: Duration) {
        self.skipped += by;
    }
}

/// The date and time, for whoever is not part of the tenant.
#[expect(
    clippy::disallowed_methods,
    reason = "the simulated tenant is an edge: somebody has to know the time"
)]
pub(super) fn calendar() -> Timestamp {
    Timestamp::now()
}
