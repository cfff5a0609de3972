//! The root: an event and the time in, effects out, and when to be woken next. It routes, lets departments meet by argument, and
//! asks each for its deadline.

use std::time::Duration;

use super::broker::outbox::Outbox;
use super::broker::{Broker, ReadBack};
use super::commands::CommandQueue;
use super::context::Context;
use super::groups::Groups;
use super::groups::roster_change::RosterChange;
use super::health::{BridgeHealth, HealthWords};
use super::home_assistant::announcements::{self, HomeAssistant};
use super::home_assistant::light::announced as announced_of_light;
use super::lights::lights::Lights;
use super::model::effect::{Effect, Ending, GraphOrder, Message};
use super::model::event::{Access, Event, Incoming, PresenceEvent};
use super::model::health::{GraphState, Health};
use super::model::heard::Heard;
use super::model::mqtt::Qos;
use super::model::name::TopicLevel;
use super::model::payload::{RememberedInfo, RememberedState};
use super::model::place::{Entry, Place};
use super::model::presence_change::PresenceChange;
use super::model::remembered::Remembered;
use super::model::report::Report;
use super::model::settings::{Settings, User};
use super::model::sign_in::{SignInBy, SignInEvent};
use super::model::snapshot::{GraphSnapshot, Snapshot};
use super::model::time::{Now, Tick};
use super::model::topic::{BridgeField, Field, OFFLINE, SET, SET_STATUS_MESSAGE};
use super::people::Roster;
use super::people::following::Followed;
use super::people::person::Person;
use super::people::terms::Terms;
use super::requests::Requests;
use super::sign_in::SignIn;
use super::suspend::Suspend;

/// Nobody turns stale so soon after time passed unseen: a read that succeeds at once spares everybody the alarm.
const WAKING_GRACE: Duration = Duration::from_millis(1200);

/// All that is decided: what is asked of Graph, everybody's health, and what the broker should hold.
///
/// Deterministic: the same settings, seed, events and times give the same effects in the same order.
#[derive(Debug)]
pub struct Bridge {
    cx: Context,
    suspend: Suspend,
    people: Roster,
    groups: Groups,
    requests: Requests,
    broker: Broker,
    outbox: Outbox,
    home_assistant: HomeAssistant,
    lights: Lights,
    commands: CommandQueue,
    sign_in: SignIn,
    health: BridgeHealth,
}

impl Bridge {
    /// A bridge that has done nothing yet. `seed` is all the randomness it gets.
    #[must_use]
    pub fn new(settings: Settings, seed: u64, now: Now) -> Self {
        let requests = Requests::new(&settings, now);
        let terms = Terms { sign_in_required: false, stale_after: requests.stale_after(&settings) };
        let mut bridge = Self {
            suspend: Suspend::none(now),
            people: Roster::new(terms, now.tick),
            groups: Groups::new(&settings.groups, now.tick),
            requests,
            broker: Broker::new(&settings, fastrand::Rng::with_seed(seed).u64(..), now.tick),
            outbox: Outbox::default(),
            home_assistant: HomeAssistant::default(),
            lights: Lights::default(),
            commands: CommandQueue::default(),
            sign_in: SignIn::new(&settings, now.tick),
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
        let (is_running, is_open) = (!self.broker.is_stopping(), self.outbox.is_open());
        let of_graph = [
            self.requests.next_read_at(now),
            self.commands.wake_at(&self.people, &self.requests, now),
            self.sign_in.wake_at(self.needs_sign_in()),
            self.people.wake_at(),
        ];
        let of_broker = [self.lights.wake_at(), self.home_assistant.wake_at()];
        let of_graph = of_graph.into_iter().flatten().filter(|_| is_running);
        let of_broker = of_broker.into_iter().flatten().filter(|_| is_open);
        let wake_at = of_graph.chain(of_broker).chain(self.broker.wake_at(&self.outbox)).min();
        wake_at.map(|at| self.suspend.without_sleep(at))
    }

    fn route(&mut self, event: Event) {
        let Self { cx, outbox, broker, people, groups, requests, commands, .. } = self;
        match event {
            Event::Started | Event::Woken => {}
            Event::Presence(PresenceEvent::Read(ended)) => people.presence_read(ended, requests, cx),
            Event::Presence(PresenceEvent::Resolved(ended)) => people.name_resolved(ended, requests, cx),
            Event::Presence(PresenceEvent::Members(ended)) => {
                if let Err(conflict) = groups.members_read(ended, people, requests, cx) {
                    self.stop(Ending::Conflict(conflict.to_string()));
                }
            }
            Event::Presence(PresenceEvent::Set(ended)) => {
                commands.presence_set(ended, people, requests, outbox, cx);
            }
            Event::SignIn(event) => self.sign_in_happened(event),
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
            Event::Disconnected(failure) => broker.disconnected(&failure, outbox, cx),
            Event::Configured(settings, access) => self.configured(*settings, access),
            Event::NotConfigured(why) => {
                cx.report(Report::NotConfigured(why.clone()));
                self.health.reloaded(Some(why));
            }
            Event::Stop => self.stop(Ending::Stopped),
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
        self.people.judge(self.terms(), &self.cx);
        self.hand_on_changes();
        if !self.broker.is_stopping() {
            self.commands.dispatch(&self.people, &mut self.requests, &mut self.outbox, &mut self.cx);
            self.fit();
            let Self { requests, people, groups, cx, .. } = self;
            requests.read_what_is_due(people, |group| groups.next_page(group), cx);
        }
        self.sign_in.invite(self.needs_sign_in(), &mut self.outbox, &mut self.cx);
        self.tend_broker();
        let expected = self.groups.are_expected();
        self.lights.light_up(expected, &self.people, &mut self.outbox, &self.cx);
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
        let settable = self.commands.may_set(person, &self.cx.settings);
        if self.people.permit(place, settable) {
            self.cx.report(Report::Settable(self.people.who(place, &self.cx), settable));
        }
    }

    fn permit_everybody(&mut self) {
        let places: Vec<Place> = self.people.iter().map(|(place, _)| place).collect();
        places.into_iter().for_each(|place| self.permit(place));
    }

    fn terms(&self) -> Terms {
        Terms {
            sign_in_required: self.requests.state() == GraphState::SignInRequired,
            stale_after: self.requests.stale_after(&self.cx.settings),
        }
    }

    /// How a person has to sign in, if one has to.
    fn needs_sign_in(&self) -> Option<SignInBy> {
        let required = self.requests.state() == GraphState::SignInRequired;
        self.cx.settings.sign_in.invites.filter(|_| required && !self.broker.is_stopping())
    }

    /// Time went on by `slept`. Reads everybody again, on new connections: the old ones are dead, and a read on one
    /// would wait for its timeout.
    fn slept(&mut self, slept: Duration) {
        let Self { requests, commands, people, broker, outbox, cx, .. } = self;
        cx.report(Report::Slept(slept));
        cx.ask_graph(GraphOrder::ForgetConnections);
        requests.slept(slept, cx.now);
        commands.give_up_all("the machine slept meanwhile; it is not known whether it was done", outbox, cx);
        people.slept(WAKING_GRACE, cx);
        broker.slept(slept, outbox, cx);
    }

    /// Somebody is followed from now on.
    fn join(&mut self, user: User, entry: Entry, remembered: Option<Remembered>) {
        let place = self.people.join(user, entry, remembered, &self.cx);
        self.watch(place);
    }

    fn watch(&mut self, place: Place) {
        if let Some(person) = self.people.get(place) {
            self.requests.watch(place, person, &self.cx);
        }
    }

    /// These left their places, which are in order. What is known of everybody else stays, and so do answers under way.
    fn forget(&mut self, gone: &[(Place, Person)]) {
        let Self { people, requests, home_assistant, commands, outbox, cx, .. } = self;
        let places: Vec<Place> = gone.iter().map(|&(place, _)| place).collect();
        requests.forget(&places);
        commands.forget(&places, outbox, cx);
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
                    self.commands.forget(&[place], &mut self.outbox, &mut self.cx);
                }
            }
            RosterChange::Belong { place, group } => {
                self.people.belongs(place, group, self.groups.discovery(group), &self.cx);
            }
            RosterChange::Join { user, entry, remembered } => self.join(user, entry, remembered),
            RosterChange::Done { is_news } => {
                if is_news {
                    self.roster_changed();
                }
                self.decide_orphans();
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
        if !groups.are_undecided() {
            home_assistant.decide(false, people, outbox, cx);
        }
        groups.decide_orphans(people, outbox, cx);
    }

    fn connected(&mut self) {
        let cx = &self.cx;
        let mut filters =
            vec![cx.topics.refresh(), cx.topics.of_bridge(BridgeField::State), cx.topics.ping()];
        filters.extend(cx.settings.discovery.as_ref().map(|discovery| discovery.birth_topic.clone()));
        if cx.settings.commands.is_some() {
            filters.extend(self.command_filters());
        }
        filters.extend(self.lights.filters(&cx.topics));
        let announcements = announcements::every_announcement(cx);
        let named = self.lights.left_at(&cx.topics).chain(announcements::announced_bridge(cx)).collect();
        if self.broker.connected(announcements, named, filters, &mut self.outbox, &mut self.cx) {
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
            return self.broker.visitor_heard(&heard, message);
        }
        if message.retained {
            self.broker.heard_retained(self.cx.now);
        }
        match heard {
            Heard::Ping => self.broker.pinged(message, &mut self.outbox, &self.cx),
            Heard::Pong => self.broker.heard_pong(message),
            Heard::Refresh if message.retained => {}
            Heard::Refresh => self.refresh(),
            Heard::Set(user) => {
                self.commanded(user, PresenceChange::from_presence(&message.payload), message)
            }
            Heard::SetStatusMessage(user) => {
                let change = PresenceChange::from_status_message(&message.payload, self.cx.wall);
                self.commanded(user, change, message);
            }
            _ if self.home_assistant.is_birth(message, &mut self.cx) => {}
            _ if self.lights.heard_device(message, self.cx.now) => {}
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
            | Heard::Light(..)
            | Heard::Device
            | Heard::Elsewhere => {}
        }
    }

    /// Somebody wants somebody's presence to be set now.
    fn commanded(
        &mut self,
        user: TopicLevel,
        change: Result<Option<PresenceChange>, String>,
        message: &Incoming,
    ) {
        let Self { commands, requests, people, outbox, cx, broker, .. } = self;
        if !message.retained && !broker.is_stopping() {
            commands.take((user, change), message, requests.hold_until(), people, outbox, cx);
        }
    }

    /// An earlier run, or somebody else, left this on the broker.
    fn heard_retained(&mut self, heard: Heard, message: &Incoming) {
        let Self { home_assistant, lights, broker, groups, people, outbox, cx, .. } = self;
        broker.found(&heard, &message.payload, people);
        match heard {
            Heard::Device => {
                let undecided = groups.are_undecided();
                for light in home_assistant.heard_device(message, undecided, people, outbox, cx) {
                    lights.was_driven(light, outbox, cx);
                }
            }
            Heard::Light(name, field) => lights.heard_retained(name, field, &message.payload, outbox, cx),
            Heard::Own(BridgeField::Info) => {
                let info: Option<RememberedInfo> = serde_json::from_slice(&message.payload).ok();
                // With another discovery prefix announcements are read back there, too.
                if let Some(filter) = info.and_then(|info| announcements::earlier_announcements(&info, cx)) {
                    broker.also_read_back(filter, cx);
                }
            }
            Heard::Own(BridgeField::State) => broker.heard_own_state(message, outbox, cx),
            Heard::Own(BridgeField::SignIn) => {
                // A code that an earlier run did not live to take back.
                if self.sign_in.shown().is_none() {
                    outbox.remove(message.topic.clone());
                }
            }
            Heard::Person(user, Field::State) => self.heard_state(user, &message.payload),
            Heard::Refresh
            | Heard::Ping
            | Heard::Pong
            | Heard::Set(_)
            | Heard::SetStatusMessage(_)
            | Heard::Own(BridgeField::Health)
            | Heard::Person(_, Field::Health | Field::Activity | Field::Availability)
            | Heard::OtherBridge(..)
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
            None if groups.are_undecided() => {
                groups.keep_state(user, Remembered::from_state(&state), outbox, cx);
            }
            None => {
                outbox.remove_user(&user, cx);
                cx.report(Report::Removed(user));
            }
        }
    }

    /// Reads everybody and sends everything again, at most once per interval: one word would else be an order to each light.
    fn refresh(&mut self) {
        if self.broker.may_refresh(&self.outbox, &self.cx) {
            self.lights.tell_again();
            self.requests.refresh(|group| self.groups.is_worth_a_try(group), self.cx.now);
            self.send_everything();
        }
    }

    /// Does what the connection's own time asks for.
    fn tend_broker(&mut self) {
        let Self { broker, people, outbox, cx, .. } = self;
        match broker.tend(people, announcements::announced_person, outbox, cx) {
            Some(ReadBack::Conflict(sentence)) => {
                let Self { broker, outbox, cx, .. } = self;
                broker.stop(Ending::Conflict(sentence), Vec::new(), outbox, cx);
            }
            Some(ReadBack::Done(lone_healths)) => {
                let Self { home_assistant, lights, groups, people, outbox, cx, .. } = self;
                home_assistant.judge_found(groups.are_undecided(), people, outbox, cx);
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
        let (words, graph) = (self.health_words(), self.requests.snapshot(&self.cx.settings, self.cx.now));
        self.health.publish(words, &graph, &mut self.outbox, &self.cx);
        self.publish_info();
        self.sign_in.publish_shown(&mut self.outbox, &self.cx);
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
        let (words, graph) = (self.health_words(), self.requests.snapshot(&self.cx.settings, self.cx.now));
        self.health.publish_news(words, &graph, &mut self.outbox, &self.cx);
    }

    /// Fits the interval to the budget.
    fn fit(&mut self) {
        if self.requests.fit(&mut self.cx) {
            self.publish_info();
        }
    }

    fn publish_info(&mut self) {
        let Self { health, sign_in, people, requests, broker, outbox, cx, .. } = self;
        let (account, interval) = (sign_in.account(), requests.achieved_interval());
        health.publish_info(account, people.count(), interval, broker.protocol(), outbox, cx);
    }

    fn sign_in_happened(&mut self, event: SignInEvent) {
        let Self { sign_in, requests, outbox, cx, .. } = self;
        match event {
            SignInEvent::Invited(shown) => sign_in.show(shown, outbox, cx),
            SignInEvent::Landed(address) => sign_in.landed(address, cx),
            SignInEvent::NotTaken(why) => sign_in.not_taken(why, cx),
            SignInEvent::NotStored(why) => sign_in.not_stored(why),
            SignInEvent::Ended(end) => {
                if sign_in.ended(&end, outbox, cx) {
                    requests.sign_in_changed(cx.now);
                }
            }
            SignInEvent::CredentialsChanged => requests.sign_in_changed(cx.now),
            SignInEvent::CertificateEnds(ends) => sign_in.certificate_ends(ends),
            SignInEvent::Account(account) => {
                let name = account.as_ref().map(|account| account.username.clone());
                self.commands.signed_in(account, cx.now);
                let (is_news, is_another) = sign_in.signed_in(name);
                if is_news {
                    self.publish_info();
                }
                if is_another {
                    self.somebody_else_signed_in();
                }
                // With somebody else other people can be set.
                self.permit_everybody();
            }
        }
    }

    /// Whoever is read as the signed-in person is somebody else now.
    fn somebody_else_signed_in(&mut self) {
        let Self { people, requests, home_assistant, groups, outbox, cx, .. } = self;
        let before = people.somebody_else_signed_in(cx);
        // What is under way is about who was signed in.
        let places: Vec<Place> = before.iter().map(|&(place, _)| place).collect();
        requests.forget(&places);
        for (place, person) in before {
            if let Some(id) = person.id() {
                home_assistant.withdraw(place, id, people, outbox, cx);
            }
            outbox.remove_user(person.name(), cx);
        }
        home_assistant.decide(groups.are_undecided(), people, outbox, cx);
        requests.all_now(cx.now);
        places.into_iter().for_each(|place| self.watch(place));
    }

    /// Goes on with other settings. Whatever ties the bridge to its broker, and to Home Assistant there, must be the same
    /// as before.
    fn configured(&mut self, settings: Settings, access: Access) {
        if self.broker.is_stopping() {
            return;
        }
        self.health.reloaded(None);
        let Self { commands, sign_in, outbox, cx, .. } = self;
        commands.give_up_all("the configuration was read again meanwhile; send it again", outbox, cx);
        if access != Access::Same {
            sign_in.begin_anew(outbox, cx);
        }
        if access == Access::New {
            sign_in.forget_account(cx);
            *commands = CommandQueue::default();
        }
        sign_in.configured(&settings, outbox, cx);
        let before = std::mem::replace(&mut self.cx.settings, settings);
        self.listen_to_commands(before.commands.is_some());
        self.groups.configured(&self.cx.settings.groups, self.cx.now);
        self.follow(access);
        let settings = &self.cx.settings;
        let replanned = (before.graph.poll_interval, before.graph.endpoint)
            != (settings.graph.poll_interval, settings.graph.endpoint);
        self.requests.configured(access, replanned, &self.people, &self.cx);
        self.watch_groups();
        self.fit();
        self.decide_orphans();
        self.follow_lights();
        self.permit_everybody();
        self.cx.report(Report::Configured(self.people.count()));
        let settings = &self.cx.settings;
        // What ties the bridge to its broker is the same; what may differ is how values are sent.
        if before.mqtt == settings.mqtt {
            self.publish_info();
        } else if self.outbox.is_open() {
            self.send_everything();
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
    fn follow(&mut self, access: Access) {
        let groups = &self.groups;
        let group_of = |id| groups.group_of(id).map(|group| (group, groups.discovery(group)));
        let Followed { gone, joined, demoted, emptied } = self.people.follow(access, group_of, &self.cx);
        self.forget(&gone);
        self.requests.forget(&demoted);
        joined.into_iter().chain(demoted).for_each(|place| self.watch(place));
        self.hand_on_changes();
        for (name, is_nobody) in emptied {
            self.outbox.remove_user(&name, &self.cx);
            self.cx.report(is_nobody.then_some(Report::Removed(name)));
        }
    }

    fn watch_groups(&mut self) {
        for (group, due) in self.groups.begun() {
            self.requests.watch_group(group, due);
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
        broker.subscribe(now.difference(&before).cloned().collect(), cx);
    }

    /// Publishes `offline` where somebody could hear it, and goes.
    fn stop(&mut self, ending: Ending) {
        if self.broker.is_stopping() {
            return;
        }
        let Self { broker, lights, sign_in, outbox, cx, .. } = self;
        let mut last = Vec::new();
        if outbox.is_open() {
            let own = |field, payload: &str| {
                Message::retained(cx.topics.of_bridge(field), payload.to_owned(), Qos::AtLeastOnce)
            };
            let is_code_shown = cx.settings.sign_in.announce && sign_in.shown().is_some();
            last.extend(is_code_shown.then(|| own(BridgeField::SignIn, "")));
            last.extend(lights.goodbye(cx));
            last.push(own(BridgeField::State, OFFLINE));
        }
        broker.stop(ending, last, outbox, cx);
    }

    /// What is published on `<bridge>/health`.
    fn health_words(&self) -> HealthWords {
        let settings = &self.cx.settings;
        let detail = self.sign_in.trouble().or(self.requests.detail()).map(str::to_owned);
        let notices = self
            .requests
            .notice(settings)
            .into_iter()
            .chain(self.sign_in.notices(self.cx.wall))
            .chain(self.people.notices(self.requests.forbidden_advice()))
            .chain(self.groups.notices())
            .chain(self.broker.refusal_notices())
            .chain(self.outbox.notice())
            .chain(self.health.notice())
            .chain(self.commands.notices(settings))
            .chain(self.broker.notices(settings))
            .collect();
        HealthWords { graph: self.requests.state().as_str(), detail, notices }
    }

    /// What is known now, with at most so many people in it.
    #[must_use]
    pub fn snapshot(&self, people: usize, now: Now) -> Snapshot {
        let HealthWords { detail, notices, .. } = self.health_words();
        let graph = self.requests.snapshot(&self.cx.settings, self.suspend.with_sleep(now.tick));
        let person = |person: &Person| person.snapshot(&self.cx.settings.mqtt.client_id);
        Snapshot {
            at: now.wall,
            about: self.cx.settings.about.clone(),
            account: self.sign_in.account().map(str::to_owned),
            bridge: self.cx.settings.mqtt.client_id.clone(),
            started_at: self.health.started_at(),
            graph: GraphSnapshot { detail, ..graph },
            broker: self.broker.snapshot(&self.outbox),
            notices,
            sign_in: self.sign_in.shown().cloned(),
            people: self.people.count(),
            current: self.people.count_of(Health::Ok),
            census: Health::ALL.map(|health| (health.as_str(), self.people.count_of(health))),
            persons: self.people.in_order().take(people).map(person).collect(),
            lights: self.lights.snapshots(),
            certificate_ends: self.sign_in.certificate_end(),
        }
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
