//! `[graph.auth]`, and `graph.client_id`, which some methods need.

use std::path::{Path, PathBuf};

use url::Url;

use super::refusals::Refusals;
use crate::config::certificate::Certificate;
use crate::config::environment::Environment;
use crate::config::ids::ApplicationId;
use crate::config::known::{Auth, IdentityService};
use crate::config::secret::Secret;
use crate::config::written::{self, Method};
use crate::core::model::name::TopicLevel;
use crate::core::model::sign_in::SignInBy;

/// The folder below `state_dir` in which each of several accounts has its own folder.
const ACCOUNTS: &str = "accounts";

/// The metadata service of Azure machines.
const METADATA: &str = "http://169.254.169.254";

pub(super) fn check(
    graph: &written::Graph,
    account: Option<&TopicLevel>,
    environment: &Environment,
    refusals: &mut Refusals<'_>,
) -> Option<Auth> {
    let written = &graph.auth;
    refuse_keys_of_other_methods(written, refusals);
    if !written.method.signs_in() {
        let says = "has an effect only for methods by which a person signs in; remove the key";
        if graph.state_dir.is_some() {
            refusals.refuse("graph.state_dir", says);
        }
        if written.announce_sign_in {
            refusals.refuse("graph.auth.announce_sign_in", says);
        }
    }
    let client_id = client_id(graph, refusals);
    match written.method {
        Method::ClientSecret => {
            let secret = client_secret(written, refusals);
            Some(Auth::ClientSecret { client_id: client_id?, secret: secret? })
        }
        Method::Certificate => {
            let certificate = certificate(written, refusals);
            Some(Auth::Certificate { client_id: client_id?, certificate: certificate? })
        }
        Method::WorkloadIdentity => {
            let token = federated_token(written, environment, refusals);
            Some(Auth::WorkloadIdentity { client_id: client_id?, token: token? })
        }
        Method::ManagedIdentity => {
            let service = identity_service(environment, refusals);
            Some(Auth::ManagedIdentity { client_id, service: service? })
        }
        Method::DeviceCode | Method::Browser => {
            let (state_dir, earlier) = match (state_dir(graph, environment, refusals), account) {
                (Some(folder), Some(name)) => (Some(folder.join(ACCOUNTS).join(name.as_str())), Some(folder)),
                (folder, _) => (folder, None),
            };
            let announce = written.announce_sign_in;
            let by = if written.method == Method::Browser { SignInBy::Browser } else { SignInBy::DeviceCode };
            Some(Auth::Person { by, client_id: client_id?, state_dir: state_dir?, earlier, announce })
        }
    }
}

/// Refuses credentials that the method does not use: their owner would think that they are used.
fn refuse_keys_of_other_methods(written: &written::Auth, refusals: &mut Refusals<'_>) {
    for (key, of) in credentials(written).filter(|(_, of)| *of != written.method) {
        let (of, is) = (of.as_str(), written.method.as_str());
        let says = format!(
            "belongs to method \"{of}\", and the method is \"{is}\"; remove the key or change the method"
        );
        refusals.refuse(key, says);
    }
}

/// The same for several accounts: a credential in `[graph]` is refused if no account has the method that uses
/// it.
pub(super) fn refuse_keys_of_no_account(
    written: &written::Auth,
    methods: &[Method],
    refusals: &mut Refusals<'_>,
) {
    for (key, of) in credentials(written).filter(|(_, of)| !methods.contains(of)) {
        let of = of.as_str();
        let says = format!(
            "belongs to method \"{of}\", and no account has it; remove the key or give an account the method"
        );
        refusals.refuse(key, says);
    }
    if written.announce_sign_in && !methods.iter().any(|method| method.signs_in()) {
        let says = "has an effect only for methods by which a person signs in, and no account has one; \
        remove the key";
        refusals.refuse("graph.auth.announce_sign_in", says);
    }
}

/// The credentials that are written, each with the method that it belongs to.
fn credentials(written: &written::Auth) -> impl Iterator<Item = (&'static str, Method)> {
    let all = [
        ("graph.auth.client_secret", written.client_secret.is_some(), Method::ClientSecret),
        ("graph.auth.client_secret_file", written.client_secret_file.is_some(), Method::ClientSecret),
        ("graph.auth.certificate_file", written.certificate_file.is_some(), Method::Certificate),
        ("graph.auth.private_key_file", written.private_key_file.is_some(), Method::Certificate),
        ("graph.auth.federated_token_file", written.federated_token_file.is_some(), Method::WorkloadIdentity),
    ];
    all.into_iter().filter(|(_, is_given, _)| *is_given).map(|(key, _, of)| (key, of))
}

/// The configured folder, otherwise systemd's, otherwise the usual one for a user's programs.
fn state_dir(
    graph: &written::Graph,
    environment: &Environment,
    refusals: &mut Refusals<'_>,
) -> Option<PathBuf> {
    if let Some(folder) = &graph.state_dir {
        return Some(refusals.place(folder));
    }
    let of_systemd =
        environment.get("STATE_DIRECTORY").and_then(|all| all.split(':').next()).map(PathBuf::from);
    let of_user = || {
        let state = environment.get("XDG_STATE_HOME").map(PathBuf::from);
        let home = || environment.get("HOME").map(|home| Path::new(home).join(".local/state"));
        state.or_else(home).map(|state| state.join("presence2mqtt"))
    };
    let folder = of_systemd.or_else(of_user);
    if folder.is_none() {
        let says = "is required, since neither $STATE_DIRECTORY nor $XDG_STATE_HOME nor $HOME is set";
        refusals.refuse("graph.state_dir", says);
    }
    folder
}

fn client_id(graph: &written::Graph, refusals: &mut Refusals<'_>) -> Option<ApplicationId> {
    let key = "graph.client_id";
    match (&graph.client_id, graph.auth.method) {
        (Some(id), _) => refusals.parse(key, id),
        // With a managed identity, `client_id` selects a user-assigned one, and most machines have none.
        (None, Method::ManagedIdentity) => None,
        (None, _) => {
            refusals.refuse(key, "is required: the application (client) id of the app registration");
            None
        }
    }
}

fn client_secret(written: &written::Auth, refusals: &mut Refusals<'_>) -> Option<Secret> {
    let (inline, file) = (written.client_secret.as_ref(), written.client_secret_file.as_deref());
    if inline.is_none() && file.is_none() {
        let says = "is required by method \"client-secret\" (or client_secret)";
        refusals.refuse("graph.auth.client_secret_file", says);
    }
    refusals.secret("graph.auth.client_secret", inline, file)
}

fn certificate(written: &written::Auth, refusals: &mut Refusals<'_>) -> Option<Certificate> {
    let key = "graph.auth.certificate_file";
    let Some(certificate_file) = &written.certificate_file else {
        refusals.refuse(
            key,
            "is required by method \"certificate\": a PEM file with the certificate and its key",
        );
        return None;
    };
    let certificate = Certificate {
        certificate_file: refusals.place(certificate_file),
        private_key_file: written.private_key_file.as_ref().map(|path| refusals.place(path)),
    };
    if let Err(error) = certificate.read() {
        let of_key = certificate.private_key_file.as_deref() == Some(error.path());
        refusals.refuse(if of_key { "graph.auth.private_key_file" } else { key }, error);
    }
    Some(certificate)
}

fn federated_token(
    written: &written::Auth,
    environment: &Environment,
    refusals: &mut Refusals<'_>,
) -> Option<Secret> {
    let key = "graph.auth.federated_token";
    let by_variable = || environment.get("AZURE_FEDERATED_TOKEN_FILE").map(Into::into);
    let Some(file) = written.federated_token_file.clone().or_else(by_variable) else {
        let says = "is required by method \"workload-identity\", since $AZURE_FEDERATED_TOKEN_FILE is not set either";
        refusals.refuse("graph.auth.federated_token_file", says);
        return None;
    };
    refusals.secret(key, None, Some(&file))
}

/// In the same order as the Azure libraries.
fn identity_service(environment: &Environment, refusals: &mut Refusals<'_>) -> Option<IdentityService> {
    let mut http = |variable: &str, text: &str| {
        let url =
            text.parse().ok().filter(|url: &Url| url.has_host() && matches!(url.scheme(), "http" | "https"));
        if url.is_none() {
            // The error does not show the value, which may be anything.
            refusals.refuse("graph.auth.method", format_args!("needs an http URL in ${variable}"));
        }
        url
    };
    match (environment.get("IDENTITY_ENDPOINT"), environment.get("IDENTITY_HEADER")) {
        (Some(endpoint), Some(header)) => Some(IdentityService::App {
            endpoint: http("IDENTITY_ENDPOINT", endpoint)?,
            header: header.to_owned().into(),
        }),
        (Some(_), None) | (None, Some(_) | None) => {
            let variable = "AZURE_POD_IDENTITY_AUTHORITY_HOST";
            let host = environment.get(variable).unwrap_or(METADATA);
            Some(IdentityService::Metadata { host: http(variable, host)? })
        }
    }
}
