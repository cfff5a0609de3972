//! What is configured about one light, and what it makes of somebody's presence.

use std::collections::BTreeMap;
use std::time::Duration;

use super::also::Also;
use super::color::{Color, Instead, Shade};
use super::hours::Hours;
use super::look::{Effect, Lit, Look};
use super::preset::{Device, Order};
use super::scheme::{Tint, WHITE, tint, white_tint};
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
    /// The lamp has no colours: it shows who is busy by being lit.
    pub white: bool,
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
    /// What wins over presence; earlier ones win.
    pub also: Vec<Also>,
}

impl Settings {
    /// How somebody's presence looks: by activity, then by availability, then as built in.
    #[must_use]
    pub fn look_of(&self, shown: Shown) -> Look {
        let own = of(&self.colors, &shown).map(|&shade| Tint { shade, dimmed: false });
        let built_in = if self.white { white_tint } else { tint };
        let Tint { shade, dimmed } = own.unwrap_or_else(|| built_in(shown.availability, &shown.activity));
        let brightness = if dimmed { self.brightness.div_ceil(2) } else { self.brightness };
        let effect = of(&self.effects, &shown).cloned().map(Effect::Named);
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
        let also = self.also.iter().flat_map(|also| {
            let shown = every_state().zip(&self.users).map(|((availability, activity), user)| Shown {
                user: user.clone(),
                availability,
                activity,
            });
            shown.map(Some).chain([None]).map(|shown| self.look_of_also(also, shown))
        });
        everybody.map(|shown| self.look_of(shown)).chain(nobody).chain(also)
    }

    /// What a person is shown who tries the light, one after the other: in words, and as a look.
    #[must_use]
    pub fn walk(&self) -> Vec<(String, Look)> {
        let states = self.users.first().into_iter().flat_map(|user| {
            every_state().map(|(availability, activity)| {
                let words = format!("{availability} {activity}");
                (words, self.look_of(Shown { user: user.clone(), availability, activity }))
            })
        });
        let nobody = [("when presence is not known", self.stale), ("when the bridge stops", self.shutdown)];
        let nobody = nobody.into_iter().filter_map(|(words, instead)| match instead {
            Instead::Shade(shade) => Some((words.to_owned(), self.look_of_nobody(shade))),
            Instead::Unchanged => None,
        });
        let end = ("the end".to_owned(), self.look_of_nobody(Shade::Off));
        states.chain(nobody).chain([end]).collect()
    }

    /// How it looks while another topic wins over whoever is shown otherwise.
    #[must_use]
    pub fn look_of_also(&self, also: &Also, shown: Option<Shown>) -> Look {
        let effect = also.effect.clone().map(Effect::Named);
        let mut look = match (also.shade, shown) {
            (Some(shade), shown) => self.look(shade, self.brightness, None, shown),
            (None, Some(shown)) => self.look_of(shown),
            (None, None) => self.look_of_nobody(Shade::Off),
        };
        if let (Some(lit), Some(effect)) = (&mut look.lit, effect) {
            lit.effect = effect;
        }
        look
    }

    /// How nobody's presence looks.
    #[must_use]
    pub fn look_of_nobody(&self, shade: Shade) -> Look {
        self.look(shade, self.brightness, None, None)
    }

    /// The orders that make the device show `look`, in order; none if a template of the user's own fails.
    #[must_use]
    pub fn orders(&self, look: &Look) -> Vec<Order> {
        self.device.orders(&self.topic, look)
    }

    /// Whether both drive one device. Several may stand behind one command topic of the user's own.
    #[must_use]
    pub fn same_device(&self, other: &Self) -> bool {
        self.topic == other.topic && self.device.same_address(&other.device)
    }

    fn look(&self, shade: Shade, brightness: u8, effect: Option<Effect>, shown: Option<Shown>) -> Look {
        let has_effects = !self.effects.is_empty() || self.also.iter().any(|also| also.effect.is_some());
        let none = if has_effects { Effect::Ended } else { Effect::Never };
        let effect = effect.unwrap_or(none);
        let lit = match shade {
            Shade::On(color) if self.white => white(color, brightness),
            Shade::On(color) => Some((color, brightness)),
            Shade::Off => None,
        };
        let lit = lit.map(|(color, brightness)| Lit { color, brightness, effect });
        Look { lit, white: self.white, transition: self.transition, shown }
    }
}

/// A colour on a lamp that has none: as bright as its brightest part.
fn white(color: Color, brightness: u8) -> Option<(Color, u8)> {
    let brightest = u32::from(color.red.max(color.green).max(color.blue));
    let dimmed = u8::try_from((u32::from(brightness) * brightest + 127) / 255).unwrap_or(brightness);
    (brightest > 0).then(|| (WHITE, dimmed.max(1)))
}

/// What a table says of somebody.
fn of<'a, T>(table: &'a BTreeMap<Box<str>, T>, shown: &Shown) -> Option<&'a T> {
    table.get(shown.activity.as_str()).or_else(|| table.get(shown.availability.as_str()))
}
