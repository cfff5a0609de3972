//! This bridge's own `state`, should another hand change it: it is said again, not too often.

use std::time::Duration;

use crate::core::context::Context;
use crate::core::model::time::Tick;
use crate::core::model::topic::ONLINE;

/// Our own `online` may be on its way back, behind the word of another hand.
const ECHO: Duration = Duration::from_millis(250);

/// A `state` that another hand has changed is said again at most so often.
const RESTATE: Duration = Duration::from_secs(1);

/// What became of `online`.
#[derive(Debug, Default)]
pub(super) struct OwnState {
    /// Another hand has changed it; to be said again then.
    restate_at: Option<Tick>,
    last_restated: Option<Tick>,
}

impl OwnState {
    /// There is a new connection.
    pub(super) fn connected(&mut self) {
        self.restate_at = None;
    }

    /// Somebody, or the will of an older connection, may have changed it, while the bridge publishes.
    pub(super) fn heard(&mut self, payload: &[u8], cx: &Context) {
        if payload == ONLINE.as_bytes() {
            self.restate_at = None;
        } else if self.restate_at.is_none() {
            let earliest = self.last_restated.map_or(cx.now, |last| last + RESTATE);
            self.restate_at = Some(earliest.max(cx.now + ECHO));
        }
    }

    /// When `online` is said again: not before it was said, which was `announced_at`.
    pub(super) fn wake_at(&self, announced_at: Option<Tick>) -> Option<Tick> {
        Some(self.restate_at?.max(announced_at? + ECHO))
    }

    /// Whether `online` is to be said again now; `true` once.
    pub(super) fn restates(&mut self, announced_at: Option<Tick>, now: Tick) -> bool {
        let is_due = self.wake_at(announced_at).is_some_and(|at| at <= now);
        if is_due {
            (self.restate_at, self.last_restated) = (None, Some(now));
        }
        is_due
    }
}
