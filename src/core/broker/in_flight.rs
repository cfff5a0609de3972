//! How many messages may be under way: as many as the broker takes in a second.
//!
//! A broker that stores each message on several servers takes a few dozen in a second. Whatever is said
//! behind a full window waits for all of it: a change, and the word of the active one of several instances,
//! which the others wait for.

use std::time::Duration;

use crate::core::model::time::Tick;

/// At most (a person's last few may go beyond). So many that a broker ten milliseconds away still takes forty
/// thousand in a second.
pub(in crate::core) const WINDOW_MAX: usize = 480;

/// At first, while nobody knows how fast the broker is.
pub(in crate::core) const WINDOW_FIRST: usize = 60;

/// Even where the broker is slower than that. A line on which every answer takes seconds is no slow broker,
/// and cannot be told from one.
const WINDOW_MIN: usize = 20;

/// How long a full window should take.
const TAKEN_WITHIN: Duration = Duration::from_secs(1);

/// What was sent on one connection and has not arrived yet. What was learned of the broker outlasts the
/// connection.
#[derive(Debug)]
pub(super) struct InFlight {
    count: usize,
    window: usize,
    timed: Option<Timed>,
}

/// The last message of those that were sent together, whose way is timed.
#[derive(Debug)]
struct Timed {
    /// So many have to arrive until it did.
    left: usize,
    sent_at: Tick,
    /// More would have been sent if the window were larger.
    is_full: bool,
}

impl Default for InFlight {
    fn default() -> Self {
        Self { count: 0, window: WINDOW_FIRST, timed: None }
    }
}

impl InFlight {
    /// Messages that have not arrived yet, as far as is known.
    pub(super) fn count(&self) -> usize {
        self.count
    }

    /// How many more may be sent.
    pub(super) fn room(&self) -> usize {
        self.window.saturating_sub(self.count)
    }

    pub(super) fn sent(&mut self, messages: usize, now: Tick) {
        self.count += messages;
        if messages > 0 && self.timed.is_none() {
            let is_full = self.count >= self.window;
            self.timed = Some(Timed { left: self.count, sent_at: now, is_full });
        }
    }

    /// So many of the oldest have arrived.
    pub(super) fn acknowledged(&mut self, messages: usize, now: Tick) {
        self.count = self.count.saturating_sub(messages);
        let Some(timed) = &mut self.timed else { return };
        timed.left = timed.left.saturating_sub(messages);
        if timed.left > 0 {
            return;
        }
        let took = now.since(timed.sent_at);
        if !timed.is_full {
            // Few messages say nothing of how many it takes.
        } else if took > TAKEN_WITHIN {
            // By half at most: one answer may only have been late.
            let slower = took.div_duration_f64(TAKEN_WITHIN).min(2.0);
            self.window = ((self.window as f64 / slower) as usize).max(WINDOW_MIN);
        } else if took * 2 <= TAKEN_WITHIN {
            self.window = (self.window * 2).min(WINDOW_MAX);
        }
        self.timed = None;
    }

    /// The connection is gone, and what was under way on it is sent again.
    pub(super) fn forget(&mut self) {
        (self.count, self.timed) = (0, None);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sends as much as may be sent, to a broker that takes so many in a second, until it took `messages`.
    /// Returns how long the last message of a full window waited, at most, once the window had settled; and
    /// the time for all.
    fn send(messages: usize, a_second: f64) -> (Duration, Duration) {
        let (mut in_flight, mut now, mut sent_at) = (InFlight::default(), Tick::default(), Vec::new());
        let mut longest = Duration::ZERO;
        for arrived in 0..messages {
            let room = in_flight.room();
            in_flight.sent(room, now);
            sent_at.extend(std::iter::repeat_n(now, room));
            now = now + Duration::from_secs(1).div_f64(a_second);
            in_flight.acknowledged(1, now);
            if arrived > messages / 2 {
                longest = longest.max(now.since(sent_at[arrived]));
            }
        }
        (longest, now.since(Tick::default()))
    }

    #[test]
    fn a_slow_broker_has_no_more_than_it_takes_in_a_second_or_two() {
        for a_second in [20.0, 50.0, 200.0, 1_000.0] {
            let (longest, _) = send(4_000, a_second);
            assert!(longest <= TAKEN_WITHIN * 2, "{a_second} a second: {longest:?}");
        }
    }

    #[test]
    fn a_quick_one_has_a_full_window_after_a_few_turns() {
        let mut in_flight = InFlight::default();
        let mut turns = 0;
        while in_flight.room() < WINDOW_MAX {
            let room = in_flight.room();
            in_flight.sent(room, Tick::default());
            in_flight.acknowledged(room, Tick(Duration::from_millis(10)));
            turns += 1;
        }
        assert_eq!(turns, 3);
    }

    #[test]
    fn few_messages_say_nothing_of_how_many_it_takes() {
        let mut in_flight = InFlight::default();
        for _ in 0..100 {
            in_flight.sent(1, Tick::default());
            in_flight.acknowledged(1, Tick::default());
        }
        assert_eq!(in_flight.room(), WINDOW_FIRST);
    }

    #[test]
    fn what_was_learned_outlasts_the_connection() {
        let mut in_flight = InFlight::default();
        in_flight.sent(WINDOW_FIRST, Tick::default());
        in_flight.acknowledged(WINDOW_FIRST, Tick(TAKEN_WITHIN * 4));
        in_flight.sent(WINDOW_FIRST / 2, Tick(TAKEN_WITHIN * 5));
        in_flight.forget();
        assert_eq!((in_flight.count(), in_flight.room()), (0, WINDOW_FIRST / 2));
    }
}
