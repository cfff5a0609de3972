//! `[[lights]]`.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::tz::TimeZone;

use super::light_also;
use super::refusals::{HOUR, Refusals};
use crate::config::key::Key;
use crate::config::written::{self, Preset, Written};
use crate::core::lights::color::{Instead, Shade};
use crate::core::lights::hours::{Hours, Week};
use crate::core::lights::preset::{Custom, Device, Profile, Target};
use crate::core::lights::settings::Settings;
use crate::core::model::name::TopicLevel;
use crate::core::model::settings::User;
use crate::core::model::word::{Activity, Availability, KnownActivity};

const TWICE: &str = "is already there, with other capital letters";

/// The last messages to all lights must fit into the short time in which the bridge stops.
const MOST: usize = 100;

pub(super) fn check(written: &Written, users: &[User], refusals: &mut Refusals<'_>) -> Vec<Settings> {
    let mut names = BTreeSet::new();
    let mut lights = Vec::with_capacity(written.lights.len());
    let groups = !written.groups.is_empty();
    for (i, light) in written.lights.iter().enumerate() {
        let at = Key::from("lights").index(i);
        let mut part = Part { light, at: &at, groups, refusals };
        let name = part.name(&mut names);
        let followed = part.users(users);
        let device = part.device();
        let topic = part.topic();
        let brightness = part.brightness();
        let transition = part.transition();
        let active = part.active();
        let stale = part.instead("stale_color", light.stale_color.as_deref(), Instead::Shade(Shade::Off));
        let shutdown = part.instead("shutdown_color", light.shutdown_color.as_deref(), Instead::Unchanged);
        let colors = part.colors();
        let effects = part.effects(device.as_ref());
        let also = light_also::check(&light.also, &at, written, device.as_ref(), refusals);
        lights.extend((|| {
            Some(Settings {
                name: name?,
                users: followed?,
                device: device?,
                topic: topic?,
                white: light.white,
                brightness,
                transition,
                active,
                stale: stale?,
                shutdown: shutdown?,
                colors,
                effects,
                also,
            })
        })());
    }
    whole(&lights, refusals);
    lights
}

/// Checks that need a whole light at a time.
fn whole(lights: &[Settings], refusals: &mut Refusals<'_>) {
    if lights.len() > MOST {
        refusals.refuse("lights", format_args!("are {} of them; at most {MOST}", lights.len()));
    }
    for (i, light) in lights.iter().enumerate() {
        let at = Key::from("lights").index(i);
        let custom = matches!(light.device, Device::Custom(_));
        if let Some(first) = lights[..i].iter().find(|first| first.same_device(light)).filter(|_| !custom) {
            refusals
                .refuse(at.name("topic"), format_args!("is the device that {} drives already", first.name));
        }
        if let Some(fails) = light.looks().find(|look| light.orders(look).is_empty()) {
            let shade = fails.shade();
            refusals.refuse(
                at.name("payload"),
                format_args!("cannot be rendered when the light has to show {shade}"),
            );
        }
        let told =
            |topic: &str| light.looks().any(|look| light.orders(&look).iter().any(|o| o.topic == topic));
        for (j, _) in light.also.iter().enumerate().filter(|(_, also)| told(&also.topic)) {
            let key = at.name("also").index(j).name("topic");
            refusals.refuse(key, "is the command topic of this light");
        }
    }
}

/// One light, and where it is written.
struct Part<'a, 'd> {
    light: &'a written::Light,
    at: &'a Key,
    /// Members of groups may be named too; they are not known yet.
    groups: bool,
    refusals: &'a mut Refusals<'d>,
}

impl Part<'_, '_> {
    fn name(&mut self, taken: &mut BTreeSet<String>) -> Option<TopicLevel> {
        let key = self.at.name("name");
        let text = self.refusals.require(key.clone(), self.light.name.as_deref())?;
        let name = self.refusals.parse(key.clone(), text)?;
        if !taken.insert(text.to_lowercase()) {
            self.refusals.refuse(key, "must differ, ignoring case, from every other light's name");
        }
        Some(name)
    }

    fn users(&mut self, known: &[User]) -> Option<Vec<TopicLevel>> {
        let key = self.at.name("users");
        let names = self.refusals.require(key.clone(), self.light.users.as_deref())?;
        if names.is_empty() {
            self.refusals.refuse(key, "must name at least one user");
            return None;
        }
        let mut followed = Vec::with_capacity(names.len());
        for (i, name) in names.iter().enumerate() {
            let user = known.iter().map(|user| &user.name).find(|user| user.as_str() == name).cloned();
            let user = match user {
                None if self.groups => match self.refusals.parse(key.index(i), name) {
                    Some(member) => Some(member),
                    None => continue,
                },
                Some(_) | None => user,
            };
            match user {
                Some(user) if followed.contains(&user) => {
                    self.refusals.refuse(key.index(i), "is named twice");
                }
                Some(user) => followed.push(user),
                None => {
                    let names: Vec<&str> = known.iter().map(|user| user.name.as_str()).collect();
                    let says = format!("must be the name of a user: {}", names.join(", "));
                    self.refusals.refuse(key.index(i), says);
                }
            }
        }
        Some(followed)
    }

    fn device(&mut self) -> Option<Device> {
        let light = self.light;
        let preset = self.refusals.require(self.at.name("preset"), light.preset)?;
        self.only_for(preset);
        let channel = light.channel.unwrap_or(0);
        Some(match preset {
            Preset::Wled => Device::Wled,
            Preset::Tasmota => Device::Tasmota { channel: self.tasmota_channel() },
            Preset::Zigbee2mqtt => Device::Zigbee2mqtt,
            Preset::Esphome => Device::Esphome { object: self.object()? },
            Preset::ShellyGen1 => Device::ShellyGen1 { channel },
            Preset::ShellyGen2 => Device::ShellyGen2 { channel, profile: self.profile() },
            Preset::Awtrix => Device::Awtrix(target(light.target.unwrap_or(written::Target::Indicator1))),
            Preset::Openhasp => Device::Openhasp,
            Preset::Custom => Device::Custom(self.custom()?),
        })
    }

    /// Refuses keys that belong to another preset.
    fn only_for(&mut self, preset: Preset) {
        let light = self.light;
        let partial: [(&str, bool, &[Preset]); 6] = [
            ("object", light.object.is_some(), &[Preset::Esphome]),
            ("channel", light.channel.is_some(), &[Preset::ShellyGen1, Preset::ShellyGen2, Preset::Tasmota]),
            ("profile", light.profile.is_some(), &[Preset::ShellyGen2]),
            ("target", light.target.is_some(), &[Preset::Awtrix]),
            ("payload", light.payload.is_some(), &[Preset::Custom]),
            ("online_topic", light.online_topic.is_some(), &[Preset::Custom]),
        ];
        for (key, is_given, presets) in partial {
            if is_given && !presets.contains(&preset) {
                let names: Vec<String> =
                    presets.iter().map(|preset| format!("\"{}\"", preset.as_str())).collect();
                let says = format!("is only for preset = {}", names.join(" and "));
                self.refusals.refuse(self.at.name(key), says);
            }
        }
    }

    fn tasmota_channel(&mut self) -> Option<u8> {
        if self.light.channel.is_some_and(|channel| !(1..=32).contains(&channel)) {
            self.refusals.refuse(self.at.name("channel"), "must be 1 to 32");
        }
        self.light.channel
    }

    fn profile(&mut self) -> Profile {
        if self.light.white && self.light.profile.is_some() {
            self.refusals.refuse(self.at.name("profile"), "has colours; leave it out where white = true");
        }
        match self.light.profile {
            Some(written::Profile::Rgb) => Profile::Rgb,
            Some(written::Profile::Rgbw) | None => Profile::Rgbw,
            Some(written::Profile::Rgbcct) => Profile::Rgbcct,
        }
    }

    /// ESPHome's object id is one level of a topic.
    fn object(&mut self) -> Option<Box<str>> {
        let key = self.at.name("object");
        let text = self.refusals.require(key.clone(), self.light.object.as_deref())?;
        let object: TopicLevel = self.refusals.parse(key, text)?;
        Some(object.as_str().into())
    }

    fn custom(&mut self) -> Option<Custom> {
        let key = self.at.name("payload");
        let payload = self.refusals.require(key.clone(), self.light.payload.as_deref())?;
        let online_topic = match self.light.online_topic.as_deref() {
            Some(topic) => Some(self.refusals.topic(self.at.name("online_topic"), topic)?),
            None => None,
        };
        Custom::new(payload, online_topic).map_err(|error| self.refusals.refuse(key, error)).ok()
    }

    fn topic(&mut self) -> Option<String> {
        let key = self.at.name("topic");
        let text = self.refusals.require(key.clone(), self.light.topic.as_deref())?;
        if self.light.preset == Some(Preset::Tasmota)
            && ["cmnd/", "stat/", "tele/"].iter().any(|prefix| text.starts_with(prefix))
        {
            self.refusals.refuse(
                key,
                "must be the Topic of the device as its MQTT page shows it, without cmnd/ in front",
            );
            return None;
        }
        self.refusals.topic(key, text)
    }

    fn brightness(&mut self) -> u8 {
        let per_cent = self.light.brightness;
        if !(1..=100).contains(&per_cent) {
            self.refusals.refuse(self.at.name("brightness"), "must be 1 to 100");
        }
        per_cent
    }

    fn transition(&mut self) -> Duration {
        self.refusals.within(self.at.name("transition"), self.light.transition, Duration::ZERO..=HOUR);
        self.light.transition
    }

    fn active(&mut self) -> Option<Hours> {
        let zone = self.time_zone();
        let text = self.light.active.as_deref()?;
        let week: Week = self.refusals.parse(self.at.name("active"), text)?;
        Some(Hours { week, zone: zone? })
    }

    fn time_zone(&mut self) -> Option<TimeZone> {
        let Some(name) = self.light.time_zone.as_deref() else { return Some(TimeZone::system()) };
        let key = self.at.name("time_zone");
        if self.light.active.is_none() {
            self.refusals.refuse(key.clone(), "has no effect without `active`");
        }
        let zone = TimeZone::get(name).ok();
        if zone.is_none() {
            let says = "must be a time zone of the tz database, such as \"Europe/Berlin\"; if it is one, install the database here (Debian: tzdata)";
            self.refusals.refuse(key, says);
        }
        zone
    }

    fn instead(&mut self, key: &str, text: Option<&str>, default: Instead) -> Option<Instead> {
        match text {
            Some(text) => self.refusals.parse(self.at.name(key), text),
            None => Some(default),
        }
    }

    fn colors(&mut self) -> BTreeMap<Box<str>, Shade> {
        let at = self.at.name("colors");
        let mut colors = BTreeMap::new();
        for (word, color) in &self.light.colors {
            let shade = self.refusals.parse(at.name(word), color);
            if let (Some(known), Some(shade)) = (self.word(&at, word), shade)
                && colors.insert(known, shade).is_some()
            {
                self.refusals.refuse(at.name(word), TWICE);
            }
        }
        colors
    }

    fn effects(&mut self, device: Option<&Device>) -> BTreeMap<Box<str>, Box<str>> {
        let at = self.at.name("effects");
        let mut effects = BTreeMap::new();
        for (word, effect) in &self.light.effects {
            if let Some(Err(error)) = device.map(|device| device.check_effect(effect)) {
                self.refusals.refuse(at.name(word), format_args!("must be {error}"));
            }
            if let Some(known) = self.word(&at, word)
                && effects.insert(known, effect.as_str().into()).is_some()
            {
                self.refusals.refuse(at.name(word), TWICE);
            }
        }
        effects
    }

    /// A presence word as the bridge publishes it. An unknown word is refused, even though Microsoft may add
    /// words: it is more likely a typing error, and a colour that never shows would not be noticed.
    fn word(&mut self, at: &Key, text: &str) -> Option<Box<str>> {
        let known = match Activity::from_graph(Some(text)) {
            Activity::Known(word) => Some(word.as_str()),
            Activity::New(word) => {
                Availability::ALL.iter().map(|listed| listed.as_str()).find(|listed| *listed == &*word)
            }
        };
        if known.is_none() {
            let mut words: Vec<&str> = KnownActivity::ALL.iter().map(|word| word.as_str()).collect();
            words.extend(Availability::ALL.iter().map(|word| word.as_str()));
            words.sort_unstable();
            words.dedup();
            let says = format!("is not an activity or availability; must be one of {}", words.join(", "));
            self.refusals.refuse(at.name(text), says);
        }
        known.map(Into::into)
    }
}

fn target(written: written::Target) -> Target {
    match written {
        written::Target::Indicator1 => Target::Indicator1,
        written::Target::Indicator2 => Target::Indicator2,
        written::Target::Indicator3 => Target::Indicator3,
        written::Target::Moodlight => Target::Moodlight,
    }
}
