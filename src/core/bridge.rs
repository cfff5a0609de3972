//! The bridge without its edges: an event and the time in, commands out, and when to be woken next.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;

use crate::core::announcements::Announcements;
use crate::core::broker::Found;
use crate::core::budget::Budget;
use crate::core::commanding::Commanding;
use crate::core::group::membership::Groups;
use crate::core::index::{ById, ByName, Index};
use crate::core::lighting::Lights;
use crate::core::link::Link;
use crate::core::model::backoff::Backoff;
use crate::core::model::effect::{BrokerOrder, Effect, Ending, GraphOrder};
use crate::core::model::event::Event;
use crate::core::model::mqtt::Protocol;
use crate::core::model::name::{ObjectId, UserId};
use crate::core::model::report::Report;
use crate::core::model::request::RequestId;
use crate::core::model::request::{ReadPresence, Request, ResolveName};
use crate::core::model::settings::{Endpoint, OnStale, Settings};
use crate::core::model::sign_in::Invitation;
use crate::core::model::time::{Now, Tick, whole_seconds};
use crate::core::model::topic::Topics;
use crate::core::outbox::{Outbox, Sender};
use crate::core::person::{Denied, Health, Person, Rules};
use crate::core::schedule::{Job, Place, Schedule, Target};
use crate::core::sleep::Sleep;
use crate::core::source::{Reach, Source};
use crate::core::status::Said;

/// A person whom Graph refused is asked for again this often.
pub(super) const GENTLE: Duration = Duration::from_secs(300);

/// All that is decided: the schedule, the budget, everybody's health, and what the broker should hold.
///
/// Deterministic: the same settings, seed, events and times give the same commands in the same order.
#[derive(Debug)]
pub struct Bridge {
    pub(super) settings: Settings,
    pub(super) sleep: Sleep,
    pub(super) topics: Topics,
    pub(super) random: fastrand::Rng,
    pub(super) source: Source,
    pub(super) schedule: Schedule,
    pub(super) budget: Budget,
    pub(super) link: Link,
    pub(super) outbox: Outbox,
    pub(super) lights: Lights,
    pub(super) invitation: Invitation,
    pub(super) commanding: Commanding,
    /// Those who are configured, in their order, and behind them the members of groups.
    pub(super) people: Vec<Person>,
    pub(super) groups: Groups,
    pub(super) by_id: Index<ById>,
    pub(super) by_name: Index<ByName>,
    /// How many people there are by the word of their health.
    pub(super) census: BTreeMap<Health, usize>,
    pub(super) under_way: BTreeMap<u64, Job>,
    /// When the changes of these people will have lasted long enough.
    pub(super) settling: BTreeSet<(Tick, Place)>,
    pub(super) new_words: BTreeSet<Box<str>>,
    pub(super) announcements: Announcements,
    pub(super) refused_filters: BTreeSet<String>,
    /// Topics that the broker does not take messages for, and why.
    pub(super) refused_topics: BTreeMap<String, String>,
    pub(super) refused_reported: bool,
    pub(super) refused_backoff: Backoff,
    pub(super) commands: Vec<Effect>,
    pub(super) found: Found,
    pub(super) last_refresh: Option<Tick>,
    pub(super) forbidden_advice: Option<String>,
    /// Why the configuration could not be read again.
    pub(super) reload_trouble: Option<String>,
    judged_sign_in: bool,
    stretched: bool,
    /// Nobody's health changes by time alone before this.
    pub(super) judge_at: Tick,
    next_request: u64,
    pub(super) started_at: Timestamp,
    /// The time of day of the event at hand.
    pub(super) wall: Timestamp,
    pub(super) said: Said,
    pub(super) resend_at: Option<Tick>,
}

impl Bridge {
    /// A bridge that has done nothing yet. `seed` is all the randomness it gets.
    #[must_use]
    pub fn new(settings: Settings, seed: u64, now: Now) -> Self {
        let mut bridge = Self {
            topics: Topics::new(settings.base_topic.clone(), settings.bridge_name.clone()),
            sleep: Sleep::none(now),
            random: fastrand::Rng::with_seed(seed),
            source: Source::new(now),
            schedule: Schedule::new(settings.poll_interval, now.tick),
            budget: Budget::new(settings.request_budget),
            link: Link::new(settings.protocol, now.tick),
            outbox: Outbox::default(),
            lights: Lights::default(),
            invitation: Invitation::new(now.tick),
            commanding: Commanding::default(),
            people: Vec::with_capacity(settings.users.len()),
            groups: Groups::new(settings.groups.clone(), now.tick),
            by_id: Index::default(),
            by_name: Index::default(),
            census: BTreeMap::new(),
            under_way: BTreeMap::new(),
            settling: BTreeSet::new(),
            new_words: BTreeSet::new(),
            announcements: Announcements::default(),
            refused_filters: BTreeSet::new(),
            refused_topics: BTreeMap::new(),
            refused_reported: false,
            refused_backoff: Backoff::new(Duration::from_secs(15), Duration::from_secs(900)),
            commands: Vec::new(),
            found: Found::default(),
            last_refresh: None,
            forbidden_advice: None,
            reload_trouble: None,
            judged_sign_in: false,
            stretched: false,
            judge_at: now.tick,
            next_request: 0,
            started_at: whole_seconds(now.wall),
            wall: now.wall,
            resend_at: None,
            said: Said::nothing(now.tick),
            settings,
        };
        for watched in bridge.settings.users.clone() {
            bridge.people.push(Person::new(watched, now.tick));
            bridge.seat(bridge.people.len() - 1, now.tick);
        }
        bridge.begin_groups();
        bridge.take_lights(bridge.settings.lights.clone(), now.tick);
        bridge
    }

    /// Takes an event and decides.
    pub fn on(&mut self, event: Event, now: Now) -> Vec<Effect> {
        self.wall = now.wall;
        let (now, slept) = self.sleep.awake(now);
        if let Some(slept) = slept {
            self.slept(slept, now.tick);
        }
        // Most events are these, and they are news to nobody.
        let is_news = !matches!(event, Event::Acknowledged(_));
        match event {
            Event::Started | Event::Woken => {}
            Event::Presence(event) => self.request_ended(event, now),
            Event::SignIn(event) => self.sign_in_happened(event, now.tick),
            Event::Connected => self.connected(now.tick),
            Event::Subscribed { refused } => self.subscribed(refused, now.tick),
            Event::Acknowledged(count) => self.outbox.acknowledged(count),
            Event::PublishRefused { topic, why } => self.publish_refused(topic, why, now.tick),
            Event::Message(message) => self.message(&message, now.tick),
            Event::Disconnected(failure) => self.disconnected(&failure, now.tick),
            Event::Configured(settings, access) => self.configured(*settings, access, now),
            Event::NotConfigured(why) => self.not_configured(why),
            Event::Stop => self.stop(Ending::Stopped, now.tick),
        }
        self.settle_claims(now.tick);
        self.settle(now.tick);
        self.judge(now.tick);
        self.write_what_waits(now.tick);
        self.read_what_is_due(now.tick);
        self.invite(now.tick);
        self.tend_link(now.tick);
        self.resend(now.tick);
        self.light_up(now.tick);
        self.send(is_news, now.tick);
        std::mem::take(&mut self.commands)
    }

    /// The earliest time at which time alone changes something.
    #[must_use]
    pub fn wake_at(&self, now: Tick) -> Option<Tick> {
        let now = self.sleep.with_sleep(now);
        let read_at = self.next_read_at(now);
        [
            read_at,
            self.next_write_at(now),
            self.link.wake_at(),
            self.invitation.wake_at(self.needs_sign_in()),
            self.settling.first().map(|&(at, _)| at),
            self.lights.wake_at().filter(|_| self.link.is_up()),
            (!self.people.is_empty() && !self.link.is_stopping()).then_some(self.judge_at),
            self.resend_at.filter(|_| self.link.is_up()),
            self.announcements.birth_at.filter(|_| self.link.is_up()),
        ]
        .into_iter()
        .flatten()
        .min()
        .map(|at| self.sleep.without_sleep(at))
    }

    /// Takes a person in at their place.
    pub(super) fn seat(&mut self, place: Place, now: Tick) {
        let person = &self.people[place];
        *self.census.entry(person.health()).or_default() += 1;
        self.by_name.insert(place, &self.people);
        self.watch(place, now);
        self.queue(place);
    }

    /// Plans how a person is read.
    pub(super) fn watch(&mut self, place: Place, now: Tick) {
        let person = &self.people[place];
        match (&person.configured, person.id()) {
            (UserId::Me, _) => self.schedule.begin(Target::Me(place), now),
            (UserId::Principal(_), None) => self.schedule.begin(Target::Resolve(place), now),
            (UserId::Principal(_) | UserId::Object(_), Some(_)) => {
                self.by_id.insert(place, &self.people);
                match self.settings.endpoint {
                    Endpoint::Auto | Endpoint::Bulk | Endpoint::Me => self.schedule.join_bulk(place, now),
                    Endpoint::Users => self.schedule.begin(Target::User(place), now),
                    Endpoint::Communications => self.schedule.begin(Target::Communications(place), now),
                }
            }
            (UserId::Object(_), None) => {}
        }
        self.announce(place);
    }

    pub(super) fn report(&mut self, report: Report) {
        self.commands.push(Effect::Report(report));
    }

    pub(super) fn rules(&self) -> Rules {
        Rules {
            debounce: self.settings.debounce,
            unknown_when_stale: self.settings.on_stale == OnStale::Unknown,
        }
    }

    /// Someone's topics may have changed.
    pub(super) fn queue(&mut self, place: Place) {
        self.lights.somebody_changed(place);
        if self.link.is_up() {
            self.outbox.changed(place, &mut self.people[place]);
        }
    }

    /// After how long without an answer values are stale.
    pub(super) fn stale_after(&self) -> Duration {
        let default = Duration::from_secs(120).max(self.schedule.achieved() * 3);
        self.settings.stale_after.unwrap_or(default)
    }

    /// After how long the broker forgets what it holds: only with MQTT 5 it can.
    fn message_expiry(&self) -> Option<Duration> {
        self.settings.message_expiry.filter(|_| self.link.protocol() == Protocol::V5)
    }

    /// How often everything is sent again though nothing changed.
    pub(super) fn resend_every(&self) -> Option<Duration> {
        let renewal = self.message_expiry().map(|expiry| expiry / 2);
        renewal.into_iter().chain(self.settings.refresh_interval).min()
    }

    /// Publishes changes that have lasted.
    fn settle(&mut self, now: Tick) {
        let rules = self.rules();
        while let Some(&(at, place)) = self.settling.first().filter(|&&(at, _)| at <= now) {
            self.settling.remove(&(at, place));
            if let Some(later) = self.people[place].settle(now, rules) {
                self.settling.insert((later, place));
            }
            self.queue(place);
        }
    }

    /// Brings everybody's health up to date, if time or the sign-in may have changed anybody's.
    fn judge(&mut self, now: Tick) {
        let sign_in_required = self.source.reach() == Reach::SignInRequired;
        if now < self.judge_at && sign_in_required == self.judged_sign_in {
            return;
        }
        self.judged_sign_in = sign_in_required;
        let stale_after = self.stale_after();
        let mut earliest = now + stale_after;
        for place in 0..self.people.len() {
            if let Some(at) = self.judge_one(place, now) {
                earliest = earliest.min(at);
            }
        }
        self.judge_at = earliest;
    }

    /// Brings one person's health up to date, and whether they can be set.
    pub(super) fn judge_one(&mut self, place: Place, now: Tick) -> Option<Tick> {
        let (stale_after, rules) = (self.stale_after(), self.rules());
        let before = self.people[place].health();
        let changes_at = self.people[place].judge(self.judged_sign_in, stale_after, rules, now);
        let after = self.people[place].health();
        if before != after {
            *self.census.entry(after).or_default() += 1;
            if let Some(count) = self.census.get_mut(&before) {
                *count -= 1;
            }
        }
        self.queue(place);
        let settable = self.may_set(place);
        if std::mem::replace(&mut self.people[place].settable, settable) != settable {
            self.report(Report::Settable(place, settable));
            // With controls, or without.
            self.announce(place);
        }
        changes_at
    }

    /// When the next read may begin.
    pub(super) fn next_read_at(&self, now: Tick) -> Option<Tick> {
        if self.link.is_stopping() || self.under_way.len() >= self.source.at_once() {
            return None;
        }
        let due = self.schedule.next_due()?;
        Some(due.max(self.source.hold_until()).max(self.budget.ready_at(now)))
    }

    /// Fits the interval to the budget.
    pub(super) fn fit(&mut self) {
        if self.schedule.fit(&self.budget) {
            self.say_info_if_up();
            let stretched = self.schedule.achieved() > self.settings.poll_interval;
            if stretched && !self.stretched {
                self.report(Report::Stretched(self.schedule.achieved()));
            }
            self.stretched = stretched;
        }
    }

    fn read_what_is_due(&mut self, now: Tick) {
        self.fit();
        while self.next_read_at(now).is_some_and(|at| at <= now) {
            let Some(job) = self.schedule.take(now) else { break };
            let Some(what) = self.what(&job.target) else { continue };
            self.commanding.wrote_last = false;
            self.budget.spend(now);
            let request = self.new_request();
            let mut places = job.target.places().iter();
            let denied = places.any(|&place| self.people[place].denied == Some(Denied::Forbidden))
                || self.is_forbidden_group(&job.target);
            let token_max_age = denied.then_some(GENTLE);
            self.under_way.insert(request, job);
            self.commands.push(Effect::Graph(what(request, token_max_age)));
        }
    }

    pub(super) fn new_request(&mut self) -> u64 {
        let request = self.next_request;
        self.next_request += 1;
        request
    }

    fn what(&self, target: &Target) -> Option<Box<dyn FnOnce(u64, Option<Duration>) -> GraphOrder>> {
        let id = |place: Place| self.people[place].id();
        let operation = match target {
            Target::Me(_) => ReadPresence::Me,
            Target::User(place) => id(*place).map(ReadPresence::User)?,
            Target::Communications(place) => id(*place).map(ReadPresence::Communications)?,
            Target::Bulk(places) => {
                // Two names may mean one person, whom Graph wants to hear of once.
                let mut ids: Vec<ObjectId> = places.iter().filter_map(|&place| id(place)).collect();
                ids.sort_unstable();
                ids.dedup();
                ReadPresence::Bulk(ids)
            }
            Target::Resolve(place) => match &self.people[*place].configured {
                UserId::Principal(name) => {
                    let operation = ResolveName(name.clone());
                    return Some(Box::new(move |id, token_max_age| {
                        GraphOrder::Resolve(Request { id: RequestId::new(id), operation, token_max_age })
                    }));
                }
                UserId::Me | UserId::Object(_) => return None,
            },
            Target::Members(group) => {
                let operation = self.page_of(*group)?;
                return Some(Box::new(move |id, token_max_age| {
                    GraphOrder::ReadMembers(Request { id: RequestId::new(id), operation, token_max_age })
                }));
            }
        };
        Some(Box::new(move |id, token_max_age| {
            GraphOrder::Read(Request { id: RequestId::new(id), operation, token_max_age })
        }))
    }

    /// Sends what fits into the window.
    fn send(&mut self, is_news: bool, now: Tick) {
        if !self.link.is_up() {
            return;
        }
        if is_news {
            self.say_health_if_new(now);
        }
        let sender = Sender {
            topics: &self.topics,
            bridge: &self.settings.client_id,
            qos: self.settings.qos,
            expires: self.message_expiry(),
            discovery: self.settings.discovery.as_ref().map(|discovery| &discovery.prefix),
            announcements: &self.announcements,
        };
        let (messages, online) = self.outbox.next(&mut self.people, &sender);
        if !messages.is_empty() {
            self.commands.push(Effect::Broker(BrokerOrder::Publish(messages)));
        }
        if online {
            self.commands.extend(self.link.online().map(Effect::Report));
        }
    }
}
