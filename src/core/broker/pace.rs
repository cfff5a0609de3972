//! How fast a burst goes out. A broker keeps a queue for each subscriber, and what does not fit is lost to a
//! slow one without a word, at quality 1 too (Mosquitto: `max_queued_messages`, 1,000).

use std::time::Duration;

use crate::core::model::burst::{BURST_DURATION_MAX, PACED_MESSAGES_MAX, SUSTAINED_RATE};
use crate::core::model::time::Tick;

/// So many messages go out at once: with half of Mosquitto's queue left for those who are behind already.
const BURST_MAX: u32 = 480;

/// Too short a wait for a timer.
const TIMER_MIN: Duration = Duration::from_millis(2);

/// A bucket that empties with each message and fills again with time.
#[derive(Debug, Default)]
pub(super) struct Pace {
    /// When it will be full.
    full_at: Tick,
    /// As many messages as have waited at once since it was full.
    burst: u32,
}

impl Pace {
    /// How many messages may go out now, of so many that wait.
    pub(super) fn room(&mut self, waiting: usize, now: Tick) -> usize {
        let waiting = u32::try_from(waiting).unwrap_or(u32::MAX);
        self.burst = if self.full_at <= now { waiting } else { self.burst.max(waiting) };
        if self.burst > PACED_MESSAGES_MAX {
            return usize::MAX;
        }
        let missing = self.full_at.since(now).div_duration_f64(self.each());
        (f64::from(BURST_MAX) - missing).max(0.0) as usize
    }

    /// So many went out.
    pub(super) fn sent(&mut self, messages: usize, now: Tick) {
        self.full_at = self.full_at.max(now) + self.each().mul_f64(messages as f64);
    }

    /// When there is room again, after there was none.
    pub(super) fn room_at(&self) -> Tick {
        self.full_at - (self.each() * (BURST_MAX - 1)).saturating_sub(TIMER_MIN)
    }

    /// The time that one message has.
    fn each(&self) -> Duration {
        let gentle = Duration::from_secs(1).div_f64(SUSTAINED_RATE);
        (BURST_DURATION_MAX / self.burst.max(1)).min(gentle)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How long so many messages take, sent as soon as there is room.
    fn takes(messages: usize) -> Duration {
        let (mut pace, mut now, mut left) = (Pace::default(), Tick::default(), messages);
        while left > 0 {
            let some = pace.room(left, now).min(left);
            if some == 0 {
                assert!(pace.room_at() > now, "time goes on");
                now = pace.room_at();
            }
            pace.sent(some, now);
            left -= some;
        }
        now.since(Tick::default())
    }

    #[test]
    fn few_go_at_once_many_at_a_gentle_pace_more_within_seconds_and_a_tenant_without_one() {
        for (messages, least, most) in
            [(480, 0.0, 0.0), (1_250, 0.5, 0.6), (6_500, 4.0, 4.2), (30_000, 4.8, 5.1), (30_001, 0.0, 0.0)]
        {
            let took = takes(messages).as_secs_f64();
            assert!((least..=most).contains(&took), "{messages} messages took {took} s");
        }
    }

    #[test]
    fn a_tenant_has_no_pace_until_its_last_message_at_a_broker_that_keeps_up() {
        let (mut pace, mut now) = (Pace::default(), Tick::default());
        for waiting in (1..=40_000).rev().step_by(400) {
            assert!(pace.room(waiting, now) >= 400, "{waiting} left");
            pace.sent(400, now);
            now = now + Duration::from_millis(10);
        }
    }

    #[test]
    fn changes_that_come_one_by_one_never_wait() {
        let (mut pace, mut now) = (Pace::default(), Tick::default());
        for _ in 0..10_000 {
            assert!(pace.room(3, now) >= 3);
            pace.sent(3, now);
            now = now + Duration::from_millis(3);
        }
    }

    #[test]
    fn whoever_waits_is_woken_when_there_is_room() {
        let mut pace = Pace::default();
        assert_eq!(pace.room(10_000, Tick::default()), 480);
        pace.sent(480, Tick::default());
        assert_eq!(pace.room(9_520, Tick::default()), 0);
        assert!(pace.room(9_520, pace.room_at()) >= 1);
    }
}
