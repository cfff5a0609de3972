//! What the core wants done. The edges obey and report back as [`Event`](super::event::Event)s.

use std::time::Duration;

use super::account::AccountId;
use super::act::{ActId, Acted};
use super::mqtt::{Protocol, Qos};
use super::report::Report;
use super::request::{ReadMembers, ReadPresence, Request, ResolveName, SetPresence};
use super::sign_in::SignInOrder;

/// What an edge is to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// The account's fetcher: do this with Graph.
    Graph(AccountId, GraphOrder),
    /// Whoever signs in to the account: do this about an invitation.
    SignIn(AccountId, SignInOrder),
    /// Publisher: do this with the broker.
    Broker(BrokerOrder),
    /// The status page: tell this to whoever asked for the act.
    Answer(ActId, Acted),
    /// Log: write this down.
    Report(Report),
    /// The loop: the run is over.
    Finish(Ending),
}

/// An order to the fetcher.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GraphOrder {
    /// Send one request and report its end with the same id.
    Read(Request<ReadPresence>),
    /// Likewise.
    Resolve(Request<ResolveName>),
    /// Likewise.
    ReadMembers(Request<ReadMembers>),
    /// Likewise.
    Set(Request<SetPresence>),
    /// Have a token ready for the first request; nothing is asked of Graph, and no event tells how it went.
    WarmUp,
    /// What is open to Graph is dead; drop what is under way, without a report.
    ForgetConnections,
}

/// An order to the publisher.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BrokerOrder {
    /// Open one connection, in place of one that may be open; report `Connected` or `Disconnected`.
    Connect(ConnectAs, Protocol),
    /// Subscribe; report `Subscribed`, in the order asked.
    Subscribe(Vec<Subscription>),
    /// Take back subscriptions; nothing is reported.
    Unsubscribe(Vec<String>),
    /// Send these in this order; report each as acknowledged.
    Publish(Vec<Message>),
    /// Close the connection cleanly; report `Disconnected`.
    Disconnect,
}

/// Who connects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConnectAs {
    /// The bridge, under its own client id and with its last will. Whoever had the client id before is thrown
    /// out.
    Holder,
    /// Beside whoever has that client id, as `<client_id>-<instance>`; of one that waits for its turn the
    /// will says that it does not any more.
    Visitor,
}

/// A filter and the quality at which it is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subscription {
    /// May hold wildcards.
    pub filter: String,
    /// Reading back many retained messages wants 0: brokers cut long QoS 1 queues.
    pub qos: Qos,
}

/// A message to the broker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// The full topic.
    pub topic: String,
    /// The payload; empty removes a retained one.
    pub payload: String,
    /// Quality of service.
    pub qos: Qos,
    /// Whether the broker keeps it for those who come late.
    pub retain: bool,
    /// With MQTT 5 the broker forgets it after this long (MQTT 5 section 3.3.2.3.3), in whole seconds.
    pub expires: Option<Duration>,
    /// With MQTT 5 what the message is an answer to (MQTT 5 section 3.3.2.3.6).
    pub correlation: Option<Vec<u8>>,
}

impl Message {
    /// What the broker is to keep.
    #[must_use]
    pub fn retained(topic: String, payload: String, qos: Qos) -> Self {
        Self { topic, payload, qos, retain: true, expires: None, correlation: None }
    }

    /// What the broker is only to hand on, for sure.
    #[must_use]
    pub fn handed_on(topic: String, payload: String) -> Self {
        Self { retain: false, ..Self::retained(topic, payload, Qos::AtLeastOnce) }
    }
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ending {
    /// As asked.
    Stopped,
    /// It must not run: another bridge holds the same `<bridge>` topics, or two people would have the same
    /// name. A sentence with the fix.
    Conflict(String),
}
