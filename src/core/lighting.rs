//! When lights are told what to show, and who may pause them.

use std::collections::{BTreeMap, BTreeSet};

use super::bridge::Bridge;
use super::command::{BrokerOrder, Command, Message, Qos};
use super::discovery::announced_of_light;
use super::event::Incoming;
use super::light::busiest::busiest;
use super::light::driven::{Light, Sight};
use super::light::preset::Order;
use super::light::settings::Settings;
use super::name::TopicLevel;
use super::outbox::own;
use super::schedule::Place;
use super::time::Tick;
use super::topic::LightField;

/// What `…/light/<name>/follow` holds while the light shows presence, and what makes it.
const ON: &str = "ON";

/// The same while it is paused.
const OFF: &str = "OFF";

/// All lights, and whom they follow.
#[derive(Debug, Default)]
pub(super) struct Lights {
    lights: Vec<Light>,
    followers: BTreeMap<Place, Vec<usize>>,
}

impl Lights {
    fn new(lights: Vec<Light>) -> Self {
        let mut followers: BTreeMap<Place, Vec<usize>> = BTreeMap::new();
        for (i, light) in lights.iter().enumerate() {
            for &place in &light.places {
                followers.entry(place).or_default().push(i);
            }
        }
        Self { lights, followers }
    }

    /// Somebody may look different now.
    pub(super) fn somebody_changed(&mut self, place: Place) {
        for &light in self.followers.get(&place).into_iter().flatten() {
            self.lights[light].due = true;
        }
    }

    /// What was sent may not have arrived.
    pub(super) fn tell_again(&mut self) {
        self.lights.iter_mut().for_each(Light::tell_again);
    }

    /// The earliest time at which the hours of one begin or end.
    pub(super) fn wake_at(&self) -> Option<Tick> {
        self.lights.iter().filter_map(Light::wake_at).min()
    }

    /// In the order configured.
    pub(super) fn names(&self) -> Vec<TopicLevel> {
        self.lights.iter().map(|light| light.settings.name.clone()).collect()
    }

    fn named(&mut self, name: &TopicLevel) -> Option<&mut Light> {
        self.lights.iter_mut().find(|light| light.settings.name == *name)
    }
}

impl Bridge {
    /// Drives these lights from now on. A light keeps what is known of it; a device that is left is told goodbye.
    pub(super) fn take_lights(&mut self, configured: Vec<Settings>, now: Tick) {
        let (filters, names) = (self.light_filters(), self.lights.names());
        let before = std::mem::take(&mut self.lights).lights.into_iter();
        let mut before: BTreeMap<TopicLevel, Light> =
            before.map(|light| (light.settings.name.clone(), light)).collect();
        let mut lights = Vec::with_capacity(configured.len());
        for settings in configured {
            let mut light = match before.remove(&settings.name) {
                Some(mut light) => {
                    if !light.settings.same_device(&settings) {
                        self.leave_device(&mut light);
                    }
                    light.configured(settings, now)
                }
                None => Light::new(settings, now),
            };
            let places = light.settings.users.iter();
            light.places = places.filter_map(|user| self.by_name.get(user, &self.people)).collect();
            lights.push(light);
        }
        for (name, mut light) in before {
            self.leave_device(&mut light);
            self.remove_light(&name);
            self.device_had(announced_of_light(&name));
        }
        self.lights = Lights::new(lights);
        if self.link.is_up() && self.lights.names() != names {
            self.say_device();
            self.say_lights();
        }
        self.listen_to_lights(&filters);
    }

    /// Tells every light what is news to it.
    pub(super) fn light_up(&mut self, now: Tick) {
        for light in &mut self.lights.lights {
            light.look_at_clock(self.wall, now);
            if !self.link.is_up() || !std::mem::take(&mut light.due) || !light.follows {
                continue;
            }
            let people = || light.places.iter().map(|&place| &self.people[place]);
            let sight = match busiest(people().filter_map(|person| person.shown())) {
                Some(shown) => Sight::Somebody(shown),
                None if people().any(|person| person.is_awaited()) => Sight::Awaited,
                None => Sight::Nobody,
            };
            let before = light.shade;
            if let Some(order) = light.order(sight) {
                self.outbox.light(message(order));
            }
            if let Some(shade) = light.shade.filter(|shade| before != Some(*shade)) {
                let topic = self.topics.of_light(&light.settings.name, LightField::State);
                self.outbox.own(topic, shade.to_string());
            }
        }
    }

    /// Queues what is retained about every light.
    pub(super) fn say_lights(&mut self) {
        for light in &self.lights.lights {
            let follow = if light.follows { ON } else { OFF };
            let name = &light.settings.name;
            self.outbox.own(self.topics.of_light(name, LightField::Follow), follow.to_owned());
            if let Some(shade) = light.shade {
                self.outbox.own(self.topics.of_light(name, LightField::State), shade.to_string());
            }
        }
    }

    /// The last messages of all lights.
    pub(super) fn lights_out(&mut self) -> Vec<Message> {
        let mut last = Vec::new();
        for light in &mut self.lights.lights {
            if let Some(order) = light.goodbye() {
                last.push(message(order));
                let state = self.topics.of_light(&light.settings.name, LightField::State);
                last.extend(light.shade.map(|shade| own(state, shade.to_string())));
            }
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
        match (self.lights.named(&name), field) {
            (Some(light), LightField::Follow) => {
                light.follows = payload != OFF.as_bytes();
                light.due = true;
            }
            (Some(_), LightField::State) => {}
            (None, _) if self.link.is_up() => self.remove_light(&name),
            (None, _) => {
                self.found.lights.insert(name);
            }
        }
    }

    fn pause_or_follow(&mut self, name: &TopicLevel, payload: &[u8]) {
        let says = |word: &str| payload.trim_ascii().eq_ignore_ascii_case(word.as_bytes());
        let Some(light) = self.lights.named(name).filter(|_| says(ON) || says(OFF)) else { return };
        light.follows = says(ON);
        // Whoever paused it may have used it otherwise.
        light.tell_again();
        let follow = if light.follows { ON } else { OFF };
        self.outbox.own(self.topics.of_light(name, LightField::Follow), follow.to_owned());
    }

    fn leave_device(&mut self, light: &mut Light) {
        if let Some(order) = light.goodbye().filter(|_| self.link.is_up()) {
            self.outbox.light(message(order));
        }
    }

    fn remove_light(&mut self, name: &TopicLevel) {
        for field in LightField::ALL {
            self.outbox.remove(self.topics.of_light(name, field));
        }
    }

    /// Hears of the lights there are now, after others.
    fn listen_to_lights(&mut self, before: &BTreeSet<String>) {
        if !self.link.is_open() {
            return;
        }
        let now = self.light_filters();
        let gone: Vec<String> = before.difference(&now).cloned().collect();
        if !gone.is_empty() {
            self.commands.push(Command::Broker(BrokerOrder::Unsubscribe(gone)));
        }
        self.also_listen(now.difference(before).cloned().collect());
    }
}

/// An order to a device. It is not retained: a device that comes back must not obey an old one.
fn message(order: Order) -> Message {
    let Order { topic, payload } = order;
    Message { topic, payload, qos: Qos::AtLeastOnce, retain: false, expires: None, correlation: None }
}
