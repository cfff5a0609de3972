//! What the core is configured with.

use std::time::Duration;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::core::lights;
use crate::core::model::mqtt::{Protocol, Qos};
use crate::core::model::name::{BaseTopic, ClientId, ObjectId, TopicLevel, UserId};
use crate::core::model::name_pattern::NamePattern;
use crate::core::model::payload::About;

/// Everything that decides how the core decides.
#[derive(Debug, Clone)]
pub struct Settings {
    /// `<base>`
    pub base_topic: BaseTopic,
    /// `<bridge>`
    pub bridge_name: TopicLevel,
    /// The MQTT client id, which is the `bridge` id in payloads.
    pub client_id: ClientId,
    /// Under which client id this process published before a reload, if that was another.
    pub predecessor: Option<ClientId>,
    /// Of the users' topics; the bridge's own are always at least once.
    pub qos: Qos,
    /// The version of MQTT to speak, where the broker does.
    pub protocol: Protocol,
    /// How often the connection proves itself alive; the broker gives it up after one and a half times this.
    pub keep_alive: Duration,
    /// With MQTT 5 retained values vanish after this long, and are sent again at half of it.
    pub message_expiry: Option<Duration>,
    /// Send every retained topic again this often.
    pub refresh_interval: Option<Duration>,
    /// Which requests read other people.
    pub endpoint: Endpoint,
    /// How often everybody is read, where the budget allows.
    pub poll_interval: Duration,
    /// A person not confirmed for this long is stale; by default two minutes or three achieved intervals.
    pub stale_after: Option<Duration>,
    /// What becomes of the words of a stale person.
    pub on_stale: OnStale,
    /// A change must last this long before it is published.
    pub debounce: Duration,
    /// Whether what people wrote is published.
    pub include_messages: bool,
    /// Requests in 30 s.
    pub request_budget: u32,
    /// When the app's certificate ends, if it signs in with one.
    pub certificate_ends: Option<Timestamp>,
    /// A person signs in, so a person can be invited to do it again.
    pub invites: bool,
    /// Publish the device code on `<base>/<bridge>/sign_in`.
    pub announce_sign_in: bool,
    /// Whether and how presence may be set.
    pub commands: Option<Commands>,
    /// Announcing people and the bridge to Home Assistant, if that is wanted.
    pub discovery: Option<Discovery>,
    /// Who is watched.
    pub users: Vec<Watched>,
    /// Groups whose members are watched, too.
    pub groups: Vec<Group>,
    /// Lights that show somebody's presence; they follow people by name.
    pub lights: Vec<lights::settings::Settings>,
    /// What `info` says besides.
    pub about: About,
}

/// Setting presence from MQTT.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commands {
    /// The app's id, which names its sessions; a managed identity may not know it.
    pub session_id: Option<Box<str>>,
}

/// One configured person.
#[derive(Debug, Clone)]
pub struct Watched {
    /// The topic level.
    pub name: TopicLevel,
    /// Who it is.
    pub id: UserId,
    /// What Home Assistant shows.
    pub display_name: String,
    /// Whether Home Assistant is told.
    pub discovery: bool,
}

/// One configured group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// Its object id.
    pub id: ObjectId,
    /// The topic level of each member.
    pub name: NamePattern,
    /// How often its members are read: 1 min to 7 days.
    pub refresh_members: Duration,
    /// Whether Home Assistant is told of the members.
    pub discovery: bool,
}

/// Where Home Assistant listens and speaks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Discovery {
    /// Its discovery prefix.
    pub prefix: BaseTopic,
    /// Where it announces its own start.
    pub birth_topic: String,
}

/// Which requests read people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Endpoint {
    /// `/me` for the signed-in person, the bulk request for everybody else.
    Auto,
    /// `GET /me/presence`
    Me,
    /// `GET /users/{id}/presence`, one by one.
    Users,
    /// `GET /communications/presences/{id}`, one by one.
    Communications,
    /// `POST /communications/getPresencesByUserId`
    Bulk,
}

/// What becomes of the words of a stale person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum OnStale {
    /// The last ones stay; health alone says that they are old.
    Keep,
    /// Availability and activity become `PresenceUnknown`.
    Unknown,
}
