//! A checked configuration. The rest of the program relies on it and checks nothing again.
//!
//! `settings` of a part is what the core needs, in the core's own type; the rest is for the edges.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use url::Url;

use super::broker::Brokers;
use super::certificate::Certificate;
use super::document::Origin;
use super::ids::{ApplicationId, TenantId};
use super::secret::Secret;
use crate::core::lights;
use crate::core::model::account::AccountId;
use crate::core::model::name::TopicLevel;
use crate::core::model::settings::{
    App, Discovery, GraphSettings, Group, MqttSettings, ReadingSettings, User,
};
use crate::core::model::sign_in::SignInBy;

/// A whole configuration, checked.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where it came from.
    pub origin: Origin,
    /// The broker and what is published there.
    pub mqtt: Mqtt,
    /// When presence is published. The same for all accounts.
    pub graph: GraphSettings,
    /// The accounts: at least one. Names are unique ignoring case; an account without a name is the only one.
    pub accounts: Vec<Account>,
    /// The people to follow: names unique ignoring case, in the order written; at least one, unless there are
    /// groups.
    pub users: Arc<[User]>,
    /// The groups whose members are followed, each once, in the order written.
    pub groups: Vec<Group>,
    /// Lights that show people's presence; names unique ignoring case.
    pub lights: Vec<lights::settings::Settings>,
    /// Discovery by Home Assistant.
    pub home_assistant: HomeAssistant,
    /// Setting presence from MQTT.
    pub commands: Commands,
    /// Metrics, health checks and the status page, if `http.listen` is set.
    pub http: Option<Http>,
}

/// The broker and what is published there.
#[derive(Debug, Clone, PartialEq)]
pub struct Mqtt {
    /// Where the broker is.
    pub brokers: Brokers,
    /// The user name and password at the broker, if there are any.
    pub credentials: Option<Credentials>,
    /// Certificate authorities (PEM) to trust besides the system's; only with TLS.
    pub ca_file: Option<PathBuf>,
    /// The bridge's own certificate; only with TLS.
    pub client_identity: Option<ClientIdentity>,
    /// What is published, where and how.
    pub settings: MqttSettings,
}

/// A user name at the broker.
#[derive(Debug, Clone, PartialEq)]
pub struct Credentials {
    /// Not empty.
    pub username: String,
    /// The password, if there is one.
    pub password: Option<Secret>,
}

/// A certificate and its key, both PEM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientIdentity {
    /// The certificate, with the chain behind it.
    pub cert_file: PathBuf,
    /// The key.
    pub key_file: PathBuf,
}

/// One account: a tenant, and the credentials to read it.
#[derive(Debug, Clone, PartialEq)]
pub struct Account {
    /// The topic level and the name in messages. `None`: this is the only account, and `[[accounts]]` is not
    /// used.
    pub name: Option<TopicLevel>,
    /// Which Microsoft cloud the tenant is in.
    pub cloud: Cloud,
    /// The tenant.
    pub tenant: TenantId,
    /// How long one request may take: 1 s to 2 min.
    pub request_timeout: Duration,
    /// The bare root of Graph, without `/v1.0`: https, or http on a loopback address.
    pub graph_url: Url,
    /// The bare root of the sign-in service, without the tenant: https, or http on a loopback address.
    pub login_url: Url,
    /// Certificate authorities (PEM) to trust besides the system's.
    pub ca_file: Option<PathBuf>,
    /// How the bridge proves who it is.
    pub auth: Auth,
    /// How presence is read.
    pub settings: ReadingSettings,
}

/// Which Microsoft cloud a tenant is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cloud {
    /// The worldwide cloud.
    Global,
    /// US government, GCC High.
    UsGovL4,
    /// US government, DoD.
    UsGovL5,
}

/// How the bridge proves who it is to the sign-in service.
#[derive(Debug, Clone, PartialEq)]
pub enum Auth {
    /// A person signs in.
    Person {
        /// How the person signs in for the first time.
        by: SignInBy,
        /// The app registration.
        client_id: ApplicationId,
        /// The folder that keeps the tokens.
        state_dir: PathBuf,
        /// Where the sign-in was stored before `[[accounts]]` was used, if it can only belong to this
        /// account.
        earlier: Option<PathBuf>,
        /// Whether the code is published.
        announce: bool,
    },
    /// As the app itself, by a client secret.
    ClientSecret {
        /// The app registration.
        client_id: ApplicationId,
        /// Its secret.
        secret: Secret,
    },
    /// As the app itself, by a certificate.
    Certificate {
        /// The app registration.
        client_id: ApplicationId,
        /// A certificate that is registered there.
        certificate: Certificate,
    },
    /// As the app itself, by a token of another identity provider.
    WorkloadIdentity {
        /// The app registration, or the user-assigned identity.
        client_id: ApplicationId,
        /// The token, which is replaced before it ends.
        token: Secret,
    },
    /// As the Azure machine or service that the bridge runs on.
    ManagedIdentity {
        /// Names a user-assigned identity; `None`: the system-assigned one.
        client_id: Option<ApplicationId>,
        /// The service that issues its tokens.
        service: IdentityService,
    },
}

/// The service that issues the tokens of a managed identity.
#[derive(Debug, Clone)]
pub enum IdentityService {
    /// App Service, Functions and Container Apps: `$IDENTITY_ENDPOINT` with `$IDENTITY_HEADER`.
    App {
        /// Where to ask.
        endpoint: Url,
        /// The value of `$IDENTITY_HEADER`.
        header: SecretString,
    },
    /// The metadata service of a virtual machine; `$AZURE_POD_IDENTITY_AUTHORITY_HOST` names another one.
    Metadata {
        /// The bare root.
        host: Url,
    },
}

/// Discovery by Home Assistant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HomeAssistant {
    /// Whether users and bridge are announced.
    pub discovery: bool,
    /// The prefix and the birth topic.
    pub settings: Discovery,
}

/// Setting presence from MQTT.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commands {
    /// Whether the bridge accepts commands on the users' `set` and `set_status_message` topics.
    pub enabled: bool,
    /// The topic below which response topics are accepted, in addition to those below the base topic.
    pub response_topic: Option<String>,
}

/// Metrics, health checks and the status page.
#[derive(Debug, Clone, PartialEq)]
pub struct Http {
    /// The address to listen on; without a password a loopback address.
    pub listen: SocketAddr,
    /// What opens the status page and the metrics. The health checks are always open.
    pub password: Option<Secret>,
    /// Without a password: answer to any host name.
    pub any_host: bool,
    /// The page has no forms and changes nothing.
    pub read_only: bool,
}

impl PartialEq for IdentityService {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::App { endpoint, header }, Self::App { endpoint: other, header: same }) => {
                endpoint == other && header.expose_secret() == same.expose_secret()
            }
            (Self::Metadata { host }, Self::Metadata { host: other }) => host == other,
            (Self::App { .. }, Self::Metadata { .. }) | (Self::Metadata { .. }, Self::App { .. }) => false,
        }
    }
}

impl Config {
    /// The accounts, with what users and groups know them by.
    pub fn accounts(&self) -> impl Iterator<Item = (AccountId, &Account)> {
        self.accounts.iter().enumerate().map(|(index, account)| (AccountId::new(index), account))
    }
}

impl Account {
    /// The app whose requests Microsoft counts together, if it is known: the cloud, the tenant and the app's
    /// own id.
    #[must_use]
    pub fn app(&self) -> App {
        App {
            cloud: self.cloud.as_str(),
            tenant: self.tenant.as_str().to_ascii_lowercase().into(),
            client_id: self.auth.client_id().map(|id| id.as_str().to_ascii_lowercase().into()),
        }
    }
}

impl Auth {
    /// The app's own id; a managed identity may not know it.
    #[must_use]
    pub fn client_id(&self) -> Option<&ApplicationId> {
        match self {
            Self::Person { client_id, .. }
            | Self::ClientSecret { client_id, .. }
            | Self::Certificate { client_id, .. }
            | Self::WorkloadIdentity { client_id, .. } => Some(client_id),
            Self::ManagedIdentity { client_id, .. } => client_id.as_ref(),
        }
    }

    /// The files with the bridge's credentials. They may be replaced while it runs.
    #[must_use]
    pub fn files(&self) -> Vec<PathBuf> {
        match self {
            Self::ClientSecret { secret: Secret::File(path), .. }
            | Self::WorkloadIdentity { token: Secret::File(path), .. } => vec![path.clone()],
            Self::Certificate { certificate, .. } => {
                let key = certificate.private_key_file.iter();
                key.chain([&certificate.certificate_file]).cloned().collect()
            }
            Self::Person { .. }
            | Self::ClientSecret { secret: Secret::Inline(_), .. }
            | Self::WorkloadIdentity { token: Secret::Inline(_), .. }
            | Self::ManagedIdentity { .. } => Vec::new(),
        }
    }

    /// The name in the configuration.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Person { by: SignInBy::DeviceCode, .. } => "device-code",
            Self::Person { by: SignInBy::Browser, .. } => "browser",
            Self::ClientSecret { .. } => "client-secret",
            Self::Certificate { .. } => "certificate",
            Self::WorkloadIdentity { .. } => "workload-identity",
            Self::ManagedIdentity { .. } => "managed-identity",
        }
    }
}

impl Cloud {
    /// The name in the configuration.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Global => "global",
            Self::UsGovL4 => "us-gov-l4",
            Self::UsGovL5 => "us-gov-l5",
        }
    }

    /// The bare root of Graph in this cloud.
    #[must_use]
    pub fn graph_url(self) -> &'static str {
        match self {
            Self::Global => "https://graph.microsoft.com",
            Self::UsGovL4 => "https://graph.microsoft.us",
            Self::UsGovL5 => "https://dod-graph.microsoft.us",
        }
    }

    /// The bare root of the sign-in service in this cloud.
    #[must_use]
    pub fn login_url(self) -> &'static str {
        match self {
            Self::Global => "https://login.microsoftonline.com",
            Self::UsGovL4 | Self::UsGovL5 => "https://login.microsoftonline.us",
        }
    }
}
