//! What the broker's side of the story means: connects, what an earlier run left, requests to refresh, the end.

use std::collections::BTreeSet;

use crate::core::bridge::Bridge;
use crate::core::home_assistant::Remembered;
use crate::core::knowledge;
use crate::core::link::Phase;
use crate::core::model::effect::{BrokerOrder, Effect, Ending, Subscription};
use crate::core::model::event::{Incoming, LinkFailure};
use crate::core::model::mqtt::Qos;
use crate::core::model::name::TopicLevel;
use crate::core::model::payload::{RememberedInfo, RememberedState};
use crate::core::model::report::Report;
use crate::core::model::time::Tick;
use crate::core::model::topic::{BridgeField, Field, OFFLINE, ONLINE, SET, SET_STATUS_MESSAGE};
use crate::core::outbox::own;
use crate::core::person::is_lone_health;

/// What was found on the broker while reading back.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// Whose `info` is on this bridge's topic, and whether they are online.
    bridge: Option<String>,
    online: bool,
    /// Another bridge has been on this base topic.
    neighbours: bool,
    /// People unknown here who have a `state`, whosever it is, and such who have a `health`.
    states: BTreeSet<TopicLevel>,
    pub(super) announcements: Vec<Remembered>,
    healths: BTreeSet<TopicLevel>,
    /// Lights that have something retained, and are unknown here.
    pub(super) lights: BTreeSet<TopicLevel>,
}

/// Topics that the broker refuses are remembered up to this number, so that each is reported once.
const REFUSED_TOPICS: usize = 100;

impl Bridge {
    pub(super) fn connected(&mut self, now: Tick) {
        if self.link.is_stopping() {
            return;
        }
        if self.link.was_trial(now) {
            self.commands.push(Effect::Broker(BrokerOrder::Disconnect));
            return;
        }
        // What was sent on a connection that was given up is not answered any more.
        self.outbox.disconnected(&mut self.people);
        let mut subscriptions = Vec::new();
        if self.link.must_read_back() {
            // Quality 0: brokers cut the queue of a late subscriber at quality 1.
            let filters = self.left_by_earlier_runs().into_iter();
            subscriptions.push(filters.map(|filter| Subscription { filter, qos: Qos::AtMostOnce }).collect());
        }
        let mut filters = vec![self.topics.refresh()];
        filters.extend(self.settings.discovery.as_ref().map(|discovery| discovery.birth_topic.clone()));
        if self.settings.commands.is_some() {
            filters.extend(self.command_filters());
        }
        filters.extend(self.light_filters());
        subscriptions.push(surely(filters));
        self.refused_filters.clear();
        self.refused_reported = false;
        self.found = Found::default();
        self.report(Report::BrokerConnected);
        self.link.connected(subscriptions.len(), now);
        self.lights.connected();
        self.commands.extend(subscriptions.into_iter().map(BrokerOrder::Subscribe).map(Effect::Broker));
        if self.link.is_up() {
            self.send_everything(now);
        }
    }

    /// The answer to the last subscription comes after what was retained for the first.
    pub(super) fn subscribed(&mut self, refused: Vec<String>, now: Tick) {
        self.link.heard(true, now);
        for filter in refused {
            if self.refused_filters.insert(filter.clone()) {
                self.report(Report::SubscriptionRefused(filter));
            }
        }
    }

    /// The broker does not take a message; the others go on.
    pub(super) fn publish_refused(&mut self, topic: String, why: String, now: Tick) {
        if !std::mem::replace(&mut self.refused_reported, true) {
            self.report(Report::PublishRefused(why.clone()));
        }
        if self.refused_topics.is_empty() {
            // What is not on the broker must get there when it is allowed; nobody would say when that is.
            let again = now + self.refused_backoff.failed(&mut self.random);
            self.resend_at = Some(self.resend_at.map_or(again, |at| at.min(again)));
        }
        if self.refused_topics.len() < REFUSED_TOPICS && !self.refused_topics.contains_key(&topic) {
            self.report(Report::TopicRefused(topic.clone()));
            self.refused_topics.insert(topic, why);
        }
    }

    pub(super) fn message(&mut self, message: &Incoming, now: Tick) {
        if message.retained {
            self.link.heard(false, now);
        }
        if message.topic == self.topics.refresh() {
            if !message.retained {
                self.refresh(now);
            }
        } else if self.is_birth(message, now) || (message.retained && self.is_announcement(message)) {
            // Home Assistant's side.
        } else if self.is_about_light(message, now) {
            // A device, or whoever pauses it.
        } else if !message.retained {
            // Else the echo of what this bridge publishes.
            self.command(message, now);
        } else if message.topic == self.topics.of_bridge(BridgeField::Info) {
            let info: Option<RememberedInfo> = serde_json::from_slice(&message.payload).ok();
            if let Some(info) = &info {
                self.look_at_earlier_prefix(info);
            }
            self.found.bridge = info.map(|info| info.bridge);
        } else if self.topics.user_of(&message.topic, BridgeField::Info.level()).is_some() {
            self.found.neighbours = true;
        } else if let Some(user) = self.topics.user_of(&message.topic, Field::Health.level()) {
            if is_lone_health(&message.payload) && self.by_name.get(&user, &self.people).is_none() {
                self.found.healths.insert(user);
            }
        } else if message.topic == self.topics.of_bridge(BridgeField::SignIn) {
            // A code that an earlier run did not live to take back.
            if self.invitation.code().is_none() {
                self.outbox.own(message.topic.clone(), String::new());
            }
        } else if message.topic == self.topics.of_bridge(BridgeField::State) {
            self.found.online = message.payload == ONLINE.as_bytes();
        } else if let Some(user) = self.topics.user_of(&message.topic, Field::State.level()) {
            let place = self.by_name.get(&user, &self.people);
            if place.is_none() {
                self.found.states.insert(user.clone());
            }
            let Ok(remembered) = serde_json::from_slice::<RememberedState>(&message.payload) else { return };
            if !self.is_own(&remembered.bridge) {
                return;
            }
            match place {
                Some(place) => {
                    self.people[place].remember(knowledge::Remembered::of(&remembered), now);
                    self.queue(place);
                }
                None if self.groups.are_undecided() => {
                    if self.link.is_up() {
                        self.outbox.doubt(self.topics.of_user(&user, Field::Health));
                    }
                    self.groups.left.state(user, knowledge::Remembered::of(&remembered));
                }
                None => {
                    self.remove_user(&user);
                    self.report(Report::Removed(user));
                }
            }
        }
    }

    pub(super) fn disconnected(&mut self, failure: &LinkFailure, now: Tick) {
        if let Phase::Stopping { ending, .. } = &self.link.phase {
            self.commands.push(Effect::Finish(ending.clone()));
            return;
        }
        self.outbox.disconnected(&mut self.people);
        let report = self.link.lost(failure, now, &mut self.random);
        self.commands.extend(report.map(Effect::Report));
    }

    /// Says `offline` where somebody could hear it, and goes.
    pub(super) fn stop(&mut self, ending: Ending, now: Tick) {
        if self.link.is_stopping() {
            return;
        }
        let published = self.link.is_up();
        let connected = published || matches!(self.link.phase, Phase::ReadingBack { .. });
        self.end(ending, published, connected, now);
    }

    /// Goes; says `offline` first if this bridge ever said anything.
    fn end(&mut self, ending: Ending, published: bool, connected: bool, now: Tick) {
        self.outbox.drop_waiting(&mut self.people);
        self.link.stop(ending.clone(), !connected, now);
        if published {
            let mut last = self.lights_out();
            last.push(own(self.topics.of_bridge(BridgeField::State), OFFLINE.to_owned()));
            if self.settings.announce_sign_in && self.invitation.code().is_some() {
                last.insert(0, own(self.topics.of_bridge(BridgeField::SignIn), String::new()));
            }
            self.outbox.sent_around(last.len());
            self.commands.push(Effect::Broker(BrokerOrder::Publish(last)));
        } else if !connected {
            self.commands.push(Effect::Finish(ending));
        }
    }

    /// Does what the connection's own time asks for.
    pub(super) fn tend_link(&mut self, now: Tick) {
        self.link.prove(now);
        if matches!(self.link.phase, Phase::Down(at) | Phase::Closing(at) if at <= now) {
            self.link.phase = Phase::Connecting;
            self.commands.push(Effect::Broker(BrokerOrder::Connect(self.link.protocol())));
        }
        if self.link.finish_reading_back(now) {
            match self.found.bridge.take().filter(|other| !self.is_own(other)) {
                Some(other) if self.found.online => self.refuse_to_share(&other, now),
                Some(_) | None => {
                    let announcements = std::mem::take(&mut self.found.announcements);
                    self.judge_announcements(announcements);
                    let lights = std::mem::take(&mut self.found.lights);
                    self.remove_lights(lights);
                    self.remove_lone_healths();
                    self.send_everything(now);
                }
            }
        }
        if self.link.looks_again(now) {
            self.commands.push(Effect::Broker(BrokerOrder::Disconnect));
        }
        if self.link.stop_listening(now) {
            let filters = self
                .left_by_earlier_runs()
                .into_iter()
                .chain(self.announcements.earlier_prefix.take())
                .collect();
            self.commands.push(Effect::Broker(BrokerOrder::Unsubscribe(filters)));
        }
        if let Phase::Stopping { deadline, ending, closing } = &mut self.link.phase {
            if now >= *deadline {
                self.commands.push(Effect::Finish(ending.clone()));
            } else if !*closing && self.outbox.all_arrived() {
                *closing = true;
                self.commands.push(Effect::Broker(BrokerOrder::Disconnect));
            }
        }
    }

    /// Sends everything again if its time has come, be it that it would vanish or that somebody has started.
    pub(super) fn resend(&mut self, now: Tick) {
        let mut times = self.resend_at.into_iter().chain(self.announcements.birth_at);
        if self.link.is_up() && times.any(|at| at <= now) {
            self.send_everything(now);
        }
    }

    pub(super) fn send_everything(&mut self, now: Tick) {
        let first = self.link.first_sending();
        self.send_all(first, now);
    }

    /// Sends everything, perhaps for the first time in this run.
    pub(super) fn send_all(&mut self, first: bool, now: Tick) {
        self.resend_at = self.resend_every().map(|every| now + every);
        self.announcements.birth_at = None;
        let refused = std::mem::take(&mut self.refused_topics);
        if refused.is_empty() {
            self.refused_backoff.reset();
        }
        self.lights.were_refused(&refused);
        self.outbox.send_everything(&mut self.people, first);
        for health in self.groups.left.doubted(&self.topics) {
            self.outbox.doubt(health);
        }
        self.say_all(now);
    }

    /// Empties the topics of somebody who is not followed any more, or not under this name.
    pub(super) fn remove_user(&mut self, user: &TopicLevel) {
        for field in Field::LEAVING {
            self.outbox.remove(self.topics.of_user(user, field));
        }
    }

    /// Listens to commands from now on, or not any more.
    pub(super) fn listen_to_commands(&mut self, listen: bool) {
        let filters = self.command_filters();
        if listen {
            self.also_hear(filters);
        } else {
            self.stop_hearing(filters);
        }
    }

    /// Subscribes to more on the connection there is, if there is one.
    pub(super) fn also_hear(&mut self, filters: Vec<String>) {
        if self.link.is_open() && !filters.is_empty() {
            self.link.also_subscribes();
            self.commands.push(Effect::Broker(BrokerOrder::Subscribe(surely(filters))));
        }
    }

    /// Takes subscriptions back, and what was said of them.
    pub(super) fn stop_hearing(&mut self, filters: Vec<String>) {
        for filter in &filters {
            self.refused_filters.remove(filter);
        }
        if self.link.is_open() && !filters.is_empty() {
            self.commands.push(Effect::Broker(BrokerOrder::Unsubscribe(filters)));
        }
    }

    fn command_filters(&self) -> Vec<String> {
        vec![self.topics.every(SET), self.topics.every(SET_STATUS_MESSAGE)]
    }

    /// Where retained messages of earlier runs may be.
    fn left_by_earlier_runs(&self) -> Vec<String> {
        let levels = [Field::State.level(), Field::Health.level(), BridgeField::Info.level()];
        let mut filters = levels.map(|level| self.topics.every(level)).to_vec();
        filters.push(self.topics.of_bridge(BridgeField::SignIn));
        filters.push(self.topics.every_light());
        filters.extend(self.every_announcement());
        filters
    }

    /// Of somebody who was never read nothing but their health was published, and a health does not say whose it is. So
    /// it is removed only where no other bridge has ever been.
    fn remove_lone_healths(&mut self) {
        let Found { healths, states, neighbours, .. } = std::mem::take(&mut self.found);
        if !neighbours {
            for user in
                healths.difference(&states).filter(|user| self.by_name.get(user, &self.people).is_none())
            {
                self.groups.left.health(user.clone());
            }
            self.decide_left_behind();
        }
    }

    /// Whether a bridge id is this bridge's, or was before a reload.
    pub(super) fn is_own(&self, bridge: &str) -> bool {
        let predecessor = self.settings.predecessor.as_ref();
        bridge == self.settings.client_id.as_str() || predecessor.is_some_and(|id| bridge == id.as_str())
    }

    /// Reads everybody and sends everything again, at most once per interval.
    fn refresh(&mut self, now: Tick) {
        let interval = self.settings.poll_interval;
        // This asks nobody for anything, so it may be as often as somebody wants.
        self.lights.tell_again();
        if self.last_refresh.is_some_and(|last| now < last + interval) || !self.link.is_up() {
            return;
        }
        self.last_refresh = Some(now);
        // A large group costs as much as all its members; it is read out of turn only to see whether it can be.
        let groups = &self.groups;
        self.schedule.now_if(now, |target| groups.is_to_be_tried(target));
        self.send_everything(now);
    }

    /// Two bridges may share a base topic, but not the bridge's own level of it.
    fn refuse_to_share(&mut self, other: &str, now: Tick) {
        let sentence = format!(
            "another bridge, {other:?}, is online at {}; give this one its own mqtt.bridge_name (it has its own \
             mqtt.client_id already), or stop the other",
            self.topics.of_bridge(BridgeField::State),
        );
        self.end(Ending::Conflict(sentence), false, true, now);
    }
}

/// Subscriptions to what must not be missed.
fn surely(filters: Vec<String>) -> Vec<Subscription> {
    filters.into_iter().map(|filter| Subscription { filter, qos: Qos::AtLeastOnce }).collect()
}
