//! When people and the bridge are announced to Home Assistant, and what becomes of earlier announcements.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::core::bridge::Bridge;
use crate::core::home_assistant::{self, DeviceId, Entities, Remembered};
use crate::core::model::effect::{BrokerOrder, Effect, Subscription};
use crate::core::model::event::Incoming;
use crate::core::model::mqtt::Qos;
use crate::core::model::name::{BaseTopic, TopicLevel};
use crate::core::model::payload::RememberedInfo;
use crate::core::model::time::Tick;
use crate::core::model::topic::Field;
use crate::core::schedule::Place;

/// What Home Assistant says on its birth topic when it has started.
const BORN: &[u8] = b"online";

/// After a birth everything is sent again within this time, so that many bridges do not do it at once.
const AFTER_BIRTH: Duration = Duration::from_secs(2);

impl Bridge {
    fn discovery_prefix(&self) -> Option<&BaseTopic> {
        self.settings.discovery.as_ref().map(|discovery| &discovery.prefix)
    }

    /// Announces a person whose object id is known, unless it is the second name of the same person.
    pub(super) fn announce(&mut self, place: Place) {
        let (Some(id), Some(prefix)) = (self.people[place].id(), self.discovery_prefix()) else { return };
        let topic = DeviceId::of_person(id).topic(prefix);
        if !self.people[place].discovery || *self.announcements.places.entry(id).or_insert(place) != place {
            return;
        }
        let earlier = self.announcements.undecided.remove(&self.people[place].name);
        if let Some(earlier) = earlier.filter(|earlier| !self.wanted().contains_key(earlier)) {
            self.remove_device(earlier);
        }
        if self.announcements.tell(id, topic, &self.people[place]) {
            self.people[place].pending.add_announcement();
        }
        self.queue(place);
    }

    /// Queues the announcement of the bridge itself.
    pub(super) fn say_device(&mut self) {
        if let Some(topic) = self.device_topic() {
            let payload = home_assistant::of_bridge(
                &self.settings.client_id,
                self.settings.about.version,
                &self.topics,
                &self.lights.names(),
                self.announcements.entities(&topic),
            );
            self.outbox.own(topic, payload);
        }
    }

    /// The bridge itself has announced these entities.
    pub(super) fn device_had(&mut self, entities: Entities) {
        if let Some(topic) = self.device_topic() {
            self.announcements.have(topic, entities);
        }
    }

    fn device_topic(&self) -> Option<String> {
        Some(DeviceId::of_bridge(&self.settings.client_id).topic(self.discovery_prefix()?))
    }

    /// The topics of people's announcements that are wanted.
    fn wanted(&self) -> BTreeMap<String, Place> {
        let Some(prefix) = self.discovery_prefix() else { return BTreeMap::new() };
        let topic = |(id, place): (&_, &Place)| (DeviceId::of_person(*id).topic(prefix), *place);
        self.announcements.places.iter().map(topic).collect()
    }

    /// Takes back announcements that are not wanted any more.
    pub(super) fn take_back(&mut self) {
        let Some(prefix) = self.discovery_prefix().cloned() else { return };
        for id in self.announcements.forget_others() {
            self.remove_device(DeviceId::of_person(id).topic(&prefix));
        }
        let undecided = std::mem::take(&mut self.announcements.undecided);
        let (undecided, settled) = undecided.into_iter().partition(|(name, _)| self.is_unresolved(name));
        self.announcements.undecided = undecided;
        let settled: BTreeMap<TopicLevel, String> = settled;
        let wanted = self.wanted();
        for topic in settled.into_values().filter(|topic| !wanted.contains_key(topic)) {
            self.remove_device(topic);
        }
    }

    fn remove_device(&mut self, topic: String) {
        self.announcements.forget(&topic);
        self.outbox.remove(topic);
    }

    /// Whether somebody of this name will be announced when their object id is known.
    fn is_unresolved(&self, name: &TopicLevel) -> bool {
        match self.by_name.get(name, &self.people).map(|place| &self.people[place]) {
            Some(person) => person.id().is_none() && person.discovery,
            // They may be a member of a group that was not read yet.
            None => self.groups.are_undecided(),
        }
    }

    /// Where announcements of earlier runs may be.
    pub(super) fn every_announcement(&self) -> Option<String> {
        self.discovery_prefix().map(home_assistant::every_device)
    }

    /// An earlier run of this bridge says where its announcements were: with another prefix they are read back too.
    pub(super) fn look_at_earlier_prefix(&mut self, info: &RememberedInfo) {
        let earlier = info.discovery_prefix.as_ref().and_then(|prefix| prefix.parse::<BaseTopic>().ok());
        let Some(prefix) = earlier.filter(|earlier| Some(earlier) != self.discovery_prefix()) else { return };
        if !self.is_own(&info.bridge) || !self.link.also_subscribes() {
            return;
        }
        let filter = home_assistant::every_device(&prefix);
        self.announcements.earlier_prefix = Some(filter.clone());
        let subscription = Subscription { filter, qos: Qos::AtMostOnce };
        self.commands.push(Effect::Broker(BrokerOrder::Subscribe(vec![subscription])));
    }

    /// Takes a retained announcement; `false` if it is none.
    pub(super) fn is_announcement(&mut self, message: &Incoming) -> bool {
        let is_one = message.topic.ends_with("/config") && message.topic.contains("/device/");
        let read = |client_id| Remembered::read(&message.topic, &message.payload, client_id);
        let mut own_ids = std::iter::once(&self.settings.client_id).chain(&self.settings.predecessor);
        if is_one && let Some(earlier) = own_ids.find_map(read) {
            match self.link.is_up() {
                true => self.judge_announcements(vec![earlier]),
                false => self.found.announcements.push(earlier),
            }
        }
        is_one
    }

    /// Keeps in mind what an earlier run announced, or takes it back.
    pub(super) fn judge_announcements(&mut self, earlier: Vec<Remembered>) {
        let wanted = self.wanted();
        let device = self.device_topic();
        let prefix = self.discovery_prefix().map(|prefix| format!("{prefix}/device/"));
        for Remembered { topic, entities, state_topic } in earlier {
            let is_here = prefix.as_ref().is_some_and(|prefix| topic.starts_with(prefix));
            let user = state_topic.and_then(|topic| self.topics.user_of(&topic, Field::Availability.level()));
            if Some(&topic) == device.as_ref() || wanted.contains_key(&topic) {
                self.announcements.have(topic, entities);
            } else if let Some(user) = user.filter(|user| is_here && self.is_unresolved(user)) {
                // Whether it is the same person shows when their object id is known.
                self.announcements.have(topic.clone(), entities);
                let other = self.announcements.undecided.insert(user, topic);
                other.into_iter().for_each(|other| self.remove_device(other));
            } else {
                self.remove_device(topic);
            }
        }
    }

    /// Home Assistant has started and knows nothing any more.
    pub(super) fn is_birth(&mut self, message: &Incoming, now: Tick) -> bool {
        let birth_topic = self.settings.discovery.as_ref().map(|discovery| &discovery.birth_topic);
        let birth = birth_topic == Some(&message.topic);
        if birth && !message.retained && message.payload == BORN {
            let soon = now + AFTER_BIRTH.mul_f64(self.random.f64());
            self.announcements.birth_at.get_or_insert(soon);
        }
        birth
    }
}
