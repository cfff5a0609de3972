//! What is configured about one light, and what it makes of somebody's presence.

use std::collections::BTreeMap;
use std::time::Duration;

use super::color::{Instead, Shade};
use super::hours::Hours;
use super::look::{Effect, Lit, Look};
use super::preset::{Device, Order};
use super::scheme::{Tint, tint};
use super::walk::every_state;
use crate::core::model::name::TopicLevel;
use crate::core::model::presence::Shown;

/// One configured light.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// The level of its own topics at the bridge.
    pub name: TopicLevel,
    /// Whom it follows; earlier ones win ties.
    pub users: Vec<TopicLevel>,
    /// What kind of device it is.
    pub device: Device,
    /// The device's own base topic.
    pub topic: String,
    /// 1 to 100 per cent.
    pub brightness: u8,
    /// How long a change takes.
    pub transition: Duration,
    /// When it may be on; always, if nothing is said.
    pub active: Option<Hours>,
    /// When nobody followed may be believed.
    pub stale: Instead,
    /// When the bridge ends, or does not drive the light any more.
    pub shutdown: Instead,
    /// By activity or availability, in the published spelling.
    pub colors: BTreeMap<Box<str>, Shade>,
    /// Likewise.
    pub effects: BTreeMap<Box<str>, Box<str>>,
}

impl Settings {
    /// How somebody's presence looks: by activity, then by availability, then as built in.
    #[must_use]
    pub fn look_of(&self, shown: Shown) -> Look {
        let own = of(&self.colors, &shown).map(|&shade| Tint { shade, dimmed: false });
        let Tint { shade, dimmed } = own.unwrap_or_else(|| tint(shown.availability, &shown.activity));
        let brightness = if dimmed { self.brightness.div_ceil(2) } else { self.brightness };
        let effect = of(&self.effects, &shown).map(|name| Effect::Named(name.clone()));
        self.look(shade, brightness, effect, Some(shown))
    }

    /// Everything that it may have to show, but for what Microsoft has not thought of yet.
    pub fn looks(&self) -> impl Iterator<Item = Look> {
        let everybody = self.users.iter().flat_map(|user| {
            every_state().map(|(availability, activity)| Shown { user: user.clone(), availability, activity })
        });
        let nobody = [self.stale, self.shutdown, Instead::Shade(Shade::Off)].into_iter();
        let nobody = nobody.filter_map(|instead| match instead {
            Instead::Shade(shade) => Some(self.look_of_nobody(shade)),
            Instead::Unchanged => None,
        });
        everybody.map(|shown| self.look_of(shown)).chain(nobody)
    }

    /// How nobody's presence looks.
    #[must_use]
    pub fn look_of_nobody(&self, shade: Shade) -> Look {
        self.look(shade, self.brightness, None, None)
    }

    /// The order that makes the device show `look`; nothing if a template of the user's own fails.
    #[must_use]
    pub fn order(&self, look: &Look) -> Option<Order> {
        self.device.order(&self.topic, look)
    }

    /// Whether both drive one device. Several may stand behind one command topic of the user's own.
    #[must_use]
    pub fn same_device(&self, other: &Self) -> bool {
        self.topic == other.topic && self.device.same_address(&other.device)
    }

    fn look(&self, shade: Shade, brightness: u8, effect: Option<Effect>, shown: Option<Shown>) -> Look {
        let none = if self.effects.is_empty() { Effect::Never } else { Effect::Ended };
        let effect = effect.unwrap_or(none);
        let lit = match shade {
            Shade::On(color) => Some(Lit { color, brightness, effect }),
            Shade::Off => None,
        };
        Look { lit, transition: self.transition, shown }
    }
}

/// What a table says of somebody.
fn of<'a, T>(table: &'a BTreeMap<Box<str>, T>, shown: &Shown) -> Option<&'a T> {
    table.get(shown.activity.as_str()).or_else(|| table.get(shown.availability.as_str()))
}
