//! One light as the bridge drives it: what it was told last, and what it should be told now.

use std::time::Duration;

use jiff::Timestamp;

use super::also::Also;
use super::color::{Instead, Shade};
use super::hours::Stretch;
use super::input::Input;
use super::look::Look;
use super::preset::{Announcement, Order};
use super::settings::Settings;
use super::shown_off::ShownOff;
use crate::core::model::event::Incoming;
use crate::core::model::name::TopicLevel;
use crate::core::model::place::Place;
use crate::core::model::presence::Shown;
use crate::core::model::time::Tick;

/// A device that comes again and again, or whatever is taken for that, is told once in this time.
const REPEATED_START_QUIET: Duration = Duration::from_millis(500);

/// How often other topics may change a light in this time. What comes more often waits for its end, where the
/// last counts.
const ALSO_CHANGES: u8 = 5;
const ALSO_WINDOW: Duration = Duration::from_secs(1);

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
    /// Why: the topic that wins over presence, if one does.
    pub because: Option<String>,
    /// By number among `also`.
    inputs: Vec<Input>,
    /// One of them changed what counts, which was not shown yet.
    also_changed: bool,
    also_left: u8,
    also_window_ends: Tick,
    /// The last orders, and whether the device has to hear them even if they are the same again.
    last: Vec<Order>,
    must_tell: bool,
    stretch: Option<Stretch>,
    stretch_ends: Tick,
    announcement: Option<Announcement>,
    /// The device said last that it is there.
    is_there: bool,
    /// When it is told again because it has come, which is not before the other.
    again_at: Option<Tick>,
    quiet_until: Tick,
    /// It shows every state in turn.
    test: Option<ShownOff>,
    /// A test ended while it was paused, and it still shows a state of that.
    left_by_test: bool,
}

impl Light {
    pub(in crate::core) fn new(settings: Settings, now: Tick) -> Self {
        Self {
            announcement: settings.device.announcement(&settings.topic),
            inputs: vec![Input::default(); settings.also.len()],
            settings,
            places: Vec::new(),
            expects_somebody: false,
            follows: true,
            due: true,
            shade: None,
            because: None,
            also_changed: false,
            also_left: 0,
            also_window_ends: now,
            last: Vec::new(),
            must_tell: false,
            stretch: None,
            stretch_ends: now,
            is_there: false,
            again_at: None,
            quiet_until: now,
            test: None,
            left_by_test: false,
        }
    }

    /// The same light with other settings. Of another device nothing is known yet.
    pub(in crate::core) fn configured(mut self, settings: Settings, now: Tick) -> Self {
        self.end_test();
        let mut fresh = Self { follows: self.follows, shade: self.shade, ..Self::new(settings, now) };
        for (also, input) in fresh.settings.also.iter().zip(&mut fresh.inputs) {
            let before = self.settings.also.iter().position(|before| before == also);
            *input = before.map_or(*input, |before| self.inputs[before]);
        }
        fresh.because = self.because;
        if !self.settings.same_device(&fresh.settings) {
            return fresh;
        }
        let Self { last, must_tell, is_there, again_at, quiet_until, left_by_test, .. } = self;
        Self { last, must_tell, is_there, again_at, quiet_until, left_by_test, ..fresh }
    }

    /// Looks at the clock: what another topic said may count now or have expired, the hours may have begun or
    /// ended, or the device may have waited for long enough.
    pub(in crate::core) fn look_at_clock(&mut self, wall: Timestamp, now: Tick) {
        if self.again_at.is_some_and(|at| at <= now) {
            self.again_at = None;
            self.quiet_until = now + REPEATED_START_QUIET;
            self.tell_again();
        }
        for input in &mut self.inputs {
            self.due |= input.expires(now);
        }
        if self.also_changed && self.also_window_ends <= now {
            (self.also_left, self.also_window_ends) = (ALSO_CHANGES, now + ALSO_WINDOW);
        }
        if self.also_changed && self.also_left > 0 {
            self.also_left -= 1;
            (self.also_changed, self.due) = (false, true);
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
        let expires = self.inputs.iter().filter_map(Input::expires_at);
        let held = self.also_changed.then_some(self.also_window_ends);
        let test = self.test.as_ref().map(ShownOff::wake_at);
        stretch_ends.into_iter().chain(self.again_at).chain(expires).chain(held).chain(test).min()
    }

    /// Begins to show every state in turn, or ends that. Returns whether it does now.
    pub(in crate::core) fn test(&mut self, now: Tick) -> bool {
        let test = self.test.is_none().then(|| ShownOff::new(&self.settings, now));
        self.end_test();
        self.test = test;
        self.is_tested()
    }

    /// Shows what it should again; while it is paused, what it showed before.
    pub(in crate::core) fn end_test(&mut self) {
        if self.test.take().is_some() {
            self.tell_again();
            self.left_by_test = !self.follows;
        }
    }

    /// What the device has to be told in a test, and after one while it is paused.
    pub(in crate::core) fn orders_of_test(&mut self, now: Tick) -> Vec<Order> {
        if self.test.as_ref().is_some_and(|test| test.is_over(now)) {
            self.end_test();
        }
        if std::mem::take(&mut self.left_by_test) {
            return self.before_test();
        }
        let look = self.test.as_mut().and_then(|test| test.next(now));
        look.map(|look| self.settings.orders(&look)).unwrap_or_default()
    }

    pub(in crate::core) fn is_tested(&self) -> bool {
        self.test.is_some()
    }

    /// What it was told last that was no test.
    fn before_test(&self) -> Vec<Order> {
        let is_unknown = self.last.is_empty();
        let off = is_unknown.then(|| self.settings.orders(&self.settings.look_of_nobody(Shade::Off)));
        off.unwrap_or_else(|| self.last.clone())
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
        let Some(Announcement { says, repeats, deaf_for, .. }) = &self.announcement else { return };
        let was_there = std::mem::replace(&mut self.is_there, says(payload));
        if self.is_there && !(*repeats && was_there) {
            self.again_at = Some((now + *deaf_for).max(self.quiet_until));
        }
    }

    /// Takes a message on a topic that may win over presence; `false` if it is none.
    pub(in crate::core) fn heard_also(&mut self, message: &Incoming, now: Tick) -> bool {
        let mut is_input = false;
        for (also, input) in self.settings.also.iter().zip(&mut self.inputs) {
            if also.topic == message.topic {
                is_input = true;
                self.also_changed |= input.heard(also, message, now);
            }
        }
        is_input
    }

    /// What the device was told it may have forgotten, or never heard.
    pub(in crate::core) fn tell_again(&mut self) {
        self.must_tell = true;
        self.due = true;
    }

    /// There is another connection to the broker: what the device said on the one before may be over.
    pub(in crate::core) fn connected(&mut self) {
        self.is_there = false;
        self.end_test();
        self.tell_again();
    }

    /// Topics that may win over presence on which nothing was heard.
    pub(in crate::core) fn unheard(&self) -> impl Iterator<Item = &str> {
        let all = self.settings.also.iter().zip(&self.inputs);
        all.filter(|(_, input)| !input.was_heard()).map(|(also, _)| also.topic.as_str())
    }

    /// Whether the last order went to this topic.
    pub(in crate::core) fn is_told_on(&self, topic: &str) -> bool {
        self.last.iter().any(|order| order.topic == topic)
    }

    /// What the device has to be told, if anything; `shade` says what it shows then, and `because` why.
    pub(in crate::core) fn orders(&mut self, sight: Sight) -> Vec<Order> {
        let because = self.winner().map(|also| also.topic.clone());
        let wanted = self.look(sight).map(|look| (look.shade(), self.settings.orders(&look)));
        let must_tell = std::mem::take(&mut self.must_tell);
        if let Some((shade, orders)) = wanted.filter(|(_, orders)| !orders.is_empty()) {
            (self.shade, self.because) = (Some(shade), because);
            if self.last != orders {
                self.last.clone_from(&orders);
                return orders;
            }
        }
        if must_tell { self.last.clone() } else { Vec::new() }
    }

    /// The last that the device is told, if anything, and what it shows then, if that is something else than
    /// before.
    pub(in crate::core) fn goodbye(&self) -> (Vec<Order>, Option<Shade>) {
        match self.settings.shutdown {
            Instead::Shade(shade) if self.follows && !self.is_outside_hours() => {
                (self.settings.orders(&self.settings.look_of_nobody(shade)), Some(shade))
            }
            Instead::Shade(_) | Instead::Unchanged if self.is_tested() || self.left_by_test => {
                (self.before_test(), None)
            }
            Instead::Shade(_) | Instead::Unchanged => (Vec::new(), None),
        }
    }

    /// The first of the other topics that says so, within the hours.
    fn winner(&self) -> Option<&Also> {
        let mut all = self.settings.also.iter().zip(&self.inputs);
        all.find(|(_, input)| input.counts() && !self.is_outside_hours()).map(|(also, _)| also)
    }

    /// How it looks; nothing if it is left as it is.
    fn look(&self, sight: Sight) -> Option<Look> {
        if self.is_outside_hours() {
            return Some(self.settings.look_of_nobody(Shade::Off));
        }
        if let Some(also) = self.winner() {
            let shown = if let Sight::Somebody(shown) = sight { Some(shown) } else { None };
            return Some(self.settings.look_of_also(also, shown));
        }
        match (sight, self.settings.stale) {
            (Sight::Somebody(shown), _) => Some(self.settings.look_of(shown)),
            // What is shown of somebody else must not stand until then.
            (Sight::Awaited, _) if self.last.is_empty() => None,
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
