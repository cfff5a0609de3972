//! What a connection reports to its session, in either version of MQTT.

use super::gate::Skipped;
use crate::core::model::event::{Incoming, LinkFailure};

/// Something was received or sent.
#[derive(Debug)]
pub(super) enum Wire {
    /// The broker accepted the connection.
    Opened(Limits),
    /// The next message was sent with this packet id. With 0 (QoS 0) it is finished.
    Written(u16),
    /// The broker acknowledged the message with this packet id, or gave a reason for refusing it.
    Answered(u16, Option<String>),
    /// The answer to the oldest unanswered subscription: for each filter, whether it was granted.
    Subscribed(Vec<Answer>),
    /// A message that matches a subscription.
    Message(Incoming),
    /// A message that the gate skipped.
    Skipped(Skipped),
    /// Another packet, which shows that the connection works.
    Alive,
    /// The connection has ended.
    Closed(LinkFailure),
}

/// The broker's answer about one filter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Answer {
    Granted,
    /// Refused, with the broker's reason if it gives one.
    Refused(Option<String>),
}

/// The broker's limits. MQTT 5 brokers send them when they accept a connection (section 3.2.2.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Limits {
    /// Unacknowledged messages, at least one. Packet ids are used in a circle of this length.
    pub(super) in_flight: u16,
    /// Bytes of one packet.
    pub(super) packet: u32,
    /// Whether the broker supports QoS 1.
    pub(super) at_least_once: bool,
}
