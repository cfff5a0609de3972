//! Translates a configuration for the core, and into clients for Graph and the broker.

use std::sync::Arc;

use jiff::Timestamp;

use crate::config::{Account, Auth, Certificate, Config, Mqtt};
use crate::core::model::account::AccountId;
use crate::core::model::event;
use crate::core::model::settings::{AccountSettings, Commands, MqttSettings, Settings, SignInSettings};
use crate::core::model::sign_in::SignInBy;
use crate::graph::HttpError;
use crate::graph::client::{Access, GraphClient};
use crate::graph::sign_in::attendant::Attendant;
use crate::graph::sign_in::method::Method;
use crate::graph::sign_in::scopes::Scopes;

/// What the core needs to know of a configuration.
#[must_use]
pub fn settings(config: &Config) -> Settings {
    let Config { mqtt, graph, accounts, users, groups, lights, home_assistant, commands, .. } = config;
    Settings {
        mqtt: mqtt.settings.clone(),
        graph: graph.clone(),
        accounts: accounts.iter().map(account_settings).collect(),
        commands: commands
            .enabled
            .then(|| Commands { response_topic: commands.response_topic.as_deref().map(Into::into) }),
        discovery: home_assistant.discovery.then(|| home_assistant.settings.clone()),
        users: Arc::clone(users),
        groups: groups.clone(),
        lights: lights.clone(),
        predecessor: None,
        version: env!("CARGO_PKG_VERSION"),
    }
}

fn account_settings(account: &Account) -> AccountSettings {
    AccountSettings {
        name: account.name.clone(),
        reading: account.settings.clone(),
        app: account.app(),
        sign_in: SignInSettings {
            invites: invites(&account.auth),
            announce: matches!(account.auth, Auth::Person { announce: true, .. }),
            certificate_ends: certificate_ends(account),
        },
        // Microsoft identifies the app's presence sessions by the app's own id.
        session_id: account.auth.client_id().map(|id| id.as_str().into()),
        auth_method: account.auth.as_str(),
    }
}

/// A client for the Graph of one account of a configuration.
///
/// # Errors
///
/// If its certificate authorities cannot be loaded.
pub fn graph_client(config: &Config, account: AccountId) -> Result<GraphClient, HttpError> {
    let Account { graph_url, login_url, tenant, ca_file, request_timeout, auth, .. } =
        &config.accounts[account.index()];
    let access = Access {
        graph_url,
        login_url,
        tenant: tenant.as_str(),
        ca_file: ca_file.as_deref(),
        timeout: *request_timeout,
    };
    let scopes = scopes(config, account, config.commands.enabled);
    GraphClient::new(&access, Method::new(auth, tenant, scopes, *request_timeout)?)
}

/// The scopes that a person consents to at the sign-in to an account.
fn scopes(config: &Config, account: AccountId, writes: bool) -> Scopes {
    let users = config.users.iter().filter(|user| user.account == account).map(|user| &user.id);
    Scopes::of(users, config.groups.iter().any(|group| group.account == account), writes)
}

/// How a person signs in to this account, if a person does.
fn invites(auth: &Auth) -> Option<SignInBy> {
    match auth {
        Auth::Person { by, .. } => Some(*by),
        Auth::ClientSecret { .. }
        | Auth::Certificate { .. }
        | Auth::WorkloadIdentity { .. }
        | Auth::ManagedIdentity { .. } => None,
    }
}

/// When the certificate of an account's app expires, if the app uses one that can be read.
#[must_use]
pub fn certificate_ends(account: &Account) -> Option<Timestamp> {
    certificate(account)?.read().ok().map(|read| read.ends)
}

fn certificate(account: &Account) -> Option<&Certificate> {
    match &account.auth {
        Auth::Certificate { certificate, .. } => Some(certificate),
        Auth::Person { .. }
        | Auth::ClientSecret { .. }
        | Auth::WorkloadIdentity { .. }
        | Auth::ManagedIdentity { .. } => None,
    }
}

/// The task that invites people to sign in to an account, and notices when a secret's file changes.
pub(super) fn attendant(account: &Account, client: &GraphClient) -> Attendant {
    let delegated = client.delegated().cloned();
    let mut watched = account.auth.files();
    watched.extend(delegated.as_ref().map(|sign_in| sign_in.store.file()));
    Attendant {
        authority: client.authority().clone(),
        resource: client.resource().to_owned(),
        delegated,
        watched,
        certificate: certificate(account).cloned(),
    }
}

/// Whether both configurations can use the same connection to the broker. They may publish in different ways.
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

/// What changed for the connection to Graph of an account that existed before.
pub(super) fn access(
    (one, before): (&Config, AccountId),
    (other, now): (&Config, AccountId),
) -> event::Access {
    let way = |config: &Config, id: AccountId| {
        let account = config.accounts[id.index()].clone();
        let is_person = matches!(account.auth, Auth::Person { .. });
        let scopes = scopes(config, id, is_person && config.commands.enabled);
        // How presence is read does not affect the connection.
        (Account { settings: one.accounts[before.index()].settings.clone(), ..account }, scopes)
    };
    let identity = |(account, _): &(Account, Scopes)| {
        let Account { cloud, tenant, graph_url, login_url, auth, .. } = account.clone();
        (cloud, tenant, graph_url, login_url, auth)
    };
    let (before, now) = (way(one, before), way(other, now));
    match (before == now, identity(&before) == identity(&now)) {
        (true, _) => event::Access::Same,
        (false, true) => event::Access::Renewed,
        (false, false) => event::Access::New,
    }
}
