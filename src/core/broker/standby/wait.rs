//! What one that waits has heard, and when it takes over: after `offline`, after a farewell, or after
//! silence.

use std::time::Duration;

use crate::core::context::Context;
use crate::core::model::effect::{BrokerOrder, Message, Subscription};
use crate::core::model::event::RefusedFilter;
use crate::core::model::mqtt::Qos;
use crate::core::model::process::Process;
use crate::core::model::report::Report;
use crate::core::model::time::Tick;
use crate::core::model::topic::{BridgeField, ONLINE};

/// How often one that waits pings.
const PING_EVERY: Duration = Duration::from_secs(1);

/// Without an answer for this long nobody lives there.
const SILENT_FOR: Duration = Duration::from_secs(6);

/// The same for one that knew it already when its connection was lost. Only somebody who took over since then
/// can live there, and they answer at once.
const STILL_SILENT_FOR: Duration = Duration::from_secs(2);

/// After so many in a row that do not come back the line, or the broker, stood still, and they are counted
/// anew. One may be late.
const LOST: u32 = 2;

/// So long after `offline`. What is only a holder that connects again, or an old will that came late, is over
/// by then.
const OFFLINE_FOR: Duration = Duration::from_secs(3);

/// The extra time where a holder says that it leaves: as much shorter as the claim is sooner.
const EXTRA_PART_AT_ONCE: u32 = 6;

/// So long one leaves to another that waited beside it and does so no more: usually that one takes over, and
/// soon answers. Two that wait begin to count at the same moment when a broker comes back, and their own
/// times may lie close together.
const OTHER_FIRST: Duration = Duration::from_secs(1);

/// A look at the time that is so late was not meant to be: the process, or the machine, stood still.
const FROZEN_AFTER: Duration = Duration::from_secs(2);

/// Before a subscription that was refused is tried again: at first, and at most.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// A broker that answers no subscription by then is asked again, and it is said.
const SUBSCRIBED_WITHIN: Duration = Duration::from_secs(10);

/// One connection of one that waits.
#[derive(Debug)]
pub(super) struct Wait {
    /// When the next ping is due; nothing before it can be answered.
    ping_at: Option<Tick>,
    /// Whether the last ping came back.
    is_back: bool,
    /// Pings that came back and were not answered, and since them those that did not come back.
    unanswered: u32,
    lost: u32,
    /// When somebody last answered, or the waiting began.
    since: Tick,
    silent_for: Duration,
    offline_since: Option<Tick>,
    /// The holder said that it leaves.
    left_at: Option<Tick>,
    /// When another one last ceased to wait.
    other_went: Option<Tick>,
    is_mute_reported: bool,
    /// Filters that the broker refused or did not answer, and when and after which pause they are tried
    /// again: it may only be starting.
    asked: Vec<String>,
    ask_at: Option<Tick>,
    pause: Duration,
}

impl Wait {
    /// Connected, and asks to hear what is said of the place. `was_silent` if nobody lived there a moment
    /// ago.
    pub(super) fn begin(was_silent: bool, cx: &mut Context) -> Self {
        let filters = vec![cx.topics.of_bridge(BridgeField::State), cx.topics.every_standby()];
        subscribe(filters.clone(), cx);
        Self {
            ping_at: None,
            is_back: false,
            unanswered: 0,
            lost: 0,
            since: cx.now,
            silent_for: if was_silent { STILL_SILENT_FOR } else { SILENT_FOR },
            offline_since: None,
            left_at: None,
            other_went: None,
            is_mute_reported: false,
            asked: filters,
            ask_at: Some(cx.now + SUBSCRIBED_WITHIN),
            pause: FIRST_PAUSE,
        }
    }

    /// The subscriptions are answered. `true` for the first time: it can hear from now on.
    pub(super) fn subscribed(&mut self, refused: &[RefusedFilter], cx: &mut Context) -> bool {
        self.ask_at = None;
        if let Some(RefusedFilter { filter, .. }) = refused.first() {
            self.asked = refused.iter().map(|refused| refused.filter.clone()).collect();
            self.ask_at = Some(cx.now + self.pause);
            self.pause = (self.pause * 2).min(LONGEST_PAUSE);
            self.cannot_ask(&format!("the broker refuses the subscription to {filter}"), cx);
        }
        if self.ping_at.is_some() {
            return false;
        }
        (self.since, self.ping_at) = (cx.now, Some(cx.now));
        // What was retained may be of long ago, and nothing else can be heard before now.
        (self.offline_since, self.left_at) = (self.offline_since.map(|_| cx.now), None);
        true
    }

    /// Something keeps it from asking; it is said once.
    pub(super) fn cannot_ask(&mut self, why: &str, cx: &mut Context) {
        if !std::mem::replace(&mut self.is_mute_reported, true) {
            cx.report(Report::CannotWait(why.into()));
        }
    }

    /// The bridge's `state`, retained or live.
    pub(super) fn heard_state(&mut self, payload: &[u8], now: Tick) {
        self.offline_since = match payload == ONLINE.as_bytes() {
            true => None,
            false => self.offline_since.or(Some(now)),
        };
    }

    /// Its own ping came back.
    pub(super) fn came_back(&mut self) {
        self.is_back = true;
    }

    /// The one that holds the place lives.
    pub(super) fn answered(&mut self, now: Tick) {
        (self.unanswered, self.since, self.is_back) = (0, now, false);
        (self.offline_since, self.left_at, self.silent_for) = (None, None, SILENT_FOR);
    }

    /// The one that holds the place leaves it.
    pub(super) fn left(&mut self, now: Tick) {
        self.left_at = self.left_at.or(Some(now));
    }

    /// Another one waits no more.
    pub(super) fn other_went(&mut self, now: Tick) {
        self.other_went = Some(now);
    }

    /// Goes on with the time: subscribes again where that was not answered, and begins to count anew after it
    /// was frozen.
    pub(super) fn tend(&mut self, cx: &mut Context) {
        if self.ask_at.is_some_and(|at| at <= cx.now) {
            let is_answered = self.ping_at.is_some();
            self.ask_at = (!is_answered).then(|| cx.now + SUBSCRIBED_WITHIN);
            if !is_answered {
                self.cannot_ask("the broker does not answer the subscription", cx);
            }
            subscribe(self.asked.clone(), cx);
        }
        if self.ping_at.is_some_and(|at| cx.now >= at + FROZEN_AFTER) {
            // Others may have come and gone meanwhile.
            (self.since, self.unanswered, self.is_back, self.left_at) = (cx.now, 0, false, None);
            self.offline_since = self.offline_since.map(|_| cx.now);
            self.silent_for = SILENT_FOR;
        }
    }

    /// Whether a ping is due.
    pub(super) fn pings(&self, now: Tick) -> bool {
        self.ping_at.is_some_and(|at| at <= now)
    }

    /// Asks whether anybody lives.
    pub(super) fn ping(&mut self, own: &Process, cx: &mut Context) {
        self.ping_at = Some(cx.now + PING_EVERY);
        if std::mem::take(&mut self.is_back) {
            (self.unanswered, self.lost) = (self.unanswered + 1, 0);
        } else {
            self.lost += 1;
            if self.lost >= LOST {
                self.unanswered = 0;
            }
            if cx.now >= self.since + SILENT_FOR {
                self.cannot_ask("its pings do not come back", cx);
            }
        }
        let ping = Message::handed_on(cx.topics.ping(), own.ping());
        cx.ask_broker(BrokerOrder::Publish(vec![ping]));
    }

    /// When to take over, if nothing else is heard until then, and why. Each waits a time of its own longer,
    /// at most `extra`.
    pub(super) fn claim_at(&self, extra: Duration) -> Option<(Tick, &'static str)> {
        let left = self.left_at.map(|at| (at + extra / EXTRA_PART_AT_ONCE, "the active instance leaves"));
        let offline =
            self.offline_since.map(|at| (at + OFFLINE_FOR + extra, "the active instance is offline"));
        // The last of the pings has to have come back as well, which `ping` counts when it sends the next
        // one.
        let is_silent = Duration::from_secs(u64::from(self.unanswered) + 1) >= self.silent_for;
        let silent = is_silent.then(|| (self.since + self.silent_for + extra, "no instance answers"));
        let (at, why) = left.into_iter().chain(offline).chain(silent).min_by_key(|(at, _)| *at)?;
        Some((self.other_went.map_or(at, |went| at.max(went + OTHER_FIRST)), why))
    }

    /// When time alone changes something.
    pub(super) fn wake_at(&self, extra: Duration) -> Option<Tick> {
        let claim_at = self.ping_at.and_then(|_| self.claim_at(extra)).map(|(at, _)| at);
        self.ping_at.into_iter().chain(claim_at).chain(self.ask_at).min()
    }

    /// Whether it hears what is said.
    pub(super) fn hears(&self) -> bool {
        self.ping_at.is_some()
    }
}

fn subscribe(filters: Vec<String>, cx: &mut Context) {
    let subscription = |filter| Subscription { filter, qos: Qos::AtLeastOnce };
    cx.ask_broker(BrokerOrder::Subscribe(filters.into_iter().map(subscription).collect()));
}
