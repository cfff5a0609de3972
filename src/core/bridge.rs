//! The root: an event and the time in, effects out, and when to be woken next. It routes, lets departments
//! meet by argument, and asks each for its deadline.

use std::time::Duration;

use super::accounts::Accounts;
use super::broker::{Broker, ReadBack};
use super::context::Context;
use super::groups::Groups;
use super::health::{self, BridgeHealth};
use super::home_assistant::announcements::{self, HomeAssistant};
use super::lights::lights::Lights;
use super::model::act::{Act, ActId, Acted};
use super::model::command::{AnswerTo, Command};
use super::model::effect::{Effect, Ending};
use super::model::event::{Access, Event, Incoming, PresenceEvent};
use super::model::heard::{Asked, Heard};
use super::model::people_page::PeopleQuery;
use super::model::place::Place;
use super::model::report::Report;
use super::model::settings::Settings;
use super::model::snapshot::Snapshot;
use super::model::time::{Now, Tick};
use super::model::topic::BridgeField;
use super::people::Roster;
use super::snapshot::Departments;
use super::suspend::Suspend;

/// All that is decided: what is asked of Graph, everybody's health, and what the broker should hold.
///
/// Deterministic: the same settings, seed, events and times give the same effects in the same order.
#[derive(Debug)]
pub struct Bridge {
    cx: Context,
    suspend: Suspend,
    accounts: Accounts,
    people: Roster,
    groups: Groups,
    broker: Broker,
    home_assistant: HomeAssistant,
    lights: Lights,
    health: BridgeHealth,
}

impl Bridge {
    /// A bridge that has done nothing yet. `seed` is all the randomness it gets.
    #[must_use]
    pub fn new(settings: Settings, seed: u64, now: Now) -> Self {
        let cx = Context::new(settings, seed, now);
        let accounts = Accounts::new(seed, &cx);
        let mut bridge = Self {
            suspend: Suspend::none(now),
            people: Roster::new(accounts.terms(&cx.settings), &cx),
            groups: Groups::new(&cx.settings.groups, now.tick),
            accounts,
            broker: Broker::new(&cx.settings, fastrand::Rng::with_seed(seed).u64(..), now.tick),
            home_assistant: HomeAssistant::default(),
            lights: Lights::default(),
            health: BridgeHealth::new(now),
            cx,
        };
        bridge.hand_on_changes();
        bridge.accounts.watch_groups(bridge.groups.begun());
        bridge.follow_lights();
        bridge
    }

    /// Takes an event and decides.
    pub fn on(&mut self, event: Event, now: Now) -> Vec<Effect> {
        let (now, slept) = self.suspend.awake(now);
        self.cx.at(now);
        if self.broker.steps_back(&mut self.cx) {
            self.step_back();
        }
        if let Some(slept) = slept {
            self.slept(slept);
        }
        let is_news = self.route(event);
        self.settle();
        if is_news && self.broker.is_open() {
            self.publish_news();
        }
        let Self { people, broker, home_assistant, cx, .. } = self;
        broker.send(people, home_assistant.announcements(), cx);
        self.cx.effects()
    }

    /// The earliest time at which time alone changes something.
    #[must_use]
    pub fn wake_at(&self, now: Tick) -> Option<Tick> {
        let Self { accounts, people, broker, lights, home_assistant, .. } = self;
        let now = self.suspend.with_sleep(now);
        let of_graph = accounts.wake_at(people, &self.cx, now).into_iter().chain(people.wake_at());
        let of_graph = of_graph.min().filter(|_| broker.is_active());
        let of_broker = lights.wake_at().into_iter().chain(home_assistant.wake_at());
        let of_broker = of_broker.min().filter(|_| broker.is_open());
        let wake_at = [of_graph, of_broker, broker.wake_at()].into_iter().flatten().min();
        wake_at.map(|at| self.suspend.without_sleep(at))
    }

    /// What is known now, with the people who are wanted in it.
    #[must_use]
    pub fn snapshot(&self, wanted: &PeopleQuery, now: Now) -> Snapshot {
        self.departments().snapshot(wanted, Now { tick: self.suspend.with_sleep(now.tick), ..now })
    }

    fn departments(&self) -> Departments<'_> {
        let Self { cx, accounts, people, groups, broker, lights, health, .. } = self;
        Departments { cx, accounts, people, groups, broker, lights, health }
    }

    /// Returns whether it may be news to anybody: most events are acknowledgements, which are none.
    fn route(&mut self, event: Event) -> bool {
        let Self { cx, accounts, people, groups, broker, health, .. } = self;
        match event {
            Event::Started | Event::Woken => {}
            Event::Presence(of, event) => {
                let Some(requests) = accounts.requests_mut(of) else { return true };
                match event {
                    PresenceEvent::Read(ended) => people.presence_read(ended, requests, cx),
                    PresenceEvent::Resolved(ended) => people.name_resolved(ended, requests, cx),
                    PresenceEvent::Members(ended) => {
                        if let Err(conflict) = groups.members_read(ended, people, requests, cx) {
                            self.stop(Ending::Conflict(conflict.to_string()));
                        }
                    }
                    PresenceEvent::Set(ended) => {
                        accounts.presence_set(of, ended, people, broker.outbox(), cx);
                    }
                }
            }
            Event::SignIn(of, event) => {
                let Some(account) = accounts.get_mut(of) else { return true };
                if let Some(told) = account.sign_in_happened(event, broker.outbox(), cx) {
                    if told.is_news {
                        self.publish_info();
                    }
                    if told.is_another {
                        self.people.somebody_else_signed_in(of, &self.cx);
                        self.hand_on_changes();
                        self.decide_orphans();
                    }
                    // With somebody else other people can be set.
                    self.accounts.permit_everybody(&mut self.people, &mut self.cx);
                }
            }
            Event::Connected => self.connected(),
            Event::Subscribed { refused } => broker.subscribed(refused, cx),
            Event::Acknowledged(count) => return broker.acknowledged(count, cx),
            Event::PublishRefused { topic, why } => broker.publish_refused(topic, why, cx),
            Event::Message(message) => self.message(&message),
            Event::MessageSkipped { topic, bytes } => broker.message_skipped(topic, bytes, cx),
            Event::Disconnected(failure) => {
                if broker.disconnected(&failure, cx) {
                    self.step_back();
                }
            }
            Event::Configured(..) if broker.is_stopping() => {}
            Event::Configured(settings, access) => self.configured(*settings, access),
            Event::NotConfigured(why) => health.not_reloaded(why, cx),
            Event::Act(visitor, act) => {
                if let Some(acted) = self.act(visitor, act) {
                    self.cx.answer(Some(visitor), acted);
                }
            }
            Event::Stop => self.stop(Ending::Stopped),
        }
        true
    }

    /// A visitor of the status page wants something done. Returns how it went; nothing if that shows later.
    fn act(&mut self, visitor: ActId, act: Act) -> Option<Acted> {
        let Self { cx, accounts, people, broker, lights, .. } = self;
        if !broker.is_open() && act.needs_broker() {
            return Some(Err("the bridge is not connected to the broker, or waits in standby".into()));
        }
        if act == Act::Refresh {
            return Some(self.refresh());
        }
        let of_light = lights.act(&act, broker.outbox(), cx);
        of_light.or_else(|| accounts.act(act, visitor, people, broker.outbox(), cx).err().map(Err))
    }

    /// Reads everybody and sends everything again, at most once per interval: one word would else be an order
    /// to each light.
    fn refresh(&mut self) -> Acted {
        let Self { accounts, groups, broker, lights, cx, .. } = self;
        if !broker.may_refresh(cx) {
            return Err("all people were read a moment ago; try again in a few seconds".into());
        }
        lights.tell_again();
        accounts.refresh(|group| groups.is_worth_a_try(group), cx.now);
        self.send_everything();
        Ok("Reading all people now.")
    }

    /// Lets everybody decide what follows from the event and from the time.
    fn settle(&mut self) {
        while let Some(carried_out) = self.groups.carry_out_next(&mut self.people, &mut self.cx) {
            self.hand_on_changes();
            if carried_out.is_news {
                self.lights.follow(&self.people);
                self.publish_info();
            }
            if carried_out.is_whole {
                self.decide_orphans();
            }
        }
        self.hand_on_changes();
        self.people.judge(self.accounts.terms(&self.cx.settings), &self.cx);
        self.hand_on_changes();
        let Self { accounts, people, groups, broker, cx, .. } = self;
        if broker.is_active() && accounts.send(people, |group| groups.next_page(group), broker.outbox(), cx) {
            self.publish_info();
        }
        self.accounts.invite(self.broker.is_stopping(), self.broker.outbox(), &mut self.cx);
        self.tend_broker();
        let Self { accounts, people, groups, lights, broker, cx, .. } = self;
        let is_expected = |name: &_| groups.expects(name, |of| accounts.is_well(of));
        lights.light_up(is_expected, people, broker.outbox(), cx);
    }

    /// The one fan-out: who came and went, and each change of a person, goes to everybody whom it concerns.
    fn hand_on_changes(&mut self) {
        self.hand_on_moves();
        while let Some((place, dirty)) = self.people.next_changed() {
            self.lights.somebody_changed(place);
            self.broker.outbox().changed(place, dirty);
            if dirty.has_announcement() {
                self.described(place);
            }
        }
        // Last of all, so that Home Assistant hears of nobody whose topics are emptied.
        for (name, report) in self.people.take_emptied() {
            self.broker.outbox().remove_user(&name, &self.cx);
            self.cx.report(report);
        }
    }

    fn hand_on_moves(&mut self) {
        let Self { accounts, people, home_assistant, broker, cx, .. } = self;
        let Some(moves) = people.take_moves() else { return };
        accounts.moved(&moves, people, broker.outbox(), cx);
        moves.left.into_iter().for_each(|place| broker.outbox().forget(place));
        for (place, id) in moves.withdrawn {
            home_assistant.withdraw(place, id, people, broker.outbox(), cx);
        }
    }

    /// Somebody's object id became known, or they are to be shown otherwise.
    fn described(&mut self, place: Place) {
        if self.people.take_over_member(place, &self.cx) {
            self.hand_on_moves();
            self.lights.follow(&self.people);
            self.publish_info();
        }
        let Self { accounts, people, home_assistant, broker, cx, .. } = self;
        accounts.permit(place, people, cx);
        home_assistant.described(place, people, broker.outbox(), cx);
    }

    /// Takes back what earlier runs left of people who will not come any more.
    fn decide_orphans(&mut self) {
        let Self { people, groups, home_assistant, broker, cx, .. } = self;
        // First of all, so that Home Assistant hears of nobody whose topics are emptied.
        home_assistant.decide(|name| groups.may_come(name), people, broker.outbox(), cx);
        groups.decide_orphans(people, broker.outbox(), cx);
    }

    /// Time went on by `slept`. Reads everybody again, on new connections: the old ones are dead, and a read
    /// on one would wait for its timeout.
    fn slept(&mut self, slept: Duration) {
        let Self { accounts, people, broker, cx, .. } = self;
        cx.slept(slept);
        accounts.slept(broker.outbox(), cx);
        people.slept(cx);
        if broker.slept(slept, cx) {
            self.step_back();
        }
    }

    /// Another instance is to be active. What was known is old when this one is again, and what it had to
    /// send must not go out.
    fn step_back(&mut self) {
        self.accounts.cut_off("another instance is active", self.broker.outbox(), &mut self.cx);
        self.begin_anew();
    }

    /// Knows nothing but what is the process's own: who is signed in, and what was spent of the budgets.
    fn begin_anew(&mut self) {
        let seed = self.cx.random.u64(..);
        let anew = Self::new(self.cx.settings.clone(), seed, self.cx.time());
        self.broker.outbox().begin_anew();
        self.accounts.begin_anew(anew.accounts);
        (self.people, self.groups) = (anew.people, anew.groups);
        (self.home_assistant, self.lights) = (anew.home_assistant, anew.lights);
        self.accounts.permit_everybody(&mut self.people, &mut self.cx);
    }

    fn connected(&mut self) {
        let Self { broker, lights, cx, .. } = self;
        let announcements = announcements::every_announcement(cx);
        let named = lights.left_at(&cx.topics).chain(announcements::announced_bridge(cx)).collect();
        let lasting = lights.filters(&cx.topics);
        let Some(was_waiting) = broker.connected(announcements, named, lasting, cx) else { return };
        if was_waiting {
            self.begin_anew();
        }
        self.home_assistant.connected();
        self.lights.connected();
        if self.broker.is_open() {
            self.send_everything();
        }
    }

    fn message(&mut self, message: &Incoming) {
        let Self { broker, home_assistant, lights, cx, .. } = self;
        let heard = Heard::from_topic(&message.topic, &cx.topics);
        let Some(are_others) = broker.heard(&heard, message, cx.now) else { return };
        let is_for_others = lights.heard(message, cx.now) | home_assistant.is_birth(message, cx);
        if are_others {
            self.publish_info();
        } else if let Heard::Asked(asked) = heard {
            // What was retained was wanted long ago.
            if !message.retained {
                self.asked(asked, message);
            }
        } else if message.retained && !is_for_others {
            self.found(&heard, message);
        } else if !is_for_others && heard == Heard::Own(BridgeField::State) {
            // What else comes live is the echo of what this bridge publishes.
            broker.heard_own_state(message, cx);
        }
    }

    fn asked(&mut self, asked: Asked, message: &Incoming) {
        let Self { accounts, people, broker, lights, cx, .. } = self;
        let (payload, answer_to) = (message.payload.clone(), AnswerTo::Message(message.reply_to.clone()));
        let command = match asked {
            Asked::Refresh => return drop(self.refresh()),
            Asked::Ping => return broker.pinged(message, cx),
            Asked::PauseLight(name) => return lights.heard_switch(&name, &payload, broker.outbox(), cx),
            Asked::Set(user) => Command::presence(user, payload, answer_to),
            Asked::SetStatusMessage(user) => Command::status_message(user, payload, answer_to, cx.wall),
        };
        if broker.is_active() {
            _ = accounts.set(command, people, broker.outbox(), cx);
        }
    }

    /// An earlier run, or somebody else, left this on the broker: each looks whether it is theirs.
    fn found(&mut self, heard: &Heard, message: &Incoming) {
        let Self { accounts, people, groups, broker, home_assistant, lights, cx, .. } = self;
        let earlier_announcements = announcements::earlier_announcements(heard, message, cx);
        broker.found(heard, message, earlier_announcements, people, cx);
        let driven =
            home_assistant.found(heard, message, |name| groups.may_come(name), people, broker.outbox(), cx);
        lights.found(heard, message, driven, broker.outbox(), cx);
        groups.found(heard, message, people, broker.outbox(), cx);
        accounts.found(heard, message, broker.outbox(), cx);
        health::found(heard, message, broker.outbox(), cx);
    }

    /// Does what the connection's own time asks for.
    fn tend_broker(&mut self) {
        let Self { people, groups, broker, home_assistant, lights, cx, .. } = self;
        match broker.tend(home_assistant.found_count(), people, announcements::announced_person, cx) {
            Some(ReadBack::Conflict(sentence)) => self.stop(Ending::Conflict(sentence)),
            Some(ReadBack::Done { lone_healths }) => {
                home_assistant.judge_found(|name| groups.may_come(name), people, broker.outbox(), cx);
                lights.remove_found(broker.outbox(), cx);
                groups.keep_healths(lone_healths, people);
                self.decide_orphans();
                self.send_everything();
            }
            None => {}
        }
        if self.broker.tend_later(self.home_assistant.is_born(self.cx.now), &mut self.cx) {
            self.send_everything();
        }
    }

    fn send_everything(&mut self) {
        let Self { cx, people, groups, broker, home_assistant, lights, .. } = self;
        let refused = broker.send_everything(people, cx);
        home_assistant.is_served();
        lights.were_refused(&refused);
        groups.doubt_orphans(broker.outbox(), cx);
        home_assistant.announce_bridge(broker.outbox(), cx);
        lights.publish_all(broker.outbox(), cx);
        self.health.forget_published();
        self.publish_news();
        self.publish_info();
        self.accounts.publish_shown(self.broker.outbox(), &self.cx);
    }

    fn publish_news(&mut self) {
        let words = self.departments().health_words();
        self.health.publish_news(words, self.broker.outbox(), &self.cx);
    }

    fn publish_info(&mut self) {
        let info = self.departments().info();
        self.broker.outbox().own(self.cx.topics.of_bridge(BridgeField::Info), info);
    }

    /// Goes on with other settings. Whatever ties the bridge to its broker, and to Home Assistant there, must
    /// be the same as before.
    fn configured(&mut self, settings: Settings, access: Vec<Access>) {
        let Self { cx, accounts, people, groups, broker, health, .. } = self;
        health.reloaded();
        let reloaded = accounts.configured(settings, access, broker.outbox(), cx);
        groups.configured(&cx.settings.groups, cx.now);
        people.follow(&reloaded.successors, accounts.terms(&cx.settings), |id| groups.group_of(id), cx);
        health.accounts_go(&reloaded.gone, broker.outbox(), cx);
        broker.commands_configured(reloaded.before.commands.is_some(), cx);
        self.hand_on_changes();
        self.accounts.plan(&reloaded, self.groups.begun(), &self.people, &mut self.cx);
        self.decide_orphans();
        self.follow_lights();
        self.accounts.permit_everybody(&mut self.people, &mut self.cx);
        self.cx.report(Report::Configured(self.people.count()));
        // What ties the bridge to its broker is the same; what may differ is how values are sent.
        if reloaded.before.mqtt == self.cx.settings.mqtt {
            self.publish_info();
        } else if self.broker.is_open() {
            self.send_everything();
        }
    }

    /// Drives the lights that are configured, and hears of them.
    fn follow_lights(&mut self) {
        let Self { people, lights, home_assistant, broker, cx, .. } = self;
        let configured = lights.configured(people, broker.outbox(), cx);
        home_assistant.bridge_has(lights.names(), broker.outbox(), cx);
        broker.unsubscribe(configured.unneeded, cx);
        broker.subscribe(configured.needed, cx);
    }

    /// Publishes `offline` where somebody could hear it, and goes.
    fn stop(&mut self, ending: Ending) {
        let Self { accounts, broker, lights, cx, .. } = self;
        let is_open = broker.is_open();
        let last = is_open.then(|| accounts.goodbye(cx).chain(lights.goodbye(cx)).collect());
        broker.stop(ending, last.unwrap_or_default(), cx);
    }
}

#[cfg(test)]
mod hooks {
    use super::{Bridge, Lights};

    impl Bridge {
        /// For tests of what follows when nobody lives in the bridge's place.
        pub(crate) fn claimed(mut self) -> Self {
            self.broker.claim();
            self
        }

        /// For tests of what their own clock asks for.
        pub(in crate::core) fn lights(&self) -> &Lights {
            &self.lights
        }
    }
}
