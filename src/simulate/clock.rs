//! The only file in which the simulated tenant reads clocks; all other code gets the time as an argument.

use std::time::{Duration, Instant};

use jiff::Timestamp;

/// A moment, in the two forms that the tenant needs.
#[derive(Debug, Clone, Copy)]
pub(super) struct Now {
    /// The time since the tenant began; windows, token lives and working days use it.
    pub(super) up: Duration,
    /// The date and time, for answers.
    pub(super) wall: Timestamp,
    /// The date and time of other machines, which `skip` does not change: they sign with it and compare it
    /// with their own clocks.
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

/// The date and time, for code that is not part of the tenant.
#[expect(
    clippy::disallowed_methods,
    reason = "the simulated tenant is an edge: somebody has to know the time"
)]
pub(super) fn calendar() -> Timestamp {
    Timestamp::now()
}
