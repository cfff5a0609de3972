//! When people and the bridge are announced to Home Assistant, and what becomes of earlier announcements.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::bridge::Bridge;
use super::command::{BrokerOrder, Command, Qos, Subscription};
use super::discovery::{self, DeviceId, Remembered};
use super::event::Incoming;
use super::name::BaseTopic;
use super::payload::RememberedInfo;
use super::schedule::Place;
use super::time::Tick;

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
        let (Some(id), Some(prefix)) = (self.people[place].id, self.discovery_prefix().cloned()) else {
            return;
        };
        if !self.people[place].discovery || *self.announced.entry(id).or_insert(place) != place {
            return;
        }
        let topic = DeviceId::of_person(id).topic(&prefix);
        if let Some(earlier) = self.undecided.remove(&self.people[place].name) {
            if earlier.topic == topic {
                self.people[place].entities_before = earlier.entities;
            } else {
                self.outbox.remove(earlier.topic);
            }
        }
        self.people[place].announce();
        self.queue(place);
    }

    /// Queues the announcement of the bridge itself.
    pub(super) fn say_device(&mut self) {
        if let Some(topic) = self.device_topic() {
            let payload = discovery::of_bridge(
                &self.settings.client_id,
                self.settings.about.version,
                &self.topics,
                &self.lights.names(),
                &self.entities_before,
            );
            self.outbox.own(topic, payload);
        }
    }

    fn device_topic(&self) -> Option<String> {
        Some(DeviceId::of_bridge(&self.settings.client_id).topic(self.discovery_prefix()?))
    }

    /// All topics of announcements that are wanted, with the people they are about.
    fn announcements(&self) -> BTreeMap<String, Place> {
        let Some(prefix) = self.discovery_prefix() else { return BTreeMap::new() };
        let topic = |(id, place): (&_, &Place)| (DeviceId::of_person(*id).topic(prefix), *place);
        self.announced.iter().map(topic).collect()
    }

    /// The topics of all announcements that were made.
    pub(super) fn announced_topics(&self) -> BTreeSet<String> {
        self.announcements().into_keys().chain(self.device_topic()).collect()
    }

    /// Takes back announcements that are not wanted any more.
    pub(super) fn take_back(&mut self, made: BTreeSet<String>) {
        for topic in made.difference(&self.announced_topics()) {
            self.outbox.remove(topic.clone());
        }
    }

    /// Where announcements of earlier runs may be.
    pub(super) fn every_announcement(&self) -> Option<String> {
        self.discovery_prefix().map(discovery::every_device)
    }

    /// An earlier run of this bridge says where its announcements were: with another prefix they are read back too.
    pub(super) fn look_at_earlier_prefix(&mut self, info: &RememberedInfo) {
        let earlier = info.discovery_prefix.as_ref().and_then(|prefix| prefix.parse::<BaseTopic>().ok());
        let Some(prefix) = earlier.filter(|earlier| Some(earlier) != self.discovery_prefix()) else { return };
        if info.bridge != self.settings.client_id.as_str() || !self.link.also_subscribes() {
            return;
        }
        let filter = discovery::every_device(&prefix);
        self.earlier_prefix = Some(filter.clone());
        let subscription = Subscription { filter, qos: Qos::AtMostOnce };
        self.commands.push(Command::Broker(BrokerOrder::Subscribe(vec![subscription])));
    }

    /// Takes a retained announcement; `false` if it is none.
    pub(super) fn is_announcement(&mut self, message: &Incoming) -> bool {
        let is_one = message.topic.ends_with("/config") && message.topic.contains("/device/");
        if is_one
            && let Some(earlier) =
                Remembered::read(&message.topic, &message.payload, &self.settings.client_id)
        {
            match self.link.is_up() {
                true => self.judge_announcements(vec![earlier]),
                false => self.found.announcements.push(earlier),
            }
        }
        is_one
    }

    /// Keeps in mind what an earlier run announced, or takes it back.
    pub(super) fn judge_announcements(&mut self, earlier: Vec<Remembered>) {
        let wanted = self.announcements();
        let device = self.device_topic();
        let prefix = self.discovery_prefix().map(|prefix| format!("{prefix}/device/")).unwrap_or_default();
        for earlier in earlier {
            let user = earlier.values.as_ref().and_then(|topic| self.topics.user_of(topic, "availability"));
            let unresolved = user.filter(|user| {
                let place = self.by_name.get(user).copied();
                place.is_some_and(|place| self.people[place].id.is_none() && self.people[place].discovery)
            });
            if Some(&earlier.topic) == device.as_ref() {
                self.entities_before = earlier.entities;
            } else if let Some(&place) = wanted.get(&earlier.topic) {
                self.people[place].entities_before = earlier.entities;
            } else if let Some(user) =
                unresolved.filter(|_| device.is_some() && earlier.topic.starts_with(&prefix))
            {
                // Whether it is the same person shows when their object id is known.
                self.undecided.insert(user, earlier);
            } else {
                self.outbox.remove(earlier.topic);
            }
        }
    }

    /// Home Assistant has started and knows nothing any more.
    pub(super) fn is_birth(&mut self, message: &Incoming, now: Tick) -> bool {
        let birth_topic = self.settings.discovery.as_ref().map(|discovery| &discovery.birth_topic);
        let birth = birth_topic == Some(&message.topic);
        if birth && !message.retained && message.payload == BORN {
            self.birth_at.get_or_insert(now + AFTER_BIRTH.mul_f64(self.random.f64()));
        }
        birth
    }
}
