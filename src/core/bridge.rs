//! The root: an event and the time in, effects out, and when to be woken next. It routes, lets departments meet by argument, and
//! asks each for its deadline.

use std::time::Duration;

use super::accounts::{Account, Accounts};
use super::broker::outbox::Outbox;
use super::broker::{Broker, ReadBack};
use super::context::Context;
use super::groups::Groups;
use super::groups::roster_change::RosterChange;
use super::health::BridgeHealth;
use super::home_assistant::account::announced as announced_of_account;
use super::home_assistant::announcements::{self, HomeAssistant};
use super::home_assistant::light::announced as announced_of_light;
use super::lights::lights::Lights;
use super::model::account::AccountId;
use super::model::act::{Act, ActId, Acted};
use super::model::effect::{Effect, Ending, GraphOrder, Message};
use super::model::event::{Access, Event, Incoming, PresenceEvent};
use super::model::heard::Heard;
use super::model::mqtt::Qos;
use super::model::name::TopicLevel;
use super::model::payload::{RememberedInfo, RememberedState};
use super::model::people_page::PeopleQuery;
use super::model::place::{Entry, Place};
use super::model::presence_change::PresenceChange;
use super::model::remembered::Remembered;
use super::model::report::Report;
use super::model::settings::{Settings, User};
use super::model::sign_in::SignInEvent;
use super::model::snapshot::Snapshot;
use super::model::successors::Successors;
use super::model::time::{Now, Tick};
use super::model::topic::{BridgeField, Field, OFFLINE, SET, SET_STATUS_MESSAGE};
use super::people::Roster;
use super::people::following::Followed;
use super::people::person::Person;
use super::sign_in::SignIn;
use super::snapshot::Departments;
use super::suspend::Suspend;

/// Nobody turns stale so soon after time passed unseen: a read that succeeds at once spares everybody the alarm.
const WAKING_GRACE: Duration = Duration::from_millis(1200);

/// What is said to an address that no sign-in of any account waits for.
const NOT_LANDED: &str = "this is not the address that a sign-in ended on which waits now: copy all of it from the browser's address bar, or begin again";

/// All that is decided: what is asked of Graph, everybody's health, and what the broker should hold.
///
/// Deterministic: the same settings, seed, events and times give the same effects in the same order.
#[derive(Debug)]
pub struct Bridge {
    cx: Context,
    suspend: Suspend,
    people: Roster,
    groups: Groups,
    accounts: Accounts,
    broker: Broker,
    outbox: Outbox,
    home_assistant: HomeAssistant,
    lights: Lights,
    health: BridgeHealth,
}

impl Bridge {
    /// A bridge that has done nothing yet. `seed` is all the randomness it gets.
    #[must_use]
    pub fn new(settings: Settings, seed: u64, now: Now) -> Self {
        let accounts = Accounts::new(&settings, seed, now);
        let mut bridge = Self {
            suspend: Suspend::none(now),
            people: Roster::new(accounts.terms(&settings), now.tick),
            groups: Groups::new(&settings.groups, now.tick),
            accounts,
            broker: Broker::new(&settings, fastrand::Rng::with_seed(seed).u64(..), now.tick),
            outbox: Outbox::default(),
            home_assistant: HomeAssistant::default(),
            lights: Lights::default(),
            health: BridgeHealth::new(now),
            cx: Context::new(settings, seed, now),
        };
        for (index, user) in bridge.cx.settings.users.clone().into_iter().enumerate() {
            bridge.join(user, Entry::user(index), None);
        }
        bridge.hand_on_changes();
        bridge.watch_groups();
        bridge.follow_lights();
        bridge
    }

    /// Takes an event and decides.
    pub fn on(&mut self, event: Event, now: Now) -> Vec<Effect> {
        let (now, slept) = self.suspend.awake(now);
        self.cx.at(now);
        if self.broker.steps_back(&mut self.outbox, &mut self.cx) {
            self.step_back();
        }
        if let Some(slept) = slept {
            self.slept(slept);
        }
        // Most events are these, and they are news to nobody.
        let is_news = !matches!(event, Event::Acknowledged(_));
        self.route(event);
        self.settle();
        self.send(is_news);
        self.cx.effects()
    }

    /// The earliest time at which time alone changes something.
    #[must_use]
    pub fn wake_at(&self, now: Tick) -> Option<Tick> {
        let now = self.suspend.with_sleep(now);
        let (is_running, is_open) = (self.broker.is_active(), self.outbox.is_open());
        let of_graph = self.accounts.wake_at(&self.people, &self.cx, now).into_iter();
        let of_graph = of_graph.chain(self.people.wake_at()).filter(|_| is_running);
        let of_broker = [self.lights.wake_at(), self.home_assistant.wake_at()];
        let of_broker = of_broker.into_iter().flatten().filter(|_| is_open);
        let wake_at = of_graph.chain(of_broker).chain(self.broker.wake_at(&self.outbox)).min();
        wake_at.map(|at| self.suspend.without_sleep(at))
    }

    fn route(&mut self, event: Event) {
        let Self { cx, outbox, broker, .. } = self;
        match event {
            Event::Started | Event::Woken => {}
            Event::Presence(account, event) => self.graph_answered(account, event),
            Event::SignIn(account, event) => self.sign_in_happened(account, event),
            Event::Connected => self.connected(),
            Event::Subscribed { refused } => broker.subscribed(refused, cx),
            Event::Acknowledged(count) => {
                if outbox.acknowledged(count, cx.now) && broker.online(cx) {
                    self.publish_news();
                }
            }
            Event::PublishRefused { topic, why } => broker.publish_refused(topic, why, cx),
            Event::Message(message) => self.message(&message),
            Event::MessageSkipped { topic, bytes } => broker.message_skipped(topic, bytes, cx),
            Event::Disconnected(failure) => {
                if broker.disconnected(&failure, outbox, cx) {
                    self.step_back();
                }
            }
            Event::Configured(settings, access) => self.configured(*settings, access),
            Event::NotConfigured(why) => {
                cx.report(Report::NotConfigured(why.clone()));
                self.health.reloaded(Some(why));
            }
            Event::Act(visitor, act) => {
                if let Some(acted) = self.act(visitor, act) {
                    self.cx.answer(Some(visitor), acted);
                }
            }
            Event::Stop => self.stop(Ending::Stopped),
        }
    }

    /// A visitor of the status page wants something done. Returns how it went; nothing if that shows later.
    fn act(&mut self, visitor: ActId, act: Act) -> Option<Acted> {
        if !self.outbox.is_open() && act.needs_broker() {
            return Some(Err("the bridge is not connected to the broker, or waits for its turn".into()));
        }
        let Self { cx, outbox, lights, accounts, .. } = self;
        match act {
            Act::Refresh => Some(match self.refresh() {
                true => Ok("Everybody is read now."),
                false => Err("everybody was read a moment ago; try again in some seconds".into()),
            }),
            Act::Follow(light, _) | Act::TestLight(light) if !lights.is_known(&light) => {
                Some(Err("there is no such light any more".into()))
            }
            Act::Follow(light, follows) => {
                lights.pause_or_follow(&light, if follows { b"ON" } else { b"OFF" }, outbox, cx);
                Some(Ok(if follows { "The light shows presence again." } else { "The light is paused." }))
            }
            Act::TestLight(light) => Some(match lights.test(&light, cx.now) {
                Some(true) => Ok("The light shows every state now, for two seconds each."),
                Some(false) | None => Ok("The test is over."),
            }),
            Act::SetPresence(user, payload) => {
                let change = PresenceChange::from_presence(payload.as_bytes());
                let topic = cx.topics.set(&user, SET);
                let payload = payload.into_bytes();
                let message = Incoming { topic, payload, retained: false, reply_to: None };
                let is_empty = matches!(change, Ok(None));
                let is_taken = !is_empty && self.commanded(user, change, (&message, Some(visitor)));
                (!is_taken).then(|| Err("this person's presence cannot be set".into()))
            }
            Act::Landed(address) => {
                let account = accounts.iter_mut().find(|account| account.sign_in.ends_on(&address));
                let Some(account) = account else { return Some(Err(NOT_LANDED.into())) };
                account.sign_in.landed(address, visitor, cx);
                None
            }
            Act::SignIn(of, by, back_to) => self.act_on(of.as_ref(), |sign_in, outbox, cx| {
                sign_in.ask((by, back_to), visitor, outbox, cx);
            }),
            Act::Change(of, is_meant) => self.act_on(of.as_ref(), |sign_in, _, cx| {
                sign_in.decide(is_meant, visitor, cx);
            }),
            Act::SignOut(of) => self.act_on(of.as_ref(), |sign_in, outbox, cx| {
                sign_in.sign_out(visitor, outbox, cx);
            }),
        }
    }

    /// Does something about the sign-in of an account, which shows later how it went; or says why not.
    fn act_on(
        &mut self,
        account: Option<&TopicLevel>,
        does: impl FnOnce(&mut SignIn, &mut Outbox, &mut Context),
    ) -> Option<Acted> {
        let Self { accounts, outbox, cx, .. } = self;
        let Some(account) = accounts.of_person(account, &cx.settings) else {
            return Some(Err("no person signs in to this account".into()));
        };
        does(&mut account.sign_in, outbox, cx);
        None
    }

    /// A request of this account is over.
    fn graph_answered(&mut self, account: AccountId, event: PresenceEvent) {
        let Self { accounts, people, groups, outbox, cx, .. } = self;
        let Some(Account { requests, commands, .. }) = accounts.get_mut(account) else { return };
        match event {
            PresenceEvent::Read(ended) => people.presence_read(ended, requests, cx),
            PresenceEvent::Resolved(ended) => people.name_resolved(ended, requests, cx),
            PresenceEvent::Members(ended) => {
                if let Err(conflict) = groups.members_read(ended, people, requests, cx) {
                    self.stop(Ending::Conflict(conflict.to_string()));
                }
            }
            PresenceEvent::Set(ended) => commands.presence_set(ended, people, requests, outbox, cx),
        }
    }

    /// Lets everybody decide what follows from the event and from the time.
    fn settle(&mut self) {
        while let Some(change) = self.groups.next_change(&mut self.cx) {
            self.change(change);
            self.hand_on_changes();
        }
        self.hand_on_changes();
        self.people.settle(&self.cx);
        self.people.judge(self.accounts.terms(&self.cx.settings), &self.cx);
        self.hand_on_changes();
        if self.broker.is_active() {
            self.accounts.dispatch(&self.people, &mut self.outbox, &mut self.cx);
            self.fit();
            let Self { accounts, people, groups, cx, .. } = self;
            accounts.read_what_is_due(people, |group| groups.next_page(group), cx);
        }
        for account in self.accounts.iter_mut() {
            let needed = account.needs_sign_in(&self.cx.settings).filter(|_| !self.broker.is_stopping());
            account.sign_in.invite(needed, &mut self.outbox, &mut self.cx);
        }
        self.tend_broker();
        let Self { accounts, groups, lights, people, outbox, cx, .. } = self;
        let is_expected = |name: &TopicLevel| groups.expects(name, |account| accounts.is_well(account));
        lights.light_up(is_expected, people, outbox, cx);
    }

    /// The one fan-out: each change of a person goes to everybody whom it concerns.
    fn hand_on_changes(&mut self) {
        while let Some((place, dirty)) = self.people.next_changed() {
            self.lights.somebody_changed(place);
            self.outbox.changed(place, dirty);
            if dirty.has_announcement() {
                self.described(place);
            }
        }
    }

    /// Somebody's object id became known, or they are to be shown otherwise.
    fn described(&mut self, place: Place) {
        let Some(person) = self.people.get(place) else { return };
        let is_member = |place: &Place| {
            self.people.get(*place).is_some_and(|person| person.entry().as_member().is_some())
        };
        let id = person.id().filter(|_| person.entry().as_user().is_some());
        let member = id.and_then(|id| self.people.by_id(&id).find(is_member));
        if let Some(member) = member {
            self.people.take_over(place, member, &self.cx);
            self.leave(&[member]);
            self.roster_changed();
        }
        self.permit(place);
        let Self { home_assistant, people, outbox, cx, .. } = self;
        home_assistant.described(place, people, outbox, cx);
    }

    /// Takes whether commands can set somebody, and reports it when it changes.
    fn permit(&mut self, place: Place) {
        let Some(person) = self.people.get(place) else { return };
        let Some(account) = self.accounts.get_mut(person.account()) else { return };
        let settable = account.commands.may_set(person, &self.cx.settings);
        if self.people.permit(place, settable) {
            self.cx.report(Report::Settable(self.people.who(place, &self.cx), settable));
        }
    }

    fn permit_everybody(&mut self) {
        let places: Vec<Place> = self.people.iter().map(|(place, _)| place).collect();
        places.into_iter().for_each(|place| self.permit(place));
    }

    /// Time went on by `slept`. Reads everybody again, on new connections: the old ones are dead, and a read on one
    /// would wait for its timeout.
    fn slept(&mut self, slept: Duration) {
        let Self { accounts, people, broker, outbox, cx, .. } = self;
        cx.report(Report::Slept(slept));
        cx.budgets.slept(slept);
        for account in accounts.iter_mut() {
            let why = "the machine slept meanwhile; it is not known whether it was done";
            cx.ask_graph(account.id(), GraphOrder::ForgetConnections);
            account.requests.slept(cx.now);
            account.commands.give_up_all(why, outbox, cx);
        }
        people.slept(WAKING_GRACE, cx);
        if broker.slept(slept, outbox, cx) {
            self.step_back();
        }
    }

    /// Somebody is followed from now on.
    fn join(&mut self, user: User, entry: Entry, remembered: Option<Remembered>) {
        let place = self.people.join(user, entry, remembered, &self.cx);
        self.watch(place);
    }

    fn watch(&mut self, place: Place) {
        let Some(person) = self.people.get(place) else { return };
        if let Some(account) = self.accounts.get_mut(person.account()) {
            account.requests.watch(place, person, &self.cx);
        }
    }

    /// These left their places, which are in order. What is known of everybody else stays, and so do answers under way.
    fn forget(&mut self, gone: &[(Place, Person)]) {
        let Self { people, accounts, home_assistant, outbox, cx, .. } = self;
        let places: Vec<Place> = gone.iter().map(|&(place, _)| place).collect();
        for Account { requests, commands, .. } in accounts.iter_mut() {
            requests.forget(&places);
            commands.forget(&places, outbox, cx);
        }
        for (place, person) in gone {
            outbox.forget(*place);
            if let Some(id) = person.id() {
                home_assistant.withdraw(*place, id, people, outbox, cx);
            }
        }
    }

    /// These, who are in order, left their group, or are configured now.
    fn leave(&mut self, places: &[Place]) {
        let leave = |&place: &Place| Some((place, self.people.leave(place)?));
        let gone: Vec<(Place, Person)> = places.iter().filter_map(leave).collect();
        // First of all, so that Home Assistant hears of nobody whose topics are emptied.
        self.forget(&gone);
        for (_, person) in gone {
            self.outbox.remove_user(person.name(), &self.cx);
            self.cx.report(Report::Left(person.name().clone()));
        }
    }

    fn change(&mut self, change: RosterChange) {
        match change {
            RosterChange::Leave(places) => self.leave(&places),
            RosterChange::Rename { place, user } => {
                let User { name, display_name, discovery, .. } = user;
                let Some(before) = self.people.rename(place, name.clone(), display_name, discovery, &self.cx)
                else {
                    return;
                };
                if before != name {
                    self.outbox.remove_user(&before, &self.cx);
                    for account in self.accounts.iter_mut() {
                        account.commands.forget(&[place], &mut self.outbox, &mut self.cx);
                    }
                }
            }
            RosterChange::Belong { place, group } => {
                let account = self.people.get(place).map(Person::account);
                self.people.belongs(place, group, self.groups.discovery(group), &self.cx);
                if self.people.get(place).map(Person::account) != account {
                    self.accounts.iter_mut().for_each(|account| account.requests.forget(&[place]));
                    self.watch(place);
                }
            }
            RosterChange::Join { user, entry, remembered } => self.join(user, entry, remembered),
            RosterChange::Done { is_news, is_whole } => {
                if is_news {
                    self.roster_changed();
                }
                if is_whole {
                    self.decide_orphans();
                }
            }
        }
    }

    /// Other people are followed, or under other names.
    fn roster_changed(&mut self) {
        self.lights.follow(&self.people);
        self.publish_info();
    }

    /// Takes back what earlier runs left of people who will not come any more.
    fn decide_orphans(&mut self) {
        let Self { groups, home_assistant, people, outbox, cx, .. } = self;
        // First of all, so that Home Assistant hears of nobody whose topics are emptied.
        home_assistant.decide(|name| groups.may_come(name), people, outbox, cx);
        groups.decide_orphans(people, outbox, cx);
    }

    /// Another instance is to be active. What was known is old when this one is again, and what it had to send must not go out.
    fn step_back(&mut self) {
        let Self { accounts, outbox, cx, .. } = self;
        for account in accounts.iter_mut() {
            cx.ask_graph(account.id(), GraphOrder::ForgetConnections);
            account.commands.give_up_all("another instance is active", outbox, cx);
        }
        self.begin_anew();
    }

    /// Knows nothing but what is the process's own: who is signed in, and what was spent of the budgets.
    fn begin_anew(&mut self) {
        let Self { outbox, cx, .. } = self;
        let seed = cx.random.u64(..);
        let Self { people, groups, accounts, home_assistant, lights, .. } =
            Self::new(cx.settings.clone(), seed, cx.time());
        outbox.begin_anew();
        self.accounts.begin_anew(accounts);
        (self.people, self.groups, self.home_assistant, self.lights) =
            (people, groups, home_assistant, lights);
        self.permit_everybody();
    }

    fn connected(&mut self) {
        let was_waiting = self.broker.is_waiting();
        let cx = &self.cx;
        let standby = if cx.settings.mqtt.standby { cx.topics.every_standby() } else { cx.topics.ping() };
        let mut filters = vec![cx.topics.refresh(), cx.topics.of_bridge(BridgeField::State), standby];
        filters.extend(cx.settings.discovery.as_ref().map(|discovery| discovery.birth_topic.clone()));
        if cx.settings.commands.is_some() {
            filters.extend(self.command_filters());
        }
        filters.extend(self.lights.filters(&cx.topics));
        let announcements = announcements::every_announcement(cx);
        let named = self.lights.left_at(&cx.topics).chain(announcements::announced_bridge(cx)).collect();
        if self.broker.connected(announcements, named, filters, &mut self.outbox, &mut self.cx) {
            if was_waiting {
                self.begin_anew();
            }
            self.home_assistant.connected();
            self.lights.connected();
            if self.outbox.is_open() {
                self.send_everything();
            }
        }
    }

    fn command_filters(&self) -> Vec<String> {
        vec![self.cx.topics.every(SET), self.cx.topics.every(SET_STATUS_MESSAGE)]
    }

    fn message(&mut self, message: &Incoming) {
        let heard = Heard::from_topic(&message.topic, &self.cx.topics);
        if self.broker.is_visiting() {
            return self.broker.visitor_heard(&heard, message, self.cx.now);
        }
        if message.retained {
            self.broker.heard_retained(self.cx.now);
        }
        let is_for_a_light = self.lights.heard(message, self.cx.now);
        match heard {
            Heard::Ping => self.broker.pinged(message, &mut self.outbox, &mut self.cx),
            Heard::Pong => self.broker.heard_pong(message, self.cx.now),
            Heard::Standby(instance) => {
                if self.broker.heard_instance(&instance, &message.payload, self.cx.now) {
                    self.publish_info();
                }
            }
            Heard::Refresh if message.retained => {}
            Heard::Refresh => {
                self.refresh();
            }
            Heard::Set(user) => {
                self.commanded(user, PresenceChange::from_presence(&message.payload), (message, None));
            }
            Heard::SetStatusMessage(user) => {
                let change = PresenceChange::from_status_message(&message.payload, self.cx.wall);
                self.commanded(user, change, (message, None));
            }
            _ if self.home_assistant.is_birth(message, &mut self.cx) => {}
            _ if is_for_a_light => {}
            heard if message.retained => self.heard_retained(heard, message),
            Heard::PauseLight(name) => {
                self.lights.pause_or_follow(&name, &message.payload, &mut self.outbox, &mut self.cx);
            }
            Heard::Own(BridgeField::State) => {
                self.broker.heard_own_state(message, &self.outbox, &self.cx);
            }
            // What else comes live is the echo of what this bridge publishes.
            Heard::Own(_)
            | Heard::Person(..)
            | Heard::OtherBridge(..)
            | Heard::Account(..)
            | Heard::Light(..)
            | Heard::Device
            | Heard::Elsewhere => {}
        }
    }

    /// Somebody wants somebody's presence to be set now. Returns whether that is answered.
    fn commanded(
        &mut self,
        user: TopicLevel,
        change: Result<Option<PresenceChange>, String>,
        (message, visitor): (&Incoming, Option<ActId>),
    ) -> bool {
        let Self { accounts, people, outbox, cx, broker, .. } = self;
        let person = people.by_name(&user).and_then(|place| people.get(place));
        let account = person.and_then(|person| accounts.get_mut(person.account()));
        let Some(Account { commands, requests, .. }) = account else { return false };
        let may = !message.retained && broker.is_active() && cx.settings.commands.is_some();
        if may {
            commands.take((user, change), (message, visitor), requests.hold_until(), people, outbox, cx);
        }
        may
    }

    /// An earlier run, or somebody else, left this on the broker.
    fn heard_retained(&mut self, heard: Heard, message: &Incoming) {
        let Self { home_assistant, lights, broker, groups, people, outbox, cx, .. } = self;
        broker.found(&heard, &message.payload, people);
        match heard {
            Heard::Device => {
                let may_come = |name: &TopicLevel| groups.may_come(name);
                for light in home_assistant.heard_device(message, may_come, people, outbox, cx) {
                    lights.was_driven(light, outbox, cx);
                }
            }
            Heard::Light(name, field) => lights.heard_retained(name, field, &message.payload, outbox, cx),
            Heard::Own(BridgeField::Info) => {
                let info: Option<RememberedInfo> = serde_json::from_slice(&message.payload).ok();
                // With another discovery prefix announcements are read back there, too.
                let earlier = info.as_ref().and_then(|info| announcements::earlier_announcements(info, cx));
                if let Some(filter) = earlier {
                    broker.also_read_back(filter, cx);
                }
                if let Some(info) = info.filter(|info| cx.is_own(&info.bridge)) {
                    BridgeHealth::found_accounts(info.accounts.keys(), outbox, cx);
                }
            }
            Heard::Own(BridgeField::State) => broker.heard_own_state(message, outbox, cx),
            Heard::Own(BridgeField::SignIn) => {
                // A code that an earlier run did not live to take back.
                let is_shown = |account: &Account| account.sign_in.shown().is_some();
                if !cx.settings.is_single() || !self.accounts.iter().any(is_shown) {
                    outbox.remove(message.topic.clone());
                }
            }
            Heard::Person(user, Field::State) => self.heard_state(user, &message.payload),
            Heard::Refresh
            | Heard::Ping
            | Heard::Pong
            | Heard::Standby(_)
            | Heard::Set(_)
            | Heard::SetStatusMessage(_)
            | Heard::Own(BridgeField::Health)
            | Heard::Person(_, Field::Health | Field::Activity | Field::Availability)
            | Heard::OtherBridge(..)
            | Heard::Account(..)
            | Heard::PauseLight(_)
            | Heard::Elsewhere => {}
        }
    }

    /// Somebody's `state` is retained, whoever published it.
    fn heard_state(&mut self, user: TopicLevel, payload: &[u8]) {
        let Self { groups, people, outbox, cx, .. } = self;
        let place = people.by_name(&user);
        let state: Option<RememberedState> = serde_json::from_slice(payload).ok();
        let Some(state) = state.filter(|state| cx.is_own(&state.bridge)) else { return };
        match place {
            Some(place) => people.remember(place, Remembered::from_state(&state), cx),
            None if groups.may_come(&user) => {
                groups.keep_state(user, Remembered::from_state(&state), outbox, cx);
            }
            None => {
                outbox.remove_user(&user, cx);
                cx.report(Report::Removed(user));
            }
        }
    }

    /// Reads everybody and sends everything again, at most once per interval: one word would else be an order to each light.
    /// Returns whether it did.
    fn refresh(&mut self) -> bool {
        let may = self.broker.may_refresh(&self.outbox, &self.cx);
        if may {
            self.lights.tell_again();
            for account in self.accounts.iter_mut() {
                account.requests.refresh(|group| self.groups.is_worth_a_try(group), self.cx.now);
            }
            self.send_everything();
        }
        may
    }

    /// Does what the connection's own time asks for.
    fn tend_broker(&mut self) {
        let Self { broker, home_assistant, people, outbox, cx, .. } = self;
        match broker.tend(home_assistant.found(), people, announcements::announced_person, outbox, cx) {
            Some(ReadBack::Conflict(sentence)) => {
                let Self { broker, outbox, cx, .. } = self;
                broker.stop(Ending::Conflict(sentence), Vec::new(), outbox, cx);
            }
            Some(ReadBack::Done(lone_healths)) => {
                let Self { home_assistant, lights, groups, people, outbox, cx, .. } = self;
                home_assistant.judge_found(|name| groups.may_come(name), people, outbox, cx);
                lights.remove_found(outbox, cx);
                for user in lone_healths.into_iter().filter(|user| people.by_name(user).is_none()) {
                    groups.keep_health(user);
                }
                self.decide_orphans();
                self.send_everything();
            }
            None => {}
        }
        self.broker.tend_later(&mut self.outbox, &mut self.cx);
        let born = self.home_assistant.wake_at().is_some_and(|at| at <= self.cx.now);
        let is_trial = self.outbox.begins_trial(&mut self.cx);
        if is_trial || self.outbox.is_open() && (born || self.broker.is_resend_due(self.cx.now)) {
            self.send_everything();
        }
    }

    fn send_everything(&mut self) {
        let (first, refused) = self.broker.resends(&self.cx);
        self.home_assistant.is_served();
        self.lights.were_refused(&refused);
        self.outbox.send_everything(&self.people, first);
        self.groups.doubt_orphans(&mut self.outbox, &self.cx);
        self.home_assistant.announce_bridge(&self.lights.names(), &mut self.outbox, &self.cx);
        self.lights.publish_all(&mut self.outbox, &self.cx);
        let words = self.departments().health_words();
        self.health.publish_all(words, &mut self.outbox, &self.cx);
        self.publish_info();
        for account in self.accounts.iter() {
            account.sign_in.publish_shown(&mut self.outbox, &self.cx);
        }
    }

    /// Sends what fits into the window.
    fn send(&mut self, is_news: bool) {
        if self.outbox.is_open() && is_news {
            self.publish_news();
        }
        let Self { outbox, people, home_assistant, broker, cx, .. } = self;
        let expires = broker.message_expiry(&cx.settings);
        let announcement =
            |place, person: &Person, cx: &Context| home_assistant.announcement(place, person, cx);
        outbox.send(people, announcement, expires, cx);
    }

    fn publish_news(&mut self) {
        let words = self.departments().health_words();
        self.health.publish_news(words, &mut self.outbox, &self.cx);
    }

    /// Fits the interval to the budget.
    fn fit(&mut self) {
        if self.accounts.fit(&mut self.cx) {
            self.publish_info();
        }
    }

    fn publish_info(&mut self) {
        let Self { health, accounts, people, broker, outbox, cx, .. } = self;
        let signed_in = accounts.iter().map(|account| account.sign_in.account());
        let intervals = accounts.iter().map(|account| account.requests.achieved_interval());
        let interval = intervals.max().unwrap_or_default();
        health.publish_info(signed_in, people.count(), interval, broker.info(&cx.settings), outbox, cx);
    }

    fn sign_in_happened(&mut self, of: AccountId, event: SignInEvent) {
        let Self { accounts, outbox, cx, .. } = self;
        let Some(Account { requests, sign_in, commands }) = accounts.get_mut(of) else { return };
        match event {
            SignInEvent::Invited(shown) => sign_in.show(shown, outbox, cx),
            SignInEvent::NotTaken(why) => sign_in.not_taken(why, cx),
            SignInEvent::Another(change) => sign_in.another(change, cx),
            SignInEvent::SignedOut(outcome) => sign_in.signed_out(outcome, cx),
            SignInEvent::NotStored(why) => sign_in.not_stored(why),
            SignInEvent::Ended(end) => {
                if sign_in.ended(&end, outbox, cx) {
                    requests.sign_in_changed(cx.now);
                }
            }
            SignInEvent::CredentialsChanged => requests.sign_in_changed(cx.now),
            SignInEvent::CertificateEnds(ends) => sign_in.certificate_ends(ends),
            SignInEvent::Account(account) => {
                let report = account.as_ref().map(|account| Report::SignedIn(account.username.clone()));
                commands.signed_in(account.clone(), cx.now);
                let (is_news, is_another) = sign_in.signed_in(account);
                if is_another || is_news && sign_in.account().is_none() {
                    requests.account_changed(cx.now);
                }
                if is_news {
                    self.cx.report(report);
                    self.publish_info();
                }
                if is_another {
                    self.somebody_else_signed_in(of);
                }
                // With somebody else other people can be set.
                self.permit_everybody();
            }
        }
    }

    /// Whoever is read as the person signed in to this account is somebody else now.
    fn somebody_else_signed_in(&mut self, of: AccountId) {
        let Self { people, accounts, home_assistant, groups, outbox, cx, .. } = self;
        let before = people.somebody_else_signed_in(of, cx);
        // What is under way is about who was signed in.
        let places: Vec<Place> = before.iter().map(|&(place, _)| place).collect();
        let Some(Account { requests, .. }) = accounts.get_mut(of) else { return };
        requests.forget(&places);
        for (place, person) in before {
            if let Some(id) = person.id() {
                home_assistant.withdraw(place, id, people, outbox, cx);
            }
            outbox.remove_user(person.name(), cx);
        }
        home_assistant.decide(|name| groups.may_come(name), people, outbox, cx);
        requests.all_now(cx.now);
        places.into_iter().for_each(|place| self.watch(place));
    }

    /// Goes on with other settings. Whatever ties the bridge to its broker, and to Home Assistant there, must be the same
    /// as before.
    fn configured(&mut self, settings: Settings, access: Vec<Access>) {
        if self.broker.is_stopping() {
            return;
        }
        self.health.reloaded(None);
        let successors = Successors::new(&self.cx.settings.accounts, &settings.accounts, access);
        self.part_with_accounts(&settings, &successors);
        let before = std::mem::replace(&mut self.cx.settings, settings);
        self.cx.budgets.configured(&self.cx.settings.accounts);
        self.accounts.succeed(&successors, &self.cx);
        self.listen_to_commands(before.commands.is_some());
        self.groups.configured(&self.cx.settings.groups, self.cx.now);
        self.follow(&successors);
        for account in self.accounts.iter_mut() {
            let (of, now) = (account.id(), &self.cx.settings.account(account.id()).reading);
            let before = successors.before(of).map(|known| &before.account(known).reading);
            let replanned = before.is_some_and(|before| {
                (before.poll_interval, before.endpoint) != (now.poll_interval, now.endpoint)
            });
            account.requests.configured(successors.access(of), replanned, &self.people, &self.cx);
        }
        self.watch_groups();
        self.fit();
        self.decide_orphans();
        self.follow_lights();
        self.permit_everybody();
        self.cx.report(Report::Configured(self.people.count()));
        let settings = &self.cx.settings;
        // What ties the bridge to its broker is the same; what may differ is how values are sent.
        if before.mqtt == settings.mqtt {
            if !before.account_names().eq(settings.account_names()) {
                self.home_assistant.announce_bridge(&self.lights.names(), &mut self.outbox, &self.cx);
            }
            self.publish_info();
        } else if self.outbox.is_open() {
            self.send_everything();
        }
    }

    /// What every account has to give up when these settings come, and those that are not among them altogether.
    fn part_with_accounts(&mut self, settings: &Settings, successors: &Successors) {
        let Self { accounts, health, home_assistant, outbox, cx, .. } = self;
        for account in accounts.iter_mut() {
            let of = account.id();
            let Account { sign_in, commands, .. } = account;
            commands.give_up_all("the configuration was read again meanwhile; send it again", outbox, cx);
            let Some(now) = successors.now(of) else {
                sign_in.goes(outbox, cx);
                if let Some(name) = &cx.settings.account(of).name {
                    health.account_goes(name, outbox, cx);
                    home_assistant.bridge_had(announced_of_account(name), cx);
                }
                continue;
            };
            let access = successors.access(now);
            if access != Access::Same {
                sign_in.begin_anew(outbox, cx);
            }
            if access == Access::New {
                sign_in.forget_account(cx);
            }
            sign_in.configured(now, settings.account(now), outbox, cx);
            commands.configured(now, access == Access::New);
        }
    }

    fn listen_to_commands(&mut self, listened: bool) {
        let filters = self.command_filters();
        match (listened, self.cx.settings.commands.is_some()) {
            (false, true) => self.broker.subscribe(filters, &mut self.cx),
            (true, false) => self.broker.unsubscribe(filters, &mut self.cx),
            (true, true) | (false, false) => {}
        }
    }

    /// Follows whoever is configured now.
    fn follow(&mut self, successors: &Successors) {
        let groups = &self.groups;
        let group_of = |id| groups.group_of(id).map(|group| (group, groups.discovery(group)));
        let terms = self.accounts.terms(&self.cx.settings);
        let followed = self.people.follow(successors, terms, group_of, &self.cx);
        let Followed { gone, joined, demoted, emptied } = followed;
        self.forget(&gone);
        self.accounts.iter_mut().for_each(|account| account.requests.forget(&demoted));
        joined.into_iter().chain(demoted).for_each(|place| self.watch(place));
        self.hand_on_changes();
        for (name, is_nobody) in emptied {
            self.outbox.remove_user(&name, &self.cx);
            self.cx.report(is_nobody.then_some(Report::Removed(name)));
        }
    }

    fn watch_groups(&mut self) {
        for (group, account, due) in self.groups.begun() {
            if let Some(account) = self.accounts.get_mut(account) {
                account.requests.watch_group(group, due);
            }
        }
    }

    /// Drives the lights that are configured, and hears of them.
    fn follow_lights(&mut self) {
        let Self { lights, home_assistant, people, broker, outbox, cx, .. } = self;
        let (names, before) = (lights.names(), lights.filters(&cx.topics));
        for gone in lights.configured(cx.settings.lights.clone(), outbox, cx) {
            home_assistant.bridge_had(announced_of_light(&gone), cx);
        }
        lights.follow(people);
        if lights.names() != names {
            home_assistant.announce_bridge(&lights.names(), outbox, cx);
        }
        let now = lights.filters(&cx.topics);
        broker.unsubscribe(before.difference(&now).cloned().collect(), cx);
        // A topic may be listened to already, but not for this light: what is retained there has to come again.
        let unheard = lights.unheard();
        broker.subscribe(now.difference(&before).chain(unheard.intersection(&before)).cloned().collect(), cx);
    }

    /// Publishes `offline` where somebody could hear it, and goes.
    fn stop(&mut self, ending: Ending) {
        if self.broker.is_stopping() {
            return;
        }
        let Self { broker, lights, accounts, outbox, cx, .. } = self;
        let mut last = Vec::new();
        if outbox.is_open() {
            let own = |topic, payload: &str| Message::retained(topic, payload.to_owned(), Qos::AtLeastOnce);
            let codes = accounts.iter().filter_map(|account| account.sign_in.shown_on(cx));
            last.extend(codes.map(|topic| own(topic, "")));
            last.extend(lights.goodbye(cx));
            last.push(own(cx.topics.of_bridge(BridgeField::State), OFFLINE));
        }
        broker.stop(ending, last, outbox, cx);
    }

    /// What is known now, with the people who are wanted in it.
    #[must_use]
    pub fn snapshot(&self, wanted: &PeopleQuery, now: Now) -> Snapshot {
        self.departments().snapshot(wanted, Now { tick: self.suspend.with_sleep(now.tick), ..now })
    }

    /// Those of which something is said.
    fn departments(&self) -> Departments<'_> {
        let Self { cx, people, groups, accounts, broker, outbox, lights, health, .. } = self;
        Departments { cx, people, groups, accounts, broker, outbox, lights, health }
    }

    /// For tests of what follows when nobody lives in the bridge's place.
    #[cfg(test)]
    pub(crate) fn claimed(mut self) -> Self {
        self.broker.claim();
        self
    }

    /// For tests of what their own clock asks for.
    #[cfg(test)]
    pub(super) fn lights(&self) -> &Lights {
        &self.lights
    }
}
