//! The place at the broker where several instances take turns: one holds it, the others wait beside it.
//!
//! The broker itself is the lock: it has one connection for each client id. What brokers promise beside that
//! is not built upon; a will may never come, or come late, and a retained word may outlive everybody. So an
//! instance that waits goes by answers to its pings, and counts only pings that it saw come back: one whose
//! line is dead, or that nobody scheduled for a while, hears nothing and must not conclude anything from it.
//! Each instance goes by its own clock alone.
//!
//! The one that holds the place says so every two seconds, without being asked, and hears itself. When it
//! does not for a while it is cut off, or was frozen; it steps back before the others, who wait longer than
//! that, take over.
//!
//! `wait` is what one that waits has heard, `hold` what one that holds the place has.

mod hold;
mod wait;

use std::collections::BTreeSet;
use std::time::Duration;

use self::hold::Hold;
use self::wait::Wait;
use crate::core::context::Context;
use crate::core::model::account::AccountId;
use crate::core::model::effect::{BrokerOrder, GraphOrder, Message};
use crate::core::model::event::RefusedFilter;
use crate::core::model::mqtt::Qos;
use crate::core::model::name::TopicLevel;
use crate::core::model::process::{LEAVING, Process, Spoken};
use crate::core::model::report::Report;
use crate::core::model::time::Tick;
use crate::core::model::topic::WAITING;

/// Each waits a part of this longer, of its own, so that one comes first.
const EXTRA_MAX: Duration = Duration::from_millis(900);

/// Whoever claimed the place because nobody lived there, and lost its connection before it was online, still
/// knows that so long.
const KNOWN_FOR: Duration = Duration::from_secs(15);

/// How often one that waits looks whether it could read: a token may end meanwhile.
const WARM_EVERY: Duration = Duration::from_secs(300);

/// Other instances that are remembered: of more, nobody needs to know.
const OTHERS_MAX: usize = 32;

/// One of several instances, and what it knows of the others.
#[derive(Debug)]
pub(super) struct Standby {
    own: Process,
    extra: Duration,
    role: Role,
    /// When it claimed the place last, if it was not online since and has not heard of another one.
    claimed: Option<Tick>,
    /// Those that wait, beside this one.
    waiting: BTreeSet<TopicLevel>,
    /// Who holds the place, if not this one.
    holder: Option<TopicLevel>,
    /// Said already that the one that holds the place has this one's name.
    is_namesake_reported: bool,
    /// One of another client id, who answers.
    conflict: Option<Process>,
    warm_at: Tick,
}

#[derive(Debug)]
enum Role {
    /// There is no connection that counts.
    Away,
    Waiting(Wait),
    Holding(Hold),
}

impl Standby {
    /// `random` is this process's own alone.
    pub(super) fn new(own: Process, random: u64) -> Self {
        Self {
            own,
            // The low bits of it are in its name.
            extra: EXTRA_MAX.mul_f64((random >> 11) as f64 / (1_u64 << 53) as f64),
            role: Role::Away,
            claimed: None,
            waiting: BTreeSet::new(),
            holder: None,
            is_namesake_reported: false,
            conflict: None,
            warm_at: Tick::default(),
        }
    }

    /// Connected beside whoever holds the place.
    pub(super) fn waits(&mut self, cx: &mut Context) {
        let was_silent = self.claimed.is_some_and(|at| cx.now < at + KNOWN_FOR);
        self.role = Role::Waiting(Wait::begin(was_silent, cx));
        (self.holder, self.conflict) = (None, None);
    }

    /// The subscriptions of one that waits are answered.
    pub(super) fn subscribed(&mut self, refused: &[RefusedFilter], cx: &mut Context) {
        if let Role::Waiting(wait) = &mut self.role
            && wait.subscribed(refused, cx)
        {
            cx.report(Report::Waits);
            cx.ask_broker(BrokerOrder::Publish(vec![self.own_word(WAITING, cx)]));
        }
    }

    /// The broker does not take what one that waits publishes.
    pub(super) fn refused(&mut self, why: &str, cx: &mut Context) {
        if let Role::Waiting(wait) = &mut self.role {
            wait.cannot_ask(why, cx);
        }
    }

    /// Connected as the one that holds the place.
    pub(super) fn holds(&mut self, cx: &Context) {
        self.role = Role::Holding(Hold::begin(cx.now));
        self.holder = None;
        // The retained words of those that wait come again with this connection's subscription.
        self.waiting.clear();
    }

    /// There is no connection any more. `true` if this one held the place.
    pub(super) fn lost(&mut self) -> bool {
        self.waiting.clear();
        self.holder = None;
        matches!(std::mem::replace(&mut self.role, Role::Away), Role::Holding(_))
    }

    /// The bridge's `state`, retained or live.
    pub(super) fn heard_state(&mut self, payload: &[u8], now: Tick) {
        if let Role::Waiting(wait) = &mut self.role {
            wait.heard_state(payload, now);
        }
    }

    /// A ping: perhaps this one's own, that came back.
    pub(super) fn heard_ping(&mut self, payload: &[u8]) {
        if let Role::Waiting(wait) = &mut self.role
            && payload == self.own.ping().as_bytes()
        {
            wait.came_back();
        }
    }

    /// Somebody asks whether the one that holds the place lives, as those that wait do every second.
    pub(in crate::core::broker) fn pinged(&mut self, now: Tick) {
        if let Role::Holding(hold) = &mut self.role {
            hold.pinged(now);
        }
    }

    /// Somebody who holds the place says so, or that they leave it.
    pub(super) fn heard_pong(&mut self, payload: &[u8], now: Tick) {
        match (&mut self.role, self.own.heard(payload)) {
            (Role::Waiting(wait), _) if payload == LEAVING.as_bytes() => wait.left(now),
            (Role::Waiting(wait), Some(Spoken::Other(other, _))) if other.client_id == self.own.client_id => {
                wait.answered(now);
                self.claimed = None;
                self.holder = Some(other.instance);
            }
            (Role::Waiting(_), Some(Spoken::Other(other, true))) => self.conflict = Some(other),
            (Role::Holding(hold), Some(Spoken::Itself(at))) => hold.heard(at, now),
            (Role::Away | Role::Waiting(_) | Role::Holding(_), _) => {}
        }
    }

    /// The word of another instance about itself. `true` if that is news.
    pub(super) fn heard_instance(&mut self, instance: &TopicLevel, payload: &[u8], now: Tick) -> bool {
        if *instance == self.own.instance {
            return false;
        }
        if payload.is_empty() {
            let went = self.waiting.remove(instance);
            if let (true, Role::Waiting(wait)) = (went, &mut self.role) {
                wait.other_went(now);
            }
            return went;
        }
        self.waiting.len() < OTHERS_MAX && self.waiting.insert(instance.clone())
    }

    /// What time asks of one that waits: the next ping. Returns whether it is to take over now.
    pub(super) fn claims(&mut self, cx: &mut Context) -> bool {
        let Role::Waiting(wait) = &mut self.role else { return false };
        wait.tend(cx);
        if !wait.hears() {
            return false;
        }
        if self.holder.as_ref() == Some(&self.own.instance)
            && !std::mem::replace(&mut self.is_namesake_reported, true)
        {
            cx.report(Report::Namesake(self.own.instance.clone()));
        }
        if let Some((at, why)) = wait.claim_at(self.extra)
            && at <= cx.now
        {
            self.claimed = Some(cx.now);
            cx.report(Report::Claims(why));
            cx.ask_broker(BrokerOrder::Publish(vec![self.own_word("", cx)]));
            return true;
        }
        if wait.pings(cx.now) {
            wait.ping(&self.own, cx);
            self.warm_up(cx);
        }
        false
    }

    fn warm_up(&mut self, cx: &mut Context) {
        if cx.now >= self.warm_at {
            self.warm_at = cx.now + WARM_EVERY;
            (0..cx.settings.accounts.len())
                .for_each(|index| cx.ask_graph(AccountId::new(index), GraphOrder::WarmUp));
        }
    }

    /// Somebody who answers has another client id: why this one must not run.
    pub(super) fn conflict(&mut self, cx: &Context) -> Option<String> {
        self.conflict.take().map(|other| self.own.conflict_with(&other, &cx.topics))
    }

    /// What the one that holds the place says now, if it is time to.
    pub(super) fn says(&mut self, now: Tick) -> Option<String> {
        let Role::Holding(hold) = &mut self.role else { return None };
        hold.says(now).map(|said| self.own.pong(said.as_bytes()))
    }

    /// Reading back is over, and this one is online.
    pub(super) fn publishes(&mut self, now: Tick) {
        self.claimed = None;
        if let Role::Holding(hold) = &mut self.role {
            hold.publishes(now);
        }
    }

    /// Whether the one that holds the place does not hear itself any more.
    pub(super) fn is_cut_off(&self, now: Tick) -> bool {
        let Role::Holding(hold) = &self.role else { return false };
        hold.cut_off_at(!self.waiting.is_empty()).is_some_and(|at| at <= now)
    }

    /// The last words of one that leaves, at a connection that counts.
    pub(super) fn goodbye(&self, cx: &Context) -> Option<Message> {
        match &self.role {
            Role::Waiting(_) => Some(self.own_word("", cx)),
            Role::Holding(_) => Some(Message::handed_on(cx.topics.pong(), LEAVING.to_owned())),
            Role::Away => None,
        }
    }

    /// When time alone changes something; `is_up` if the holder publishes.
    pub(super) fn wake_at(&self, is_up: bool) -> Option<Tick> {
        match &self.role {
            Role::Away => None,
            Role::Waiting(wait) => wait.wake_at(self.extra),
            Role::Holding(hold) => hold.wake_at(is_up, !self.waiting.is_empty()),
        }
    }

    /// Who waits beside the one that holds the place, but for this one.
    pub(super) fn others(&self) -> impl Iterator<Item = &TopicLevel> {
        self.waiting.iter()
    }

    /// Who holds the place, if it is another one.
    pub(super) fn holder(&self) -> Option<&TopicLevel> {
        self.holder.as_ref()
    }

    fn own_word(&self, word: &str, cx: &Context) -> Message {
        Message::retained(cx.topics.standby(&self.own.instance), word.to_owned(), Qos::AtLeastOnce)
    }
}
