//! What may be written in `[[accounts]]`, and what an account takes over from `[graph]`.

use std::path::PathBuf;
use std::time::Duration;

use schemars::JsonSchema;
use secrecy::SecretString;
use serde::Deserialize;

use super::duration_words::DurationWords;
use super::written_graph::{Auth, Cloud, Graph, Method};
use crate::core::model::settings::Endpoint;

/// One of several accounts. What stands here takes precedence over `graph`.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(extend("required" = ["name"]))]
pub(super) struct Account {
    /// What users, groups, topics and commands call it: 1 to 64 of the characters A-Z, a-z, 0-9, _ and -.
    pub name: Option<String>,
    /// Which Microsoft cloud the tenant is in.
    pub cloud: Option<Cloud>,
    /// The tenant: its GUID or one of its domains; `organizations` with a sign-in method.
    pub tenant_id: Option<String>,
    /// The application (client) id of the app registration: a GUID.
    pub client_id: Option<String>,
    /// Which requests read presence; auto takes /me for "me" and the bulk request for the others.
    #[schemars(with = "Endpoint")]
    pub endpoint: Option<Endpoint>,
    /// How often presence is read: 1s to 1h.
    #[serde(with = "humantime_serde")]
    #[schemars(with = "Option<DurationWords>")]
    pub poll_interval: Option<Duration>,
    /// How long a request may take: 1s to 2m.
    #[serde(with = "humantime_serde")]
    #[schemars(with = "Option<DurationWords>")]
    pub request_timeout: Option<Duration>,
    /// Requests per 30 s for this app and tenant. Accounts of the same app in the same tenant share them.
    #[schemars(range(min = 1, max = 10_000))]
    pub request_budget: Option<u32>,
    /// Another Graph: the bare root, https (http on a loopback address only).
    pub graph_url: Option<String>,
    /// Another sign-in service: the bare root, https (http on a loopback address only).
    pub login_url: Option<String>,
    /// Certificate authorities (PEM) to trust in addition to the system's, for corporate proxies.
    pub ca_file: Option<PathBuf>,
    /// How the account proves who it is.
    pub auth: AccountAuth,
}

/// How an account proves who it is. What stands here takes precedence over `graph.auth`.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct AccountAuth {
    /// How to sign in.
    pub method: Option<Method>,
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
    /// Publish the device code on the account's `sign_in` topic.
    pub announce_sign_in: Option<bool>,
}

impl Account {
    /// How the account signs in.
    pub(super) fn method(&self, graph: &Graph) -> Method {
        self.auth.method.unwrap_or(graph.auth.method)
    }

    /// `[graph]` as it is for this account.
    pub(super) fn over(&self, graph: &Graph) -> Graph {
        let method = self.method(graph);
        Graph {
            cloud: self.cloud.unwrap_or(graph.cloud),
            tenant_id: self.tenant_id.clone().or(graph.tenant_id.clone()),
            client_id: self.client_id.clone().or(graph.client_id.clone()),
            endpoint: self.endpoint.unwrap_or(graph.endpoint),
            poll_interval: self.poll_interval.unwrap_or(graph.poll_interval),
            request_timeout: self.request_timeout.unwrap_or(graph.request_timeout),
            request_budget: self.request_budget.unwrap_or(graph.request_budget),
            graph_url: self.graph_url.clone().or(graph.graph_url.clone()),
            login_url: self.login_url.clone().or(graph.login_url.clone()),
            ca_file: self.ca_file.clone().or(graph.ca_file.clone()),
            state_dir: graph.state_dir.clone(),
            auth: self.auth.over(&graph.auth, method),
            ..graph.clone()
        }
    }
}

impl AccountAuth {
    /// What belongs to another method than the account's is not taken over, and neither is half of a pair.
    fn over(&self, graph: &Auth, method: Method) -> Auth {
        let shared = |of: Method, is_apart: bool| Some(graph).filter(|_| method == of && !is_apart);
        let has_secret = self.client_secret.is_some() || self.client_secret_file.is_some();
        let secret = shared(Method::ClientSecret, has_secret);
        let has_certificate = self.certificate_file.is_some() || self.private_key_file.is_some();
        let certificate = shared(Method::Certificate, has_certificate);
        let token = shared(Method::WorkloadIdentity, self.federated_token_file.is_some());
        let (secret_file, key_file) = (&self.client_secret_file, &self.private_key_file);
        Auth {
            method,
            client_secret: self.client_secret.clone().or(secret.and_then(|auth| auth.client_secret.clone())),
            client_secret_file: secret_file
                .clone()
                .or(secret.and_then(|auth| auth.client_secret_file.clone())),
            certificate_file: self
                .certificate_file
                .clone()
                .or(certificate.and_then(|auth| auth.certificate_file.clone())),
            private_key_file: key_file.clone().or(certificate.and_then(|auth| auth.private_key_file.clone())),
            federated_token_file: self
                .federated_token_file
                .clone()
                .or(token.and_then(|auth| auth.federated_token_file.clone())),
            announce_sign_in: self.announce_sign_in.unwrap_or(graph.announce_sign_in && method.signs_in()),
        }
    }
}
