//! The broker's side: the connection, what an earlier run left there, what is subscribed to, and what is
//! sent.
//!
//! `link` says when there is a connection, with `version_probe` and `duplicate_client` for two manners of
//! brokers; `claim` who may have it, by an `inquiry`, or by `standby` where several instances take turns;
//! `read_back` and, where the broker does not answer wildcards, `by_name` ask for what earlier runs left,
//! `found` is what that was, `refusals` what the broker does not take, `outbox` what is sent and in which
//! order, with `pace` and `in_flight` how fast, and `suspects` at which message the broker hangs up.

mod by_name;
mod claim;
mod duplicate_client;
mod found;
pub(in crate::core) mod in_flight;
mod inquiry;
mod link;
pub(super) mod outbox;
mod pace;
mod read_back;
mod refusals;
mod standby;
mod suspects;
mod version_probe;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use self::by_name::ByName;
use self::claim::Claim;
use self::found::Found;
use self::link::{Link, Phase};
use self::outbox::Outbox;
use self::read_back::FILTERS;
use self::refusals::Refusals;
use super::context::Context;
use super::model::effect::{BrokerOrder, ConnectAs, Effect, Ending, Message, Subscription};
use super::model::event::{Incoming, LinkFailure, RefusedFilter};
use super::model::foreign::Legible;
use super::model::heard::Heard;
use super::model::mqtt::{Protocol, Qos};
use super::model::name::TopicLevel;
use super::model::payload::StandbyInfo;
use super::model::report::{DUPLICATE_CLIENT, Report, without_wildcards};
use super::model::settings::Settings;
use super::model::snapshot::{BrokerSnapshot, BrokerState, StandbySnapshot};
use super::model::time::Tick;
use super::model::topic::{BridgeField, OFFLINE, ONLINE};
use super::people::Roster;
use super::people::person::Person;

/// Our own `online` may be on its way back, behind the word of another hand.
const ECHO: Duration = Duration::from_millis(250);

/// A `state` that another hand has changed is said again at most so often.
const RESTATE: Duration = Duration::from_secs(1);

/// The connection to the broker, and what is known of what it holds.
#[derive(Debug)]
pub(super) struct Broker {
    link: Link,
    claim: Claim,
    found: Found,
    /// What is said of a retained `info` that is another bridge's, until this bridge's own has taken its
    /// place.
    stranger: Option<Legible>,
    by_name: ByName,
    /// What was asked for by exact topic came, and nothing that filters with wildcards cover.
    no_wildcards: bool,
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
    /// Another bridge lives in this bridge's place. A sentence with the fix.
    Conflict(String),
    /// Presence may be published. These have a `health` and nothing else; of somebody who was never read
    /// nothing else was published, and a health does not say whose it is.
    Done(BTreeSet<TopicLevel>),
}

impl Broker {
    /// A bridge that has not connected yet; `random` is its own alone.
    pub(super) fn new(settings: &Settings, random: u64, now: Tick) -> Self {
        Self {
            link: Link::new(settings.mqtt.protocol, now),
            claim: Claim::new(&settings.mqtt, random),
            found: Found::default(),
            stranger: None,
            by_name: ByName::default(),
            no_wildcards: false,
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

    /// Whether this instance does the bridge's work: it is the only one, or the others wait.
    pub(super) fn is_active(&self) -> bool {
        !self.link.is_stopping() && !self.claim.is_waiting()
    }

    /// Whether it is one of several that wait for their turn.
    pub(super) fn is_waiting(&self) -> bool {
        self.claim.is_waiting()
    }

    /// Whether this instance was active and has to step back: it was cut off from the broker, or stood still,
    /// for so long that another one may have taken over.
    pub(super) fn steps_back(&mut self, outbox: &mut Outbox, cx: &mut Context) -> bool {
        let is_cut_off =
            self.link.is_up() && self.claim.standby().is_some_and(|standby| standby.is_cut_off(cx.now));
        if is_cut_off {
            self.link.give_up(cx.now);
            self.release(outbox, cx);
        }
        is_cut_off
    }

    /// The connection that counted is over. `true` if this instance was active by it and is not any more.
    fn release(&mut self, outbox: &mut Outbox, cx: &mut Context) -> bool {
        let Some(was_active) = self.claim.release() else { return false };
        self.link.begin_anew();
        if was_active {
            outbox.close();
            cx.report(Report::StepsBack);
        }
        was_active
    }

    /// After how long the broker forgets what it holds: only with MQTT 5 it can.
    pub(super) fn message_expiry(&self, settings: &Settings) -> Option<Duration> {
        settings.mqtt.message_expiry.filter(|_| self.link.protocol() == Protocol::V5)
    }

    /// For tests of what follows.
    #[cfg(test)]
    pub(super) fn claim(&mut self) {
        self.claim.found_free();
    }

    /// The broker let this client in. Subscribes to what others say, also to `lights`, and for the first time
    /// to what earlier runs left, with `announcements` to Home Assistant; `named` is where they left it, as
    /// far as that is known. `false` if the connection was only a trial.
    pub(super) fn connected(
        &mut self,
        announcements: Option<String>,
        named: Vec<String>,
        lights: BTreeSet<String>,
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
        if self.claim.connect_as() == ConnectAs::Visitor {
            self.link.visit();
            self.claim.visit(cx);
            return false;
        }
        self.claim.take(cx);
        // What was sent on a connection that was given up is not answered any more.
        outbox.close();
        let mut subscriptions = Vec::new();
        if self.link.must_read_back() {
            self.read_back = read_back::filters(announcements, cx);
            self.read_back.extend(self.claim.may_ask().then(|| cx.topics.pong()));
            subscriptions = read_back::at_most_once(self.read_back.clone());
        }
        let filters: Vec<String> = read_back::lasting(cx).into_iter().chain(lights).collect();
        let many = subscriptions.len().div_ceil(FILTERS) + filters.len().div_ceil(FILTERS);
        self.refusals.connected();
        self.asked.clear();
        self.restate_at = None;
        self.found = Found::default();
        self.by_name = ByName::new(named);
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
        if self.link.is_visiting() {
            if self.claim.is_waiting() {
                self.link.waits();
            }
            return self.claim.subscribed(&refused, cx);
        }
        self.link.heard(true, cx.now);
        let asked = self.asked.pop_front().unwrap_or_default();
        let over = self.by_name.answered(&asked);
        self.refusals.answered(asked, refused, cx);
        self.unsubscribe(over.unwrap_or_default(), cx);
    }

    /// Somebody, or the will of an older connection, has changed this bridge's `state`. It is said again, not
    /// too often.
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

    /// Somebody asks whether this bridge lives.
    pub(super) fn pinged(&mut self, ping: &Incoming, outbox: &mut Outbox, cx: &mut Context) {
        if let Some(standby) = self.claim.standby_mut() {
            standby.pinged(cx.now);
        }
        let is_awaited = self.claim.standby().is_some();
        let is_holder = outbox.is_open() || is_awaited && self.link.is_reading_back();
        if is_holder && let Some(pong) = self.claim.pong(&ping.payload, cx) {
            // Where another instance would take over it must not wait for thousands of messages.
            match is_awaited {
                true => outbox.at_once(pong, cx),
                false => outbox.result(pong),
            }
        }
    }

    /// A bridge answers a ping, or says unasked that it lives.
    pub(super) fn heard_pong(&mut self, pong: &Incoming, now: Tick) {
        self.claim.heard_pong(pong, now);
    }

    /// The word of another instance. `true` if others wait now than before.
    pub(super) fn heard_instance(&mut self, instance: &TopicLevel, payload: &[u8], now: Tick) -> bool {
        self.claim.heard_instance(instance, payload, now)
    }

    /// What `<bridge>/info` says of the connection: the version of MQTT, and who waits, where several
    /// instances take turns.
    pub(super) fn info<'a>(&'a self, settings: &'a Settings) -> (Protocol, Option<StandbyInfo<'a>>) {
        let standby = self.claim.standby().map(|standby| StandbyInfo {
            active: &settings.mqtt.instance,
            waiting: standby.others().collect(),
        });
        (self.link.protocol(), standby)
    }

    /// Whether the connection is a visitor's, to whom nothing matters but whether the bridge's place is free.
    pub(super) fn is_visiting(&self) -> bool {
        self.link.is_visiting()
    }

    /// The visitor hears what is said of the place.
    pub(super) fn visitor_heard(&mut self, heard: &Heard, message: &Incoming, now: Tick) {
        self.claim.heard(heard, message, now);
    }

    /// The broker does not take a message; the others go on.
    pub(super) fn publish_refused(&mut self, topic: String, why: Legible, cx: &mut Context) {
        if self.link.is_visiting() {
            let why = format!("the broker refuses messages to {topic}: {why}");
            return self.claim.refused(&why, cx);
        }
        if let Some(again) = self.refusals.message(topic, why, cx) {
            self.resend_at = Some(self.resend_at.map_or(again, |at| at.min(again)));
        }
    }

    /// A message cannot be taken, and the others go on.
    pub(super) fn message_skipped(&mut self, topic: String, bytes: usize, cx: &mut Context) {
        if self.link.is_visiting() {
            // It will be met again.
            return;
        }
        self.link.heard(false, cx.now);
        self.refusals.skipped(topic, bytes, cx);
    }

    /// A retained message came.
    pub(super) fn heard_retained(&mut self, now: Tick) {
        self.link.heard(false, now);
    }

    /// Something is retained on a topic of this bridge's or of another one's.
    pub(super) fn found(&mut self, heard: &Heard, payload: &[u8], people: &Roster) {
        let place = if let Heard::Person(user, _) = heard { people.by_name(user) } else { None };
        self.found.take(heard, payload, place, self.by_name.has_begun());
        // It may only have come late.
        self.no_wildcards &= self.found.by_wildcard == 0;
    }

    /// There is no connection. `true` if this instance was active, and another one is to be.
    pub(super) fn disconnected(
        &mut self,
        failure: &LinkFailure,
        outbox: &mut Outbox,
        cx: &mut Context,
    ) -> bool {
        if let Phase::Stopping { ending, .. } = &self.link.phase {
            cx.push(Effect::Finish(ending.clone()));
            return false;
        }
        let is_own_doing = self.link.is_closing();
        if !is_own_doing && self.claim.lost(failure, self.link.is_visiting(), cx) {
            self.link.give_up(cx.now);
            return false;
        }
        // A broker that is away, or cut off, has nothing against a message.
        let hangs_up = matches!(failure, LinkFailure::Closed | LinkFailure::Refused(_)) && self.link.is_up();
        let is_found = hangs_up && outbox.hung_up(cx);
        outbox.close();
        let was_visit = self.link.is_visiting();
        // Of several instances another one may have taken over, which is no fight.
        let is_explained = is_found || self.claim.standby().is_some() && !was_visit;
        let report = self.link.lost(failure, is_explained, cx.now, &mut cx.random);
        cx.report(report);
        !is_own_doing && self.release(outbox, cx)
    }

    /// Time went on by `slept`. The broker gives a silent client up after one and a half times the keep-alive
    /// (MQTT 3.1.1 section 3.1.2.10), and reading back goes by how long it is silent, which nobody knows now.
    /// `true` if this instance was active, and another one is to be.
    pub(super) fn slept(&mut self, slept: Duration, outbox: &mut Outbox, cx: &mut Context) -> bool {
        let given_up = slept >= cx.settings.mqtt.keep_alive.mul_f32(1.5) && !self.link.is_stopping();
        if given_up || self.link.is_reading_back() || self.link.is_visiting() {
            outbox.close();
            self.claim.give_up();
            self.link.give_up(cx.now);
            return self.release(outbox, cx);
        }
        false
    }

    /// Publishes `last`, and `offline` where presence was published, and goes.
    pub(super) fn stop(
        &mut self,
        ending: Ending,
        mut last: Vec<Message>,
        outbox: &mut Outbox,
        cx: &mut Context,
    ) {
        let offline = || {
            Message::retained(cx.topics.of_bridge(BridgeField::State), OFFLINE.to_owned(), Qos::AtLeastOnce)
        };
        last.extend(outbox.is_open().then(offline));
        let waits = self.link.is_visiting() && self.claim.is_waiting();
        let is_connected = self.link.is_open() || waits;
        // Who never said that it is online says no goodbye either.
        let goodbye = self.claim.standby().filter(|_| waits || outbox.is_open());
        last.extend(goodbye.and_then(|standby| standby.goodbye(cx)));
        self.link.stop(ending.clone(), !is_connected, cx.now);
        outbox.close_with(last, cx);
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
        outbox: &mut Outbox,
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
        if self.link.is_reading_back() && self.found.is_complete(announcements, people, &cx.settings) {
            self.link.heard_all(cx.now);
        }
        if self.link.has_read_back(cx.now) && self.by_name.begins(&self.found, people, cx) {
            self.link.reads_on(by_name::AT_MOST, cx.now);
        }
        while self.link.is_reading_back()
            && let Some(filters) = self.by_name.next(&self.found, people, &announced, cx)
        {
            self.link.also_subscribes(cx.now);
            self.ask(read_back::at_most_once(filters), cx);
        }
        if !self.link.has_read_back(cx.now) || self.claim.is_asking() {
            return None;
        }
        self.stranger = self.found.stranger(cx);
        // Where no visitor is let in it is asked now; only a bridge of another client id is left to answer.
        if self.stranger.is_some() && self.claim.ask(cx) {
            return None;
        }
        self.link.finish_reading_back(cx.now);
        if let Some(standby) = self.claim.standby_mut() {
            standby.publishes(cx.now);
        }
        cx.report(self.stranger.clone().map(Report::StrangersInfo));
        let Found { neighbours, states, healths, by_wildcard, by_name, .. } = std::mem::take(&mut self.found);
        self.no_wildcards = by_name && by_wildcard == 0;
        cx.report(self.no_wildcards.then_some(Report::NoWildcards));
        outbox.open();
        // Where no other bridge has ever been they are this one's.
        Some(ReadBack::Done(if neighbours { BTreeSet::new() } else { &healths - &states }))
    }

    /// Does what the connection's own time asks for beside that.
    pub(super) fn tend_later(&mut self, outbox: &mut Outbox, cx: &mut Context) {
        if self.link.is_open()
            && let Some(said) = self.claim.standby_mut().and_then(|standby| standby.says(cx.now))
        {
            outbox.at_once(Message::handed_on(cx.topics.pong(), said), cx);
        }
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
            let over = std::mem::take(&mut self.read_back).into_iter().chain(self.by_name.end()).collect();
            self.unsubscribe(over, cx);
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
        let is_connected = self.link.is_open() || self.link.is_visiting();
        let of_claim = self.claim.wake_at(self.link.is_up()).filter(|_| is_connected);
        let of_link = of_link.into_iter().chain(self.restates_at(outbox)).chain(of_claim);
        // While an answer is waited for, reading back is as well.
        let link_at = self.link.wake_at().filter(|_| !self.claim.is_asking());
        link_at.into_iter().chain(resend_at).chain(of_link).chain(outbox.wake_at()).min()
    }

    /// Whether everything is to be sent again, since it would vanish or was refused.
    pub(super) fn is_resend_due(&self, now: Tick) -> bool {
        self.resend_at.is_some_and(|at| at <= now)
    }

    /// Everything is sent again. Returns whether that is the first time in this run, and the topics that were
    /// refused since the last time.
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

    /// `online` has arrived, and everything before it. `true` if a notice has gone with that.
    pub(super) fn online(&mut self, cx: &mut Context) -> bool {
        let report = self.link.online();
        cx.report(report);
        self.stranger.take().is_some()
    }

    /// Subscribes to more on the connection there is, if there is one.
    pub(super) fn subscribe(&mut self, filters: Vec<String>, cx: &mut Context) {
        if self.link.is_open() && !filters.is_empty() {
            for _ in filters.chunks(FILTERS) {
                self.link.also_subscribes(cx.now);
            }
            self.ask(read_back::at_least_once(filters), cx);
        }
    }

    /// Reads back more of what an earlier run left, as long as anything is.
    pub(super) fn also_read_back(&mut self, filter: String, cx: &mut Context) {
        if self.link.also_subscribes(cx.now) {
            self.read_back.push(filter.clone());
            self.ask(read_back::at_most_once(vec![filter]), cx);
        }
    }

    /// Listens to commands where they are taken now, as they were if it `listened`.
    pub(super) fn commands_configured(&mut self, listened: bool, cx: &mut Context) {
        match (listened, cx.settings.commands.is_some()) {
            (false, true) => self.subscribe(cx.topics.commands().into(), cx),
            (true, false) => self.unsubscribe(cx.topics.commands().into(), cx),
            (true, true) | (false, false) => {}
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
        let stranger = self.stranger.as_ref().map(|notice| notice.as_str().to_owned());
        let wildcards = self.no_wildcards.then(without_wildcards);
        duplicate.into_iter().chain(version).chain(stranger).chain(wildcards)
    }

    /// The way to the broker.
    pub(super) fn snapshot(&self, outbox: &Outbox) -> BrokerSnapshot {
        BrokerSnapshot {
            standby: self.claim.standby().map(|standby| StandbySnapshot {
                is_active: self.claim.is_claimed(),
                holder: standby.holder().cloned(),
                waiting: standby.others().cloned().collect(),
            }),
            state: match self.link.phase {
                Phase::Visiting if self.claim.is_waiting() => BrokerState::Waiting,
                Phase::Up { .. } => BrokerState::Connected,
                Phase::ReadingBack { .. } => BrokerState::ReadingBack,
                Phase::Down(_) | Phase::Connecting | Phase::Visiting | Phase::Closing(_) => {
                    BrokerState::Connecting
                }
                Phase::Stopping { .. } => BrokerState::Stopping,
            },
            trouble: self.link.trouble().map(str::to_owned),
            protocol: self.link.protocol(),
            queue: outbox.waiting(),
            in_flight: outbox.in_flight(),
        }
    }
}
