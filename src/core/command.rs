//! What the core wants done. The edges obey and report back as [`Event`](super::event::Event)s.

use std::time::Duration;

use super::event::RequestId;
use super::group::page::PageLink;
use super::light::preset::Order;
use super::name::{ObjectId, PrincipalName};
use super::report::Report;
use super::setting::Setting;
use super::sign_in::SignInOrder;

/// An order to an edge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Fetcher: send one request and report its end with the same id.
    Read(Read),
    /// Fetcher: change something with one request, and report its end with the same id.
    Write(Write),
    /// Fetcher: what is open to Graph is dead; drop what is under way, without a report.
    ForgetConnections,
    /// Whoever signs in: do this about an invitation.
    SignIn(SignInOrder),
    /// Publisher: do this with the broker.
    Broker(BrokerOrder),
    /// Log: tell the operator.
    Report(Report),
    /// The loop: the run is over.
    Finish(Ending),
}

/// An order to the publisher.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BrokerOrder {
    /// Open one connection, in place of one that may be open; report `Connected` or `Disconnected`.
    Connect(Protocol),
    /// Subscribe; report `Subscribed`, in the order asked.
    Subscribe(Vec<Subscription>),
    /// Take back subscriptions; nothing is reported.
    Unsubscribe(Vec<String>),
    /// Send these in this order; report each as acknowledged.
    Publish(Vec<Message>),
    /// Close the connection cleanly; report `Disconnected`.
    Disconnect,
}

/// One request to Graph.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Read {
    /// Names the request in its end.
    pub request: RequestId,
    /// What to read.
    pub what: What,
    /// An access token older than this may not be used: after a refusal a new one may carry new permissions.
    pub token_max_age: Option<Duration>,
}

/// What one request reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// `GET /me/presence`
    Me,
    /// `GET /users/{id}/presence`
    User(ObjectId),
    /// `GET /communications/presences/{id}`
    Communications(ObjectId),
    /// `POST /communications/getPresencesByUserId`, at most [`BULK_LIMIT`] ids.
    Bulk(Vec<ObjectId>),
    /// `GET /users/{upn}?$select=id,userPrincipalName,displayName`
    Resolve(PrincipalName),
    /// `GET /groups/{id}/transitiveMembers/microsoft.graph.user?…`: the first page of the members of a group, or another.
    Members(ObjectId, Option<PageLink>),
}

/// One request to Graph that changes something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Write {
    /// Names the request in its end.
    pub request: RequestId,
    /// Whose presence.
    pub whom: Whom,
    /// What to set.
    pub setting: Setting,
    /// The app, whose own the session is.
    pub session_id: Option<Box<str>>,
    /// As for [`Read`].
    pub token_max_age: Option<Duration>,
}

/// Whose presence is set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whom {
    /// `/me/presence`
    Me,
    /// `/users/{id}/presence`
    User(ObjectId),
}

/// Ids that one bulk request may carry (Graph: `cloudcommunications-getpresencesbyuserid`).
pub const BULK_LIMIT: usize = 650;

/// MQTT quality of service, of the two kinds that retained state needs (MQTT 3.1.1 section 4.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Qos {
    /// 0: sent and forgotten.
    AtMostOnce,
    /// 1: acknowledged.
    AtLeastOnce,
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

/// A device that comes back must not obey an old order.
impl From<Order> for Message {
    fn from(Order { topic, payload }: Order) -> Self {
        Self::handed_on(topic, payload)
    }
}

/// A version of MQTT.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// MQTT 3.1.1, which every broker speaks.
    V3,
    /// MQTT 5, which gives reasons for refusals and lets messages expire.
    V5,
}

impl Protocol {
    /// The name in the configuration and on `<bridge>/info`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::V3 => "3.1.1",
            Self::V5 => "5",
        }
    }
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ending {
    /// As asked.
    Stopped,
    /// It must not run: another bridge holds the same `<bridge>` topics, or two people would have the same name. A
    /// sentence with the fix.
    Conflict(String),
}
