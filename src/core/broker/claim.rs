//! The claim of the bridge's place at the broker: before the bridge connects under its own client id for the first time it looks,
//! as a visitor, whether somebody lives there. Whoever connects with a client id throws out whoever had it.
//!
//! A retained `online` may outlive everybody, and so proves nothing; but where it is not, nobody is. So only at `online` the
//! visitor pings, and only an answer is life.

use std::time::Duration;

use super::link::SETTLED;
use crate::core::context::Context;
use crate::core::model::effect::{BrokerOrder, ConnectAs, Message, Subscription};
use crate::core::model::event::{LinkFailure, RefusedFilter};
use crate::core::model::mqtt::Qos;
use crate::core::model::process::{ANSWER_WITHIN, Process};
use crate::core::model::report::Report;
use crate::core::model::time::Tick;
use crate::core::model::topic::{BridgeField, ONLINE};

/// A broker that does not answer the visitor's subscription by then is not asked further.
const LOOK_WITHIN: Duration = Duration::from_secs(2);

/// Another ping while nobody has answered: the first one may have met a bridge that was just connecting.
const PING_EVERY: Duration = Duration::from_secs(1);

/// Pings are answered at most so often in this time: whoever floods one topic must not flood another by this bridge.
const PONGS: u32 = 5;
const PONGS_IN: Duration = Duration::from_secs(1);

/// How far the claim is, and what is known of whoever lives in the place.
#[derive(Debug)]
pub(super) struct Claim {
    own: Process,
    place: Place,
    inquiry: Inquiry,
    /// Visits in a row that were refused.
    refused: usize,
    /// Since when how many pings were answered.
    answered: (Tick, u32),
}

/// Whose the place is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Not known.
    Unclaimed,
    /// To be taken at the next attempt: nobody lives there, or visits come to nothing here, as where only one client id is
    /// let in.
    Next,
    /// This bridge's.
    Claimed,
}

/// Whether somebody lives there.
#[derive(Debug, PartialEq, Eq)]
enum Inquiry {
    /// Nobody was asked.
    NotBegun,
    /// The visitor listens to the retained `state`, and then for answers to a ping; so many of the two subscriptions are
    /// answered.
    Looking { is_online: bool, answered: u8, until: Tick },
    /// Nobody has answered a ping yet.
    Asking { until: Tick, again_at: Tick },
    /// Somebody has.
    Lives(Process),
    /// Nobody has, or nobody can be asked.
    Over,
}

impl Claim {
    pub(super) fn new(own: Process) -> Self {
        Self {
            own,
            place: Place::Unclaimed,
            inquiry: Inquiry::NotBegun,
            refused: 0,
            answered: (Tick::default(), 0),
        }
    }

    /// Of one of several instances: a visitor until it takes over, and it asks by itself.
    pub(super) fn of_instance(own: Process) -> Self {
        Self { inquiry: Inquiry::Over, ..Self::new(own) }
    }

    /// The place is not this one's any more.
    pub(super) fn release(&mut self) {
        self.place = Place::Unclaimed;
    }

    /// Whether the place is this one's.
    pub(super) fn is_claimed(&self) -> bool {
        self.place == Place::Claimed
    }

    /// For the next connection.
    pub(super) fn connect_as(&self) -> ConnectAs {
        match self.place {
            Place::Unclaimed => ConnectAs::Visitor,
            Place::Next | Place::Claimed => ConnectAs::Holder,
        }
    }

    /// Connected as a visitor.
    pub(super) fn look(&mut self, cx: &mut Context) {
        self.inquiry = Inquiry::Looking { is_online: false, answered: 0, until: cx.now + LOOK_WITHIN };
        subscribe(cx.topics.of_bridge(BridgeField::State), cx);
    }

    /// The visit is over, and nobody was met.
    pub(super) fn end_visit(&mut self) {
        self.place = Place::Next;
    }

    /// The bridge is connected: the place is its own.
    pub(super) fn take(&mut self) {
        self.place = Place::Claimed;
    }

    /// As after a visit that met nobody.
    #[cfg(test)]
    pub(super) fn found_free(&mut self) {
        (self.place, self.inquiry) = (Place::Claimed, Inquiry::Over);
    }

    /// A subscription of the visitor's is answered. The second one is made only then: its answer comes behind what was
    /// retained for the first one, and a broker that sends that apart does not hold it back for us to acknowledge.
    pub(super) fn subscribed(&mut self, refused: &[RefusedFilter], cx: &mut Context) {
        if let Some(RefusedFilter { filter, .. }) = refused.first() {
            self.cannot_ask(&format!("the broker refuses the subscription to {filter}"), cx);
        } else if let Inquiry::Looking { answered, until, .. } = &mut self.inquiry {
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
        self.inquiry = Inquiry::Over;
    }

    /// The bridge's `state`, retained or live.
    pub(super) fn heard_state(&mut self, payload: &[u8]) {
        match &mut self.inquiry {
            Inquiry::Looking { is_online, .. } if payload == ONLINE.as_bytes() => *is_online = true,
            Inquiry::Looking { .. } | Inquiry::Asking { .. } if payload != ONLINE.as_bytes() => {
                self.inquiry = Inquiry::Over;
            }
            Inquiry::Looking { .. }
            | Inquiry::Asking { .. }
            | Inquiry::NotBegun
            | Inquiry::Lives(_)
            | Inquiry::Over => {}
        }
    }

    /// An answer, perhaps to this one's ping.
    pub(super) fn heard_pong(&mut self, payload: &[u8]) {
        if matches!(self.inquiry, Inquiry::Asking { .. })
            && let Some(other) = self.own.answered_by(payload)
        {
            self.inquiry = Inquiry::Lives(other);
        }
    }

    /// Asks whether anybody lives, if that was not asked before. `false` if it was, or could not be.
    pub(super) fn ask(&mut self, cx: &mut Context) -> bool {
        let is_new = self.inquiry == Inquiry::NotBegun;
        if is_new {
            self.ping(cx.now + ANSWER_WITHIN, cx);
        }
        is_new
    }

    fn ping(&mut self, until: Tick, cx: &mut Context) {
        self.inquiry = Inquiry::Asking { until, again_at: cx.now + PING_EVERY };
        let ping = Message::handed_on(cx.topics.ping(), self.own.ping());
        cx.ask_broker(BrokerOrder::Publish(vec![ping]));
    }

    /// Goes on with the inquiry. Returns why this bridge must not run, if somebody lives.
    pub(super) fn tend(&mut self, cx: &mut Context) -> Option<String> {
        match &self.inquiry {
            Inquiry::Looking { is_online: true, answered: 2, .. } => {
                self.ping(cx.now + ANSWER_WITHIN, cx);
            }
            Inquiry::Looking { answered: 2, until, .. } if *until <= cx.now => self.inquiry = Inquiry::Over,
            Inquiry::Looking { until, .. } if *until <= cx.now => {
                self.cannot_ask("the broker does not answer the subscription", cx);
            }
            Inquiry::Asking { until, .. } if *until <= cx.now => {
                cx.report(Report::NobodyAnswers(cx.topics.of_bridge(BridgeField::State)));
                self.inquiry = Inquiry::Over;
            }
            Inquiry::Asking { until, again_at } if *again_at <= cx.now => self.ping(*until, cx),
            Inquiry::Lives(other) => {
                let why = self.own.conflict_with(other, &cx.topics);
                self.inquiry = Inquiry::Over;
                return Some(why);
            }
            Inquiry::Looking { .. } | Inquiry::Asking { .. } | Inquiry::NotBegun | Inquiry::Over => {}
        }
        None
    }

    /// Whether nobody was asked yet, and may still be.
    pub(super) fn may_ask(&self) -> bool {
        self.inquiry == Inquiry::NotBegun
    }

    /// Whether an answer is waited for.
    pub(super) fn is_asking(&self) -> bool {
        matches!(self.inquiry, Inquiry::Asking { .. })
    }

    /// Whether nothing more is waited for.
    pub(super) fn is_over(&self) -> bool {
        self.inquiry == Inquiry::Over
    }

    /// When time alone changes something.
    pub(super) fn wake_at(&self) -> Option<Tick> {
        match self.inquiry {
            Inquiry::Looking { until, .. } => Some(until),
            Inquiry::Asking { until, again_at } => Some(until.min(again_at)),
            Inquiry::NotBegun | Inquiry::Lives(_) | Inquiry::Over => None,
        }
    }

    /// The connection is over, or was not made; `was_visit` if the visitor was let in. Returns whether to connect blindly now.
    pub(super) fn lost(&mut self, failure: &LinkFailure, was_visit: bool, cx: &mut Context) -> bool {
        if self.place != Place::Claimed || self.inquiry != Inquiry::Over {
            self.inquiry = Inquiry::NotBegun;
        }
        let is_refused = matches!(failure, LinkFailure::Refused(_) | LinkFailure::NotLetIn);
        // At another address of the broker's the visitor may be let in, and meet somebody.
        self.refused = if is_refused && !was_visit { self.refused + 1 } else { 0 };
        let is_refused = self.refused >= cx.settings.mqtt.addresses;
        let comes_to_nothing = self.place == Place::Unclaimed && (was_visit || is_refused);
        if comes_to_nothing {
            cx.report(Report::NotAsked(failure.to_string().into()));
        }
        self.place = match self.place {
            Place::Unclaimed if comes_to_nothing => Place::Next,
            // The broker is away, or lets nobody in: who lives there may be another then.
            Place::Unclaimed | Place::Next => Place::Unclaimed,
            Place::Claimed => Place::Claimed,
        };
        comes_to_nothing
    }

    /// There is no connection any more, by this bridge's own choice.
    pub(super) fn give_up(&mut self) {
        if self.inquiry != Inquiry::Over {
            self.inquiry = Inquiry::NotBegun;
        }
    }

    /// The answer to a ping, unless there were too many.
    pub(super) fn pong(&mut self, ping: &[u8], cx: &Context) -> Option<Message> {
        let (since, count) = &mut self.answered;
        if *count == 0 || cx.now >= *since + PONGS_IN {
            (*since, *count) = (cx.now, 0);
        }
        *count = count.saturating_add(1);
        (*count <= PONGS).then(|| Message::handed_on(cx.topics.pong(), self.own.pong(ping)))
    }
}

fn subscribe(filter: String, cx: &mut Context) {
    cx.ask_broker(BrokerOrder::Subscribe(vec![Subscription { filter, qos: Qos::AtLeastOnce }]));
}
