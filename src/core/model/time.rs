//! Time as the core knows it: handed in with every event, never read.

use std::ops::{Add, Sub};
use std::time::Duration;

use jiff::Timestamp;

/// A point on the monotonic clock, counted from the start of the process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Tick(pub Duration);

/// The two clocks at one instant: `tick` for waiting, `wall` for what people read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Now {
    /// Monotonic; on Linux it stands still while the machine sleeps.
    pub tick: Tick,
    /// UTC; may jump in both directions.
    pub wall: Timestamp,
}

impl Tick {
    /// Time passed since `earlier`; zero if that lies ahead.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        self.0.saturating_sub(earlier.0)
    }
}

impl Add<Duration> for Tick {
    type Output = Self;

    fn add(self, wait: Duration) -> Self {
        Self(self.0.saturating_add(wait))
    }
}

impl Sub<Duration> for Tick {
    type Output = Self;

    fn sub(self, back: Duration) -> Self {
        Self(self.0.saturating_sub(back))
    }
}

/// A [`Tick`] in half the room, for whom there are many of: nanoseconds, for more than five hundred years.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::core) struct Stamp(u64);

impl From<Tick> for Stamp {
    fn from(Tick(tick): Tick) -> Self {
        Self(u64::try_from(tick.as_nanos()).unwrap_or(u64::MAX))
    }
}

impl From<Stamp> for Tick {
    fn from(Stamp(nanoseconds): Stamp) -> Self {
        Self(Duration::from_nanos(nanoseconds))
    }
}

/// UTC as [`whole_seconds`] gives it, in half the room.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::core) struct WholeSeconds(i64);

impl From<Timestamp> for WholeSeconds {
    fn from(wall: Timestamp) -> Self {
        Self(wall.as_second())
    }
}

impl From<WholeSeconds> for Timestamp {
    fn from(WholeSeconds(seconds): WholeSeconds) -> Self {
        Self::from_second(seconds).unwrap_or_default()
    }
}

/// UTC in whole seconds, as every payload carries it: `2026-11-23T09:14:22Z`.
#[must_use]
pub fn whole_seconds(wall: Timestamp) -> Timestamp {
    Timestamp::from_second(wall.as_second()).unwrap_or(wall)
}
