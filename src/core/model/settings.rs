//! What the core is configured with.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::core::lights;
use crate::core::model::account::AccountId;
use crate::core::model::mqtt::{Protocol, Qos};
use crate::core::model::name::{BaseTopic, ClientId, ObjectId, TopicLevel, UserId};
use crate::core::model::name_pattern::NamePattern;
use crate::core::model::sign_in::SignInBy;

/// Everything that decides how the core decides. Its parts are those of the checked configuration.
#[derive(Debug, Clone)]
pub struct Settings {
    /// What is published, where and how.
    pub mqtt: MqttSettings,
    /// When presence is published.
    pub graph: GraphSettings,
    /// Who reads it: at least one, in the order written; one without a name is the only one.
    pub accounts: Vec<AccountSettings>,
    /// Whether and how presence may be set.
    pub commands: Option<Commands>,
    /// Announcing people and the bridge to Home Assistant, if that is wanted.
    pub discovery: Option<Discovery>,
    /// Who is followed: names unique ignoring case, in the order written.
    pub users: Arc<[User]>,
    /// Groups whose members are followed too: each once, in the order written.
    pub groups: Vec<Group>,
    /// Lights that show somebody's presence; they follow people by name.
    pub lights: Vec<lights::settings::Settings>,
    /// Under which client id this process published before a reload, if that was another.
    pub predecessor: Option<ClientId>,
    /// Of the program.
    pub version: &'static str,
}

/// What is published at the broker, where and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MqttSettings {
    /// `<base>`, the topic everything is published under.
    pub base_topic: BaseTopic,
    /// `<bridge>`, the topic level of the bridge's own topics; no user has this name.
    pub bridge_name: TopicLevel,
    /// The MQTT client id, also the `bridge` id in payloads.
    pub client_id: ClientId,
    /// Where the bridge runs: told to others who would run with the same configuration, and never `ping` or
    /// `pong`.
    pub instance: TopicLevel,
    /// Whether it waits while another instance holds the client id, and takes over when that one is gone.
    pub standby: bool,
    /// Of the users' topics; the bridge's own are always at least once.
    pub qos: Qos,
    /// The version of MQTT to try first.
    pub protocol: Protocol,
    /// How often the connection proves itself alive: whole seconds, 5 s to 1 h. The broker gives it up after
    /// one and a half times this.
    pub keep_alive: Duration,
    /// MQTT 5: retained values vanish after this long, and are sent again at half of it: whole seconds, 10 s
    /// to 7 days; `None`: never.
    pub message_expiry: Option<Duration>,
    /// How many addresses the broker has, as far as they are written.
    pub addresses: usize,
    /// How often every retained topic is sent again, 10 s to 7 days; `None`: only when it changes.
    pub refresh_interval: Option<Duration>,
}

/// When presence is published, whichever account it is read by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GraphSettings {
    /// A person not confirmed for this long is stale: from twice `poll_interval` to 7 days; `None`: 2 min or
    /// three achieved intervals of their account, whichever is longer.
    pub stale_after: Option<Duration>,
    /// What becomes of the words of a stale person.
    pub on_stale: OnStale,
    /// How long a change must last before it is published: 0 to 10 min.
    pub debounce: Duration,
    /// Whether out-of-office and status messages are published, in `state` only.
    pub include_messages: bool,
}

/// One account: whose app or person reads, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountSettings {
    /// The topic level; `None`: it is the only one, and the bridge's own topics are about it.
    pub name: Option<TopicLevel>,
    /// What it asks for, and how often.
    pub reading: ReadingSettings,
    /// Whose requests Microsoft counts.
    pub app: App,
    /// How it signs in.
    pub sign_in: SignInSettings,
    /// The app's id, which names its presence sessions; a managed identity may not know it.
    pub session_id: Option<Box<str>>,
    /// Name of the sign-in method.
    pub auth_method: &'static str,
}

/// How presence is read from Microsoft Graph.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadingSettings {
    /// Which requests read other people.
    pub endpoint: Endpoint,
    /// How often everybody is read, where the budget allows: 1 s to 1 h.
    pub poll_interval: Duration,
    /// Requests per 30 s for this app and tenant: 1 to 10000.
    pub request_budget: u32,
}

/// An app in a tenant: what Microsoft limits the requests of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct App {
    /// Name of the cloud: `global`, `us-gov-l4`, `us-gov-l5`.
    pub cloud: &'static str,
    /// GUID or domain, in lower case.
    pub tenant: Box<str>,
    /// The app's own id, in lower case; a managed identity may not know it.
    pub client_id: Option<Box<str>>,
}

/// How an account signs in, as far as the core cares.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SignInSettings {
    /// How a person signs in, where one does and so can be invited to do it again.
    pub invites: Option<SignInBy>,
    /// Publish the invitation on the account's `sign_in` topic.
    pub announce: bool,
    /// When the app's certificate ends, if it signs in with one.
    pub certificate_ends: Option<Timestamp>,
}

/// Setting presence from MQTT.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commands {
    /// Below which topic senders may want answers, beside below their command's own result.
    pub response_topic: Option<Box<str>>,
}

/// Somebody who is followed: as configured, or as a member of a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// The topic level.
    pub name: TopicLevel,
    /// Who it is.
    pub id: UserId,
    /// What Home Assistant shows: 1 to 128 characters, no control characters.
    pub display_name: String,
    /// Whether Home Assistant is told.
    pub discovery: bool,
    /// Who reads them.
    pub account: AccountId,
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
    /// Who reads it.
    pub account: AccountId,
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
    /// `/me` for the signed-in person, the bulk request for other people.
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
    /// The last values stay; only health shows that they are old.
    Keep,
    /// Availability and activity become `PresenceUnknown`.
    Unknown,
}

impl Settings {
    /// For tests and benchmarks: the documented defaults, an app that signs in, and nobody to follow.
    ///
    /// # Panics
    ///
    /// Never: the names in it are valid.
    #[must_use]
    #[expect(clippy::unwrap_used, reason = "tests and benchmarks alone call it, and its names are constant")]
    pub fn for_tests() -> Self {
        Self {
            mqtt: MqttSettings {
                base_topic: "presence".parse().unwrap(),
                bridge_name: "bridge".parse().unwrap(),
                client_id: "presence2mqtt".parse().unwrap(),
                instance: "unknown".parse().unwrap(),
                standby: false,
                qos: Qos::AtLeastOnce,
                protocol: Protocol::V3,
                keep_alive: Duration::from_secs(30),
                message_expiry: None,
                addresses: 1,
                refresh_interval: None,
            },
            graph: GraphSettings {
                stale_after: None,
                on_stale: OnStale::Keep,
                debounce: Duration::ZERO,
                include_messages: false,
            },
            accounts: vec![AccountSettings::for_tests()],
            commands: None,
            discovery: None,
            users: Arc::default(),
            groups: Vec::new(),
            lights: Vec::new(),
            predecessor: None,
            version: "0.1.0",
        }
    }

    /// What is configured of an account.
    pub(in crate::core) fn account(&self, account: AccountId) -> &AccountSettings {
        // Whatever names an account was made for these settings.
        &self.accounts[account.index()]
    }

    /// The accounts, with what others know them by.
    pub(in crate::core) fn accounts(&self) -> impl Iterator<Item = (AccountId, &AccountSettings)> {
        self.accounts.iter().enumerate().map(|(index, account)| (AccountId::new(index), account))
    }

    /// Whether there is only one account, which has no name: then the bridge's own topics are about it.
    pub(in crate::core) fn is_single(&self) -> bool {
        matches!(&self.accounts[..], [AccountSettings { name: None, .. }])
    }

    /// The names of several accounts.
    pub(in crate::core) fn account_names(&self) -> impl Iterator<Item = &TopicLevel> {
        self.accounts.iter().filter_map(|account| account.name.as_ref())
    }

    /// How often everybody is read, by the account that reads most seldom.
    pub(in crate::core) fn longest_interval(&self) -> Duration {
        self.accounts.iter().map(|account| account.reading.poll_interval).max().unwrap_or_default()
    }

    /// How often somebody is read, by the account that reads most often.
    pub(in crate::core) fn shortest_interval(&self) -> Duration {
        self.accounts.iter().map(|account| account.reading.poll_interval).min().unwrap_or_default()
    }
}

impl AccountSettings {
    /// For tests and benchmarks: the documented defaults, and an app that signs in.
    #[must_use]
    pub fn for_tests() -> Self {
        Self {
            name: None,
            reading: ReadingSettings {
                endpoint: Endpoint::Auto,
                poll_interval: Duration::from_secs(5),
                request_budget: 1500,
            },
            app: App { cloud: "global", tenant: "contoso.example".into(), client_id: None },
            sign_in: SignInSettings::default(),
            session_id: None,
            auth_method: "client-secret",
        }
    }
}
