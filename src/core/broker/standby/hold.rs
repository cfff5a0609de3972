//! What one that holds the place says and hears: that it lives.

use std::time::Duration;

use crate::core::model::time::Tick;

/// How often it says so.
const SAY_EVERY: Duration = Duration::from_secs(2);

/// It steps back this long after it sent the last word that it heard again: before the silence is long enough
/// for anybody who waits.
const HEARD_FOR: Duration = Duration::from_secs(5);

/// The same where it knows of nobody who waits: another one would only have to come now. Servers of a cluster
/// that agree on a new leader store nothing for 4 to 9 s meanwhile (NATS), and a new connection would take
/// longer still.
const ALONE_HEARD_FOR: Duration = Duration::from_secs(15);

/// One that waits asks every second.
const ASKED_WITHIN: Duration = Duration::from_secs(3);

/// One connection of one that holds the place.
#[derive(Debug)]
pub(super) struct Hold {
    say_at: Tick,
    /// When it sent the last word that came back; nothing before the first one does, as where no access list
    /// lets it.
    heard: Option<Tick>,
    /// When another one last asked.
    pinged: Option<Tick>,
}

impl Hold {
    pub(super) fn begin(now: Tick) -> Self {
        Self { say_at: now, heard: None, pinged: None }
    }

    /// Its own word of `at`, in milliseconds, came back.
    pub(super) fn heard(&mut self, at: u64, now: Tick) {
        let at = Tick(Duration::from_millis(at));
        self.heard = self.heard.max(Some(at).filter(|&at| at <= now));
    }

    /// Reading back is over. However long that took, the connection counts from now on.
    pub(super) fn publishes(&mut self, now: Tick) {
        self.heard = self.heard.map(|_| now);
    }

    /// The number to say now, if it is time to.
    pub(super) fn says(&mut self, now: Tick) -> Option<String> {
        (now >= self.say_at).then(|| {
            self.say_at = now + SAY_EVERY;
            now.0.as_millis().to_string()
        })
    }

    /// Another one asks whether it lives.
    pub(super) fn pinged(&mut self, now: Tick) {
        self.pinged = Some(now);
    }

    /// When it is cut off, if it does not hear itself until then; `waiting` if the word of one that waits is
    /// known. Not every broker brings these words, but one that waited until the line was cut has asked.
    pub(super) fn cut_off_at(&self, waiting: bool) -> Option<Tick> {
        let heard = self.heard?;
        let was_asked = self.pinged.is_some_and(|pinged| pinged + ASKED_WITHIN >= heard);
        Some(heard + if waiting || was_asked { HEARD_FOR } else { ALONE_HEARD_FOR })
    }

    /// When time alone changes something; `is_up` if it publishes.
    pub(super) fn wake_at(&self, is_up: bool, waiting: bool) -> Option<Tick> {
        [Some(self.say_at), self.cut_off_at(waiting).filter(|_| is_up)].into_iter().flatten().min()
    }
}
