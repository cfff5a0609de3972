//! The broker's side: the connection, what an earlier run left there, what is subscribed to, and what is
//! sent.
//!
//! `from_broker` is what the broker sends, `subscriptions` what it is asked for, `notices` what the bridge
//! says about the connection. `link` says when there is a connection, with `version_probe` and
//! `duplicate_client` for two manners of brokers; `claim` who may have it, by an `inquiry`, or by `standby`
//! where several instances take turns; `read_back` and, where the broker does not answer wildcards,
//! `by_name` ask for what earlier runs left, `found` is what that was, `own_state` what others make of this
//! bridge's `online`, `refusals` what the broker does not take, `outbox` what is sent and in which order,
//! with `pace` and `in_flight` how fast, and `suspects` at which message the broker hangs up.

mod by_name;
mod claim;
mod duplicate_client;
mod found;
mod from_broker;
pub(in crate::core) mod in_flight;
mod inquiry;
mod link;
mod notices;
pub(super) mod outbox;
mod own_state;
mod pace;
mod read_back;
mod refusals;
mod standby;
mod subscriptions;
mod suspects;
mod version_probe;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use self::by_name::FILTERS;
use self::claim::Claim;
use self::link::{Link, Phase};
use self::outbox::Outbox;
use self::own_state::OwnState;
use self::read_back::ReadingBack;
use self::refusals::Refusals;
use super::context::Context;
use super::model::effect::{BrokerOrder, ConnectAs, Effect, Ending, Message, Subscription};
use super::model::event::LinkFailure;
use super::model::foreign::Legible;
use super::model::mqtt::{Protocol, Qos};
use super::model::name::TopicLevel;
use super::model::place::Place;
use super::model::report::Report;
use super::model::settings::Settings;
use super::model::time::Tick;
use super::model::topic::{BridgeField, OFFLINE, ONLINE};
use super::people::Roster;
use super::people::person::Person;

/// The connection to the broker, and what is known of what it holds.
#[derive(Debug)]
pub(super) struct Broker {
    link: Link,
    claim: Claim,
    outbox: Outbox,
    read_back: ReadingBack,
    refusals: Refusals,
    resend_at: Option<Tick>,
    last_refresh: Option<Tick>,
    /// Subscriptions that are not answered yet, in order.
    asked: VecDeque<Vec<Subscription>>,
    own_state: OwnState,
}

/// What reading back has shown.
#[derive(Debug)]
pub(super) enum ReadBack {
    /// Another bridge lives in this bridge's place. A sentence with the fix.
    Conflict(String),
    /// Presence may be published. These have a `health` and nothing else; of somebody who was never read
    /// nothing else was published, and a health does not say whose it is.
    Done { lone_healths: BTreeSet<TopicLevel> },
}

impl Broker {
    /// A bridge that has not connected yet; `random` is its own alone.
    pub(super) fn new(settings: &Settings, random: u64, now: Tick) -> Self {
        Self {
            link: Link::new(settings.mqtt.protocol, now),
            claim: Claim::new(&settings.mqtt, random),
            outbox: Outbox::default(),
            read_back: ReadingBack::default(),
            refusals: Refusals::none(),
            resend_at: None,
            last_refresh: None,
            asked: VecDeque::new(),
            own_state: OwnState::default(),
        }
    }

    /// What is to be sent.
    pub(super) fn outbox(&mut self) -> &mut Outbox {
        &mut self.outbox
    }

    /// Whether presence may be published.
    pub(super) fn is_open(&self) -> bool {
        self.outbox.is_open()
    }

    /// Whether the bridge is on its way out.
    pub(super) fn is_stopping(&self) -> bool {
        self.link.is_stopping()
    }

    /// Whether this instance does the bridge's work: it is the only one, or the others wait.
    pub(super) fn is_active(&self) -> bool {
        !self.link.is_stopping() && !self.claim.is_waiting()
    }

    /// Whether this instance was active and has to step back: it was cut off from the broker, or stood still,
    /// for so long that another one may have taken over.
    pub(super) fn steps_back(&mut self, cx: &mut Context) -> bool {
        let is_cut_off =
            self.link.is_up() && self.claim.standby().is_some_and(|standby| standby.is_cut_off(cx.now));
        if is_cut_off {
            self.link.give_up(cx.now);
            self.release(cx);
        }
        is_cut_off
    }

    /// The connection that counted is over. `true` if this instance was active by it and is not any more.
    fn release(&mut self, cx: &mut Context) -> bool {
        let Some(was_active) = self.claim.release() else { return false };
        self.link.begin_anew();
        if was_active {
            self.outbox.close();
            cx.report(Report::StepsBack);
        }
        was_active
    }

    /// For tests of what follows.
    #[cfg(test)]
    pub(super) fn claim(&mut self) {
        self.claim.found_free();
    }

    /// The broker let this client in. Subscribes to what others say, also to `lights`, and for the first time
    /// to what earlier runs left, with `announcements` to Home Assistant; `named` is where they left it, as
    /// far as that is known. Returns whether this instance waited until now; nothing if the connection does
    /// not count.
    pub(super) fn connected(
        &mut self,
        announcements: Option<String>,
        named: Vec<String>,
        lights: BTreeSet<String>,
        cx: &mut Context,
    ) -> Option<bool> {
        if self.link.is_stopping() {
            return None;
        }
        if self.link.was_trial(cx.now) {
            cx.ask_broker(BrokerOrder::Disconnect);
            return None;
        }
        if self.claim.connect_as() == ConnectAs::Visitor {
            self.link.visit();
            self.claim.visit(cx);
            return None;
        }
        let was_waiting = self.claim.is_waiting();
        self.claim.take(cx);
        // What was sent on a connection that was given up is not answered any more.
        self.outbox.close();
        let mut subscriptions = Vec::new();
        if self.link.must_read_back() {
            let mut filters = read_back::filters(announcements, cx);
            filters.extend(self.claim.may_ask().then(|| cx.topics.pong()));
            subscriptions = read_back::at_most_once(filters.clone());
            self.read_back.filters.extend(filters);
        }
        let filters: Vec<String> = read_back::lasting(cx).into_iter().chain(lights).collect();
        let many = subscriptions.len().div_ceil(FILTERS) + filters.len().div_ceil(FILTERS);
        self.refusals.connected();
        self.asked.clear();
        self.own_state.connected();
        self.read_back.connected(named);
        cx.report(Report::BrokerConnected);
        self.link.connected(many, cx.now);
        self.ask(subscriptions, cx);
        self.ask(read_back::at_least_once(filters), cx);
        if self.link.is_up() {
            self.outbox.open();
        }
        Some(was_waiting)
    }

    /// There is no connection. `true` if this instance was active, and another one is to be.
    pub(super) fn disconnected(&mut self, failure: &LinkFailure, cx: &mut Context) -> bool {
        if let Phase::Stopping { ending, .. } = &self.link.phase {
            cx.push(Effect::Finish(ending.clone()));
            return false;
        }
        let is_own_doing = matches!(self.link.phase, Phase::Closing(_));
        if !is_own_doing && self.claim.lost(failure, self.link.is_visiting(), cx) {
            self.link.give_up(cx.now);
            return false;
        }
        // A broker that is away, or cut off, has nothing against a message.
        let hangs_up = matches!(failure, LinkFailure::Closed | LinkFailure::Refused(_)) && self.link.is_up();
        let is_found = hangs_up && self.outbox.hung_up(cx);
        self.outbox.close();
        let was_visit = self.link.is_visiting();
        // Of several instances another one may have taken over, which is no fight.
        let is_explained = is_found || self.claim.standby().is_some() && !was_visit;
        let report = self.link.lost(failure, is_explained, cx.now, &mut cx.random);
        cx.report(report);
        !is_own_doing && self.release(cx)
    }

    /// Time went on by `slept`. The broker gives a silent client up after one and a half times the keep-alive
    /// (MQTT 3.1.1 section 3.1.2.10), and reading back goes by how long it is silent, which nobody knows now.
    /// `true` if this instance was active, and another one is to be.
    pub(super) fn slept(&mut self, slept: Duration, cx: &mut Context) -> bool {
        let given_up = slept >= cx.settings.mqtt.keep_alive.mul_f32(1.5) && !self.link.is_stopping();
        if given_up || self.link.is_reading_back() || self.link.is_visiting() {
            self.outbox.close();
            self.claim.give_up();
            self.link.give_up(cx.now);
            return self.release(cx);
        }
        false
    }

    /// Publishes `last`, and `offline` where presence was published, and goes.
    pub(super) fn stop(&mut self, ending: Ending, mut last: Vec<Message>, cx: &mut Context) {
        if self.link.is_stopping() {
            return;
        }
        let offline = || {
            Message::retained(cx.topics.of_bridge(BridgeField::State), OFFLINE.to_owned(), Qos::AtLeastOnce)
        };
        last.extend(self.outbox.is_open().then(offline));
        let waits = self.link.is_visiting() && self.claim.is_waiting();
        let is_connected = self.link.is_open() || waits;
        // Who never said that it is online says no goodbye either.
        let goodbye = self.claim.standby().filter(|_| waits || self.outbox.is_open());
        last.extend(goodbye.and_then(|standby| standby.goodbye(cx)));
        self.link.stop(ending.clone(), !is_connected, cx.now);
        self.outbox.close_with(last, cx);
        if !is_connected {
            cx.push(Effect::Finish(ending));
        }
    }

    /// Opens the connection when its time has come. Returns what reading back has shown when that is over. So
    /// many `announcements` to Home Assistant were read back, and `announced` says where somebody is
    /// announced.
    pub(super) fn tend(
        &mut self,
        announcements: usize,
        people: &Roster,
        announced: impl Fn(&Person, &Context) -> Option<String>,
        cx: &mut Context,
    ) -> Option<ReadBack> {
        if self.link.is_stopping() {
            return None;
        }
        self.link.prove(cx.now);
        if self.link.connects(cx.now) {
            cx.ask_broker(BrokerOrder::Connect(self.claim.connect_as(), self.link.protocol()));
        }
        if let Some(why) = self.claim.tend(cx) {
            return Some(ReadBack::Conflict(why));
        }
        if self.link.is_visiting() && self.claim.ends_visit(cx) {
            self.link.close(cx.now);
            cx.ask_broker(BrokerOrder::Disconnect);
        }
        if self.link.is_reading_back()
            && self.read_back.found.is_complete(announcements, people, &cx.settings)
        {
            self.link.heard_all(cx.now);
        }
        let ReadingBack { found, by_name, .. } = &mut self.read_back;
        if self.link.has_read_back(cx.now) && by_name.begins(found, people, cx) {
            self.link.reads_on(by_name::AT_MOST, cx.now);
        }
        while self.link.is_reading_back()
            && let ReadingBack { found, by_name, .. } = &mut self.read_back
            && let Some(filters) = by_name.next(found, people, &announced, cx)
        {
            self.link.also_subscribes(cx.now);
            self.ask(read_back::at_most_once(filters), cx);
        }
        if !self.link.has_read_back(cx.now) || self.claim.is_asking() {
            return None;
        }
        // Where no visitor is let in it is asked now; only a bridge of another client id is left to answer.
        if self.read_back.meets_stranger(cx) && self.claim.ask(cx) {
            return None;
        }
        self.link.finish_reading_back(cx.now);
        if let Some(standby) = self.claim.standby_mut() {
            standby.publishes(cx.now);
        }
        self.outbox.open();
        Some(ReadBack::Done { lone_healths: self.read_back.end(cx) })
    }

    /// Does what the connection's own time asks for beside that. Returns whether everything is to be sent
    /// again, which may be asked for: it would vanish, or was refused.
    pub(super) fn tend_later(&mut self, is_asked_for: bool, cx: &mut Context) -> bool {
        if self.link.is_open()
            && let Some(said) = self.claim.standby_mut().and_then(|standby| standby.says(cx.now))
        {
            self.outbox.at_once(Message::handed_on(cx.topics.pong(), said), cx);
        }
        if self.link.looks_again(cx.now) {
            self.outbox.close();
            cx.ask_broker(BrokerOrder::Disconnect);
        }
        if self.link.is_up() && self.own_state.restates(self.outbox.announced_at(), cx.now) {
            self.outbox.own(cx.topics.of_bridge(BridgeField::State), ONLINE.to_owned());
        }
        if self.link.is_up() {
            let again = self.refusals.due_again(cx);
            self.ask(again, cx);
        }
        if self.link.stop_listening(cx.now) {
            let over = self.read_back.end_listening();
            self.unsubscribe(over, cx);
        }
        if let Phase::Stopping { deadline, ending, closing } = &mut self.link.phase {
            if cx.now >= *deadline {
                cx.push(Effect::Finish(ending.clone()));
            } else if !*closing && self.outbox.in_flight() == 0 {
                *closing = true;
                cx.ask_broker(BrokerOrder::Disconnect);
            }
        }
        let is_due = is_asked_for || self.resend_at.is_some_and(|at| at <= cx.now);
        self.outbox.begins_trial(cx) || self.outbox.is_open() && is_due
    }

    /// When time alone changes something.
    pub(super) fn wake_at(&self) -> Option<Tick> {
        let resend_at = self.resend_at.filter(|_| self.outbox.is_open());
        let of_link = self.refusals.ask_at().filter(|_| self.link.is_up());
        let restates_at = self.own_state.wake_at(self.outbox.announced_at()).filter(|_| self.link.is_up());
        let is_connected = self.link.is_open() || self.link.is_visiting();
        let of_claim = self.claim.wake_at(self.link.is_up()).filter(|_| is_connected);
        let of_link = of_link.into_iter().chain(restates_at).chain(of_claim);
        // While an answer is waited for, reading back is as well.
        let link_at = self.link.wake_at().filter(|_| !self.claim.is_asking());
        link_at.into_iter().chain(resend_at).chain(of_link).chain(self.outbox.wake_at()).min()
    }

    /// Everything is sent again. Returns the topics that were refused since the last time.
    pub(super) fn send_everything(&mut self, people: &Roster, cx: &Context) -> BTreeMap<String, Legible> {
        // Before it vanishes, and as often as is configured, though nothing changed.
        let renewal = self.message_expiry(&cx.settings).map(|expiry| expiry / 2);
        let every = renewal.into_iter().chain(cx.settings.mqtt.refresh_interval).min();
        self.resend_at = every.map(|every| cx.now + every);
        self.outbox.send_everything(people, self.link.first_sending());
        self.refusals.take_topics()
    }

    /// Sends what fits into the window. `announcement` makes what Home Assistant is told of somebody.
    pub(super) fn send(
        &mut self,
        people: &Roster,
        announcement: impl Fn(Place, &Person, &Context) -> Option<(String, String)>,
        cx: &mut Context,
    ) {
        let expires = self.message_expiry(&cx.settings);
        self.outbox.send(people, announcement, expires, cx);
    }

    /// After how long the broker forgets what it holds: only with MQTT 5 it can.
    fn message_expiry(&self, settings: &Settings) -> Option<Duration> {
        settings.mqtt.message_expiry.filter(|_| self.link.protocol() == Protocol::V5)
    }

    /// Somebody wants everything anew: `true` at most once per interval, and while there is a connection.
    pub(super) fn may_refresh(&mut self, cx: &Context) -> bool {
        let interval = cx.settings.shortest_interval();
        let may = self.outbox.is_open() && self.last_refresh.is_none_or(|last| cx.now >= last + interval);
        if may {
            self.last_refresh = Some(cx.now);
        }
        may
    }
}
