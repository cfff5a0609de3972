//! What the core is told.

use super::account::AccountId;
use super::act::{Act, ActId};
use super::foreign::Legible;
use super::request::{Ended, ReadMembers, ReadPresence, ResolveName, SetPresence};
use super::settings::Settings;
use super::sign_in::SignInEvent;

/// Something happened at an edge. Closed: every arm is handled by name.
#[derive(Debug)]
pub enum Event {
    /// The process is up: the first event of a run.
    Started,
    /// The time named by [`Bridge::wake_at`](crate::core::bridge::Bridge::wake_at) has come.
    Woken,
    /// A read or a write of this account is over.
    Presence(AccountId, PresenceEvent),
    /// Something happened with signing in to this account.
    SignIn(AccountId, SignInEvent),
    /// The broker accepted the connection.
    Connected,
    /// The broker answered the oldest unanswered subscription.
    Subscribed {
        /// The filters that it refused.
        refused: Vec<RefusedFilter>,
    },
    /// So many of the published messages are acknowledged (QoS 1) or written out (QoS 0).
    Acknowledged(usize),
    /// A message is not taken: the broker says so (MQTT 5 only: older ones do not tell), or it is too large.
    /// It is acknowledged apart from this.
    PublishRefused {
        /// Where it was meant to go.
        topic: String,
        /// The broker's reason, as a fragment.
        why: Legible,
    },
    /// A message came on a subscription.
    Message(Incoming),
    /// A message on a subscription is too large or cannot be read; it is not handed on.
    MessageSkipped {
        /// Where it is, cut and made legible.
        topic: String,
        /// Its size.
        bytes: usize,
    },
    /// There is no connection: it was refused, lost, or closed as asked.
    Disconnected(LinkFailure),
    /// The configuration was read again, and the broker is the same. The second says of each account what it
    /// means for the one that had the same name before.
    Configured(Box<Settings>, Vec<Access>),
    /// The configuration cannot be read again: why, as a fragment.
    NotConfigured(String),
    /// A visitor of the status page wants something done; answered by
    /// [`Effect::Answer`](super::effect::Effect::Answer).
    Act(ActId, Act),
    /// The process was asked to end.
    Stop,
}

/// A filter that the broker does not take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusedFilter {
    /// The filter.
    pub filter: String,
    /// The broker's reason, as a fragment, where it gives one.
    pub why: Option<String>,
}

/// What another configuration means for the way to Graph.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Nothing.
    Same,
    /// Other tasks go it, to the same tenant as the same app or person.
    Renewed,
    /// Another tenant or another sign-in: nothing is known of it yet.
    New,
}

/// A message from the broker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Incoming {
    /// The full topic.
    pub topic: String,
    /// The payload, as it came.
    pub payload: Vec<u8>,
    /// Whether the broker had it stored; a live message is not retained.
    pub retained: bool,
    /// Where its sender wants an answer; only with MQTT 5.
    pub reply_to: Option<ReplyTo>,
}

/// Where the sender of a message wants an answer (MQTT 5 section 4.10).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReplyTo {
    /// The response topic, as it came.
    pub topic: String,
    /// What the sender knows the answer by.
    pub correlation: Option<Vec<u8>>,
}

/// Why there is no connection to the broker, as a fragment that says what to do where that is known.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LinkFailure {
    /// Again soon: unreachable, cut, silent, or closed as asked.
    #[error("{0}")]
    Lost(Legible),
    /// Again soon: there was a connection, and it was closed without an answer. Some brokers refuse a client
    /// id like this.
    #[error("the broker closed the connection")]
    NotLetIn,
    /// Again soon, but for a suspicion: the broker let this client in and then closed the connection without
    /// a word, as it does when it ends, and when another client comes with the same client id.
    #[error("the broker closed the connection")]
    Closed,
    /// Not soon: the broker says that another client has come with the same client id (MQTT 5 section
    /// 3.14.2.1).
    #[error("another client connected with the same mqtt.client_id; give each its own, or stop the other")]
    TakenOver,
    /// Again, perhaps in another version of MQTT: there was a connection, but no answer in the version asked
    /// for.
    #[error("{0}")]
    NotUnderstood(Legible),
    /// Again at a gentle pace: the broker answered and said no.
    #[error("{0}")]
    Refused(Legible),
}

/// The end of one request to Graph: what the fetcher produces, and all it produces.
#[derive(Debug)]
pub enum PresenceEvent {
    /// Presence was read.
    Read(Ended<ReadPresence>),
    /// A user principal name was looked up.
    Resolved(Ended<ResolveName>),
    /// A page of a group's members was read.
    Members(Ended<ReadMembers>),
    /// Presence was set.
    Set(Ended<SetPresence>),
}
