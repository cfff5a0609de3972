//! Whether somebody lives in the bridge's place: what one that is alone asks before it connects under its own
//! client id.
//!
//! A retained `online` may outlive everybody, and so proves nothing; but where it is not, nobody is. So only
//! at `online` the visitor pings, and only an answer is life.

use std::time::Duration;

use super::link::SETTLED;
use crate::core::context::Context;
use crate::core::model::effect::{BrokerOrder, Message, Subscription};
use crate::core::model::event::RefusedFilter;
use crate::core::model::mqtt::Qos;
use crate::core::model::process::{ANSWER_WITHIN, Process};
use crate::core::model::report::Report;
use crate::core::model::time::Tick;
use crate::core::model::topic::{BridgeField, ONLINE};

/// A broker that does not answer the visitor's subscription by then is not asked further.
const LOOK_WITHIN: Duration = Duration::from_secs(2);

/// Another ping while nobody has answered: the first one may have met a bridge that was just connecting.
const PING_EVERY: Duration = Duration::from_secs(1);

/// How far it is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Inquiry {
    /// Nobody was asked.
    NotBegun,
    /// The visitor listens to the retained `state`, and then for answers to a ping; so many of the two
    /// subscriptions are answered.
    Looking { is_online: bool, answered: u8, until: Tick },
    /// Nobody has answered a ping yet.
    Asking { until: Tick, again_at: Tick },
    /// Somebody has.
    Lives(Process),
    /// Nobody has, or nobody can be asked.
    Over,
}

impl Inquiry {
    /// Connected as a visitor.
    pub(super) fn look(&mut self, cx: &mut Context) {
        *self = Self::Looking { is_online: false, answered: 0, until: cx.now + LOOK_WITHIN };
        subscribe(cx.topics.of_bridge(BridgeField::State), cx);
    }

    /// A subscription of the visitor's is answered. The second one is made only then: its answer comes behind
    /// what was retained for the first one, and a broker that sends that apart does not hold it back for us
    /// to acknowledge.
    pub(super) fn subscribed(&mut self, refused: &[RefusedFilter], cx: &mut Context) {
        if let Some(RefusedFilter { filter, .. }) = refused.first() {
            self.cannot_ask(&format!("the broker refuses the subscription to {filter}"), cx);
        } else if let Self::Looking { answered, until, .. } = self {
            *answered += 1;
            if *answered == 1 {
                subscribe(cx.topics.pong(), cx);
            } else {
                *until = cx.now + SETTLED;
            }
        }
    }

    /// Something keeps the visitor from asking.
    pub(super) fn cannot_ask(&mut self, why: &str, cx: &mut Context) {
        cx.report(Report::NotAsked(why.into()));
        *self = Self::Over;
    }

    /// The bridge's `state`, retained or live.
    pub(super) fn heard_state(&mut self, payload: &[u8]) {
        match self {
            Self::Looking { is_online, .. } if payload == ONLINE.as_bytes() => *is_online = true,
            Self::Looking { .. } | Self::Asking { .. } if payload != ONLINE.as_bytes() => *self = Self::Over,
            Self::Looking { .. } | Self::Asking { .. } | Self::NotBegun | Self::Lives(_) | Self::Over => {}
        }
    }

    /// An answer, perhaps to `own` ping.
    pub(super) fn heard_pong(&mut self, payload: &[u8], own: &Process) {
        if self.is_asking()
            && let Some(other) = own.answered_by(payload)
        {
            *self = Self::Lives(other);
        }
    }

    /// Asks whether anybody lives, if that was not asked before. `false` if it was, or could not be.
    pub(super) fn ask(&mut self, own: &Process, cx: &mut Context) -> bool {
        let is_new = *self == Self::NotBegun;
        if is_new {
            self.ping(cx.now + ANSWER_WITHIN, own, cx);
        }
        is_new
    }

    fn ping(&mut self, until: Tick, own: &Process, cx: &mut Context) {
        *self = Self::Asking { until, again_at: cx.now + PING_EVERY };
        let ping = Message::handed_on(cx.topics.ping(), own.ping());
        cx.ask_broker(BrokerOrder::Publish(vec![ping]));
    }

    /// Goes on with it. Returns why this bridge must not run, if somebody lives.
    pub(super) fn tend(&mut self, own: &Process, cx: &mut Context) -> Option<String> {
        match self {
            Self::Looking { is_online: true, answered: 2, .. } => self.ping(cx.now + ANSWER_WITHIN, own, cx),
            Self::Looking { answered: 2, until, .. } if *until <= cx.now => *self = Self::Over,
            Self::Looking { until, .. } if *until <= cx.now => {
                self.cannot_ask("the broker does not answer the subscription", cx);
            }
            Self::Asking { until, .. } if *until <= cx.now => {
                cx.report(Report::NobodyAnswers(cx.topics.of_bridge(BridgeField::State)));
                *self = Self::Over;
            }
            Self::Asking { until, again_at } if *again_at <= cx.now => {
                let until = *until;
                self.ping(until, own, cx);
            }
            Self::Lives(other) => {
                let why = own.conflict_with(other, &cx.topics);
                *self = Self::Over;
                return Some(why);
            }
            Self::Looking { .. } | Self::Asking { .. } | Self::NotBegun | Self::Over => {}
        }
        None
    }

    /// Whether an answer is waited for.
    pub(super) fn is_asking(&self) -> bool {
        matches!(self, Self::Asking { .. })
    }

    /// There is no connection any more: what was not found out is asked again.
    pub(super) fn give_up(&mut self) {
        if *self != Self::Over {
            *self = Self::NotBegun;
        }
    }

    /// When time alone changes something.
    pub(super) fn wake_at(&self) -> Option<Tick> {
        match *self {
            Self::Looking { until, .. } => Some(until),
            Self::Asking { until, again_at } => Some(until.min(again_at)),
            Self::NotBegun | Self::Lives(_) | Self::Over => None,
        }
    }
}

fn subscribe(filter: String, cx: &mut Context) {
    cx.ask_broker(BrokerOrder::Subscribe(vec![Subscription { filter, qos: Qos::AtLeastOnce }]));
}
