//! Which commands are taken.

use std::time::Duration;

use super::echo::{Echo, Sender};
use super::{CommandQueue, PendingCommand};
use crate::core::broker::outbox::Outbox;
use crate::core::context::Context;
use crate::core::model::act::ActId;
use crate::core::model::event::{Incoming, ReplyTo};
use crate::core::model::name::TopicLevel;
use crate::core::model::place::Place;
use crate::core::model::presence_change::{ChangeKind, PresenceChange};
use crate::core::model::report::{Report, words};
use crate::core::model::time::Tick;
use crate::core::people::Roster;

/// Commands that wait. One more is answered as failed.
const WAITING_MAX: usize = 64;

const NO_SESSION: &str = "presence sessions need the id of an app, so write the identity's client id into graph.client_id, or use \
                          kind preferred";

/// Whether the sender may have an answer there. A topic of a light or of Home Assistant means something to others.
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
    /// Takes a command about a user, from a visitor of the status page perhaps: what its payload asks for, and nothing if it is empty. Graph wants to be left alone until
    /// `hold_until`.
    pub(in crate::core) fn take(
        &mut self,
        (user, change): (TopicLevel, Result<Option<PresenceChange>, String>),
        (message, visitor): (&Incoming, Option<ActId>),
        hold_until: Tick,
        people: &Roster,
        outbox: &mut Outbox,
        cx: &mut Context,
    ) {
        let Some(place) = people.by_name(&user).filter(|_| cx.settings.commands.is_some()) else { return };
        let reply_to = message.reply_to.clone().filter(|to| may_reply(&user, to, cx));
        let from = Sender { user, echo: Echo::from_payload(&message.payload), reply_to, visitor };
        let who = people.who(place, cx);
        match change.and_then(|change| self.acceptable(place, change, hold_until, people, cx)) {
            Ok(Some(change)) => {
                let older = self.older(place, change.kind()).and_then(|older| self.waiting.remove(older));
                if let Some(older) = older {
                    older.superseded(outbox, cx);
                }
                let since = cx.now;
                self.waiting.push_back(PendingCommand { place, who, change, from, since, retried: false });
            }
            Ok(None) => {}
            Err(why) => {
                let why = cx.addressed(self.account, &why);
                from.answer(Some(&why), outbox, cx);
                cx.report(Report::CommandRefused(who, why.into()));
            }
        }
    }

    fn acceptable(
        &self,
        place: Place,
        change: Option<PresenceChange>,
        hold_until: Tick,
        people: &Roster,
        cx: &Context,
    ) -> Result<Option<PresenceChange>, String> {
        let (Some(change), Some(person)) = (change, people.get(place)) else { return Ok(None) };
        self.whom(person, &cx.settings)?;
        let sessions = cx.settings.account(self.account).session_id.is_some();
        if change.kind() == ChangeKind::Session && !sessions {
            return Err(NO_SESSION.to_owned());
        }
        if let Some(wait) = self.patience(hold_until, cx.now) {
            return Err(format!("Graph asks for fewer requests; try again in {}", words(wait)));
        }
        let is_full = self.waiting.len() >= WAITING_MAX;
        if is_full && self.older(place, change.kind()).is_none() {
            return Err("too many commands are waiting; try again later".to_owned());
        }
        Ok(Some(change))
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
