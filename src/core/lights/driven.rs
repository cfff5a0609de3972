//! One light as the bridge drives it: what it was told last, and what it should be told now.

use std::time::Duration;

use jiff::Timestamp;

use super::color::{Instead, Shade};
use super::hours::Stretch;
use super::look::Look;
use super::preset::{Announcement, Order};
use super::settings::Settings;
use crate::core::model::name::TopicLevel;
use crate::core::model::place::Place;
use crate::core::model::presence::Shown;
use crate::core::model::time::Tick;

/// A device that comes again and again, or whatever is taken for that, is told once in this time.
const REPEATED_START_QUIET: Duration = Duration::from_millis(500);

/// Who is seen of those whom a light follows.
#[derive(Debug)]
pub(in crate::core) enum Sight {
    /// Nobody yet, but the first answer about somebody is still to come: nothing is guessed.
    Awaited,
    /// Nobody.
    Nobody,
    /// The busiest.
    Somebody(Shown),
}

/// A light, and what is known of it.
#[derive(Debug)]
pub(in crate::core) struct Light {
    pub settings: Settings,
    /// Where those whom it follows stand among all people.
    pub places: Vec<Place>,
    /// Somebody may have paused it.
    pub follows: bool,
    /// Somebody whom it follows is not known yet, and may still come.
    pub expects_somebody: bool,
    /// Something changed that it may have to show.
    pub due: bool,
    /// What it shows, as far as it was told.
    pub shade: Option<Shade>,
    /// The last order, and whether the device has to hear it even if it is the same again.
    last: Option<Order>,
    must_tell: bool,
    stretch: Option<Stretch>,
    stretch_ends: Tick,
    announcement: Option<Announcement>,
    /// The device said last that it is there.
    is_there: bool,
    /// When it is told again because it has come, which is not before the other.
    again_at: Option<Tick>,
    quiet_until: Tick,
}

impl Light {
    pub(in crate::core) fn new(settings: Settings, now: Tick) -> Self {
        Self {
            announcement: settings.device.announcement(&settings.topic),
            settings,
            places: Vec::new(),
            expects_somebody: false,
            follows: true,
            due: true,
            shade: None,
            last: None,
            must_tell: false,
            stretch: None,
            stretch_ends: now,
            is_there: false,
            again_at: None,
            quiet_until: now,
        }
    }

    /// The same light with other settings. Of another device nothing is known yet.
    pub(in crate::core) fn configured(self, settings: Settings, now: Tick) -> Self {
        let fresh = Self { follows: self.follows, shade: self.shade, ..Self::new(settings, now) };
        if !self.settings.same_device(&fresh.settings) {
            return fresh;
        }
        let Self { last, must_tell, is_there, again_at, quiet_until, .. } = self;
        Self { last, must_tell, is_there, again_at, quiet_until, ..fresh }
    }

    /// Looks at the clock: the hours may have begun or ended, or the device may have waited for long enough.
    pub(in crate::core) fn look_at_clock(&mut self, wall: Timestamp, now: Tick) {
        if self.again_at.is_some_and(|at| at <= now) {
            self.again_at = None;
            self.quiet_until = now + REPEATED_START_QUIET;
            self.tell_again();
        }
        let before = self.stretch.map(|stretch| stretch.within);
        let stretch = match (self.stretch, &self.settings.active) {
            (Some(stretch), _) if stretch.contains(wall) => stretch,
            (_, Some(hours)) => hours.stretch(wall),
            (_, None) => Stretch::ALWAYS,
        };
        self.due |= before != Some(stretch.within);
        self.stretch = Some(stretch);
        // Each time anew: the clock may have been set meanwhile.
        self.stretch_ends = now + stretch.until.duration_since(wall).unsigned_abs();
    }

    /// When the clock is to be looked at next, if ever.
    pub(in crate::core) fn wake_at(&self) -> Option<Tick> {
        let stretch_ends = self.settings.active.as_ref().map(|_| self.stretch_ends);
        stretch_ends.into_iter().chain(self.again_at).min()
    }

    /// Takes whether one of those who are missing may still come.
    pub(in crate::core) fn expects(&mut self, may_come: impl Fn(&TopicLevel) -> bool) {
        let is_missing = self.places.len() < self.settings.users.len();
        let expects = is_missing && self.settings.users.iter().any(may_come);
        self.due |= std::mem::replace(&mut self.expects_somebody, expects) != expects;
    }

    /// Where the device says that it has come.
    pub(in crate::core) fn announced_on(&self) -> Option<&str> {
        self.announcement.as_ref().map(|announcement| announcement.topic.as_str())
    }

    /// The device said this there.
    pub(in crate::core) fn device_said(&mut self, payload: &[u8], now: Tick) {
        let Some(Announcement { says, repeats, .. }) = &self.announcement else { return };
        let was_there = std::mem::replace(&mut self.is_there, says(payload));
        if self.is_there && !(*repeats && was_there) {
            self.again_at = Some(now.max(self.quiet_until));
        }
    }

    /// What the device was told it may have forgotten, or never heard.
    pub(in crate::core) fn tell_again(&mut self) {
        self.must_tell = true;
        self.due = true;
    }

    /// There is another connection to the broker: what the device said on the one before may be over.
    pub(in crate::core) fn connected(&mut self) {
        self.is_there = false;
        self.tell_again();
    }

    /// Whether the last order went to this topic.
    pub(in crate::core) fn is_told_on(&self, topic: &str) -> bool {
        self.last.as_ref().is_some_and(|order| order.topic == topic)
    }

    /// What the device has to be told, if anything; `shade` says what it shows then.
    pub(in crate::core) fn order(&mut self, sight: Sight) -> Option<Order> {
        let wanted = self.look(sight).and_then(|look| Some((look.shade(), self.settings.order(&look)?)));
        let must_tell = std::mem::take(&mut self.must_tell);
        if let Some((shade, order)) = wanted {
            self.shade = Some(shade);
            if self.last.replace(order.clone()).as_ref() != Some(&order) {
                return Some(order);
            }
        }
        self.last.clone().filter(|_| must_tell)
    }

    /// The last that the device is told, if anything, and what it shows then.
    pub(in crate::core) fn goodbye(&self) -> Option<(Order, Shade)> {
        match self.settings.shutdown {
            Instead::Shade(shade) if self.follows && !self.is_outside_hours() => {
                let order = self.settings.order(&self.settings.look_of_nobody(shade))?;
                Some((order, shade))
            }
            Instead::Shade(_) | Instead::Unchanged => None,
        }
    }

    /// How it looks; nothing if it is left as it is.
    fn look(&self, sight: Sight) -> Option<Look> {
        if self.is_outside_hours() {
            return Some(self.settings.look_of_nobody(Shade::Off));
        }
        match (sight, self.settings.stale) {
            (Sight::Somebody(shown), _) => Some(self.settings.look_of(shown)),
            // What is shown of somebody else must not stand until then.
            (Sight::Awaited, _) if self.last.is_none() => None,
            (Sight::Awaited | Sight::Nobody, Instead::Shade(shade)) => {
                Some(self.settings.look_of_nobody(shade))
            }
            (Sight::Awaited | Sight::Nobody, Instead::Unchanged) => None,
        }
    }

    fn is_outside_hours(&self) -> bool {
        self.stretch.is_some_and(|stretch| !stretch.within)
    }
}
