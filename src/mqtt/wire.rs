//! What a connection tells its session, whichever version of MQTT it speaks.

use super::gate::Skipped;
use crate::core::model::event::{Incoming, LinkFailure};

/// Something came, or went out.
#[derive(Debug)]
pub(super) enum Wire {
    /// The broker accepted the connection.
    Opened(Limits),
    /// The next message handed over has this packet id, or 0 at quality 0, where it is done with that.
    Written(u16),
    /// The broker has the message of this packet id; what it says if it did not want it.
    Answered(u16, Option<String>),
    /// The answer to the oldest unanswered subscription: for each filter, whether it was granted.
    Subscribed(Vec<Answer>),
    /// A message on a subscription.
    Message(Incoming),
    /// A message that nobody can take, and that was not handed on.
    Skipped(Skipped),
    /// Something else; the connection is alive.
    Alive,
    /// The end.
    Closed(LinkFailure),
}

/// What becomes of a filter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Answer {
    Granted,
    /// With the broker's reason, where it gives one.
    Refused(Option<String>),
}

/// What the broker takes. MQTT 5 brokers say it when they accept a connection (section 3.2.2.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Limits {
    /// Unacknowledged messages, at least one. Packet ids are used in a circle of this length.
    pub(super) in_flight: u16,
    /// Bytes of one packet.
    pub(super) packet: u32,
    /// Whether messages may ask for an acknowledgement.
    pub(super) at_least_once: bool,
}
