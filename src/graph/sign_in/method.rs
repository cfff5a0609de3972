//! The sign-in methods.

use std::sync::Arc;
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};

use super::answer::Issued;
use super::assertion;
use super::authority::Authority;
use super::delegated::DelegatedSignIn;
use super::managed_identity::ManagedIdentity;
use super::scopes::Scopes;
use super::store::{Earlier, TokenStore};
use crate::config::{Auth, Certificate, Secret, TenantId};
use crate::core::model::request::ReadFailure;
use crate::graph::caller::Caller;
use crate::graph::clock;
use crate::graph::http::HttpError;

/// How the bridge proves its identity.
///
/// Secrets, certificates and tokens in files are read again for every request, because they may have been
/// replaced.
#[derive(Debug)]
pub enum Method {
    /// The app itself with a client secret (Microsoft identity platform:
    /// `v2-oauth2-client-creds-grant-flow`).
    ClientSecret {
        /// The app's id.
        client_id: String,
        /// Its secret.
        secret: Secret,
    },
    /// The app itself with a certificate (Microsoft identity platform: `certificate-credentials`).
    Certificate {
        /// The app's id.
        client_id: String,
        /// The certificate registered for it.
        certificate: Certificate,
    },
    /// The app itself with a token of another identity provider (Microsoft Entra:
    /// `workload-identity-federation`).
    WorkloadIdentity {
        /// The app's id.
        client_id: String,
        /// The token of the other provider.
        token: Secret,
    },
    /// The Azure machine or service on which the bridge runs (Microsoft Entra:
    /// `managed-identities-azure-resources/overview`).
    ManagedIdentity(ManagedIdentity),
    /// A person (Microsoft identity platform: `v2-oauth2-device-code`, `v2-oauth2-auth-code-flow`).
    Delegated(DelegatedSignIn),
    /// A given token of a person, for tests of single requests.
    Fixed(SecretString),
}

impl Method {
    /// The configured method. A person of `tenant` who signs in consents to `scopes`.
    ///
    /// # Errors
    ///
    /// If the HTTP client cannot be made.
    pub fn new(auth: &Auth, tenant: &TenantId, scopes: Scopes, timeout: Duration) -> Result<Self, HttpError> {
        Ok(match auth {
            Auth::Person { client_id, state_dir, earlier, .. } => {
                let client_id = client_id.as_str().to_owned();
                let earlier = earlier.as_ref().map(|folder| Earlier {
                    folder: folder.clone(),
                    tenant: tenant.as_str().to_owned(),
                    client_id: client_id.clone(),
                });
                let store = TokenStore::new(state_dir.clone()).after(earlier);
                Self::Delegated(DelegatedSignIn::new(store, tenant.clone(), client_id, Arc::new(scopes)))
            }
            Auth::ClientSecret { client_id, secret } => {
                Self::ClientSecret { client_id: client_id.as_str().to_owned(), secret: secret.clone() }
            }
            Auth::Certificate { client_id, certificate } => Self::Certificate {
                client_id: client_id.as_str().to_owned(),
                certificate: certificate.clone(),
            },
            Auth::WorkloadIdentity { client_id, token } => {
                Self::WorkloadIdentity { client_id: client_id.as_str().to_owned(), token: token.clone() }
            }
            Auth::ManagedIdentity { client_id, service } => {
                Self::ManagedIdentity(ManagedIdentity::new(service.clone(), client_id.clone(), timeout)?)
            }
        })
    }

    /// The stored sign-in, if a person signs in.
    #[must_use]
    pub fn delegated(&self) -> Option<&DelegatedSignIn> {
        match self {
            Self::Delegated(sign_in) => Some(sign_in),
            Self::ClientSecret { .. }
            | Self::Certificate { .. }
            | Self::WorkloadIdentity { .. }
            | Self::ManagedIdentity(_)
            | Self::Fixed(_) => None,
        }
    }

    /// As whom Graph sees the bridge.
    #[must_use]
    pub fn caller(&self) -> Caller {
        match self {
            Self::ClientSecret { .. } | Self::Certificate { .. } | Self::WorkloadIdentity { .. } => {
                Caller::App
            }
            Self::ManagedIdentity(_) => Caller::ManagedIdentity,
            Self::Delegated(_) | Self::Fixed(_) => Caller::Person,
        }
    }

    /// Asks for a token for `resource`, the root address of Graph. With `fresh`, a stored one is not used.
    pub(in crate::graph) async fn fetch(
        &self,
        authority: &Authority,
        resource: &str,
        fresh: bool,
    ) -> Result<Issued, ReadFailure> {
        match self {
            Self::ClientSecret { client_id, secret } => {
                let secret = secret.read().map_err(|error| {
                    sign_in_required(format!("the client secret cannot be read: {error}"))
                })?;
                let credential = [("client_secret", secret.expose_secret())];
                of_app(authority, resource, client_id, &credential).await
            }
            Self::Certificate { client_id, certificate } => {
                let certificate = certificate.read().map_err(sign_in_required)?;
                let audience = authority.endpoint("token");
                let assertion = assertion::sign(&certificate, client_id, &audience, clock::wall());
                by_assertion(authority, resource, client_id, &assertion.map_err(sign_in_required)?).await
            }
            Self::WorkloadIdentity { client_id, token } => {
                let token = token.read().map_err(|error| {
                    sign_in_required(format!("the federated token cannot be read: {error}"))
                })?;
                by_assertion(authority, resource, client_id, &token).await
            }
            Self::ManagedIdentity(identity) => identity.fetch(resource).await,
            Self::Delegated(sign_in) => sign_in.fetch(authority, resource, fresh).await,
            Self::Fixed(token) => Ok(Issued::new(token.clone(), 3600)),
        }
    }
}

async fn by_assertion(
    authority: &Authority,
    resource: &str,
    client_id: &str,
    assertion: &SecretString,
) -> Result<Issued, ReadFailure> {
    let credential = [
        ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
        ("client_assertion", assertion.expose_secret()),
    ];
    of_app(authority, resource, client_id, &credential).await
}

async fn of_app(
    authority: &Authority,
    resource: &str,
    client_id: &str,
    credential: &[(&str, &str)],
) -> Result<Issued, ReadFailure> {
    let scope = default_scope(resource);
    let form = [("grant_type", "client_credentials"), ("client_id", client_id), ("scope", &scope)];
    let issued = authority.token(&[&form, credential].concat()).await;
    issued.map_err(|reason| reason.failure(Caller::App))
}

/// Requests all permissions that were granted to the app; an app cannot request less.
fn default_scope(resource: &str) -> String {
    format!("{resource}/.default")
}

fn sign_in_required(advice: impl ToString) -> ReadFailure {
    ReadFailure::SignInRequired { advice: advice.to_string().into() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Cloud;

    #[test]
    fn each_cloud_has_its_own_scope_and_its_own_place_to_ask() {
        for (cloud, scope, endpoint) in [
            (Cloud::Global, "https://graph.microsoft.com/.default", "https://login.microsoftonline.com"),
            (Cloud::UsGovL4, "https://graph.microsoft.us/.default", "https://login.microsoftonline.us"),
            (Cloud::UsGovL5, "https://dod-graph.microsoft.us/.default", "https://login.microsoftonline.us"),
        ] {
            assert_eq!(default_scope(cloud.graph_url()), scope);
            let root = cloud.login_url().parse().unwrap();
            let authority = Authority::unasked(&root, "contoso.example");
            let expected = format!("{endpoint}/contoso.example/oauth2/v2.0/token");
            assert_eq!(authority.endpoint("token").as_str(), expected);
        }
    }
}
