//! One light as the bridge drives it: what it was told last, and what it should be told now.

use jiff::Timestamp;

use super::color::{Instead, Shade};
use super::hours::Stretch;
use super::look::{Look, Shown};
use super::preset::{Announcement, Order};
use super::settings::Settings;
use crate::core::schedule::Place;
use crate::core::time::Tick;

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
    /// Something changed that it may have to show.
    pub due: bool,
    /// What it shows, as far as it was told.
    pub shade: Option<Shade>,
    announcement: Option<Announcement>,
    stretch: Option<Stretch>,
    stretch_ends: Tick,
    sent: Option<Order>,
}

impl Light {
    pub(in crate::core) fn new(settings: Settings, now: Tick) -> Self {
        Self {
            announcement: settings.device.announcement(&settings.topic),
            settings,
            places: Vec::new(),
            follows: true,
            due: true,
            shade: None,
            stretch: None,
            stretch_ends: now,
            sent: None,
        }
    }

    /// The same light with other settings; on another device nothing was said yet.
    pub(in crate::core) fn configured(self, settings: Settings, now: Tick) -> Self {
        let sent = self.sent.filter(|_| self.settings.same_device(&settings));
        Self { sent, follows: self.follows, shade: self.shade, ..Self::new(settings, now) }
    }

    /// Looks at the clock; the hours may have begun or ended.
    pub(in crate::core) fn look_at_clock(&mut self, wall: Timestamp, now: Tick) {
        if self.stretch.is_some_and(|stretch| stretch.contains(wall)) {
            return;
        }
        let stretch = self.settings.active.as_ref().map_or(Stretch::ALWAYS, |hours| hours.stretch(wall));
        self.due |= self.stretch.is_none_or(|before| before.within != stretch.within);
        self.stretch_ends = now + stretch.until.duration_since(wall).unsigned_abs();
        self.stretch = Some(stretch);
    }

    /// When the hours begin or end next, if they do.
    pub(in crate::core) fn wake_at(&self) -> Option<Tick> {
        self.settings.active.as_ref().map(|_| self.stretch_ends)
    }

    /// Where the device says that it has come.
    pub(in crate::core) fn announced_on(&self) -> Option<&str> {
        self.announcement.as_ref().map(|announcement| announcement.topic.as_str())
    }

    /// Whether a payload there says so.
    pub(in crate::core) fn has_come(&self, payload: &[u8]) -> bool {
        self.announcement.as_ref().is_some_and(|announcement| (announcement.says)(payload))
    }

    /// What the device was told it may have forgotten, or never heard.
    pub(in crate::core) fn tell_again(&mut self) {
        self.sent = None;
        self.due = true;
    }

    /// What the device has to be told, if that is news; `shade` says what it shows then.
    pub(in crate::core) fn order(&mut self, sight: Sight) -> Option<Order> {
        let look = self.look(sight)?;
        self.shade = Some(look.shade());
        let order = self.settings.order(&look);
        let news = self.sent.as_ref() != Some(&order);
        self.sent = Some(order.clone());
        news.then_some(order)
    }

    /// The last that the device is told, if anything.
    pub(in crate::core) fn goodbye(&mut self) -> Option<Order> {
        match self.settings.shutdown {
            Instead::Shade(shade) if self.follows => {
                self.shade = Some(shade);
                Some(self.settings.order(&self.settings.look_of_nobody(shade)))
            }
            Instead::Shade(_) | Instead::Unchanged => None,
        }
    }

    fn look(&self, sight: Sight) -> Option<Look> {
        if self.stretch.is_some_and(|stretch| !stretch.within) {
            return Some(self.settings.look_of_nobody(Shade::Off));
        }
        match (sight, self.settings.stale) {
            (Sight::Somebody(shown), _) => Some(self.settings.look_of(shown)),
            (Sight::Nobody, Instead::Shade(shade)) => Some(self.settings.look_of_nobody(shade)),
            (Sight::Nobody, Instead::Unchanged) | (Sight::Awaited, _) => None,
        }
    }
}
