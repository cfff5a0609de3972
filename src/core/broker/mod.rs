//! The broker's side: the connection, what an earlier run left there, what is subscribed to, and what is sent.
//!
//! `link` says when there is a connection, with `version_probe` and `duplicate_client` for two manners of brokers;
//! `read_back` is what earlier runs left, `refusals` what the broker does not take, `outbox` what is sent and in which order,
//! and `suspects` at which message the broker hangs up.

mod duplicate_client;
mod link;
pub(super) mod outbox;
mod read_back;
mod refusals;
mod suspects;
mod version_probe;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use self::link::{Link, Phase};
use self::outbox::Outbox;
use self::read_back::Found;
use self::refusals::Refusals;
use super::context::Context;
use super::model::effect::{BrokerOrder, Effect, Ending, Message, Subscription};
use super::model::event::{Incoming, LinkFailure, RefusedFilter};
use super::model::foreign::Legible;
use super::model::mqtt::Protocol;
use super::model::name::TopicLevel;
use super::model::report::{DUPLICATE_CLIENT, Report};
use super::model::settings::Settings;
use super::model::snapshot::{BrokerSnapshot, BrokerState};
use super::model::time::Tick;
use super::model::topic::{BridgeField, ONLINE};

/// Filters in one SUBSCRIBE: more than eight end the connection at AWS IoT Core.
const FILTERS: usize = 8;

/// Our own `online` may be on its way back, behind the word of another hand.
const ECHO: Duration = Duration::from_millis(250);

/// A `state` that another hand has changed is said again at most so often.
const RESTATE: Duration = Duration::from_secs(1);

/// The connection to the broker, and what is known of what it holds.
#[derive(Debug)]
pub(super) struct Broker {
    link: Link,
    found: Found,
    /// What is read back, until late messages are not listened to any more.
    read_back: Vec<String>,
    refusals: Refusals,
    resend_at: Option<Tick>,
    last_refresh: Option<Tick>,
    /// Subscriptions that are not answered yet, in order.
    asked: VecDeque<Vec<Subscription>>,
    /// Another hand has changed this bridge's `state`; to be said again then.
    restate_at: Option<Tick>,
    last_restated: Option<Tick>,
}

/// What reading back has shown.
#[derive(Debug)]
pub(super) enum ReadBack {
    /// Another bridge is online on this bridge's topics. A sentence with the fix.
    Conflict(String),
    /// Presence may be published. These have a `health` and nothing else; of somebody who was never read nothing else was
    /// published, and a health does not say whose it is.
    Done(BTreeSet<TopicLevel>),
}

impl Broker {
    pub(super) fn new(settings: &Settings, now: Tick) -> Self {
        Self {
            link: Link::new(settings.mqtt.protocol, now),
            found: Found::default(),
            read_back: Vec::new(),
            refusals: Refusals::none(),
            resend_at: None,
            last_refresh: None,
            asked: VecDeque::new(),
            restate_at: None,
            last_restated: None,
        }
    }

    /// Whether the bridge is on its way out.
    pub(super) fn is_stopping(&self) -> bool {
        self.link.is_stopping()
    }

    /// After how long the broker forgets what it holds: only with MQTT 5 it can.
    pub(super) fn message_expiry(&self, settings: &Settings) -> Option<Duration> {
        settings.mqtt.message_expiry.filter(|_| self.link.protocol() == Protocol::V5)
    }

    /// The version of MQTT in which the broker is spoken to.
    pub(super) fn protocol(&self) -> Protocol {
        self.link.protocol()
    }

    /// The broker let this client in. Subscribes to `filters`, and for the first time to what earlier runs left, with
    /// `announcements` to Home Assistant. `false` if the connection was only a trial.
    pub(super) fn connected(
        &mut self,
        announcements: Option<String>,
        filters: Vec<String>,
        outbox: &mut Outbox,
        cx: &mut Context,
    ) -> bool {
        if self.link.is_stopping() {
            return false;
        }
        if self.link.was_trial(cx.now) {
            cx.ask_broker(BrokerOrder::Disconnect);
            return false;
        }
        // What was sent on a connection that was given up is not answered any more.
        outbox.close();
        let mut subscriptions = Vec::new();
        if self.link.must_read_back() {
            self.read_back = read_back::filters(announcements, cx);
            subscriptions = read_back::at_most_once(self.read_back.clone());
        }
        let many = subscriptions.len().div_ceil(FILTERS) + filters.len().div_ceil(FILTERS);
        self.refusals.connected();
        self.asked.clear();
        self.restate_at = None;
        self.found = Found::default();
        cx.report(Report::BrokerConnected);
        self.link.connected(many, cx.now);
        self.ask(subscriptions, cx);
        self.ask(read_back::at_least_once(filters), cx);
        if self.link.is_up() {
            outbox.open();
        }
        true
    }

    /// Subscribes, a few filters at a time: some brokers close the connection at more.
    fn ask(&mut self, subscriptions: Vec<Subscription>, cx: &mut Context) {
        for some in subscriptions.chunks(FILTERS) {
            self.asked.push_back(some.to_vec());
            cx.ask_broker(BrokerOrder::Subscribe(some.to_vec()));
        }
    }

    /// The answer to the last subscription comes after what was retained for the first.
    pub(super) fn subscribed(&mut self, refused: Vec<RefusedFilter>, cx: &mut Context) {
        self.link.heard(true, cx.now);
        self.refusals.answered(self.asked.pop_front().unwrap_or_default(), refused, cx);
    }

    /// Somebody, or the will of an older connection, has changed this bridge's `state`. It is said again, not too often.
    pub(super) fn heard_own_state(&mut self, message: &Incoming, outbox: &Outbox, cx: &Context) {
        // What was retained is what there was before `online` arrived; an older connection's will comes live.
        let is_old = message.retained && outbox.announced_at().is_none();
        if message.payload == ONLINE.as_bytes() {
            self.restate_at = None;
        } else if self.link.is_up() && !is_old && self.restate_at.is_none() {
            let earliest = self.last_restated.map_or(cx.now, |last| last + RESTATE);
            self.restate_at = Some(earliest.max(cx.now + ECHO));
        }
    }

    /// The broker does not take a message; the others go on.
    pub(super) fn publish_refused(&mut self, topic: String, why: Legible, cx: &mut Context) {
        if let Some(again) = self.refusals.message(topic, why, cx) {
            self.resend_at = Some(self.resend_at.map_or(again, |at| at.min(again)));
        }
    }

    /// A message cannot be taken, and the others go on.
    pub(super) fn message_skipped(&mut self, topic: String, bytes: usize, cx: &mut Context) {
        self.link.heard(false, cx.now);
        self.refusals.skipped(topic, bytes, cx);
    }

    /// A retained message came.
    pub(super) fn heard_retained(&mut self, now: Tick) {
        self.link.heard(false, now);
    }

    /// This bridge's own `info` says whose topics these are.
    pub(super) fn found_bridge(&mut self, bridge: Option<String>) {
        self.found.bridge = bridge;
    }

    /// This bridge's own `state` says whether somebody is there.
    pub(super) fn found_state(&mut self, online: bool) {
        self.found.online = online;
    }

    /// Another bridge is, or was, on this base topic.
    pub(super) fn found_neighbour(&mut self) {
        self.found.neighbours = true;
    }

    /// Somebody unknown has a `state`.
    pub(super) fn found_person_state(&mut self, user: TopicLevel) {
        self.found.states.insert(user);
    }

    /// Somebody unknown has a `health`.
    pub(super) fn found_person_health(&mut self, user: TopicLevel) {
        self.found.healths.insert(user);
    }

    /// There is no connection.
    pub(super) fn disconnected(&mut self, failure: &LinkFailure, outbox: &mut Outbox, cx: &mut Context) {
        if let Phase::Stopping { ending, .. } = &self.link.phase {
            cx.push(Effect::Finish(ending.clone()));
            return;
        }
        // A broker that is away, or cut off, has nothing against a message.
        let hangs_up = matches!(failure, LinkFailure::Closed | LinkFailure::Refused(_)) && self.link.is_up();
        let is_found = hangs_up && outbox.hung_up(cx);
        outbox.close();
        let report = self.link.lost(failure, is_found, cx.now, &mut cx.random);
        cx.report(report);
    }

    /// Time went on by `slept`. The broker gives a silent client up after one and a half times the keep-alive (MQTT 3.1.1
    /// section 3.1.2.10), and reading back goes by how long it is silent, which nobody knows now.
    pub(super) fn slept(&mut self, slept: Duration, outbox: &mut Outbox, cx: &Context) {
        let given_up = slept >= cx.settings.mqtt.keep_alive.mul_f32(1.5) && !self.link.is_stopping();
        if given_up || self.link.is_reading_back() {
            outbox.close();
            self.link.give_up(cx.now);
        }
    }

    /// Publishes `last` where presence was published, and goes.
    pub(super) fn stop(&mut self, ending: Ending, last: Vec<Message>, outbox: &mut Outbox, cx: &mut Context) {
        let is_connected = self.link.is_open();
        self.link.stop(ending.clone(), !is_connected, cx.now);
        outbox.close_with(last, cx);
        if !is_connected {
            cx.push(Effect::Finish(ending));
        }
    }

    /// Opens the connection when its time has come. Returns what reading back has shown when that is over.
    pub(super) fn tend(&mut self, outbox: &mut Outbox, cx: &mut Context) -> Option<ReadBack> {
        self.link.prove(cx.now);
        if self.link.connects(cx.now) {
            cx.ask_broker(BrokerOrder::Connect(self.link.protocol()));
        }
        if !self.link.finish_reading_back(cx.now) {
            return None;
        }
        let Found { bridge, online, neighbours, states, healths } = std::mem::take(&mut self.found);
        if let Some(other) = bridge.filter(|other| online && !cx.is_own(other)) {
            return Some(ReadBack::Conflict(format!(
                "another bridge, {other:?}, is online at {}; give this one its own mqtt.bridge_name (it has its own \
                 mqtt.client_id already), or stop the other",
                cx.topics.of_bridge(BridgeField::State),
            )));
        }
        outbox.open();
        // Where no other bridge has ever been they are this one's.
        Some(ReadBack::Done(if neighbours { BTreeSet::new() } else { &healths - &states }))
    }

    /// Does what the connection's own time asks for beside that.
    pub(super) fn tend_later(&mut self, outbox: &mut Outbox, cx: &mut Context) {
        if self.link.looks_again(cx.now) {
            outbox.close();
            cx.ask_broker(BrokerOrder::Disconnect);
        }
        if self.restates_at(outbox).is_some_and(|at| at <= cx.now) {
            self.restate_at = None;
            self.last_restated = Some(cx.now);
            outbox.own(cx.topics.of_bridge(BridgeField::State), ONLINE.to_owned());
        }
        if self.link.is_up() {
            let again = self.refusals.due_again(cx);
            self.ask(again, cx);
        }
        if self.link.stop_listening(cx.now) {
            self.read_back.iter().for_each(|filter| self.refusals.forget_filter(filter));
            cx.ask_broker(BrokerOrder::Unsubscribe(std::mem::take(&mut self.read_back)));
        }
        if let Phase::Stopping { deadline, ending, closing } = &mut self.link.phase {
            if cx.now >= *deadline {
                cx.push(Effect::Finish(ending.clone()));
            } else if !*closing && outbox.in_flight() == 0 {
                *closing = true;
                cx.ask_broker(BrokerOrder::Disconnect);
            }
        }
    }

    /// When `online` is said again: not before it was said.
    fn restates_at(&self, outbox: &Outbox) -> Option<Tick> {
        let announced = outbox.announced_at().filter(|_| self.link.is_up())?;
        Some(self.restate_at?.max(announced + ECHO))
    }

    /// When time alone changes something.
    pub(super) fn wake_at(&self, outbox: &Outbox) -> Option<Tick> {
        let resend_at = self.resend_at.filter(|_| outbox.is_open());
        let of_link = self.refusals.ask_at().filter(|_| self.link.is_up());
        let of_link = of_link.into_iter().chain(self.restates_at(outbox));
        self.link.wake_at().into_iter().chain(resend_at).chain(of_link).chain(outbox.retry_at()).min()
    }

    /// Whether everything is to be sent again, since it would vanish or was refused.
    pub(super) fn is_resend_due(&self, now: Tick) -> bool {
        self.resend_at.is_some_and(|at| at <= now)
    }

    /// Everything is sent again. Returns whether that is the first time in this run, and the topics that were refused since the
    /// last time.
    pub(super) fn resends(&mut self, cx: &Context) -> (bool, BTreeMap<String, Legible>) {
        self.resend_at = self.resend_every(&cx.settings).map(|every| cx.now + every);
        (self.link.first_sending(), self.refusals.take_topics())
    }

    /// How often everything is sent again though nothing changed.
    fn resend_every(&self, settings: &Settings) -> Option<Duration> {
        let renewal = self.message_expiry(settings).map(|expiry| expiry / 2);
        renewal.into_iter().chain(settings.mqtt.refresh_interval).min()
    }

    /// Somebody wants everything anew: `true` at most once per interval, and while there is a connection.
    pub(super) fn may_refresh(&mut self, outbox: &Outbox, cx: &Context) -> bool {
        let interval = cx.settings.shortest_interval();
        let may = outbox.is_open() && self.last_refresh.is_none_or(|last| cx.now >= last + interval);
        if may {
            self.last_refresh = Some(cx.now);
        }
        may
    }

    /// `online` was sent.
    pub(super) fn online(&mut self, cx: &mut Context) {
        let report = self.link.online();
        cx.report(report);
    }

    /// Subscribes to more on the connection there is, if there is one.
    pub(super) fn subscribe(&mut self, filters: Vec<String>, cx: &mut Context) {
        if self.link.is_open() && !filters.is_empty() {
            for _ in filters.chunks(FILTERS) {
                self.link.also_subscribes();
            }
            self.ask(read_back::at_least_once(filters), cx);
        }
    }

    /// Reads back more of what an earlier run left, as long as anything is.
    pub(super) fn also_read_back(&mut self, filter: String, cx: &mut Context) {
        if self.link.also_subscribes() {
            self.read_back.push(filter.clone());
            self.ask(read_back::at_most_once(vec![filter]), cx);
        }
    }

    /// Takes subscriptions back, and what was said of them.
    pub(super) fn unsubscribe(&mut self, filters: Vec<String>, cx: &mut Context) {
        filters.iter().for_each(|filter| self.refusals.forget_filter(filter));
        if self.link.is_open() && !filters.is_empty() {
            cx.ask_broker(BrokerOrder::Unsubscribe(filters));
        }
    }

    /// What the broker refuses, on `<bridge>/health`.
    pub(super) fn refusal_notices(&self) -> impl Iterator<Item = String> {
        self.refusals.notices()
    }

    /// What is said of the connection on `<bridge>/health`.
    pub(super) fn notices(&self, settings: &Settings) -> impl Iterator<Item = String> {
        let duplicate = self.link.has_duplicate().then(|| DUPLICATE_CLIENT.to_owned());
        let version = (self.link.protocol() != settings.mqtt.protocol).then(|| {
            format!(
                "the broker does not speak MQTT {}, so {} is used and nothing expires; set mqtt.protocol to it",
                settings.mqtt.protocol.as_str(),
                self.link.protocol().as_str()
            )
        });
        duplicate.into_iter().chain(version)
    }

    /// The way to the broker.
    pub(super) fn snapshot(&self, outbox: &Outbox) -> BrokerSnapshot {
        BrokerSnapshot {
            state: match self.link.phase {
                Phase::Up { .. } => BrokerState::Connected,
                Phase::ReadingBack { .. } => BrokerState::ReadingBack,
                Phase::Down(_) | Phase::Connecting | Phase::Closing(_) => BrokerState::Connecting,
                Phase::Stopping { .. } => BrokerState::Stopping,
            },
            trouble: self.link.trouble().map(str::to_owned),
            protocol: self.link.protocol(),
            queue: outbox.waiting(),
            in_flight: outbox.in_flight(),
        }
    }
}
