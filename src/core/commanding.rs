//! What the bridge does about commands: which it takes, and how it answers them.
//!
//! A command is obeyed at once or not at all: a presence that is set an hour late is wrong. So what fails is answered
//! as failed and never tried again later; only a token that Graph refuses is replaced and the write repeated, once.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use crate::core::bridge::{Bridge, GENTLE};
use crate::core::echo::Echo;
use crate::core::model::effect::Message;
use crate::core::model::event::{Incoming, ReplyTo};
use crate::core::model::mqtt::Qos;
use crate::core::model::name::TopicLevel;
use crate::core::model::presence_change::{ChangeKind, PresenceChange};
use crate::core::model::report::{Report, words};
use crate::core::model::sign_in::SignedIn;
use crate::core::model::time::Tick;
use crate::core::model::topic::{SET, SET_STATUS_MESSAGE};
use crate::core::schedule::Place;
use crate::core::source::Reach;

/// Commands that wait. One more is answered as failed.
const WAITING: usize = 64;

const NO_SESSION: &str = "presence sessions need the id of an app, so write the identity's client id into graph.client_id, or use \
                          kind preferred";

/// Commands on their way.
#[derive(Debug, Default)]
pub(super) struct Commanding {
    pub waiting: VecDeque<Wish>,
    pub under_way: BTreeMap<u64, Wish>,
    /// Graph asked for patience about writes.
    pub hold_until: Tick,
    /// Why Graph forbade the last write, until one succeeds.
    pub forbidden: Option<String>,
    /// The last request was a write.
    pub wrote_last: bool,
    /// Whose sign-in it is, where a person signs in.
    pub signed_in: Option<SignedIn>,
    /// Older tokens are somebody else's, or lack what was consented to since.
    tokens_from: Option<Tick>,
}

/// A command that makes sense.
#[derive(Debug)]
pub(super) struct Wish {
    pub place: Place,
    pub setting: PresenceChange,
    pub from: Sender,
    pub since: Tick,
    /// It is a repeat with a new token; a second refusal is final.
    pub retried: bool,
}

/// To whom the result goes.
#[derive(Debug)]
pub(super) struct Sender {
    user: TopicLevel,
    echo: Echo,
    reply_to: Option<ReplyTo>,
}

impl Commanding {
    /// Takes who is signed in now.
    pub(super) fn signed_in(&mut self, account: Option<SignedIn>, now: Tick) {
        if self.signed_in.is_some() && self.signed_in != account {
            self.tokens_from = Some(now);
        }
        self.signed_in = account;
    }

    /// How old a token may be that something is written with.
    pub(super) fn token_max_age(&self, now: Tick) -> Option<Duration> {
        let by_permission = self.forbidden.is_some().then_some(GENTLE);
        by_permission.into_iter().chain(self.tokens_from.map(|from| now.since(from))).min()
    }
}

impl Bridge {
    /// Takes a live message, which is a command or nothing.
    pub(super) fn command(&mut self, message: &Incoming, now: Tick) {
        if self.settings.commands.is_none() || self.link.is_stopping() {
            return;
        }
        let user = |level| self.topics.user_of(&message.topic, level);
        let (user, setting) = match (user(SET), user(SET_STATUS_MESSAGE)) {
            (Some(user), _) => (user, PresenceChange::of_presence(&message.payload)),
            (None, Some(user)) => (user, PresenceChange::of_status_message(&message.payload, self.wall)),
            (None, None) => return,
        };
        let Some(place) = self.by_name.get(&user, &self.people) else { return };
        let reply_to = message.reply_to.clone().filter(|to| self.topics.may_reply(&user, to));
        let from = Sender { user, echo: Echo::of(&message.payload), reply_to };
        match setting.and_then(|setting| self.acceptable(place, setting, now)) {
            Ok(Some(setting)) => {
                self.replace_older(place, setting.kind());
                let wish = Wish { place, setting, from, since: now, retried: false };
                self.commanding.waiting.push_back(wish);
            }
            Ok(None) => {}
            Err(why) => {
                self.result(from, Some(&why));
                self.report(Report::CommandRefused(place, why));
            }
        }
    }

    fn acceptable(
        &self,
        place: Place,
        setting: Option<PresenceChange>,
        now: Tick,
    ) -> Result<Option<PresenceChange>, String> {
        let Some(setting) = setting else { return Ok(None) };
        self.whom(place)?;
        let sessions = self.settings.commands.as_ref().is_some_and(|commands| commands.session_id.is_some());
        if setting.kind() == ChangeKind::Session && !sessions {
            return Err(NO_SESSION.to_owned());
        }
        if let Some(wait) = self.patience(now) {
            return Err(format!("Graph asks for fewer requests; try again in {}", words(wait)));
        }
        let is_full = self.commanding.waiting.len() >= WAITING;
        if is_full && self.older(place, setting.kind()).is_none() {
            return Err("too many commands are waiting; try again later".to_owned());
        }
        Ok(Some(setting))
    }

    /// How long Graph wants to be left alone.
    pub(super) fn patience(&self, now: Tick) -> Option<Duration> {
        let of_reads =
            if self.source.reach() == Reach::Throttled { self.source.hold_until() } else { Tick::default() };
        let wait = self.commanding.hold_until.max(of_reads).since(now);
        (!wait.is_zero()).then_some(wait)
    }

    /// A command that waits to change the same thing.
    fn older(&self, place: Place, kind: ChangeKind) -> Option<usize> {
        let is_same = |wish: &Wish| wish.place == place && wish.setting.kind() == kind;
        self.commanding.waiting.iter().position(is_same)
    }

    /// Of two that wait to change the same thing only the newer one counts.
    fn replace_older(&mut self, place: Place, kind: ChangeKind) {
        let older = self.older(place, kind);
        if let Some(wish) = older.and_then(|older| self.commanding.waiting.remove(older)) {
            self.superseded(wish);
        }
    }

    /// Answers a command that a newer one makes pointless.
    pub(super) fn superseded(&mut self, wish: Wish) {
        let why = "a newer command took its place";
        self.result(wish.from, Some(why));
        self.report(Report::CommandRefused(wish.place, why.to_owned()));
    }

    /// Answers a command that will not be obeyed any more.
    pub(super) fn give_up(&mut self, wish: Wish, why: &str) {
        self.result(wish.from, Some(why));
        self.report(Report::CommandFailed(wish.place, why.to_owned()));
    }

    /// Answers everything that is under way, whose ends will not be told, and what waits for it.
    pub(super) fn give_up_commands(&mut self, why: &str) {
        let under_way = std::mem::take(&mut self.commanding.under_way).into_values();
        let all: Vec<Wish> = under_way.chain(std::mem::take(&mut self.commanding.waiting)).collect();
        for wish in all {
            self.give_up(wish, why);
        }
    }

    /// Finds the people of commands again, after they got other places. Answers those about people who are not followed any
    /// more, or under another name.
    pub(super) fn commands_follow(&mut self) {
        let place = |wish: &Wish| self.by_name.get(&wish.from.user, &self.people);
        let (mut waiting, mut under_way, mut lost) = (VecDeque::new(), BTreeMap::new(), Vec::new());
        for mut wish in std::mem::take(&mut self.commanding.waiting) {
            match place(&wish) {
                Some(place) => {
                    wish.place = place;
                    waiting.push_back(wish);
                }
                None => lost.push(wish),
            }
        }
        for (request, mut wish) in std::mem::take(&mut self.commanding.under_way) {
            match place(&wish) {
                Some(place) => {
                    wish.place = place;
                    under_way.insert(request, wish);
                }
                None => lost.push(wish),
            }
        }
        (self.commanding.waiting, self.commanding.under_way) = (waiting, under_way);
        for wish in lost {
            self.give_up(wish, "this person is not followed any more, or has another name");
        }
    }

    pub(super) fn result(&mut self, from: Sender, error: Option<&str>) {
        let Sender { user, echo, reply_to } = from;
        let payload = echo.with(error);
        let to_sender = reply_to.map(|to| (to.topic, to.correlation));
        let to_all = (self.topics.set_result(&user), None);
        for (topic, correlation) in std::iter::once(to_all).chain(to_sender) {
            let (payload, qos) = (payload.clone(), Qos::AtLeastOnce);
            self.outbox.result(Message { topic, payload, qos, retain: false, expires: None, correlation });
        }
    }
}
