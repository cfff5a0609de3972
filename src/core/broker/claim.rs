//! The claim of the bridge's place at the broker. Whoever connects with a client id throws out whoever had
//! it, so one that has not claimed the place comes as a visitor first. One that is alone makes an
//! [`Inquiry`]; of several instances each waits for its turn in [`Standby`].

use std::time::Duration;

use super::inquiry::Inquiry;
use super::standby::Standby;
use crate::core::context::Context;
use crate::core::model::effect::{ConnectAs, Message};
use crate::core::model::event::{Incoming, LinkFailure, RefusedFilter};
use crate::core::model::heard::{Asked, Heard};
use crate::core::model::name::TopicLevel;
use crate::core::model::process::Process;
use crate::core::model::report::Report;
use crate::core::model::settings::MqttSettings;
use crate::core::model::time::Tick;
use crate::core::model::topic::BridgeField;

/// Pings are answered at most so often in this time: whoever floods one topic must not flood another by this
/// bridge.
const PONGS: u32 = 5;
const PONGS_IN: Duration = Duration::from_secs(1);

/// Whose the place is, and how this one comes by it.
#[derive(Debug)]
pub(super) struct Claim {
    own: Process,
    place: Place,
    visitor: Visitor,
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
    /// To be taken at the next attempt: nobody lives there, or visits come to nothing here, as where only one
    /// client id is let in.
    Next,
    /// This bridge's.
    Claimed,
}

/// How one behaves that has not claimed the place.
#[derive(Debug)]
enum Visitor {
    /// It looks whether somebody lives there.
    Alone(Inquiry),
    /// It waits until the one that holds the place is gone.
    InTurn(Box<Standby>),
}

impl Claim {
    /// Nothing is claimed yet; `random` is this process's own alone.
    pub(super) fn new(settings: &MqttSettings, random: u64) -> Self {
        let own = Process::new(settings, random);
        let visitor = match settings.standby {
            true => Visitor::InTurn(Box::new(Standby::new(own.clone(), random))),
            false => Visitor::Alone(Inquiry::NotBegun),
        };
        Self { own, place: Place::Unclaimed, visitor, refused: 0, answered: (Tick::default(), 0) }
    }

    /// What is known of the others, where several instances take turns.
    pub(super) fn standby(&self) -> Option<&Standby> {
        match &self.visitor {
            Visitor::Alone(_) => None,
            Visitor::InTurn(standby) => Some(standby),
        }
    }

    /// The same, to be told something.
    pub(super) fn standby_mut(&mut self) -> Option<&mut Standby> {
        match &mut self.visitor {
            Visitor::Alone(_) => None,
            Visitor::InTurn(standby) => Some(standby),
        }
    }

    /// Whether the place is this one's.
    pub(super) fn is_claimed(&self) -> bool {
        self.place == Place::Claimed
    }

    /// Whether it is one of several that wait for their turn.
    pub(super) fn is_waiting(&self) -> bool {
        self.standby().is_some() && !self.is_claimed()
    }

    /// For the next connection.
    pub(super) fn connect_as(&self) -> ConnectAs {
        match self.place {
            Place::Unclaimed => ConnectAs::Visitor,
            Place::Next | Place::Claimed => ConnectAs::Holder,
        }
    }

    /// Connected as a visitor.
    pub(super) fn visit(&mut self, cx: &mut Context) {
        match &mut self.visitor {
            Visitor::Alone(inquiry) => inquiry.look(cx),
            Visitor::InTurn(standby) => standby.waits(cx),
        }
    }

    /// The bridge is connected: the place is its own.
    pub(super) fn take(&mut self, cx: &Context) {
        self.place = Place::Claimed;
        if let Some(standby) = self.standby_mut() {
            standby.holds(cx);
        }
    }

    /// As after a visit that met nobody.
    #[cfg(test)]
    pub(super) fn found_free(&mut self) {
        self.place = Place::Claimed;
        if let Visitor::Alone(inquiry) = &mut self.visitor {
            *inquiry = Inquiry::Over;
        }
    }

    /// A subscription of the visitor's is answered.
    pub(super) fn subscribed(&mut self, refused: &[RefusedFilter], cx: &mut Context) {
        match &mut self.visitor {
            Visitor::Alone(inquiry) => inquiry.subscribed(refused, cx),
            Visitor::InTurn(standby) => standby.subscribed(refused, cx),
        }
    }

    /// The broker does not take what the visitor publishes.
    pub(super) fn refused(&mut self, why: &str, cx: &mut Context) {
        match &mut self.visitor {
            Visitor::Alone(inquiry) => inquiry.cannot_ask(why, cx),
            Visitor::InTurn(standby) => standby.refused(why, cx),
        }
    }

    /// The visitor hears what is said of the place.
    pub(super) fn heard(&mut self, heard: &Heard, message: &Incoming, now: Tick) {
        match (heard, &mut self.visitor) {
            (Heard::Pong, _) => self.heard_pong(message, now),
            (Heard::Own(BridgeField::State), Visitor::Alone(inquiry)) => {
                inquiry.heard_state(&message.payload)
            }
            (Heard::Own(BridgeField::State), Visitor::InTurn(standby)) => {
                standby.heard_state(&message.payload, now);
            }
            (Heard::Asked(Asked::Ping), Visitor::InTurn(standby)) if !message.retained => {
                standby.heard_ping(&message.payload);
            }
            (Heard::Standby(instance), Visitor::InTurn(standby)) => {
                standby.heard_instance(instance, &message.payload, now);
            }
            (_, _) => {}
        }
    }

    /// A bridge answers a ping, or says unasked that it lives.
    pub(super) fn heard_pong(&mut self, pong: &Incoming, now: Tick) {
        match &mut self.visitor {
            _ if pong.retained => {}
            Visitor::Alone(inquiry) => inquiry.heard_pong(&pong.payload, &self.own),
            Visitor::InTurn(standby) => standby.heard_pong(&pong.payload, now),
        }
    }

    /// The word of another instance. `true` if others wait now than before.
    pub(super) fn heard_instance(&mut self, instance: &TopicLevel, payload: &[u8], now: Tick) -> bool {
        self.standby_mut().is_some_and(|standby| standby.heard_instance(instance, payload, now))
    }

    /// Goes on with the time. Returns why this bridge must not run, if another one lives in its place.
    pub(super) fn tend(&mut self, cx: &mut Context) -> Option<String> {
        match &mut self.visitor {
            Visitor::Alone(inquiry) => inquiry.tend(&self.own, cx),
            Visitor::InTurn(standby) => standby.conflict(cx),
        }
    }

    /// Whether the visit is over, and the place is to be taken.
    pub(super) fn ends_visit(&mut self, cx: &mut Context) -> bool {
        let is_over = match &mut self.visitor {
            Visitor::Alone(inquiry) => *inquiry == Inquiry::Over,
            Visitor::InTurn(standby) => standby.claims(cx),
        };
        if is_over {
            self.place = Place::Next;
        }
        is_over
    }

    /// Asks whether anybody lives, where no visitor could. `false` if that was asked, or is not to be.
    pub(super) fn ask(&mut self, cx: &mut Context) -> bool {
        match &mut self.visitor {
            Visitor::Alone(inquiry) => inquiry.ask(&self.own, cx),
            Visitor::InTurn(_) => false,
        }
    }

    /// Whether nobody was asked yet, and may still be.
    pub(super) fn may_ask(&self) -> bool {
        matches!(self.visitor, Visitor::Alone(Inquiry::NotBegun))
    }

    /// Whether an answer is waited for.
    pub(super) fn is_asking(&self) -> bool {
        matches!(&self.visitor, Visitor::Alone(inquiry) if inquiry.is_asking())
    }

    /// When time alone changes something; `is_up` if the bridge publishes.
    pub(super) fn wake_at(&self, is_up: bool) -> Option<Tick> {
        match &self.visitor {
            Visitor::Alone(inquiry) => inquiry.wake_at(),
            Visitor::InTurn(standby) => standby.wake_at(is_up),
        }
    }

    /// The connection is over, or was not made; `was_visit` if the visitor was let in. Returns whether to
    /// connect blindly now, as one that is alone may.
    pub(super) fn lost(&mut self, failure: &LinkFailure, was_visit: bool, cx: &mut Context) -> bool {
        let Visitor::Alone(inquiry) = &mut self.visitor else { return false };
        if self.place != Place::Claimed || *inquiry != Inquiry::Over {
            *inquiry = Inquiry::NotBegun;
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
        if let Visitor::Alone(inquiry) = &mut self.visitor {
            inquiry.give_up();
        }
    }

    /// The connection that counted is over, which ends the claim of one of several instances. Returns whether
    /// that was active by it; nothing of one that is alone.
    pub(super) fn release(&mut self) -> Option<bool> {
        let was_active = self.standby_mut()?.lost();
        self.place = Place::Unclaimed;
        Some(was_active)
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
