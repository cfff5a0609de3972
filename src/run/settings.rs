//! What a configuration means for the core, and for the ways to Graph and the broker.

use jiff::Timestamp;

use crate::config::{Auth, Certificate, Config, Mqtt};
use crate::core::model::payload::About;
use crate::core::model::settings::{Commands, MqttSettings, Settings, SignInSettings};
use crate::core::model::sign_in::SignInBy;
use crate::graph::HttpError;
use crate::graph::client::{Access, GraphClient};
use crate::graph::sign_in::attendant::Attendant;
use crate::graph::sign_in::method::Method;
use crate::graph::sign_in::scopes::Scopes;

/// What the core needs to know of a configuration.
#[must_use]
pub fn settings(config: &Config) -> Settings {
    let Config { mqtt, graph, users, groups, lights, home_assistant, commands, .. } = config;
    Settings {
        mqtt: mqtt.settings.clone(),
        graph: graph.settings.clone(),
        sign_in: SignInSettings {
            invites: invites(&graph.auth),
            announce: matches!(graph.auth, Auth::Person { announce: true, .. }),
            certificate_ends: certificate_ends(config),
        },
        commands: commands.enabled.then(|| Commands {
            session_id: session_id(&graph.auth),
            response_topic: commands.response_topic.as_deref().map(Into::into),
        }),
        discovery: home_assistant.discovery.then(|| home_assistant.settings.clone()),
        users: users.clone(),
        groups: groups.clone(),
        lights: lights.clone(),
        predecessor: None,
        about: About {
            version: env!("CARGO_PKG_VERSION"),
            cloud: graph.cloud.as_str(),
            auth_method: graph.auth.as_str(),
        },
    }
}

/// A client for the Graph of a configuration.
///
/// # Errors
///
/// If its certificate authorities cannot be loaded.
pub fn graph_client(config: &Config) -> Result<GraphClient, HttpError> {
    let graph = &config.graph;
    let access = Access {
        graph_url: &graph.graph_url,
        login_url: &graph.login_url,
        tenant: graph.tenant.as_str(),
        ca_file: graph.ca_file.as_deref(),
        timeout: graph.request_timeout,
    };
    let scopes = scopes(config, config.commands.enabled);
    GraphClient::new(&access, Method::new(&graph.auth, &graph.tenant, scopes, graph.request_timeout)?)
}

/// What a person who signs in is asked for.
fn scopes(config: &Config, writes: bool) -> Scopes {
    Scopes::of(config.users.iter().map(|user| &user.id), !config.groups.is_empty(), writes)
}

/// How a person signs in, where one does.
fn invites(auth: &Auth) -> Option<SignInBy> {
    match auth {
        Auth::Person { by, .. } => Some(*by),
        Auth::ClientSecret { .. }
        | Auth::Certificate { .. }
        | Auth::WorkloadIdentity { .. }
        | Auth::ManagedIdentity { .. } => None,
    }
}

/// What names the app's presence sessions: its own id.
fn session_id(auth: &Auth) -> Option<Box<str>> {
    match auth {
        Auth::Person { client_id, .. }
        | Auth::ClientSecret { client_id, .. }
        | Auth::Certificate { client_id, .. }
        | Auth::WorkloadIdentity { client_id, .. } => Some(client_id.as_str().into()),
        Auth::ManagedIdentity { client_id, .. } => client_id.as_ref().map(|id| id.as_str().into()),
    }
}

/// When the app's certificate ends, if it signs in with one that can be read.
#[must_use]
pub fn certificate_ends(config: &Config) -> Option<Timestamp> {
    certificate(config)?.read().ok().map(|read| read.ends)
}

fn certificate(config: &Config) -> Option<&Certificate> {
    match &config.graph.auth {
        Auth::Certificate { certificate, .. } => Some(certificate),
        Auth::Person { .. }
        | Auth::ClientSecret { .. }
        | Auth::WorkloadIdentity { .. }
        | Auth::ManagedIdentity { .. } => None,
    }
}

/// Who invites people to sign in, and notices when a secret's file changes.
pub(super) fn attendant(config: &Config, client: &GraphClient) -> Attendant {
    let delegated = client.delegated().cloned();
    let mut watched = config.graph.auth.files();
    watched.extend(delegated.as_ref().map(|sign_in| sign_in.store.file()));
    Attendant {
        authority: client.authority().clone(),
        resource: client.resource().to_owned(),
        delegated,
        watched,
        certificate: certificate(config).cloned(),
    }
}

/// Whether one connection to the broker serves both. How values are published may differ.
pub(super) fn same_broker(one: &Config, other: &Config) -> bool {
    let published = &other.mqtt.settings;
    let settings = MqttSettings {
        qos: published.qos,
        refresh_interval: published.refresh_interval,
        message_expiry: published.message_expiry,
        ..one.mqtt.settings.clone()
    };
    Mqtt { settings, ..one.mqtt.clone() } == other.mqtt && one.home_assistant == other.home_assistant
}

/// Whether both ask the same tenant as the same app or person.
pub(super) fn same_identity(one: &Config, other: &Config) -> bool {
    let identity = |config: &Config| {
        let graph = &config.graph;
        let place = (graph.graph_url.clone(), graph.login_url.clone());
        (graph.cloud, graph.tenant.clone(), place, graph.auth.clone())
    };
    identity(one) == identity(other)
}

/// Whether the way to Graph is the same with both: tenant, addresses, sign-in, and what a person is asked for.
pub(super) fn same_access(one: &Config, other: &Config) -> bool {
    let way = |config: &Config| {
        let graph = &config.graph;
        let is_person = matches!(graph.auth, Auth::Person { .. });
        (
            (graph.cloud, graph.tenant.clone(), graph.graph_url.clone(), graph.login_url.clone()),
            (graph.ca_file.clone(), graph.request_timeout, graph.auth.clone()),
            scopes(config, is_person && config.commands.enabled),
        )
    };
    way(one) == way(other)
}
