//! What has to be sent, and in which order.
//!
//! Nothing is stored but places: a payload is made from what is known at the moment it leaves, so the newest
//! state wins and memory is bounded by the number of people, not by the length of an outage.
//!
//! The outbox is open while presence may be published. While it is closed it takes removals and results,
//! which nothing would repeat; what else is still true is made anew when it opens.

use std::collections::VecDeque;
use std::time::Duration;

use super::in_flight::InFlight;
use super::pace::Pace;
use super::suspects::{Admission, Suspects};
use crate::core::context::Context;
use crate::core::model::burst::MESSAGES_OF_ONE;
use crate::core::model::dirty_topics::DirtyTopics;
use crate::core::model::effect::{BrokerOrder, Message};
use crate::core::model::health::Health;
use crate::core::model::mqtt::Qos;
use crate::core::model::name::TopicLevel;
use crate::core::model::place::Place;
use crate::core::model::time::Tick;
use crate::core::model::topic::{BridgeField, Field, ONLINE};
use crate::core::people::Roster;
use crate::core::people::person::Person;

/// Places that a queue keeps room for when it is empty.
const KEPT: usize = 4096;

/// Results of commands that wait; of more the oldest are dropped.
const RESULTS: usize = 256;

/// What of a person waits to be sent.
#[derive(Debug, Clone, Copy, Default)]
struct Unsent {
    /// The last full sending that included this person.
    sent_in: u32,
    topics: DirtyTopics,
    /// Waits in the queue of fresh changes.
    queued: bool,
}

/// The queue towards the broker.
#[derive(Debug, Default)]
pub(in crate::core) struct Outbox {
    open: bool,
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
    /// By place.
    unsent: Vec<Unsent>,
    /// Orders to lights and what is published about them, with the light's name where a newer one takes its
    /// place: after the change that they show, before everybody else.
    lights: VecDeque<(Option<TopicLevel>, Message)>,
    /// The full sending after a connect, the next one at the end.
    everyone: Vec<Place>,
    /// Counts the full sendings; zero is none yet.
    sending: u32,
    /// `online` waits for the full sending to be through.
    announce: bool,
    in_flight: InFlight,
    pace: Pace,
    /// More waits, and goes out then.
    paced_until: Option<Tick>,
    /// `online` is on its way out.
    online_waits: bool,
    /// So many have to arrive until `online` and everything before it is there.
    until_online: Option<usize>,
    announced_at: Option<Tick>,
    suspects: Suspects,
    /// The broker hung up soon: messages are acknowledged, whatever is configured, so that it shows at which.
    careful: bool,
}

impl Outbox {
    /// Presence may be published from now on.
    pub(super) fn open(&mut self) {
        self.open = true;
    }

    /// Forgets the connection: what was sent on it may not have arrived, and everything will be sent again.
    /// Removals begin again, for nothing else would repeat them.
    pub(in crate::core) fn close(&mut self) {
        self.drop_waiting();
        self.suspects.forget_connection();
        self.in_flight.forget();
        (self.online_waits, self.until_online, self.announced_at) = (false, None, None);
        self.removals.extend(self.removed.drain(..));
    }

    /// Forgets everything that was to be sent, and what was sent on earlier connections; not at which
    /// messages the broker hangs up.
    pub(in crate::core) fn begin_anew(&mut self) {
        self.close();
        let (suspects, in_flight) = (std::mem::take(&mut self.suspects), std::mem::take(&mut self.in_flight));
        *self = Self { suspects, in_flight, careful: self.careful, ..Self::default() };
    }

    /// Sends what must not wait, whether presence may be published or not.
    pub(super) fn at_once(&mut self, message: Message, cx: &mut Context) {
        self.in_flight.sent(1, cx.now);
        let messages = vec![message];
        self.suspects.sent(&messages);
        cx.ask_broker(BrokerOrder::Publish(messages));
    }

    /// Sends these and nothing else any more.
    pub(super) fn close_with(&mut self, last: Vec<Message>, cx: &mut Context) {
        self.drop_waiting();
        if !last.is_empty() {
            self.in_flight.sent(last.len(), cx.now);
            cx.ask_broker(BrokerOrder::Publish(last));
        }
    }

    /// Drops what waits; what is in flight stays counted.
    fn drop_waiting(&mut self) {
        self.open = false;
        for place in self.fresh.drain(..) {
            self.unsent[place.number()].queued = false;
        }
        self.doubted.clear();
        self.everyone.clear();
        self.announce = false;
        self.own.clear();
        self.strangers.clear();
        self.lights.clear();
    }

    /// Sends everybody's topics, newest changes first, and then `online`. The first time in a run everybody
    /// is doubted first, so that nobody believes half of an earlier run's values and half of this one's.
    pub(in crate::core) fn send_everything(&mut self, people: &Roster, first: bool) {
        for unsent in &mut self.unsent {
            unsent.topics = DirtyTopics::default();
        }
        self.sending = self.sending.wrapping_add(1);
        let mut everyone: Vec<_> = people.iter().map(|(place, person)| (person.changed(), place)).collect();
        everyone.sort_unstable();
        self.everyone = everyone.into_iter().map(|(_, place)| place).collect();
        if first {
            let believed = people.iter().filter(|(_, person)| person.is_believed());
            self.doubted = believed.map(|(place, _)| place).collect();
            self.doubted.reverse();
        }
        self.announce = true;
    }

    /// Queues what changed of somebody.
    pub(in crate::core) fn changed(&mut self, place: Place, dirty: DirtyTopics) {
        let topics = dirty.topics();
        if self.open && !topics.is_empty() {
            self.queue(place, topics);
        }
    }

    /// Queues the announcement of somebody to Home Assistant.
    pub(in crate::core) fn announce(&mut self, place: Place) {
        if self.open {
            self.queue(place, DirtyTopics::ANNOUNCEMENT);
        }
    }

    fn queue(&mut self, place: Place, topics: DirtyTopics) {
        let unsent = self.unsent(place);
        unsent.topics.add(topics);
        if !std::mem::replace(&mut unsent.queued, true) {
            self.fresh.push_back(place);
        }
    }

    fn unsent(&mut self, place: Place) -> &mut Unsent {
        let number = place.number();
        if number >= self.unsent.len() {
            self.unsent.resize_with(number + 1, Unsent::default);
        }
        &mut self.unsent[number]
    }

    /// Somebody left. Their place may be another person's soon.
    pub(in crate::core) fn forget(&mut self, place: Place) {
        let queued = self.unsent(place).queued;
        *self.unsent(place) = Unsent { queued, ..Unsent::default() };
    }

    /// Queues a retained message of the bridge's own; an older one for the same topic is not sent any more.
    pub(in crate::core) fn own(&mut self, topic: String, payload: String) {
        if self.open {
            self.own.retain(|message| message.topic != topic);
            self.own.push_back(own(topic, payload));
        }
    }

    /// Queues orders to a light, or what is retained about it; older ones of the same light for the same
    /// topics are not sent any more. What has no name is sent whatever comes after it.
    pub(in crate::core) fn light(&mut self, name: Option<&TopicLevel>, messages: Vec<Message>) {
        if self.open {
            self.lights.retain(|(of, waiting)| {
                let is_older = messages.iter().any(|message| message.topic == waiting.topic);
                of.is_none() || of.as_ref() != name || !is_older
            });
            self.lights.extend(messages.into_iter().map(|message| (name.cloned(), message)));
        }
    }

    /// What waits for a light is not sent any more.
    pub(in crate::core) fn forget_light(&mut self, name: &TopicLevel) {
        self.lights.retain(|(of, _)| of.as_ref() != Some(name));
    }

    /// Queues the answer to a command.
    pub(in crate::core) fn result(&mut self, message: Message) {
        if self.results.len() >= RESULTS {
            self.results.pop_front();
        }
        self.results.push_back(message);
    }

    /// Queues `stale` for a `health` topic.
    pub(in crate::core) fn doubt(&mut self, health: String) {
        if self.open {
            self.strangers.push(health);
        }
    }

    /// Queues the removal of a retained topic; what waits for it is not sent any more.
    pub(in crate::core) fn remove(&mut self, topic: String) {
        self.own.retain(|message| message.topic != topic);
        self.lights.retain(|(_, message)| message.topic != topic);
        self.removals.push_back(topic);
    }

    /// Queues the removal of the topics of somebody who is not followed any more, or not under this name.
    pub(in crate::core) fn remove_user(&mut self, user: &TopicLevel, cx: &Context) {
        for field in Field::LEAVING {
            self.remove(cx.topics.of_user(user, field));
        }
    }

    /// When `online` arrived on this connection, with everything before it.
    pub(super) fn announced_at(&self) -> Option<Tick> {
        self.announced_at.filter(|_| self.open)
    }

    /// Whether presence may be published.
    pub(in crate::core) fn is_open(&self) -> bool {
        self.open
    }

    /// So many of the oldest have arrived. `true` when `online` did, and everything before it.
    pub(in crate::core) fn acknowledged(&mut self, count: usize, now: Tick) -> bool {
        self.suspects.acknowledged(count);
        self.in_flight.acknowledged(count, now);
        if self.in_flight.count() == 0 {
            self.removed.clear();
        }
        // More may have been sent behind it, and be acknowledged with it.
        self.until_online = self.until_online.map(|left| left.saturating_sub(count));
        let is_online = self.until_online == Some(0);
        if is_online {
            self.until_online = None;
            self.careful = false;
            self.announced_at = Some(now);
            self.suspects.all_others_arrived(now);
        }
        is_online
    }

    /// The broker ended the connection, without a word or soon after it was made. `true` if the message is
    /// found at which it does.
    pub(super) fn hung_up(&mut self, cx: &mut Context) -> bool {
        self.careful = true;
        self.suspects.hung_up(cx)
    }

    /// Whether one of the messages that were left out is to be tried again; everything has to be sent for it.
    pub(in crate::core) fn begins_trial(&mut self, cx: &mut Context) -> bool {
        self.open && self.suspects.begins_trial(cx)
    }

    /// When that is.
    pub(super) fn wake_at(&self) -> Option<Tick> {
        self.suspects.retry_at().into_iter().chain(self.paced_until).min().filter(|_| self.open)
    }

    /// What is left out, on `<bridge>/health`.
    pub(in crate::core) fn notice(&self) -> Option<String> {
        self.suspects.notice()
    }

    /// What waits to be sent: messages, and people with something new.
    pub(super) fn waiting(&self) -> usize {
        let messages = self.own.len() + self.results.len() + self.removals.len() + self.lights.len();
        messages + self.doubted.len() + self.fresh.len() + self.everyone.len() + usize::from(self.announce)
    }

    /// Messages that were sent and have not arrived yet, as far as is known.
    pub(super) fn in_flight(&self) -> usize {
        self.in_flight.count()
    }

    /// Sends what fits into the window. `announcement` makes what Home Assistant is told of somebody,
    /// `expires` is after how long the broker forgets.
    pub(in crate::core) fn send(
        &mut self,
        people: &Roster,
        announcement: impl Fn(Place, &Person, &Context) -> Option<(String, String)>,
        expires: Option<Duration>,
        cx: &mut Context,
    ) {
        if !self.open {
            return;
        }
        let mut messages = Vec::new();
        let of_people = (self.fresh.len() + self.everyone.len()) * (MESSAGES_OF_ONE - 1);
        let paced = self.pace.room(self.waiting() + of_people, cx.now);
        let room = self.in_flight.room();
        while messages.len() < room.min(paced) && !self.suspects.keep_others_waiting() {
            let before = messages.len();
            if let Some(topic) = self.removals.pop_front() {
                messages.push(own(topic.clone(), String::new()));
                self.removed.push(topic);
            } else if let Some(message) = self.own.pop_front() {
                if message.topic == cx.topics.of_bridge(BridgeField::Info) {
                    self.suspects.may_repeat(&message);
                }
                messages.push(message);
            } else if let Some(message) = self.results.pop_front() {
                messages.push(message);
            } else if let Some(topic) = self.strangers.pop() {
                messages.push(stale(topic, cx.settings.mqtt.qos));
            } else if let Some(place) = self.doubted.pop() {
                let topic = people.get(place).map(|person| cx.topics.of_user(person.name(), Field::Health));
                messages.extend(topic.map(|topic| stale(topic, cx.settings.mqtt.qos)));
            } else if let Some(place) = self.fresh.pop_front() {
                self.unsent(place).queued = false;
                self.messages_of(place, people, &announcement, cx, &mut messages);
            } else if !self.careful
                && let Some((_, message)) = self.lights.pop_front()
            {
                messages.push(message);
            } else if let Some(place) = self.next_of_everyone() {
                self.messages_of(place, people, &announcement, cx, &mut messages);
            } else if let Some((_, message)) = self.lights.pop_front() {
                messages.push(message);
            } else if std::mem::take(&mut self.announce) {
                messages.push(own(cx.topics.of_bridge(BridgeField::State), ONLINE.to_owned()));
                self.online_waits = true;
            } else {
                break;
            }
            self.admit(&mut messages, before);
        }
        if messages.is_empty() && self.in_flight.count() == 0 {
            messages.extend(self.suspects.next_alone());
        }
        self.give_back();
        for message in messages.iter_mut().filter(|message| message.retain && !message.payload.is_empty()) {
            message.expires = expires;
        }
        if self.careful {
            messages.iter_mut().for_each(|message| message.qos = Qos::AtLeastOnce);
        }
        self.in_flight.sent(messages.len(), cx.now);
        self.pace.sent(messages.len(), cx.now);
        let is_paced = messages.len() >= paced && paced < room && self.waiting() > 0;
        self.paced_until = is_paced.then(|| self.pace.room_at());
        if self.online_waits && messages.last().is_some_and(|message| message.payload == ONLINE) {
            self.online_waits = false;
            self.until_online = Some(self.in_flight.count());
        }
        self.suspects.sent(&messages);
        if !messages.is_empty() {
            cx.ask_broker(BrokerOrder::Publish(messages));
        }
    }

    /// Takes out what is not to be sent now, of the messages from this one on.
    fn admit(&mut self, messages: &mut Vec<Message>, from: usize) {
        if self.suspects.are_none() {
            return;
        }
        let (mut is_held, mut is_doubted) = (false, false);
        for message in messages.split_off(from) {
            // Availability and activity never say more than the state; health is always said.
            if is_doubted && !message.topic.ends_with(Field::Health.level()) {
                continue;
            }
            // What belongs together stays in its order.
            if is_held {
                self.suspects.hold(message);
                continue;
            }
            match self.suspects.admit(message) {
                Admission::Now(message) => messages.push(message),
                Admission::Held => is_held = true,
                Admission::LeftOut => {}
                Admission::Doubted => is_doubted = true,
            }
        }
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
    fn next_of_everyone(&mut self) -> Option<Place> {
        while let Some(place) = self.everyone.pop() {
            if self.unsent(place).sent_in != self.sending {
                return Some(place);
            }
        }
        None
    }

    fn messages_of(
        &mut self,
        place: Place,
        people: &Roster,
        announcement: &impl Fn(Place, &Person, &Context) -> Option<(String, String)>,
        cx: &Context,
        messages: &mut Vec<Message>,
    ) {
        let sending = self.sending;
        let unsent = self.unsent(place);
        let mut topics = std::mem::take(&mut unsent.topics);
        if std::mem::replace(&mut unsent.sent_in, sending) != sending {
            topics = DirtyTopics::ALL;
        }
        let Some(person) = people.get(place) else { return };
        for field in person.fields().into_iter().filter(|&field| topics.has(field)) {
            if let Some(payload) = person.wanted(field, &cx.settings.mqtt.client_id) {
                let topic = cx.topics.of_user(person.name(), field);
                messages.push(Message::retained(topic, payload, cx.settings.mqtt.qos));
            }
        }
        // Behind what it is about: it is the largest message of all, and the first that a broker does not
        // take.
        if topics.has_announcement() {
            let announcement = announcement(place, person, cx);
            messages.extend(announcement.map(|(topic, payload)| own(topic, payload)));
        }
    }
}

/// A retained message on a topic that the bridge owns whatever the users' quality of service is.
fn own(topic: String, payload: String) -> Message {
    Message::retained(topic, payload, Qos::AtLeastOnce)
}

fn stale(health: String, qos: Qos) -> Message {
    Message::retained(health, Health::Stale.as_str().to_owned(), qos)
}
