//! What may be written in `[graph]`.

use std::path::PathBuf;
use std::time::Duration;

use schemars::JsonSchema;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use super::duration_words::DurationWords;
use crate::core::model::settings::{Endpoint, OnStale};

/// Microsoft Graph: whose presence is read, and how often. With `accounts`, what they share.
#[derive(Clone, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Graph {
    /// Which Microsoft cloud the tenant is in.
    pub cloud: Cloud,
    /// The tenant: its GUID or one of its domains; `organizations` with a sign-in method.
    pub tenant_id: Option<String>,
    /// The application (client) id of the app registration: a GUID.
    pub client_id: Option<String>,
    /// Which requests read presence; auto takes /me for "me" and the bulk request for the others.
    pub endpoint: Endpoint,
    /// How often presence is read: 1s to 1h.
    #[serde(with = "humantime_serde")]
    #[schemars(with = "DurationWords")]
    pub poll_interval: Duration,
    /// When a value is stale: twice `poll_interval` to 7d. Default: 2m, or three achieved intervals.
    #[serde(with = "humantime_serde")]
    #[schemars(with = "Option<DurationWords>")]
    pub stale_after: Option<Duration>,
    /// What happens to the values of a person who can no longer be read.
    pub on_stale: OnStale,
    /// How long a change must last before it is published: 0s to 10m.
    #[serde(with = "humantime_serde")]
    #[schemars(with = "DurationWords")]
    pub debounce: Duration,
    /// Publish out-of-office and status messages, in `state` only.
    pub include_messages: bool,
    /// How long a request may take: 1s to 2m.
    #[serde(with = "humantime_serde")]
    #[schemars(with = "DurationWords")]
    pub request_timeout: Duration,
    /// Requests per 30 s for this app and tenant.
    #[schemars(range(min = 1, max = 10_000))]
    pub request_budget: u32,
    /// Another Graph: the bare root, https (http on a loopback address only).
    pub graph_url: Option<String>,
    /// Another sign-in service: the bare root, https (http on a loopback address only).
    pub login_url: Option<String>,
    /// Certificate authorities (PEM) to trust in addition to the system's, for corporate proxies.
    pub ca_file: Option<PathBuf>,
    /// The directory that keeps tokens.
    pub state_dir: Option<PathBuf>,
    /// How the bridge proves who it is.
    pub auth: Auth,
}

impl Default for Graph {
    fn default() -> Self {
        Self {
            cloud: Cloud::Global,
            tenant_id: None,
            client_id: None,
            endpoint: Endpoint::Auto,
            poll_interval: Duration::from_secs(5),
            stale_after: None,
            on_stale: OnStale::Keep,
            debounce: Duration::ZERO,
            include_messages: false,
            request_timeout: Duration::from_secs(10),
            request_budget: 1500,
            graph_url: None,
            login_url: None,
            ca_file: None,
            state_dir: None,
            auth: Auth::default(),
        }
    }
}

#[derive(Clone, Copy, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Cloud {
    Global,
    UsGovL4,
    UsGovL5,
    // Understood so that the reason can be given, but not offered.
    #[schemars(skip)]
    China,
}

/// How the bridge proves who it is.
#[derive(Clone, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Auth {
    /// How to sign in.
    pub method: Method,
    /// client-secret: the secret; better in `client_secret_file`.
    #[schemars(with = "Option<String>")]
    pub client_secret: Option<SecretString>,
    /// client-secret: a file that holds the secret.
    pub client_secret_file: Option<PathBuf>,
    /// certificate: a PEM file with the certificate, and its key unless that is in `private_key_file`.
    pub certificate_file: Option<PathBuf>,
    /// certificate: a PEM file with the key.
    pub private_key_file: Option<PathBuf>,
    /// workload-identity: the token to exchange; default `$AZURE_FEDERATED_TOKEN_FILE`.
    pub federated_token_file: Option<PathBuf>,
    /// Publish the device code on the bridge's `sign_in` topic.
    pub announce_sign_in: bool,
}

impl Default for Auth {
    fn default() -> Self {
        Self {
            method: Method::DeviceCode,
            client_secret: None,
            client_secret_file: None,
            certificate_file: None,
            private_key_file: None,
            federated_token_file: None,
            announce_sign_in: false,
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Method {
    DeviceCode,
    Browser,
    ClientSecret,
    Certificate,
    WorkloadIdentity,
    ManagedIdentity,
}

impl Method {
    /// The name in the configuration.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::DeviceCode => "device-code",
            Self::Browser => "browser",
            Self::ClientSecret => "client-secret",
            Self::Certificate => "certificate",
            Self::WorkloadIdentity => "workload-identity",
            Self::ManagedIdentity => "managed-identity",
        }
    }

    /// Whether a person signs in, as opposed to the app itself.
    pub(super) fn signs_in(self) -> bool {
        matches!(self, Self::DeviceCode | Self::Browser)
    }
}
