//! The root: an event and the time in, effects out, and when to be woken next. It routes, lets departments
//! meet by argument, and asks each for its deadline.

use std::collections::BTreeSet;
use std::time::Duration;

use super::broker::outbox::Outbox;
use super::broker::{Broker, ReadBack};
use super::context::Context;
use super::graph_side::{GraphSide, Reloaded};
use super::groups::roster_change::CarriedOut;
use super::health::BridgeHealth;
use super::home_assistant::account::announced as announced_of_account;
use super::home_assistant::announcements::{self, HomeAssistant};
use super::home_assistant::light::announced as announced_of_light;
use super::lights::lights::Lights;
use super::model::act::{Act, ActId};
use super::model::command::Command;
use super::model::effect::{Effect, Ending};
use super::model::event::{Access, Event, Incoming};
use super::model::foreign::Legible;
use super::model::heard::{Asked, Heard};
use super::model::name::TopicLevel;
use super::model::people_page::PeopleQuery;
use super::model::place::Place;
use super::model::presence_change::PresenceChange;
use super::model::report::Report;
use super::model::settings::Settings;
use super::model::snapshot::Snapshot;
use super::model::time::{Now, Tick};
use super::model::topic::{BridgeField, Field};
use super::people::person::Person;
use super::snapshot::Departments;
use super::suspend::Suspend;

/// Nobody turns stale so soon after time passed unseen: a read that succeeds at once spares everybody the
/// alarm.
const WAKING_GRACE: Duration = Duration::from_millis(1200);

/// All that is decided: what is asked of Graph, everybody's health, and what the broker should hold.
///
/// Deterministic: the same settings, seed, events and times give the same effects in the same order.
#[derive(Debug)]
pub struct Bridge {
    cx: Context,
    suspend: Suspend,
    graph: GraphSide,
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
        let cx = Context::new(settings, seed, now);
        let mut bridge = Self {
            suspend: Suspend::none(now),
            graph: GraphSide::new(seed, &cx),
            broker: Broker::new(&cx.settings, fastrand::Rng::with_seed(seed).u64(..), now.tick),
            outbox: Outbox::default(),
            home_assistant: HomeAssistant::default(),
            lights: Lights::default(),
            health: BridgeHealth::new(now),
            cx,
        };
        bridge.hand_on_changes();
        bridge.graph.watch_groups();
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
        let (is_active, is_open) = (self.broker.is_active(), self.outbox.is_open());
        let of_graph = self.graph.wake_at(&self.cx, now).filter(|_| is_active);
        let of_lights = self.lights.wake_at().filter(|_| is_open);
        let of_home_assistant = self.home_assistant.wake_at().filter(|_| is_open);
        let of_broker = self.broker.wake_at(&self.outbox);
        let wake_at = [of_graph, of_lights, of_home_assistant, of_broker].into_iter().flatten().min();
        wake_at.map(|at| self.suspend.without_sleep(at))
    }

    /// What is known now, with the people who are wanted in it.
    #[must_use]
    pub fn snapshot(&self, wanted: &PeopleQuery, now: Now) -> Snapshot {
        self.departments().snapshot(wanted, Now { tick: self.suspend.with_sleep(now.tick), ..now })
    }

    /// Those of which something is said.
    fn departments(&self) -> Departments<'_> {
        let Self { cx, graph, broker, outbox, lights, health, .. } = self;
        Departments { cx, graph, broker, outbox, lights, health }
    }

    fn route(&mut self, event: Event) {
        let Self { cx, graph, outbox, broker, health, .. } = self;
        match event {
            Event::Started | Event::Woken => {}
            Event::Presence(account, event) => {
                if let Err(conflict) = graph.answered(account, event, outbox, cx) {
                    self.stop(Ending::Conflict(conflict.to_string()));
                }
            }
            Event::SignIn(account, event) => {
                if let Some(told) = graph.sign_in_happened(account, event, outbox, cx) {
                    if told.is_news {
                        self.publish_info();
                    }
                    if told.is_another {
                        self.hand_on_changes();
                        self.decide_orphans();
                    }
                    // With somebody else other people can be set.
                    self.graph.permit_everybody(&mut self.cx);
                }
            }
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
                health.reloaded(Some(why));
            }
            Event::Act(visitor, act) => {
                if let Some(acted) = self.act(visitor, act).transpose() {
                    self.cx.answer(Some(visitor), acted);
                }
            }
            Event::Stop => self.stop(Ending::Stopped),
        }
    }

    /// A visitor of the status page wants something done. Returns how it went; nothing if that shows later.
    fn act(&mut self, visitor: ActId, act: Act) -> Result<Option<&'static str>, Legible> {
        if !self.outbox.is_open() && act.needs_broker() {
            return Err("the bridge is not connected to the broker, or waits in standby".into());
        }
        let Self { cx, graph, outbox, lights, .. } = self;
        match act {
            Act::Refresh => {
                let why = "all people were read a moment ago; try again in a few seconds";
                return if self.refresh() { Ok(Some("Reading all people now.")) } else { Err(why.into()) };
            }
            Act::Follow(light, follows) => {
                return lights.follow_or_pause(&light, follows, outbox, cx).map(Some);
            }
            Act::TestLight(light) => return lights.test(&light, cx.now).map(Some),
            Act::SetPresence(user, payload) => {
                let change = PresenceChange::from_presence(payload.as_bytes());
                self.set(Command::from_visitor(user, change, payload, visitor))?;
            }
            Act::SetStatusMessage(user, payload) => {
                let change = PresenceChange::from_status_message(payload.as_bytes(), cx.wall);
                self.set(Command::from_visitor(user, change, payload, visitor))?;
            }
            Act::Landed(address) => graph.sign_in_at(&address)?.landed(address, visitor, cx),
            Act::SignIn(of, by, back_to) => {
                graph.sign_in_of(of.as_ref(), &cx.settings)?.ask((by, back_to), visitor, outbox, cx);
            }
            Act::Change(of, is_meant) => {
                graph.sign_in_of(of.as_ref(), &cx.settings)?.decide(is_meant, visitor, cx);
            }
            Act::SignOut(of) => graph.sign_in_of(of.as_ref(), &cx.settings)?.sign_out(visitor, outbox, cx),
        }
        Ok(None)
    }

    /// A visitor sets something of a person; `None` if the form was empty.
    fn set(&mut self, command: Option<Command>) -> Result<(), Legible> {
        let command = command.ok_or("nothing was chosen; choose a presence first")?;
        if self.command(Some(command)) { Ok(()) } else { Err("this person's presence cannot be set".into()) }
    }

    /// Somebody wants somebody's presence to be set now. Returns whether that is answered.
    fn command(&mut self, command: Option<Command>) -> bool {
        let Self { graph, broker, outbox, cx, .. } = self;
        let command = command.filter(|_| broker.is_active());
        command.is_some_and(|command| graph.take_command(command, outbox, cx))
    }

    /// Lets everybody decide what follows from the event and from the time.
    fn settle(&mut self) {
        while let Some(carried_out) = self.graph.carry_out_next(&mut self.cx) {
            self.hand_on_changes();
            if let CarriedOut::All { is_news, is_whole } = carried_out {
                if is_news {
                    self.roster_changed();
                }
                if is_whole {
                    self.decide_orphans();
                }
            }
        }
        self.hand_on_changes();
        self.graph.judge(&self.cx);
        self.hand_on_changes();
        if self.broker.is_active() && self.graph.send(&mut self.outbox, &mut self.cx) {
            self.publish_info();
        }
        self.graph.invite(self.broker.is_stopping(), &mut self.outbox, &mut self.cx);
        self.tend_broker();
        let Self { graph, lights, outbox, cx, .. } = self;
        lights.light_up(|name| graph.expects(name), &graph.people, outbox, cx);
    }

    /// The one fan-out: who came and went, and each change of a person, goes to everybody whom it concerns.
    fn hand_on_changes(&mut self) {
        self.hand_on_moves();
        while let Some((place, dirty)) = self.graph.people.next_changed() {
            self.lights.somebody_changed(place);
            self.outbox.changed(place, dirty);
            if dirty.has_announcement() {
                self.described(place);
            }
        }
        // Last of all, so that Home Assistant hears of nobody whose topics are emptied.
        for (name, report) in self.graph.people.take_emptied() {
            self.outbox.remove_user(&name, &self.cx);
            self.cx.report(report);
        }
    }

    fn hand_on_moves(&mut self) {
        let Self { graph, home_assistant, outbox, cx, .. } = self;
        let Some(moves) = graph.next_moves(outbox, cx) else { return };
        moves.left.into_iter().for_each(|place| outbox.forget(place));
        for (place, id) in moves.withdrawn {
            home_assistant.withdraw(place, id, &graph.people, outbox, cx);
        }
    }

    /// Somebody's object id became known, or they are to be shown otherwise.
    fn described(&mut self, place: Place) {
        if self.graph.people.take_over_member(place, &self.cx) {
            self.hand_on_moves();
            self.roster_changed();
        }
        let Self { graph, home_assistant, outbox, cx, .. } = self;
        graph.permit(place, cx);
        home_assistant.described(place, &graph.people, outbox, cx);
    }

    /// Other people are followed, or under other names.
    fn roster_changed(&mut self) {
        self.lights.follow(&self.graph.people);
        self.publish_info();
    }

    /// Takes back what earlier runs left of people who will not come any more.
    fn decide_orphans(&mut self) {
        let Self { graph: GraphSide { groups, people, .. }, home_assistant, outbox, cx, .. } = self;
        // First of all, so that Home Assistant hears of nobody whose topics are emptied.
        home_assistant.decide(|name| groups.may_come(name), people, outbox, cx);
        groups.decide_orphans(people, outbox, cx);
    }

    /// Time went on by `slept`. Reads everybody again, on new connections: the old ones are dead, and a read
    /// on one would wait for its timeout.
    fn slept(&mut self, slept: Duration) {
        let Self { graph, broker, outbox, cx, .. } = self;
        cx.report(Report::Slept(slept));
        cx.budgets.slept(slept);
        graph.cut_off("the machine slept meanwhile; the result is not known", outbox, cx);
        graph.slept(WAKING_GRACE, cx);
        if broker.slept(slept, outbox, cx) {
            self.step_back();
        }
    }

    /// Another instance is to be active. What was known is old when this one is again, and what it had to
    /// send must not go out.
    fn step_back(&mut self) {
        self.graph.cut_off("another instance is active", &mut self.outbox, &mut self.cx);
        self.begin_anew();
    }

    /// Knows nothing but what is the process's own: who is signed in, and what was spent of the budgets.
    fn begin_anew(&mut self) {
        let seed = self.cx.random.u64(..);
        let Self { graph, home_assistant, lights, .. } =
            Self::new(self.cx.settings.clone(), seed, self.cx.time());
        self.outbox.begin_anew();
        self.graph.begin_anew(graph);
        (self.home_assistant, self.lights) = (home_assistant, lights);
        self.graph.permit_everybody(&mut self.cx);
    }

    fn connected(&mut self) {
        let Self { broker, lights, outbox, cx, .. } = self;
        let was_waiting = broker.is_waiting();
        let announcements = announcements::every_announcement(cx);
        let named = lights.left_at(&cx.topics).chain(announcements::announced_bridge(cx)).collect();
        if !broker.connected(announcements, named, lights.filters(&cx.topics), outbox, cx) {
            return;
        }
        if was_waiting {
            self.begin_anew();
        }
        self.home_assistant.connected();
        self.lights.connected();
        if self.outbox.is_open() {
            self.send_everything();
        }
    }

    fn message(&mut self, message: &Incoming) {
        let Self { broker, home_assistant, lights, outbox, cx, .. } = self;
        let heard = Heard::from_topic(&message.topic, &cx.topics);
        if broker.is_visiting() {
            return broker.visitor_heard(&heard, message, cx.now);
        }
        if message.retained {
            broker.heard_retained(cx.now);
        }
        let is_for_a_light = lights.heard(message, cx.now);
        match heard {
            Heard::Asked(_) if message.retained => {}
            Heard::Asked(asked) => self.asked(asked, message),
            Heard::Pong => broker.heard_pong(message, cx.now),
            Heard::Standby(instance) => {
                if broker.heard_instance(&instance, &message.payload, cx.now) {
                    self.publish_info();
                }
            }
            _ if home_assistant.is_birth(message, cx) => {}
            _ if is_for_a_light => {}
            heard if message.retained => self.found(heard, message),
            Heard::Own(BridgeField::State) => broker.heard_own_state(message, outbox, cx),
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

    fn asked(&mut self, asked: Asked, message: &Incoming) {
        let Self { broker, lights, outbox, cx, .. } = self;
        match asked {
            Asked::Refresh => _ = self.refresh(),
            Asked::Ping => broker.pinged(message, outbox, cx),
            Asked::Set(user) => _ = self.command(Command::presence(user, message)),
            Asked::SetStatusMessage(user) => {
                let command = Command::status_message(user, message, cx.wall);
                self.command(command);
            }
            Asked::PauseLight(name) => lights.heard_switch(&name, &message.payload, outbox, cx),
        }
    }

    /// An earlier run, or somebody else, left this on the broker.
    fn found(&mut self, heard: Heard, message: &Incoming) {
        let Self { graph, broker, home_assistant, lights, outbox, cx, .. } = self;
        let GraphSide { people, groups, .. } = graph;
        broker.found(&heard, &message.payload, people);
        match heard {
            Heard::Device => {
                let may_come = |name: &TopicLevel| groups.may_come(name);
                for light in home_assistant.heard_device(message, may_come, people, outbox, cx) {
                    lights.was_driven(light, outbox, cx);
                }
            }
            Heard::Light(name, field) => lights.heard_retained(name, field, &message.payload, outbox, cx),
            Heard::Person(user, Field::State) => {
                groups.found_state(user, &message.payload, people, outbox, cx);
            }
            Heard::Own(BridgeField::State) => broker.heard_own_state(message, outbox, cx),
            Heard::Own(BridgeField::SignIn) => graph.found_code(&message.topic, outbox, cx),
            Heard::Own(BridgeField::Info) => {
                // With another discovery prefix announcements are read back there, too.
                if let Some(filter) = announcements::earlier_announcements(&message.payload, cx) {
                    broker.also_read_back(filter, cx);
                }
                BridgeHealth::found_info(&message.payload, outbox, cx);
            }
            Heard::Own(BridgeField::Health)
            | Heard::Person(_, Field::Health | Field::Activity | Field::Availability)
            | Heard::Asked(_)
            | Heard::Pong
            | Heard::Standby(_)
            | Heard::OtherBridge(..)
            | Heard::Account(..)
            | Heard::Elsewhere => {}
        }
    }

    /// Reads everybody and sends everything again, at most once per interval: one word would else be an order
    /// to each light. Returns whether it did.
    fn refresh(&mut self) -> bool {
        let may = self.broker.may_refresh(&self.outbox, &self.cx);
        if may {
            self.lights.tell_again();
            self.graph.refresh(&self.cx);
            self.send_everything();
        }
        may
    }

    /// Does what the connection's own time asks for.
    fn tend_broker(&mut self) {
        let Self { graph: GraphSide { people, .. }, broker, home_assistant, outbox, cx, .. } = self;
        match broker.tend(home_assistant.found(), people, announcements::announced_person, outbox, cx) {
            Some(ReadBack::Conflict(sentence)) => self.stop(Ending::Conflict(sentence)),
            Some(ReadBack::Done(lone_healths)) => self.read_back(lone_healths),
            None => {}
        }
        self.broker.tend_later(&mut self.outbox, &mut self.cx);
        let born = self.home_assistant.wake_at().is_some_and(|at| at <= self.cx.now);
        let is_trial = self.outbox.begins_trial(&mut self.cx);
        if is_trial || self.outbox.is_open() && (born || self.broker.is_resend_due(self.cx.now)) {
            self.send_everything();
        }
    }

    /// What earlier runs left is known; these have a `health` and nothing else.
    fn read_back(&mut self, lone_healths: BTreeSet<TopicLevel>) {
        let Self { graph: GraphSide { people, groups, .. }, home_assistant, lights, outbox, cx, .. } = self;
        home_assistant.judge_found(|name| groups.may_come(name), people, outbox, cx);
        lights.remove_found(outbox, cx);
        groups.keep_healths(lone_healths, people);
        self.decide_orphans();
        self.send_everything();
    }

    fn send_everything(&mut self) {
        let Self { cx, graph, broker, outbox, home_assistant, lights, .. } = self;
        let (first, refused) = broker.resends(cx);
        home_assistant.is_served();
        lights.were_refused(&refused);
        outbox.send_everything(&graph.people, first);
        graph.groups.doubt_orphans(outbox, cx);
        home_assistant.announce_bridge(&lights.names(), outbox, cx);
        lights.publish_all(outbox, cx);
        let words = self.departments().health_words();
        self.health.publish_all(words, &mut self.outbox, &self.cx);
        self.publish_info();
        for account in self.graph.accounts() {
            account.sign_in.publish_shown(&mut self.outbox, &self.cx);
        }
    }

    /// Sends what fits into the window.
    fn send(&mut self, is_news: bool) {
        if self.outbox.is_open() && is_news {
            self.publish_news();
        }
        let Self { graph, broker, outbox, home_assistant, cx, .. } = self;
        let expires = broker.message_expiry(&cx.settings);
        let announcement =
            |place, person: &Person, cx: &Context| home_assistant.announcement(place, person, cx);
        outbox.send(&graph.people, announcement, expires, cx);
    }

    fn publish_news(&mut self) {
        let words = self.departments().health_words();
        self.health.publish_news(words, &mut self.outbox, &self.cx);
    }

    fn publish_info(&mut self) {
        let Self { cx, graph, broker, outbox, health, .. } = self;
        let signed_in = graph.accounts().map(|account| account.sign_in.account());
        let intervals = graph.accounts().map(|account| account.requests.achieved_interval());
        let interval = intervals.max().unwrap_or_default();
        health.publish_info(signed_in, graph.people.count(), interval, broker.info(&cx.settings), outbox, cx);
    }

    /// Goes on with other settings. Whatever ties the bridge to its broker, and to Home Assistant there, must
    /// be the same as before.
    fn configured(&mut self, settings: Settings, access: Vec<Access>) {
        let Self { cx, graph, broker, outbox, home_assistant, health, .. } = self;
        if broker.is_stopping() {
            return;
        }
        health.reloaded(None);
        let reloaded = graph.configured(settings, access, outbox, cx);
        let Reloaded { before, gone, .. } = &reloaded;
        for gone in gone {
            health.account_goes(gone, outbox, cx);
            home_assistant.bridge_had(announced_of_account(gone), cx);
        }
        broker.commands_configured(before.commands.is_some(), cx);
        self.hand_on_changes();
        if self.graph.plan(&reloaded, &mut self.cx) {
            self.publish_info();
        }
        let before = reloaded.before;
        self.decide_orphans();
        self.follow_lights();
        self.graph.permit_everybody(&mut self.cx);
        self.cx.report(Report::Configured(self.graph.people.count()));
        // What ties the bridge to its broker is the same; what may differ is how values are sent.
        if before.mqtt == self.cx.settings.mqtt {
            if !before.account_names().eq(self.cx.settings.account_names()) {
                self.home_assistant.announce_bridge(&self.lights.names(), &mut self.outbox, &self.cx);
            }
            self.publish_info();
        } else if self.outbox.is_open() {
            self.send_everything();
        }
    }

    /// Drives the lights that are configured, and hears of them.
    fn follow_lights(&mut self) {
        let Self { graph, lights, home_assistant, broker, outbox, cx, .. } = self;
        let configured = lights.configured(&graph.people, outbox, cx);
        for gone in configured.gone {
            home_assistant.bridge_had(announced_of_light(&gone), cx);
        }
        if configured.are_others {
            home_assistant.announce_bridge(&lights.names(), outbox, cx);
        }
        broker.unsubscribe(configured.unneeded, cx);
        broker.subscribe(configured.needed, cx);
    }

    /// Publishes `offline` where somebody could hear it, and goes.
    fn stop(&mut self, ending: Ending) {
        let Self { graph, broker, lights, outbox, cx, .. } = self;
        if broker.is_stopping() {
            return;
        }
        let mut last = Vec::new();
        if outbox.is_open() {
            last.extend(graph.accounts().filter_map(|account| account.sign_in.goodbye(cx)));
            last.extend(lights.goodbye(cx));
        }
        broker.stop(ending, last, outbox, cx);
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
