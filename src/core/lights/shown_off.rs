//! A light that shows every state in turn, so that somebody can stand in front of it and look.

use std::collections::VecDeque;
use std::time::Duration;

use super::look::Look;
use super::settings::Settings;
use crate::core::model::time::Tick;

/// How long each state is shown.
const EACH: Duration = Duration::from_secs(2);

/// What is still to be shown. It ends with no light.
#[derive(Debug)]
pub(super) struct ShownOff {
    looks: VecDeque<Look>,
    next_at: Tick,
}

impl ShownOff {
    pub(super) fn new(settings: &Settings, now: Tick) -> Self {
        let looks = settings.walk().into_iter().map(|(_, look)| look).collect();
        Self { looks, next_at: now }
    }

    /// The look whose time has come.
    pub(super) fn next(&mut self, now: Tick) -> Option<Look> {
        if self.next_at > now {
            return None;
        }
        let look = self.looks.pop_front()?;
        self.next_at = now + EACH;
        Some(look)
    }

    /// Whether everything was shown for its time.
    pub(super) fn is_over(&self, now: Tick) -> bool {
        self.looks.is_empty() && self.next_at <= now
    }

    /// When that changes, or there is another look.
    pub(super) fn wake_at(&self) -> Tick {
        self.next_at
    }
}
