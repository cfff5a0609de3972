//! What was heard on a topic that may win over presence.

use super::also::Also;
use crate::core::model::event::Incoming;
use crate::core::model::time::Tick;

/// What was heard on such a topic, and whether it still counts.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Input {
    /// What the last message said.
    said: Option<bool>,
    /// It said so, and that has not expired.
    counts: bool,
    expires_at: Option<Tick>,
}

impl Input {
    /// Takes a message on the topic of `also`; `true` if it changes what counts.
    ///
    /// What is retained comes again with each connection and may be old: only when it says something else is
    /// it news.
    pub(super) fn heard(&mut self, also: &Also, message: &Incoming, now: Tick) -> bool {
        let says = also.says(&message.payload);
        if message.retained && self.said == Some(says) {
            return false;
        }
        self.said = Some(says);
        self.expires_at = also.expires.filter(|_| says).map(|expires| now + expires);
        std::mem::replace(&mut self.counts, says) != says
    }

    /// Whether anything was heard.
    pub(super) fn was_heard(&self) -> bool {
        self.said.is_some()
    }

    /// `true` if it counts no more since it expired.
    pub(super) fn expires(&mut self, now: Tick) -> bool {
        let has_expired = self.expires_at.is_some_and(|at| at <= now);
        if has_expired {
            self.expires_at = None;
            self.counts = false;
        }
        has_expired
    }

    /// When that is, if ever.
    pub(super) fn expires_at(&self) -> Option<Tick> {
        self.expires_at
    }

    /// Whether it wins over presence.
    pub(super) fn counts(&self) -> bool {
        self.counts
    }
}
