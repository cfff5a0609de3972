//! Time that goes on while the machine sleeps.
//!
//! Linux's monotonic clock stands still in sleep, and every timer with it. The time of day does not: when it
//! gets ahead of the monotonic clock, the machine slept, or somebody set the clock. The two cannot be told
//! apart and need not be: either way what was known may be old, and reading it again does no harm.

use std::time::Duration;

use jiff::Timestamp;

use super::model::time::{Now, Tick};

/// The time of day may get ahead by this much before it counts: clocks are adjusted by less all the time.
const JUMP: Duration = Duration::from_secs(3);

/// The monotonic clock with all sleep added.
#[derive(Debug)]
pub(super) struct Suspend {
    slept: Duration,
    /// Where the monotonic clock's zero lies on the time of day, as far as was seen.
    zero: Timestamp,
}

impl Suspend {
    /// Nothing slept yet.
    pub(super) fn none(now: Now) -> Self {
        Self { slept: Duration::ZERO, zero: zero(now) }
    }

    /// The time with all sleep added, and how long a sleep took that has just ended.
    pub(super) fn awake(&mut self, now: Now) -> (Now, Option<Duration>) {
        let zero = zero(now);
        let ahead = Duration::try_from(zero.duration_since(self.zero)).unwrap_or_default();
        // A clock that goes back says nothing about time that passed.
        self.zero = zero;
        let slept = (ahead > JUMP).then_some(ahead);
        self.slept = self.slept.saturating_add(slept.unwrap_or_default());
        (Now { tick: self.with_sleep(now.tick), ..now }, slept)
    }

    /// From the monotonic clock to the time with sleep.
    pub(super) fn with_sleep(&self, tick: Tick) -> Tick {
        tick + self.slept
    }

    /// And back.
    pub(super) fn without_sleep(&self, tick: Tick) -> Tick {
        tick - self.slept
    }
}

fn zero(now: Now) -> Timestamp {
    now.wall.saturating_sub(now.tick.0).unwrap_or(now.wall)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now(tick: u64, wall: i64) -> Now {
        Now { tick: Tick(Duration::from_secs(tick)), wall: Timestamp::from_second(1_000_000 + wall).unwrap() }
    }

    #[test]
    fn only_a_jump_ahead_is_sleep() {
        let mut suspend = Suspend::none(now(0, 0));
        let seconds = |time: Now| time.tick.0.as_secs();
        for (at, expected, slept) in [
            (now(10, 10), 10, None),
            (now(11, 14), 11, None),
            (now(12, 3615), 3612, Some(3600)),
            (now(13, 3616), 3613, None),
            (now(14, 17), 3614, None),
            (now(15, 18), 3615, None),
            (now(16, 3619), 7216, Some(3600)),
        ] {
            let (time, took) = suspend.awake(at);
            assert_eq!((seconds(time), took.map(|took| took.as_secs())), (expected, slept), "{at:?}");
            assert_eq!(suspend.without_sleep(time.tick), at.tick);
        }
    }
}
