//! The place at the broker where several instances take turns: one holds it, the others wait beside it.
//!
//! The broker itself is the lock: it has one connection for each client id. What brokers promise beside that is not built upon; a
//! will may never come, or come late, and a retained word may outlive everybody. So an instance that waits goes by answers to its
//! pings, and counts only pings that it saw come back: one whose line is dead, or that nobody scheduled for a while, hears nothing
//! and must not conclude anything from it. Each instance goes by its own clock alone.
//!
//! The one that holds the place says so every two seconds, without being asked, and hears itself. When it does not for a while it is
//! cut off, or was frozen; it steps back before the others, who wait longer than that, take over.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::core::context::Context;
use crate::core::model::account::AccountId;
use crate::core::model::effect::{BrokerOrder, GraphOrder, Message, Subscription};
use crate::core::model::event::RefusedFilter;
use crate::core::model::mqtt::Qos;
use crate::core::model::name::TopicLevel;
use crate::core::model::process::{LEAVING, Process, Spoken};
use crate::core::model::report::Report;
use crate::core::model::time::Tick;
use crate::core::model::topic::{BridgeField, ONLINE, WAITING};

/// How often one that waits pings.
const PING_EVERY: Duration = Duration::from_secs(1);

/// Without an answer for this long nobody lives there.
const SILENT_FOR: Duration = Duration::from_secs(6);

/// So many pings must have come back and not been answered.
const UNANSWERED: u32 = 5;

/// After so many in a row that do not come back the line, or the broker, stood still, and they are counted anew. One may be late.
const LOST: u32 = 2;

/// So long after `offline`. What is only a holder that connects again, or an old will that came late, is over by then.
const OFFLINE_FOR: Duration = Duration::from_secs(3);

/// Each waits a part of this longer, of its own, so that one comes first.
const EXTRA_MAX: Duration = Duration::from_millis(900);

/// The same where a holder says that it leaves: as much sooner as the claim is.
const EXTRA_PART_AT_ONCE: u32 = 6;

/// So long one leaves to another that waited beside it and does so no more: usually that one takes over, and soon answers. Two
/// that wait begin to count at the same moment when a broker comes back, and their own times may lie close together.
const OTHER_FIRST: Duration = Duration::from_secs(1);

/// A look at the time that is so late was not meant to be: the process, or the machine, stood still.
const FROZEN_AFTER: Duration = Duration::from_secs(2);

/// How often the one that holds the place says so.
const SAY_EVERY: Duration = Duration::from_secs(2);

/// The holder steps back this long after it sent the last word that it heard again: before anybody's [`SILENT_FOR`] is over.
const HEARD_FOR: Duration = Duration::from_secs(5);

/// Before a subscription that was refused is tried again: at first, and at most.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// How often one that waits looks whether it could read: a token may end meanwhile.
const WARM_EVERY: Duration = Duration::from_secs(300);

/// A broker that answers no subscription by then is asked again, and it is said.
const SUBSCRIBED_WITHIN: Duration = Duration::from_secs(10);

/// Other instances that are remembered: of more, nobody needs to know.
const OTHERS_MAX: usize = 32;

/// One of several instances, and what it knows of the others.
#[derive(Debug)]
pub(super) struct Standby {
    own: Process,
    extra: Duration,
    role: Role,
    /// Those that wait, beside this one.
    waiting: BTreeSet<TopicLevel>,
    /// Who holds the place, if not this one.
    holder: Option<TopicLevel>,
    warm_at: Tick,
}

#[derive(Debug)]
enum Role {
    /// There is no connection that counts.
    Away,
    Waiting(Wait),
    Holding(Hold),
}

/// What one that waits has heard.
#[derive(Debug)]
struct Wait {
    /// When the next ping is due; nothing before it can be answered.
    ping_at: Option<Tick>,
    /// Whether the last ping came back.
    is_back: bool,
    /// Pings that came back and were not answered, and since them those that did not come back.
    unanswered: u32,
    lost: u32,
    /// When somebody last answered, or the waiting began.
    since: Tick,
    offline_since: Option<Tick>,
    /// The holder said that it leaves.
    left_at: Option<Tick>,
    /// When another one last ceased to wait.
    other_went: Option<Tick>,
    conflict: Option<Process>,
    is_mute_reported: bool,
    /// Filters that the broker refused or did not answer, and when and after which pause they are tried again: it may only be
    /// starting.
    asked: Vec<String>,
    ask_at: Option<Tick>,
    pause: Duration,
}

/// What one that holds the place has said and heard.
#[derive(Debug)]
struct Hold {
    say_at: Tick,
    /// When it sent the last word that came back; nothing before the first one does, as where no access list lets it.
    heard: Option<Tick>,
}

impl Standby {
    /// `random` is this process's own alone.
    pub(super) fn new(own: Process, random: u64) -> Self {
        Self {
            own,
            // The low bits of it are in its name.
            extra: EXTRA_MAX.mul_f64((random >> 11) as f64 / (1_u64 << 53) as f64),
            role: Role::Away,
            waiting: BTreeSet::new(),
            holder: None,
            warm_at: Tick::default(),
        }
    }

    /// Connected beside whoever holds the place.
    pub(super) fn waits(&mut self, cx: &mut Context) {
        self.role = Role::Waiting(Wait {
            ping_at: None,
            is_back: false,
            unanswered: 0,
            lost: 0,
            since: cx.now,
            offline_since: None,
            left_at: None,
            other_went: None,
            conflict: None,
            is_mute_reported: false,
            asked: filters(cx),
            ask_at: Some(cx.now + SUBSCRIBED_WITHIN),
            pause: FIRST_PAUSE,
        });
        self.holder = None;
        subscribe(filters(cx), cx);
    }

    /// The subscriptions of one that waits are answered.
    pub(super) fn subscribed(&mut self, refused: &[RefusedFilter], cx: &mut Context) {
        let Role::Waiting(wait) = &mut self.role else { return };
        wait.ask_at = None;
        if let Some(RefusedFilter { filter, .. }) = refused.first() {
            wait.asked = refused.iter().map(|refused| refused.filter.clone()).collect();
            wait.ask_at = Some(cx.now + wait.pause);
            wait.pause = (wait.pause * 2).min(LONGEST_PAUSE);
            if !std::mem::replace(&mut wait.is_mute_reported, true) {
                let why = format!("the broker refuses the subscription to {filter}");
                cx.report(Report::CannotWait(why.into()));
            }
        }
        if wait.ping_at.is_some() {
            return;
        }
        cx.report(Report::Waits);
        (wait.since, wait.ping_at) = (cx.now, Some(cx.now));
        // What was retained may be of long ago, and nothing else can be heard before now.
        (wait.offline_since, wait.left_at) = (wait.offline_since.map(|_| cx.now), None);
        cx.ask_broker(BrokerOrder::Publish(vec![self.own_word(WAITING, cx)]));
    }

    /// The broker does not take what one that waits publishes.
    pub(super) fn refused(&mut self, why: &str, cx: &mut Context) {
        if let Role::Waiting(wait) = &mut self.role
            && !std::mem::replace(&mut wait.is_mute_reported, true)
        {
            cx.report(Report::CannotWait(why.into()));
        }
    }

    /// Connected as the one that holds the place.
    pub(super) fn holds(&mut self, cx: &Context) {
        self.role = Role::Holding(Hold { say_at: cx.now, heard: None });
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
            wait.offline_since = match payload == ONLINE.as_bytes() {
                true => None,
                false => wait.offline_since.or(Some(now)),
            };
        }
    }

    /// A ping: perhaps this one's own, that came back.
    pub(super) fn heard_ping(&mut self, payload: &[u8]) {
        if let Role::Waiting(wait) = &mut self.role {
            wait.is_back |= payload == self.own.ping().as_bytes();
        }
    }

    /// Somebody who holds the place says so, or that they leave it.
    pub(super) fn heard_pong(&mut self, payload: &[u8], now: Tick) {
        match (&mut self.role, self.own.heard(payload)) {
            (Role::Waiting(wait), _) if payload == LEAVING.as_bytes() => {
                wait.left_at = wait.left_at.or(Some(now));
            }
            (Role::Waiting(wait), Some(Spoken::Other(other, _))) if other.client_id == self.own.client_id => {
                (wait.unanswered, wait.since, wait.is_back) = (0, now, false);
                (wait.offline_since, wait.left_at) = (None, None);
                self.holder = Some(other.instance);
            }
            (Role::Waiting(wait), Some(Spoken::Other(other, true))) => wait.conflict = Some(other),
            (Role::Holding(hold), Some(Spoken::Itself(at))) => {
                let at = Tick(Duration::from_millis(at));
                hold.heard = hold.heard.max(Some(at).filter(|&at| at <= now));
            }
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
                wait.other_went = Some(now);
            }
            return went;
        }
        self.waiting.len() < OTHERS_MAX && self.waiting.insert(instance.clone())
    }

    /// What time asks of one that waits: the next ping. Returns whether it is to take over now.
    pub(super) fn claims(&mut self, cx: &mut Context) -> bool {
        let Role::Waiting(wait) = &mut self.role else { return false };
        if wait.ask_at.is_some_and(|at| at <= cx.now) {
            let is_answered = wait.ping_at.is_some();
            wait.ask_at = (!is_answered).then(|| cx.now + SUBSCRIBED_WITHIN);
            if !is_answered && !std::mem::replace(&mut wait.is_mute_reported, true) {
                cx.report(Report::CannotWait(
                    "the broker does not answer the subscription".to_owned().into(),
                ));
            }
            subscribe(wait.asked.clone(), cx);
        }
        let Some(ping_at) = wait.ping_at else { return false };
        if cx.now >= ping_at + FROZEN_AFTER {
            // Others may have come and gone meanwhile.
            (wait.since, wait.unanswered, wait.is_back, wait.left_at) = (cx.now, 0, false, None);
            wait.offline_since = wait.offline_since.map(|_| cx.now);
        }
        let why = match wait.claim_at(self.extra) {
            Some((at, why)) if at <= cx.now => why,
            Some(_) | None => {
                if cx.now >= ping_at {
                    self.ping(cx);
                    self.warm_up(cx);
                }
                return false;
            }
        };
        cx.report(Report::Claims(why));
        cx.ask_broker(BrokerOrder::Publish(vec![self.own_word("", cx)]));
        true
    }

    fn ping(&mut self, cx: &mut Context) {
        let Role::Waiting(wait) = &mut self.role else { return };
        wait.ping_at = Some(cx.now + PING_EVERY);
        if std::mem::take(&mut wait.is_back) {
            (wait.unanswered, wait.lost) = (wait.unanswered + 1, 0);
        } else {
            wait.lost += 1;
            if wait.lost >= LOST {
                wait.unanswered = 0;
            }
            if cx.now >= wait.since + SILENT_FOR && !std::mem::replace(&mut wait.is_mute_reported, true) {
                cx.report(Report::CannotWait("its pings do not come back".to_owned().into()));
            }
        }
        let ping = Message::handed_on(cx.topics.ping(), self.own.ping());
        cx.ask_broker(BrokerOrder::Publish(vec![ping]));
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
        let Role::Waiting(wait) = &mut self.role else { return None };
        wait.conflict.take().map(|other| self.own.conflict_with(&other, &cx.topics))
    }

    /// What the one that holds the place says now, if it is time to.
    pub(super) fn says(&mut self, now: Tick) -> Option<String> {
        let Role::Holding(hold) = &mut self.role else { return None };
        if now < hold.say_at {
            return None;
        }
        hold.say_at = now + SAY_EVERY;
        Some(self.own.pong(now.0.as_millis().to_string().as_bytes()))
    }

    /// Reading back is over. However long that took, the connection counts from now on.
    pub(super) fn publishes(&mut self, now: Tick) {
        if let Role::Holding(hold) = &mut self.role {
            hold.heard = hold.heard.map(|_| now);
        }
    }

    /// Whether the one that holds the place does not hear itself any more.
    pub(super) fn is_cut_off(&self, now: Tick) -> bool {
        self.cut_off_at().is_some_and(|at| at <= now)
    }

    fn cut_off_at(&self) -> Option<Tick> {
        let Role::Holding(hold) = &self.role else { return None };
        hold.heard.map(|at| at + HEARD_FOR)
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
            Role::Waiting(wait) => {
                let claim_at = wait.claim_at(self.extra).map(|(at, _)| at);
                wait.ping_at
                    .into_iter()
                    .chain(claim_at.filter(|_| wait.ping_at.is_some()))
                    .chain(wait.ask_at)
                    .min()
            }
            Role::Holding(hold) => {
                [Some(hold.say_at), self.cut_off_at().filter(|_| is_up)].into_iter().flatten().min()
            }
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

/// What one that waits listens to.
fn filters(cx: &Context) -> Vec<String> {
    vec![cx.topics.of_bridge(BridgeField::State), cx.topics.every_standby()]
}

fn subscribe(filters: Vec<String>, cx: &mut Context) {
    let subscription = |filter| Subscription { filter, qos: Qos::AtLeastOnce };
    cx.ask_broker(BrokerOrder::Subscribe(filters.into_iter().map(subscription).collect()));
}

impl Wait {
    /// When to take over, if nothing else is heard until then, and why.
    fn claim_at(&self, extra: Duration) -> Option<(Tick, &'static str)> {
        let left = self.left_at.map(|at| (at + extra / EXTRA_PART_AT_ONCE, "the active instance leaves"));
        let offline =
            self.offline_since.map(|at| (at + OFFLINE_FOR + extra, "the active instance is offline"));
        // The last of the pings has to have come back as well, which `ping` counts when it sends the next one.
        let is_silent = self.unanswered >= UNANSWERED;
        let silent = is_silent.then(|| (self.since + SILENT_FOR + extra, "no instance answers"));
        let (at, why) = left.into_iter().chain(offline).chain(silent).min_by_key(|(at, _)| *at)?;
        Some((self.other_went.map_or(at, |went| at.max(went + OTHER_FIRST)), why))
    }
}
