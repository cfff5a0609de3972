//! What Home Assistant was told, and has to be told or spared because of it.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use super::bridge::of_bridge;
use super::device_id::DeviceId;
use super::entity::Entities;
use super::person::{CONTROLS, Controls, Described, of_person};
use super::remembered::Remembered;
use super::{account, light};
use crate::core::broker::outbox::Outbox;
use crate::core::context::Context;
use crate::core::model::event::Incoming;
use crate::core::model::heard::Heard;
use crate::core::model::name::{BaseTopic, ObjectId, TopicLevel};
use crate::core::model::payload::RememberedInfo;
use crate::core::model::place::Place;
use crate::core::model::time::Tick;
use crate::core::model::topic::{BridgeField, Field};
use crate::core::people::Roster;
use crate::core::people::person::Person;

/// What Home Assistant publishes on its birth topic when it has started.
const BORN: &[u8] = b"online";

/// After a birth everything is sent again within this time, so that many bridges do not do it at once.
const AFTER_BIRTH: Duration = Duration::from_secs(2);

/// Announcements on the broker, of this run and of earlier ones.
#[derive(Debug, Default)]
pub(in crate::core) struct HomeAssistant {
    /// Who is to be announced: one place each.
    places: HashMap<ObjectId, Place>,
    /// What was last said of whom in this run.
    told: BTreeMap<ObjectId, Words>,
    /// Entities that Home Assistant may have, by the topic of their device. One that is not wanted any more
    /// has to be named: leaving it out would not remove it.
    entities: BTreeMap<String, Entities>,
    /// The topics of devices that an earlier run announced for people whose object id is not known yet.
    undecided: BTreeMap<TopicLevel, String>,
    /// What was read back before it is known who is followed.
    found: Vec<Remembered>,
    /// When everything is sent again because Home Assistant has started.
    birth_at: Option<Tick>,
    /// The accounts and the lights that the bridge itself is announced with.
    accounts: Vec<TopicLevel>,
    lights: Vec<TopicLevel>,
}

/// What an announcement says that may change.
#[derive(Debug, PartialEq, Eq)]
struct Words {
    name: TopicLevel,
    display_name: String,
    settable: bool,
}

impl HomeAssistant {
    /// Somebody is known by their object id, or to be described otherwise: announces them, unless they are
    /// the second name of the same person, or takes back what was announced.
    pub(in crate::core) fn described(
        &mut self,
        place: Place,
        people: &Roster,
        outbox: &mut Outbox,
        cx: &Context,
    ) {
        let Some(prefix) = prefix(cx) else { return };
        let Some(person) = people.get(place) else { return };
        let Some(id) = person.id() else { return };
        if !person.discovery() {
            return self.withdraw(place, id, people, outbox, cx);
        }
        if *self.places.entry(id).or_insert(place) != place {
            return;
        }
        let earlier = self.undecided.remove(person.name());
        if let Some(earlier) = earlier.filter(|earlier| !self.is_wanted(earlier, prefix)) {
            self.remove_device(earlier, outbox);
        }
        if self.tell(id, DeviceId::of_person(id).topic(prefix), person) {
            outbox.announce(place);
        }
    }

    /// Whoever was at this place is not followed any more, or is somebody else: another name of the same
    /// person takes over, or they are taken back.
    pub(in crate::core) fn withdraw(
        &mut self,
        place: Place,
        id: ObjectId,
        people: &Roster,
        outbox: &mut Outbox,
        cx: &Context,
    ) {
        if self.places.get(&id) != Some(&place) {
            return;
        }
        self.places.remove(&id);
        let is_announced = |other: &Place| people.get(*other).is_some_and(Person::discovery);
        match people.by_id(&id).filter(is_announced).min() {
            Some(other) => self.described(other, people, outbox, cx),
            None => {
                if self.told.remove(&id).is_some()
                    && let Some(prefix) = prefix(cx)
                {
                    self.remove_device(DeviceId::of_person(id).topic(prefix), outbox);
                }
            }
        }
    }

    /// Takes back announcements of earlier runs about whom it is known by now that they are not wanted.
    /// `may_come` says whether somebody unknown may still be followed.
    pub(in crate::core) fn decide(
        &mut self,
        may_come: impl Fn(&TopicLevel) -> bool,
        people: &Roster,
        outbox: &mut Outbox,
        cx: &Context,
    ) {
        let Some(prefix) = prefix(cx) else { return };
        let undecided = std::mem::take(&mut self.undecided);
        let (undecided, settled): (BTreeMap<_, _>, BTreeMap<_, _>) =
            undecided.into_iter().partition(|(name, _)| is_unresolved(name, &may_come, people));
        self.undecided = undecided;
        for topic in settled.into_values() {
            if !self.is_wanted(&topic, prefix) {
                self.remove_device(topic, outbox);
            }
        }
    }

    /// The bridge itself has these lights, and the accounts that are configured: announces it, if they are
    /// others than before.
    pub(in crate::core) fn bridge_has(&mut self, lights: Vec<TopicLevel>, outbox: &mut Outbox, cx: &Context) {
        if self.lights == lights && self.accounts.iter().eq(cx.settings.account_names()) {
            return;
        }
        let accounts = std::mem::replace(&mut self.accounts, cx.settings.account_names().cloned().collect());
        let lights = std::mem::replace(&mut self.lights, lights);
        if let Some(topic) = announced_bridge(cx) {
            let of_lights = lights.iter().flat_map(light::announced);
            self.have(topic, accounts.iter().flat_map(account::announced).chain(of_lights));
        }
        self.announce_bridge(outbox, cx);
    }

    /// Queues the announcement of the bridge itself.
    pub(in crate::core) fn announce_bridge(&self, outbox: &mut Outbox, cx: &Context) {
        if let Some(topic) = announced_bridge(cx) {
            let before = self.entities(&topic);
            let client_id = &cx.settings.mqtt.client_id;
            let payload =
                of_bridge(client_id, &cx.settings, &cx.topics, &self.accounts, &self.lights, before);
            outbox.own(topic, payload);
        }
    }

    /// The topic and payload of the announcement of whoever is at a place, if there is one.
    pub(in crate::core) fn announcements(
        &self,
    ) -> impl Fn(Place, &Person, &Context) -> Option<(String, String)> {
        |place, person, cx| self.announcement(place, person, cx)
    }

    /// The topic and payload of the announcement of whoever is at a place, if they are to be announced under
    /// this name.
    fn announcement(&self, place: Place, person: &Person, cx: &Context) -> Option<(String, String)> {
        let prefix = prefix(cx)?;
        let id = person.id().filter(|id| self.places.get(id) == Some(&place))?;
        let topic = DeviceId::of_person(id).topic(prefix);
        let described = Described {
            display_name: person.display_name(),
            name: person.name(),
            id,
            bridge: &cx.settings.mqtt.client_id,
            controls: if person.settable() { Controls::Shown } else { Controls::Absent },
            before: self.entities(&topic),
        };
        let payload = of_person(&described, &cx.topics);
        Some((topic, payload))
    }

    /// Takes what is retained, if it is the announcement of a device. `may_come` says whether somebody may
    /// still be followed who is unknown now. Returns the lights that are announced as entities of the bridge.
    pub(in crate::core) fn found(
        &mut self,
        heard: &Heard,
        message: &Incoming,
        may_come: impl Fn(&TopicLevel) -> bool,
        people: &Roster,
        outbox: &mut Outbox,
        cx: &Context,
    ) -> Vec<TopicLevel> {
        let Heard::Device = heard else { return Vec::new() };
        let read = |client_id| Remembered::read(&message.topic, &message.payload, client_id);
        let mut own_ids = std::iter::once(&cx.settings.mqtt.client_id).chain(&cx.settings.predecessor);
        let Some(earlier) = own_ids.find_map(read) else { return Vec::new() };
        let light = |topic: &String| {
            if let Heard::Light(name, _) = Heard::from_topic(topic, &cx.topics) { Some(name) } else { None }
        };
        let lights = earlier.paused_at.iter().filter_map(light).collect();
        self.found.push(earlier);
        if outbox.is_open() {
            self.judge_found(may_come, people, outbox, cx);
        }
        lights
    }

    /// How many announcements were read back, before it is known who is followed.
    pub(in crate::core) fn found_count(&self) -> usize {
        self.found.len()
    }

    /// Keeps in mind what earlier runs announced, or takes it back.
    pub(in crate::core) fn judge_found(
        &mut self,
        may_come: impl Fn(&TopicLevel) -> bool,
        people: &Roster,
        outbox: &mut Outbox,
        cx: &Context,
    ) {
        let device = announced_bridge(cx);
        let devices = prefix(cx).map(|prefix| format!("{prefix}/device/"));
        for Remembered { topic, entities, state_topic, paused_at: _ } in std::mem::take(&mut self.found) {
            let is_here = devices.as_ref().is_some_and(|devices| topic.starts_with(devices));
            let user = state_topic.and_then(|topic| {
                let heard = Heard::from_topic(&topic, &cx.topics);
                if let Heard::Person(user, Field::Availability) = heard { Some(user) } else { None }
            });
            let is_wanted = prefix(cx).is_some_and(|prefix| self.is_wanted(&topic, prefix));
            if Some(&topic) == device.as_ref() || is_wanted {
                self.have(topic, entities);
            } else if let Some(user) = user.filter(|user| is_here && is_unresolved(user, &may_come, people)) {
                // Whether it is the same person shows when their object id is known.
                self.have(topic.clone(), entities);
                let other = self.undecided.insert(user, topic);
                other.into_iter().for_each(|other| self.remove_device(other, outbox));
            } else {
                self.remove_device(topic, outbox);
            }
        }
    }

    /// A new connection reads everything back again.
    pub(in crate::core) fn connected(&mut self) {
        self.found.clear();
    }

    /// Whether a message is on the birth topic. Home Assistant has started and knows nothing any more:
    /// everything is sent again.
    pub(in crate::core) fn is_birth(&mut self, message: &Incoming, cx: &mut Context) -> bool {
        let birth_topic = cx.settings.discovery.as_ref().map(|discovery| &discovery.birth_topic);
        let birth = birth_topic == Some(&message.topic);
        if birth && !message.retained && message.payload == BORN {
            let soon = cx.now + AFTER_BIRTH.mul_f64(cx.random.f64());
            self.birth_at.get_or_insert(soon);
        }
        birth
    }

    /// When everything is sent again because Home Assistant has started.
    pub(in crate::core) fn wake_at(&self) -> Option<Tick> {
        self.birth_at
    }

    /// Whether it is, now.
    pub(in crate::core) fn is_born(&self, now: Tick) -> bool {
        self.birth_at.is_some_and(|at| at <= now)
    }

    /// Everything is being sent.
    pub(in crate::core) fn is_served(&mut self) {
        self.birth_at = None;
    }

    /// Takes that a person is announced in the words of today; `true` if they are new.
    fn tell(&mut self, id: ObjectId, topic: String, person: &Person) -> bool {
        if person.settable() {
            let controls = CONTROLS.map(|(key, platform)| (key.to_owned(), platform.to_owned()));
            self.have(topic, controls);
        }
        let words = Words {
            name: person.name().clone(),
            display_name: person.display_name().to_owned(),
            settable: person.settable(),
        };
        let news = self.told.get(&id) != Some(&words);
        self.told.insert(id, words);
        news
    }

    /// Takes that a device may have these entities.
    fn have(&mut self, topic: String, entities: impl IntoIterator<Item = (String, String)>) {
        self.entities.entry(topic).or_default().extend(entities);
    }

    /// The entities that a device may have.
    fn entities(&self, topic: &str) -> &Entities {
        static NONE: Entities = Entities::new();
        self.entities.get(topic).unwrap_or(&NONE)
    }

    /// Whether somebody who is to be announced has this topic.
    fn is_wanted(&self, topic: &str, prefix: &BaseTopic) -> bool {
        DeviceId::person_of(topic, prefix).is_some_and(|id| self.places.contains_key(&id))
    }

    fn remove_device(&mut self, topic: String, outbox: &mut Outbox) {
        self.entities.remove(&topic);
        outbox.remove(topic);
    }
}

/// The filter of announcements of earlier runs.
pub(in crate::core) fn every_announcement(cx: &Context) -> Option<String> {
    prefix(cx).map(super::every_device)
}

/// Where somebody is announced, if they are and it is known by which object id.
pub(in crate::core) fn announced_person(person: &Person, cx: &Context) -> Option<String> {
    let id = person.id().filter(|_| person.discovery())?;
    Some(super::device_of_person(prefix(cx)?, id))
}

/// The filter of an earlier run's announcements, if its retained `info` says that they were elsewhere.
pub(in crate::core) fn earlier_announcements(
    heard: &Heard,
    message: &Incoming,
    cx: &Context,
) -> Option<String> {
    let Heard::Own(BridgeField::Info) = heard else { return None };
    let info: RememberedInfo = serde_json::from_slice(&message.payload).ok()?;
    let earlier = info.discovery_prefix.as_ref()?.parse::<BaseTopic>().ok()?;
    (cx.is_own(&info.bridge) && Some(&earlier) != prefix(cx)).then(|| super::every_device(&earlier))
}

fn prefix(cx: &Context) -> Option<&BaseTopic> {
    cx.settings.discovery.as_ref().map(|discovery| &discovery.prefix)
}

/// Where the bridge itself is announced.
pub(in crate::core) fn announced_bridge(cx: &Context) -> Option<String> {
    Some(DeviceId::of_bridge(&cx.settings.mqtt.client_id).topic(prefix(cx)?))
}

/// Whether somebody of this name will be announced when their object id is known.
fn is_unresolved(name: &TopicLevel, may_come: impl Fn(&TopicLevel) -> bool, people: &Roster) -> bool {
    match people.by_name(name).and_then(|place| people.get(place)) {
        Some(person) => person.id().is_none() && person.discovery(),
        // They may be a member of a group that was not read yet.
        None => may_come(name),
    }
}
