//! Which commands are taken, and about whom.

use std::time::Duration;

use super::echo::{Echo, Sender};
use super::{CommandQueue, PendingCommand};
use crate::core::broker::outbox::Outbox;
use crate::core::context::Context;
use crate::core::model::command::{AnswerTo, Command};
use crate::core::model::event::ReplyTo;
use crate::core::model::name::TopicLevel;
use crate::core::model::place::Place;
use crate::core::model::presence_change::ChangeKind;
use crate::core::model::report::{Report, words};
use crate::core::model::request::Whom;
use crate::core::model::settings::Settings;
use crate::core::model::sign_in::SignedIn;
use crate::core::model::time::Tick;
use crate::core::people::Roster;
use crate::core::people::person::Person;

/// Commands that wait. One more is answered as failed.
const WAITING_MAX: usize = 64;

const NO_SESSION: &str = "presence sessions need the id of an app, so write the identity's client id into graph.client_id, or use \
                          kind preferred";
const NOBODY: &str = "no account is signed in: run `presence2mqtt login`";
const SOMEBODY_ELSE: &str = "a person's sign-in can set only that person's own presence; to set others, use an app's own \
                             sign-in method with the application permission Presence.ReadWrite.All";
const NOT_ASKED_FOR: &str = "the sign-in was made without the permission Presence.ReadWrite, which commands need: run \
                             `presence2mqtt login` again";
const UNKNOWN: &str = "the object id of this person is not known yet; try again when their health is ok";

/// Whether the sender may have an answer there. A topic of a light or of Home Assistant means something to
/// others.
fn may_reply(user: &TopicLevel, to: &ReplyTo, cx: &Context) -> bool {
    let settings = &cx.settings;
    let elsewhere = settings.commands.as_ref().and_then(|commands| commands.response_topic.as_deref());
    let is_below = |topic: &str| {
        to.topic.strip_prefix(topic).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    let is_of_light = settings.lights.iter().any(|light| is_below(&light.topic));
    let is_discovery =
        settings.discovery.as_ref().is_some_and(|discovery| is_below(discovery.prefix.as_str()));
    !is_of_light && !is_discovery && cx.topics.may_reply(user, to, elsewhere)
}

impl CommandQueue {
    /// Takes a command, unless it is about nobody. Graph wants to be left alone until `hold_until`.
    pub(in crate::core) fn take(
        &mut self,
        command: Command,
        hold_until: Tick,
        people: &Roster,
        outbox: &mut Outbox,
        cx: &mut Context,
    ) {
        let Command { user, change, payload, answer_to } = command;
        let found = people.by_name(&user).and_then(|place| Some((place, people.get(place)?)));
        let Some((place, person)) = found else { return };
        let answer_to = match answer_to {
            AnswerTo::Message(to) => AnswerTo::Message(to.filter(|to| may_reply(&user, to, cx))),
            AnswerTo::Visitor(visitor) => AnswerTo::Visitor(visitor),
        };
        let from = Sender { user, echo: Echo::from_payload(&payload), answer_to };
        let who = people.who(place, cx);
        let acceptable = change.and_then(|change| {
            self.may_take((place, person), change.kind(), hold_until, cx)?;
            Ok(change)
        });
        match acceptable {
            Ok(change) => {
                let older = self.older(place, change.kind()).and_then(|older| self.waiting.remove(older));
                if let Some(older) = older {
                    older.superseded(outbox, cx);
                }
                let since = cx.now;
                self.waiting.push_back(PendingCommand { place, who, change, from, since, retried: false });
            }
            Err(why) => {
                let why = cx.addressed(self.account, &why);
                from.answer(Some(&why), outbox, cx);
                cx.report(Report::CommandRefused(who, why.into()));
            }
        }
    }

    /// Whether a change of this kind may be taken now, or why not.
    fn may_take(
        &self,
        (place, person): (Place, &Person),
        kind: ChangeKind,
        hold_until: Tick,
        cx: &Context,
    ) -> Result<(), String> {
        self.whom(person, &cx.settings)?;
        let sessions = cx.settings.account(self.account).session_id.is_some();
        if kind == ChangeKind::Session && !sessions {
            return Err(NO_SESSION.to_owned());
        }
        if let Some(wait) = self.patience(hold_until, cx.now) {
            return Err(format!("Graph asks for fewer requests; try again in {}", words(wait)));
        }
        if self.waiting.len() >= WAITING_MAX && self.older(place, kind).is_none() {
            return Err("too many commands are waiting; try again later".to_owned());
        }
        Ok(())
    }

    /// Whether commands can set this person's presence.
    pub(in crate::core) fn may_set(&self, person: &Person, settings: &Settings) -> bool {
        settings.commands.is_some() && self.whom(person, settings).is_ok()
    }

    /// How Graph knows the person, or why they cannot be set.
    pub(super) fn whom(&self, person: &Person, settings: &Settings) -> Result<Whom, &'static str> {
        if settings.account(self.account).sign_in.invites.is_some() {
            whom_as_person(person, self.signed_in.as_ref())
        } else {
            person.id().map(Whom::User).ok_or(UNKNOWN)
        }
    }

    /// What is said of commands on `<bridge>/health`.
    pub(in crate::core) fn notices(&self, settings: &Settings) -> impl Iterator<Item = String> {
        let is_on = settings.commands.is_some();
        let is_person = settings.account(self.account).sign_in.invites.is_some();
        let who = self.signed_in.as_ref().filter(|who| is_person && !who.may_write);
        let not_asked_for = who.map(|_| NOT_ASKED_FOR.to_owned());
        not_asked_for.into_iter().chain(self.forbidden.clone()).filter(move |_| is_on)
    }

    /// How long Graph wants to be left alone; `hold_until` is what it asked for about reads.
    pub(super) fn patience(&self, hold_until: Tick, now: Tick) -> Option<Duration> {
        let wait = self.hold_until.max(hold_until).since(now);
        (!wait.is_zero()).then_some(wait)
    }

    /// A command that waits to change the same thing: of two only the newer one counts.
    pub(super) fn older(&self, place: Place, kind: ChangeKind) -> Option<usize> {
        let is_same = |command: &PendingCommand| command.place == place && command.change.kind() == kind;
        self.waiting.iter().position(is_same)
    }
}

/// A delegated sign-in can set only its own user.
fn whom_as_person(person: &Person, signed_in: Option<&SignedIn>) -> Result<Whom, &'static str> {
    match signed_in {
        None => Err(NOBODY),
        Some(who) if !person.is_me() && person.id() != Some(who.object_id) => Err(SOMEBODY_ELSE),
        Some(who) if !who.may_write => Err(NOT_ASKED_FOR),
        Some(_) => Ok(Whom::Me),
    }
}
