//! What the bridge does about commands: whose presence may be set, what is written when, and what is answered.
//!
//! A command is obeyed at once or not at all: a presence that is set an hour late is wrong. So what fails is answered
//! as failed and never tried again later; only a token that Graph refuses is replaced and the write repeated, once.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use super::bridge::{Bridge, GENTLE};
use super::command::{Command, Message, Qos, Whom, Write};
use super::echo::Echo;
use super::event::{Answer, Incoming, PresenceEvent, ReadFailure, ReplyTo, RequestId};
use super::name::{TopicLevel, UserId};
use super::report::{Report, words};
use super::schedule::{Place, Target};
use super::setting::{Setting, SettingKind};
use super::settings::Endpoint;
use super::sign_in::SignedIn;
use super::source::Reach;
use super::time::{Now, Tick};
use super::topic::{SET, SET_STATUS_MESSAGE};

/// Commands that wait. One more is answered as failed.
const WAITING: usize = 64;

/// Writes under way at once.
const AT_ONCE: usize = 16;

/// A command that waited this long, for the budget or for an earlier one, is answered as failed.
const PATIENCE: Duration = Duration::from_secs(30);

/// `Retry-After` is honoured within these bounds; the first holds where Graph does not say.
const HOLD: (Duration, Duration) = (Duration::from_secs(10), Duration::from_secs(900));

const NOBODY: &str = "nobody is signed in: run `presence2mqtt login`";
const SOMEBODY_ELSE: &str = "a person's sign-in can set only that person's own presence; to set others, use an app's own \
                             sign-in method with the application permission Presence.ReadWrite.All";
const NOT_ASKED_FOR: &str = "the sign-in was made without the permission Presence.ReadWrite, which commands need: run \
                             `presence2mqtt login` again";
const UNKNOWN: &str = "the object id of this person is not known yet; try again when their health is ok";
const NO_SESSION: &str = "presence sessions need the id of an app, so write the identity's client id into graph.client_id, or use \
                          kind preferred";

/// Commands on their way.
#[derive(Debug, Default)]
pub(super) struct Commanding {
    waiting: VecDeque<Wish>,
    under_way: BTreeMap<RequestId, Wish>,
    /// Graph asked for patience about writes.
    hold_until: Tick,
    /// Why Graph forbade the last write, until one succeeds.
    forbidden: Option<String>,
    /// Whose sign-in it is, where a person signs in.
    signed_in: Option<SignedIn>,
    /// Older tokens are somebody else's, or lack what was consented to since.
    tokens_from: Option<Tick>,
}

/// A command that makes sense.
#[derive(Debug)]
struct Wish {
    place: Place,
    setting: Setting,
    from: Sender,
    since: Tick,
    /// It is a repeat with a new token; a second refusal is final.
    retried: bool,
}

/// To whom the result goes.
#[derive(Debug)]
struct Sender {
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
    fn token_max_age(&self, now: Tick) -> Option<Duration> {
        let by_permission = self.forbidden.is_some().then_some(GENTLE);
        by_permission.into_iter().chain(self.tokens_from.map(|from| now.since(from))).min()
    }
}

impl Bridge {
    /// Whether commands can set this person's presence. [`Report::Settable`] is said when it changes.
    pub(super) fn may_set(&self, place: Place) -> bool {
        self.settings.commands.is_some() && self.whom(place).is_ok()
    }

    /// How Graph knows the person, or why they cannot be set.
    fn whom(&self, place: Place) -> Result<Whom, &'static str> {
        let person = &self.people[place];
        if !self.settings.invites {
            return person.id.map(Whom::User).ok_or(UNKNOWN);
        }
        match &self.commanding.signed_in {
            None => Err(NOBODY),
            Some(who) if person.configured != UserId::Me && person.id != Some(who.object_id) => {
                Err(SOMEBODY_ELSE)
            }
            Some(who) if !who.may_write => Err(NOT_ASKED_FOR),
            Some(_) => Ok(Whom::Me),
        }
    }

    /// Takes a live message, which is a command or nothing.
    pub(super) fn command(&mut self, message: &Incoming, now: Tick) {
        if self.settings.commands.is_none() || self.link.is_stopping() {
            return;
        }
        let user = |level| self.topics.user_of(&message.topic, level);
        let (user, setting) = match (user(SET), user(SET_STATUS_MESSAGE)) {
            (Some(user), _) => (user, Setting::of_presence(&message.payload)),
            (None, Some(user)) => (user, Setting::of_status_message(&message.payload, self.wall)),
            (None, None) => return,
        };
        let Some(&place) = self.by_name.get(&user) else { return };
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
        setting: Option<Setting>,
        now: Tick,
    ) -> Result<Option<Setting>, String> {
        let Some(setting) = setting else { return Ok(None) };
        self.whom(place)?;
        let sessions = self.settings.commands.as_ref().is_some_and(|commands| commands.session_id.is_some());
        if setting.kind() == SettingKind::Session && !sessions {
            return Err(NO_SESSION.to_owned());
        }
        if let Some(wait) = self.patience(now) {
            return Err(format!("Graph asks for fewer requests; try again in {}", words(wait)));
        }
        if self.commanding.waiting.len() >= WAITING {
            return Err("too many commands are waiting; try again later".to_owned());
        }
        Ok(Some(setting))
    }

    /// How long Graph wants to be left alone.
    fn patience(&self, now: Tick) -> Option<Duration> {
        let of_reads =
            if self.source.reach() == Reach::Throttled { self.source.hold_until() } else { Tick::default() };
        let wait = self.commanding.hold_until.max(of_reads).since(now);
        (!wait.is_zero()).then_some(wait)
    }

    /// Of two that wait to change the same thing only the newer one counts.
    fn replace_older(&mut self, place: Place, kind: SettingKind) {
        let waiting = &mut self.commanding.waiting;
        let older = waiting.iter().position(|wish| wish.place == place && wish.setting.kind() == kind);
        if let Some(wish) = older.and_then(|older| waiting.remove(older)) {
            self.give_up(wish, "a newer command took its place");
        }
    }

    /// When the next write may begin, or a command has waited too long.
    pub(super) fn next_write_at(&self, now: Tick) -> Option<Tick> {
        if self.link.is_stopping() {
            return None;
        }
        let over = self.commanding.waiting.iter().map(|wish| wish.since + PATIENCE).min();
        let ready = self.next_wish().map(|_| self.budget.ready_at(now));
        over.into_iter().chain(ready).min()
    }

    /// The first command that waits for a person about whom nothing is under way.
    fn next_wish(&self) -> Option<usize> {
        let Commanding { waiting, under_way, .. } = &self.commanding;
        let same = |one: Place, other: Place| {
            one == other || (self.people[one].id.is_some() && self.people[one].id == self.people[other].id)
        };
        let is_free = |wish: &Wish| !under_way.values().any(|other| same(other.place, wish.place));
        waiting.iter().position(is_free).filter(|_| under_way.len() < AT_ONCE)
    }

    /// Orders writes, before any read that is due.
    pub(super) fn write_what_waits(&mut self, now: Tick) {
        if self.link.is_stopping() {
            return;
        }
        let is_over = |wish: &Wish| now >= wish.since + PATIENCE;
        let over: VecDeque<Wish>;
        (over, self.commanding.waiting) =
            std::mem::take(&mut self.commanding.waiting).into_iter().partition(is_over);
        for wish in over {
            self.give_up(wish, "it waited too long for its turn");
        }
        while self.budget.ready_at(now) <= now {
            let next = self.next_wish().and_then(|next| self.commanding.waiting.remove(next));
            let Some(wish) = next else { break };
            // Who is signed in, and what Graph asks for, may have changed while it waited.
            match (self.whom(wish.place), self.patience(now)) {
                (Err(why), _) => self.give_up(wish, why),
                (Ok(_), Some(_)) => self.give_up(wish, "Graph asks for fewer requests"),
                (Ok(whom), None) => self.write(whom, wish, now),
            }
        }
    }

    fn write(&mut self, whom: Whom, wish: Wish, now: Tick) {
        self.budget.spend(now);
        let request = self.new_request();
        let token_max_age = self.commanding.token_max_age(now);
        let session_id = self.settings.commands.as_ref().and_then(|commands| commands.session_id.clone());
        let setting = wish.setting.clone();
        self.commanding.under_way.insert(request, wish);
        self.commands.push(Command::Write(Write { request, whom, setting, session_id, token_max_age }));
    }

    /// A write is over, well or not.
    pub(super) fn write_ended(&mut self, event: PresenceEvent, now: Now) {
        let Some(mut wish) = self.commanding.under_way.remove(&event.request) else { return };
        match event.outcome {
            Ok(Answer::Written | Answer::People(_) | Answer::Resolved(_)) => {
                self.commanding.forbidden = None;
                self.result(wish.from, None);
                self.report(Report::Commanded(wish.place));
                self.look_at(wish.place);
            }
            Err(ReadFailure::TokenRefused { .. }) if !wish.retried => {
                wish.retried = true;
                let waiting = &mut self.commanding.waiting;
                let is_newer =
                    |other: &Wish| other.place == wish.place && other.setting.kind() == wish.setting.kind();
                if waiting.iter().any(is_newer) {
                    self.give_up(wish, "a newer command took its place");
                } else {
                    waiting.push_front(wish);
                }
            }
            Err(failure) => self.write_failed(wish, &failure, now.tick),
        }
    }

    fn write_failed(&mut self, wish: Wish, failure: &ReadFailure, now: Tick) {
        let why = match failure {
            ReadFailure::Passing { why, .. } => {
                format!("{why}; it is not known whether it was done, and it is not tried again")
            }
            ReadFailure::Throttled { retry_after } => {
                let wait = retry_after.map_or(HOLD.0, |wait| wait.clamp(Duration::from_secs(1), HOLD.1));
                self.commanding.hold_until = now + wait;
                format!("Graph asks for fewer requests; try again in {}", words(wait))
            }
            ReadFailure::Forbidden { advice } => {
                self.commanding.forbidden = Some(advice.clone());
                advice.clone()
            }
            ReadFailure::TokenRefused { .. }
            | ReadFailure::SignInRequired { .. }
            | ReadFailure::NotFound
            | ReadFailure::Refused { .. } => failure.to_string(),
        };
        self.give_up(wish, &why);
    }

    /// Answers a command that will not be obeyed any more.
    fn give_up(&mut self, wish: Wish, why: &str) {
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

    /// Reads somebody alone at once, to show what became of a write.
    fn look_at(&mut self, place: Place) {
        let target = match (&self.people[place].configured, self.settings.endpoint) {
            (UserId::Me, _) => Target::Me(place),
            (UserId::Object(_) | UserId::Principal(_), Endpoint::Communications) => {
                Target::Communications(place)
            }
            (
                UserId::Object(_) | UserId::Principal(_),
                Endpoint::Auto | Endpoint::Me | Endpoint::Users | Endpoint::Bulk,
            ) => Target::User(place),
        };
        self.schedule.look(target);
    }

    fn result(&mut self, from: Sender, error: Option<&str>) {
        let Sender { user, echo, reply_to } = from;
        let payload = echo.with(error);
        let to_sender = reply_to.map(|to| (to.topic, to.correlation));
        let to_all = (self.topics.set_result(&user), None);
        for (topic, correlation) in std::iter::once(to_all).chain(to_sender) {
            let (payload, qos) = (payload.clone(), Qos::AtLeastOnce);
            self.outbox.result(Message { topic, payload, qos, retain: false, expires: None, correlation });
        }
    }

    /// What is said of commands on `<bridge>/health`.
    pub(super) fn command_notices(&self) -> Vec<String> {
        if self.settings.commands.is_none() {
            return Vec::new();
        }
        let who = self.commanding.signed_in.as_ref().filter(|_| self.settings.invites);
        let not_asked_for = who.filter(|who| !who.may_write).map(|_| NOT_ASKED_FOR.to_owned());
        not_asked_for.into_iter().chain(self.commanding.forbidden.clone()).collect()
    }
}
