//! What has to be sent, and in which order.
//!
//! Nothing is stored but places: a payload is made from what is known at the moment it leaves, so the newest
//! state wins and memory is bounded by the number of people, not by the length of an outage.

use std::collections::VecDeque;
use std::time::Duration;

use crate::core::announcements::Announcements;
use crate::core::model::effect::Message;
use crate::core::model::mqtt::Qos;
use crate::core::model::name::{BaseTopic, ClientId, TopicLevel};
use crate::core::model::topic::{BridgeField, Field, ONLINE, Topics};
use crate::core::pending::Pending;
use crate::core::person::{Health, Person};
use crate::core::schedule::Place;

/// Messages sent and not yet acknowledged, at most (a person's last few may go beyond). So many that a broker ten
/// milliseconds away still takes forty thousand in a second, and so few that a change is not long behind a full sending.
pub(super) const WINDOW: usize = 480;

/// Places that a queue keeps room for when it is empty.
const KEPT: usize = 4096;

/// Results of commands that wait; of more the oldest are dropped.
const RESULTS: usize = 256;

/// The queue towards the broker.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    /// The bridge's own topics: few, and sent before anybody's presence.
    own: VecDeque<Message>,
    /// Answers to commands, not retained. They wait for the next connection if they have to.
    results: VecDeque<Message>,
    /// Topics to be emptied, and those that were but may not have arrived yet.
    removals: VecDeque<String>,
    removed: Vec<String>,
    /// The `health` of people who are not known yet, of whom nothing may be believed until they are.
    strangers: Vec<String>,
    /// People whose `ok` of an earlier run has to be taken back before anything else is said of them.
    doubted: Vec<Place>,
    fresh: VecDeque<Place>,
    /// Orders to lights and what is said about them, with the light's name where a newer one takes its place: after the
    /// change that they show, before everybody else.
    lights: VecDeque<(Option<TopicLevel>, Message)>,
    /// The full sending after a connect, the next one at the end.
    everyone: Vec<Place>,
    /// Counts the full sendings; zero is none yet.
    sending: u32,
    /// `online` waits for the full sending to be through.
    announce: bool,
    in_flight: usize,
}

/// What the outbox needs to know to make a person's messages.
pub(super) struct Sender<'a> {
    pub topics: &'a Topics,
    pub bridge: &'a ClientId,
    pub qos: Qos,
    /// Home Assistant's discovery prefix, if people are announced there.
    pub discovery: Option<&'a BaseTopic>,
    pub announcements: &'a Announcements,
    /// What the broker holds vanishes after this long, if it can.
    pub expires: Option<Duration>,
}

impl Outbox {
    /// Forgets the connection: what was sent on it may not have arrived, and everything will be sent again.
    /// Removals begin again, for nothing else would repeat them.
    pub(super) fn disconnected(&mut self, people: &mut [Person]) {
        self.drop_waiting(people);
        self.in_flight = 0;
        self.removals.extend(self.removed.drain(..));
    }

    /// Drops what waits for people, whose places are about to change. If a full sending was under way, says whether it
    /// was the first.
    pub(super) fn forget_places(&mut self, people: &mut [Person]) -> Option<bool> {
        let (first, all) = (!self.doubted.is_empty(), std::mem::take(&mut self.announce));
        for place in self.fresh.drain(..) {
            people[place].queued = false;
        }
        self.doubted.clear();
        self.everyone.clear();
        all.then_some(first)
    }

    /// Drops what waits; what is in flight stays counted.
    pub(super) fn drop_waiting(&mut self, people: &mut [Person]) {
        self.forget_places(people);
        self.own.clear();
        self.strangers.clear();
        self.lights.clear();
    }

    /// Sends everybody's topics, newest changes first, and then `online`. The first time in a run everybody is
    /// doubted first, so that nobody believes half of an earlier run's values and half of this one's.
    pub(super) fn send_everything(&mut self, people: &mut [Person], first: bool) {
        for person in people.iter_mut() {
            person.pending = Pending::default();
        }
        self.sending = self.sending.wrapping_add(1);
        self.everyone = (0..people.len()).collect();
        self.everyone.sort_unstable_by_key(|&place| (people[place].changed(), place));
        if first {
            self.doubted = (0..people.len()).rev().filter(|&place| people[place].is_believed()).collect();
        }
        self.announce = true;
    }

    /// Queues a person's pending topics.
    pub(super) fn changed(&mut self, place: Place, person: &mut Person) {
        if !person.queued && !person.pending.is_empty() {
            person.queued = true;
            self.fresh.push_back(place);
        }
    }

    /// Queues a retained message of the bridge's own; an older one for the same topic is not sent any more.
    pub(super) fn own(&mut self, topic: String, payload: String) {
        self.own.retain(|message| message.topic != topic);
        self.own.push_back(own(topic, payload));
    }

    /// Queues an order to a light, or what is retained about it; an older one of the same light for the same topic is
    /// not sent any more. What has no name is sent whatever comes after it.
    pub(super) fn light(&mut self, name: Option<&TopicLevel>, message: Message) {
        self.lights
            .retain(|(of, waiting)| of.is_none() || of.as_ref() != name || waiting.topic != message.topic);
        self.lights.push_back((name.cloned(), message));
    }

    /// What waits for a light is not sent any more.
    pub(super) fn forget_light(&mut self, name: &TopicLevel) {
        self.lights.retain(|(of, _)| of.as_ref() != Some(name));
    }

    /// Queues the answer to a command.
    pub(super) fn result(&mut self, message: Message) {
        if self.results.len() >= RESULTS {
            self.results.pop_front();
        }
        self.results.push_back(message);
    }

    /// Queues `stale` for a `health` topic.
    pub(super) fn doubt(&mut self, health: String) {
        self.strangers.push(health);
    }

    /// Queues the removal of a retained topic; what waits for it is not sent any more.
    pub(super) fn remove(&mut self, topic: String) {
        self.own.retain(|message| message.topic != topic);
        self.lights.retain(|(_, message)| message.topic != topic);
        self.removals.push_back(topic);
    }

    /// Counts messages that were sent around the queue.
    pub(super) fn sent_around(&mut self, count: usize) {
        self.in_flight += count;
    }

    pub(super) fn acknowledged(&mut self, count: usize) {
        self.in_flight = self.in_flight.saturating_sub(count);
        if self.in_flight == 0 {
            self.removed.clear();
        }
    }

    /// What waits to be sent: messages, and people with something new.
    pub(super) fn waiting(&self) -> usize {
        let messages = self.own.len() + self.results.len() + self.removals.len() + self.lights.len();
        messages + self.doubted.len() + self.fresh.len() + self.everyone.len() + usize::from(self.announce)
    }

    /// Messages that were sent and have not arrived yet, as far as is known.
    pub(super) fn in_flight(&self) -> usize {
        self.in_flight
    }

    /// Whether everything that was sent has arrived.
    pub(super) fn all_arrived(&self) -> bool {
        self.in_flight == 0
    }

    /// The messages that fit into the window. `true` beside them when `online` is among them.
    pub(super) fn next(&mut self, people: &mut [Person], sender: &Sender<'_>) -> (Vec<Message>, bool) {
        let mut messages = Vec::new();
        let mut online = false;
        while self.in_flight + messages.len() < WINDOW {
            if let Some(topic) = self.removals.pop_front() {
                messages.push(own(topic.clone(), String::new()));
                self.removed.push(topic);
            } else if let Some(message) = self.own.pop_front() {
                messages.push(message);
            } else if let Some(message) = self.results.pop_front() {
                messages.push(message);
            } else if let Some(topic) = self.strangers.pop() {
                messages.push(Message::retained(topic, Health::Stale.as_str().to_owned(), sender.qos));
            } else if let Some(place) = self.doubted.pop() {
                let topic = sender.topics.of_user(&people[place].name, Field::Health);
                let payload = Health::Stale.as_str().to_owned();
                messages.push(Message::retained(topic, payload, sender.qos));
            } else if let Some(place) = self.fresh.pop_front() {
                people[place].queued = false;
                self.messages_of(place, &mut people[place], sender, &mut messages);
            } else if let Some((_, message)) = self.lights.pop_front() {
                messages.push(message);
            } else if let Some(place) = self.next_of_everyone(people) {
                self.messages_of(place, &mut people[place], sender, &mut messages);
            } else if std::mem::take(&mut self.announce) {
                messages.push(own(sender.topics.of_bridge(BridgeField::State), ONLINE.to_owned()));
                online = true;
            } else {
                break;
            }
        }
        self.give_back();
        for message in messages.iter_mut().filter(|message| message.retain && !message.payload.is_empty()) {
            message.expires = sender.expires;
        }
        self.in_flight += messages.len();
        (messages, online)
    }

    /// Gives back what was taken when everybody waited at once; that is seldom, and whole tenants are large.
    fn give_back(&mut self) {
        if self.fresh.is_empty() && self.fresh.capacity() > KEPT {
            self.fresh = VecDeque::new();
        }
        if self.everyone.is_empty() && self.everyone.capacity() > KEPT {
            self.everyone = Vec::new();
        }
    }

    /// Somebody whom the full sending has not come to yet.
    fn next_of_everyone(&mut self, people: &[Person]) -> Option<Place> {
        while let Some(place) = self.everyone.pop() {
            if people[place].sent_in != self.sending {
                return Some(place);
            }
        }
        None
    }

    fn messages_of(
        &self,
        place: Place,
        person: &mut Person,
        sender: &Sender<'_>,
        messages: &mut Vec<Message>,
    ) {
        let mut pending = std::mem::take(&mut person.pending);
        if person.sent_in != self.sending {
            person.sent_in = self.sending;
            pending = Pending::ALL;
        }
        if let Some(prefix) = sender.discovery.filter(|_| pending.has_announcement()) {
            let announcement = sender.announcements.of((place, person), prefix, sender.topics, sender.bridge);
            messages.extend(announcement.map(|(topic, payload)| own(topic, payload)));
        }
        for field in person.fields().into_iter().filter(|&field| pending.has(field)) {
            if let Some(payload) = person.wanted(field, sender.bridge) {
                let topic = sender.topics.of_user(&person.name, field);
                messages.push(Message::retained(topic, payload, sender.qos));
            }
        }
    }
}

/// A retained message on a topic that the bridge owns whatever the users' quality of service is.
pub(super) fn own(topic: String, payload: String) -> Message {
    Message::retained(topic, payload, Qos::AtLeastOnce)
}
