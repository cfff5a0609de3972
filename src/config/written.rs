//! What may be written in the file: every key, its type and its default, and nothing else.
//!
//! The doc comments go into the JSON Schema, where editors show them. Keys that must be written
//! are optional here, so that all that are missing can be reported at once.

use std::path::PathBuf;
use std::time::Duration;

use schemars::JsonSchema;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use super::duration_words::DurationWords;
pub(super) use super::urls::Urls;
pub(super) use super::written_accounts::Account;
pub(super) use super::written_graph::{Auth, Cloud, Graph, Method};
pub(super) use super::written_tables::{Also, Group, Light, Preset, Profile, Target, User};

/// Configuration of presence2mqtt.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(title = "presence2mqtt configuration", extend("required" = ["mqtt"], "anyOf" = [
    {"required": ["accounts"]},
    {"required": ["graph"], "properties": {"graph": {"required": ["tenant_id"]}}},
]))]
pub(super) struct Written {
    /// The broker and what is published there.
    pub mqtt: Mqtt,
    /// Microsoft Graph: whose presence is read, and how often. With `accounts`, what they share.
    pub graph: Graph,
    /// Several accounts; without them there is the one of `graph`.
    pub accounts: Vec<Account>,
    /// The people to follow.
    pub users: Vec<User>,
    /// Groups whose members are followed.
    pub groups: Vec<Group>,
    /// Lights that show a person's presence.
    pub lights: Vec<Light>,
    /// Discovery by Home Assistant.
    pub home_assistant: HomeAssistant,
    /// Setting presence from MQTT.
    pub commands: Commands,
    /// Metrics, health checks and the status page.
    pub http: Http,
}

/// The broker and what is published there.
#[derive(Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(extend("required" = ["url"]))]
pub(super) struct Mqtt {
    /// The broker (mqtt, mqtts, ws or wss), without user name and password; or a list, tried in turn.
    pub url: Option<Urls>,
    /// The MQTT client id, also the `bridge` id in payloads.
    pub client_id: String,
    /// The name of this machine, which a second bridge would report: one topic level. Default: the host name.
    pub instance: Option<String>,
    /// Whether this instance waits while another one is active, and takes over when that one stops.
    pub standby: bool,
    /// The topic level of the bridge's own topics.
    pub bridge_name: String,
    /// The user name at the broker.
    pub username: Option<String>,
    /// The password at the broker; better in `password_file`.
    #[schemars(with = "Option<String>")]
    pub password: Option<SecretString>,
    /// A file that holds the password.
    pub password_file: Option<PathBuf>,
    /// Certificate authorities (PEM) to trust in addition to the system's.
    pub ca_file: Option<PathBuf>,
    /// The bridge's own certificate (PEM), with `client_key_file`.
    pub client_cert_file: Option<PathBuf>,
    /// The key (PEM) of `client_cert_file`.
    pub client_key_file: Option<PathBuf>,
    /// The topic everything is published under.
    pub base_topic: String,
    /// QoS of the users' topics; the bridge's own are always sent with 1.
    #[schemars(range(max = 1))]
    pub qos: u8,
    /// The MQTT version to try first. If the broker does not support 5, the bridge uses 3.1.1.
    pub protocol: Protocol,
    /// MQTT 5: how long the broker keeps retained values that are not renewed: 10s to 7d; 0s = for ever.
    #[serde(with = "humantime_serde")]
    #[schemars(with = "DurationWords")]
    pub message_expiry: Duration,
    /// How often the connection proves itself alive: 5s to 1h.
    #[serde(with = "humantime_serde")]
    #[schemars(with = "DurationWords")]
    pub keep_alive: Duration,
    /// How often to send every retained topic again: 10s to 7d; 0s = only after a change.
    #[serde(with = "humantime_serde")]
    #[schemars(with = "DurationWords")]
    pub refresh_interval: Duration,
}

impl Default for Mqtt {
    fn default() -> Self {
        Self {
            url: None,
            client_id: "presence2mqtt".to_owned(),
            instance: None,
            standby: false,
            bridge_name: "bridge".to_owned(),
            username: None,
            password: None,
            password_file: None,
            ca_file: None,
            client_cert_file: None,
            client_key_file: None,
            base_topic: "presence".to_owned(),
            qos: 1,
            protocol: Protocol::V3,
            message_expiry: Duration::ZERO,
            keep_alive: Duration::from_secs(30),
            refresh_interval: Duration::ZERO,
        }
    }
}

#[derive(Clone, Copy, Deserialize, Serialize, JsonSchema)]
pub(super) enum Protocol {
    #[serde(rename = "3.1.1")]
    V3,
    #[serde(rename = "5")]
    V5,
}

/// Discovery by Home Assistant.
#[derive(Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct HomeAssistant {
    /// Announce the users and the bridge.
    pub discovery: bool,
    /// Home Assistant's discovery prefix.
    pub discovery_prefix: String,
    /// Where Home Assistant announces its own start.
    pub birth_topic: String,
}

impl Default for HomeAssistant {
    fn default() -> Self {
        Self {
            discovery: true,
            discovery_prefix: "homeassistant".to_owned(),
            birth_topic: "homeassistant/status".to_owned(),
        }
    }
}

/// Setting presence from MQTT.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Commands {
    /// Accept commands on the users' `set` and `set_status_message` topics.
    pub enabled: bool,
    /// MQTT 5: the topic below which response topics are allowed, in addition to those below the base topic.
    pub response_topic: Option<String>,
}

/// Metrics, health checks and the status page.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Http {
    /// The address and port to listen on; off unless set.
    pub listen: Option<String>,
    /// A file with the password of the status page and the metrics; required beyond loopback.
    pub password_file: Option<PathBuf>,
    /// Without a password: answer to any host name. Only behind a proxy that checks its visitors.
    pub any_host: bool,
    /// The page has no forms and changes nothing.
    pub read_only: bool,
}
