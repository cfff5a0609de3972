//! What a configuration means for the core, and for the ways to Graph and the broker.

use jiff::Timestamp;

use crate::config::{Auth, Certificate, Config, Mqtt, User};
use crate::core::model::payload::About;
use crate::core::model::settings::{Commands, Discovery, Settings, Watched};
use crate::core::model::topic::Topics;
use crate::graph::HttpError;
use crate::graph::client::{Access, GraphClient};
use crate::graph::sign_in::attendant::Attendant;
use crate::graph::sign_in::method::Method;
use crate::graph::sign_in::scopes::Scopes;

/// What the core needs to know of a configuration.
#[must_use]
pub fn settings(config: &Config) -> Settings {
    let Config { mqtt, graph, users, groups, home_assistant, commands, .. } = config;
    Settings {
        base_topic: mqtt.base_topic.clone(),
        bridge_name: mqtt.bridge_name.clone(),
        client_id: mqtt.client_id.clone(),
        predecessor: None,
        qos: mqtt.qos,
        protocol: mqtt.protocol,
        keep_alive: mqtt.keep_alive,
        message_expiry: mqtt.message_expiry,
        refresh_interval: mqtt.refresh_interval,
        endpoint: graph.endpoint,
        poll_interval: graph.poll_interval,
        stale_after: graph.stale_after,
        on_stale: graph.on_stale,
        debounce: graph.debounce,
        include_messages: graph.include_messages,
        request_budget: graph.request_budget,
        certificate_ends: certificate_ends(config),
        invites: matches!(graph.auth, Auth::Person { .. }),
        announce_sign_in: matches!(graph.auth, Auth::Person { announce: true, .. }),
        commands: commands.enabled.then(|| Commands { session_id: session_id(&graph.auth) }),
        discovery: home_assistant.discovery.then(|| Discovery {
            prefix: home_assistant.discovery_prefix.clone(),
            birth_topic: home_assistant.birth_topic.clone(),
        }),
        users: users.iter().map(watched).collect(),
        groups: groups.clone(),
        lights: config.lights.clone(),
        about: About {
            version: env!("CARGO_PKG_VERSION"),
            cloud: graph.cloud.as_str(),
            auth_method: graph.auth.as_str(),
        },
    }
}

fn watched(user: &User) -> Watched {
    let User { name, id, display_name, discovery } = user.clone();
    Watched { name, id, display_name, discovery }
}

/// The topics of a configuration.
pub(super) fn topics(config: &Config) -> Topics {
    Topics::new(config.mqtt.base_topic.clone(), config.mqtt.bridge_name.clone())
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
    GraphClient::new(&access, Method::new(&graph.auth, scopes, graph.request_timeout)?)
}

/// What a person who signs in is asked for.
fn scopes(config: &Config, writes: bool) -> Scopes {
    Scopes::of(config.users.iter().map(|user| &user.id), !config.groups.is_empty(), writes)
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
    let mqtt = Mqtt {
        qos: other.mqtt.qos,
        refresh_interval: other.mqtt.refresh_interval,
        message_expiry: other.mqtt.message_expiry,
        ..one.mqtt.clone()
    };
    mqtt == other.mqtt && one.home_assistant == other.home_assistant
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
