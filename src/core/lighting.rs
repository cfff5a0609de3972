//! When lights are told what to show, and who may pause them.

use std::collections::{BTreeMap, BTreeSet};

use crate::core::bridge::Bridge;
use crate::core::home_assistant::announced_of_light;
use crate::core::lights::busiest::busiest;
use crate::core::lights::color::Shade;
use crate::core::lights::driven::{Light, Sight};
use crate::core::lights::settings::Settings;
use crate::core::model::effect::Message;
use crate::core::model::event::Incoming;
use crate::core::model::name::TopicLevel;
use crate::core::model::report::Report;
use crate::core::model::time::Tick;
use crate::core::model::topic::{LightField, Topics};
use crate::core::outbox::own;
use crate::core::schedule::Place;

/// What `…/light/<name>/follow` holds while the light shows presence, and what makes it.
const ON: &str = "ON";

/// The same while it is paused.
const OFF: &str = "OFF";

/// All lights, and whom they follow.
#[derive(Debug, Default)]
pub(super) struct Lights {
    lights: Vec<Light>,
    followers: BTreeMap<Place, Vec<usize>>,
    /// When all are told again though nothing changed.
    again_at: Option<Tick>,
}

/// A light, for the status page.
#[derive(Debug, Clone)]
pub struct LightOverview {
    /// The topic level.
    pub name: TopicLevel,
    /// Whom it follows.
    pub users: Vec<TopicLevel>,
    /// What it was told to show; nothing before the first time.
    pub shade: Option<Shade>,
    /// It shows presence, and nobody has paused it.
    pub follows: bool,
}

impl Lights {
    fn new(lights: Vec<Light>) -> Self {
        let mut followers: BTreeMap<Place, Vec<usize>> = BTreeMap::new();
        for (i, light) in lights.iter().enumerate() {
            for &place in &light.places {
                followers.entry(place).or_default().push(i);
            }
        }
        Self { lights, followers, again_at: None }
    }

    /// Somebody may look different now.
    pub(super) fn somebody_changed(&mut self, place: Place) {
        for &light in self.followers.get(&place).into_iter().flatten() {
            self.lights[light].due = true;
        }
    }

    /// There is another connection: what was sent may not have arrived, and devices may have come and gone.
    pub(super) fn connected(&mut self) {
        self.lights.iter_mut().for_each(Light::connected);
    }

    /// Somebody wants everything again.
    pub(super) fn tell_again(&mut self) {
        self.lights.iter_mut().for_each(Light::tell_again);
    }

    /// The broker did not take what was sent to these topics.
    pub(super) fn were_refused(&mut self, topics: &BTreeMap<String, String>) {
        let refused = |light: &&mut Light| topics.keys().any(|topic| light.is_told_on(topic));
        self.lights.iter_mut().filter(refused).for_each(Light::tell_again);
    }

    /// The earliest time at which a clock has something to say.
    pub(super) fn wake_at(&self) -> Option<Tick> {
        self.lights.iter().filter_map(Light::wake_at).chain(self.again_at).min()
    }

    /// In the order configured.
    pub(super) fn names(&self) -> Vec<TopicLevel> {
        self.lights.iter().map(|light| light.settings.name.clone()).collect()
    }

    /// People have these names and places now.
    fn seat(&mut self, place_of: impl Fn(&TopicLevel) -> Option<Place>) {
        let mut lights = std::mem::take(&mut self.lights);
        for light in &mut lights {
            light.places = light.settings.users.iter().filter_map(&place_of).collect();
            light.due = true;
        }
        *self = Self { again_at: self.again_at, ..Self::new(lights) };
    }

    fn named(&mut self, name: &TopicLevel) -> Option<&mut Light> {
        self.lights.iter_mut().find(|light| light.settings.name == *name)
    }
}

impl Light {
    /// What a topic of the light should hold; nothing where there is nothing to say yet.
    fn retained(&self, field: LightField, topics: &Topics) -> Option<Message> {
        let payload = match field {
            LightField::State => self.shade?.to_string(),
            LightField::Follow => if self.follows { ON } else { OFF }.to_owned(),
        };
        Some(own(topics.of_light(&self.settings.name, field), payload))
    }
}

impl Bridge {
    /// Drives these lights from now on. A light keeps what is known of it; a device that is left is told goodbye.
    pub(super) fn take_lights(&mut self, configured: Vec<Settings>, now: Tick) {
        let (filters, names) = (self.light_filters(), self.lights.names());
        let before = std::mem::take(&mut self.lights).lights;
        let mut known: BTreeMap<TopicLevel, Light> =
            before.into_iter().map(|light| (light.settings.name.clone(), light)).collect();
        let mut lights = Vec::with_capacity(configured.len());
        for settings in configured {
            let light = match known.remove(&settings.name) {
                Some(light) => {
                    if !light.settings.same_device(&settings) {
                        self.leave_device(&light);
                    }
                    light.configured(settings, now)
                }
                None => {
                    let light = Light::new(settings, now);
                    if self.link.is_up() {
                        self.say_light(&light);
                    }
                    light
                }
            };
            lights.push(light);
        }
        for (name, light) in known {
            self.leave_device(&light);
            self.remove_light(&name);
            self.device_had(announced_of_light(&name));
        }
        self.lights = Lights::new(lights);
        self.seat_lights();
        if self.link.is_up() && self.lights.names() != names {
            self.say_device();
        }
        self.listen_to_lights(&filters);
    }

    /// Lets every light follow whoever has the names now.
    pub(super) fn seat_lights(&mut self) {
        self.lights.seat(|name| self.by_name.get(name, &self.people));
    }

    /// Tells every light what is news to it.
    pub(super) fn light_up(&mut self, now: Tick) {
        let expected = self.groups.are_expected();
        if self.lights.again_at.is_none_or(|at| at <= now) {
            if self.lights.again_at.is_some() {
                self.lights.tell_again();
            }
            self.lights.again_at = self.settings.refresh_interval.map(|every| now + every);
        }
        for light in &mut self.lights.lights {
            light.look_at_clock(self.wall, now);
            if !self.link.is_up() || !std::mem::take(&mut light.due) || !light.follows {
                continue;
            }
            let people = || light.places.iter().map(|&place| &self.people[place]);
            let sight = match busiest(people().filter_map(|person| person.shown())) {
                Some(shown) => Sight::Somebody(shown),
                None if people().any(|person| person.is_awaited()) => Sight::Awaited,
                // Whoever is missing may be in a group.
                None if light.places.len() < light.settings.users.len() && expected => Sight::Awaited,
                None => Sight::Nobody,
            };
            let before = light.shade;
            let order = light.order(sight).map(Message::from);
            let state = light.retained(LightField::State, &self.topics).filter(|_| light.shade != before);
            for message in order.into_iter().chain(state) {
                self.outbox.light(Some(&light.settings.name), message);
            }
        }
    }

    /// Queues what is retained about every light.
    pub(super) fn say_lights(&mut self) {
        for light in &self.lights.lights {
            for message in LightField::ALL.iter().filter_map(|field| light.retained(*field, &self.topics)) {
                self.outbox.light(Some(&light.settings.name), message);
            }
        }
    }

    /// All lights as they are now.
    pub(super) fn light_overviews(&self) -> Vec<LightOverview> {
        let overview = |light: &Light| LightOverview {
            name: light.settings.name.clone(),
            users: light.settings.users.clone(),
            shade: light.shade,
            follows: light.follows,
        };
        self.lights.lights.iter().map(overview).collect()
    }

    /// The last messages of all lights.
    pub(super) fn lights_out(&mut self) -> Vec<Message> {
        let mut last = Vec::new();
        for light in &mut self.lights.lights {
            let Some((order, shade)) = light.goodbye() else { continue };
            light.shade = Some(shade);
            last.push(Message::from(order));
            last.extend(light.retained(LightField::State, &self.topics));
        }
        last
    }

    /// Takes a message about lights; `false` if it is about something else.
    pub(super) fn is_about_light(&mut self, message: &Incoming, now: Tick) -> bool {
        for field in LightField::ALL {
            if let Some(name) = self.topics.light_of(&message.topic, field) {
                if message.retained {
                    self.light_left_behind(name, field, &message.payload);
                }
                return true;
            }
        }
        if let Some(name) = self.topics.light_paused_by(&message.topic) {
            if !message.retained {
                self.pause_or_follow(&name, &message.payload);
            }
            return true;
        }
        let mut is_announcement = false;
        for light in &mut self.lights.lights {
            if light.announced_on() == Some(&message.topic) {
                is_announcement = true;
                // What is retained was said before; after a connect everything is sent anyway.
                if !message.retained {
                    light.device_said(&message.payload, now);
                }
            }
        }
        is_announcement
    }

    /// Empties what is retained about lights that are not configured any more.
    pub(super) fn remove_lights(&mut self, found: BTreeSet<TopicLevel>) {
        for name in found {
            if self.lights.named(&name).is_none() {
                self.remove_light(&name);
            }
        }
    }

    /// Where lights are heard: their devices, and whoever pauses them.
    pub(super) fn light_filters(&self) -> BTreeSet<String> {
        let devices = self.lights.lights.iter().filter_map(Light::announced_on).map(str::to_owned);
        let pause = (!self.lights.lights.is_empty()).then(|| self.topics.pause_any_light());
        devices.chain(pause).collect()
    }

    /// An earlier run, or the one before a reload, said this.
    fn light_left_behind(&mut self, name: TopicLevel, field: LightField, payload: &[u8]) {
        let is_up = self.link.is_up();
        match (self.lights.named(&name), field) {
            (Some(light), LightField::Follow) => {
                light.follows = payload != OFF.as_bytes();
                light.due = true;
                if is_up {
                    // It came late: the broker holds something else by now.
                    let follow = light.retained(LightField::Follow, &self.topics);
                    follow.into_iter().for_each(|message| self.outbox.light(Some(&name), message));
                }
            }
            (Some(_), LightField::State) => {}
            (None, _) if is_up => self.remove_light(&name),
            (None, _) => {
                self.found.lights.insert(name);
            }
        }
    }

    fn pause_or_follow(&mut self, name: &TopicLevel, payload: &[u8]) {
        let says = |word: &str| payload.trim_ascii().eq_ignore_ascii_case(word.as_bytes());
        let Some(light) = self.lights.named(name) else { return };
        if !says(ON) && !says(OFF) {
            return self.report(Report::LightWord(name.clone()));
        }
        light.follows = says(ON);
        // Whoever paused it may have used it otherwise. What still waits is not sent to a paused one.
        light.tell_again();
        let follow = light.retained(LightField::Follow, &self.topics);
        self.outbox.forget_light(name);
        follow.into_iter().for_each(|message| self.outbox.light(Some(name), message));
        self.report(Report::LightFollows(name.clone(), says(ON)));
    }

    fn say_light(&mut self, light: &Light) {
        let follow = light.retained(LightField::Follow, &self.topics);
        follow.into_iter().for_each(|message| self.outbox.light(Some(&light.settings.name), message));
    }

    fn leave_device(&mut self, light: &Light) {
        self.outbox.forget_light(&light.settings.name);
        if let Some((order, _)) = light.goodbye().filter(|_| self.link.is_up()) {
            self.outbox.light(None, Message::from(order));
        }
    }

    fn remove_light(&mut self, name: &TopicLevel) {
        for field in LightField::ALL {
            self.outbox.remove(self.topics.of_light(name, field));
        }
    }

    /// Hears of the lights there are now, after others.
    fn listen_to_lights(&mut self, before: &BTreeSet<String>) {
        let now = self.light_filters();
        self.stop_hearing(before.difference(&now).cloned().collect());
        self.also_hear(now.difference(before).cloned().collect());
    }
}
