//! The ways to sign in.

use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};

use super::answer::{self, Issued, NotIssued};
use super::authority::Authority;
use super::delegated::DelegatedSignIn;
use crate::config::Secret;
use crate::core::event::ReadFailure;

/// How the bridge proves who it is.
#[derive(Debug)]
pub enum Method {
    /// The app itself with a client secret, read anew for every request since its file may be replaced
    /// (Microsoft identity platform: `v2-oauth2-client-creds-grant-flow`).
    ClientSecret {
        /// The app's id.
        client_id: String,
        /// Its secret.
        secret: Secret,
    },
    /// A person (Microsoft identity platform: `v2-oauth2-device-code`, `v2-oauth2-auth-code-flow`).
    Delegated(DelegatedSignIn),
    /// A token from elsewhere, for tests of single requests.
    Fixed(SecretString),
}

impl Method {
    /// Asks for a token for `resource`, the bare root of Graph.
    /// `fresh` forbids one that was issued before.
    pub(in crate::graph) async fn fetch(
        &self,
        authority: &Authority,
        resource: &str,
        fresh: bool,
    ) -> Result<Issued, ReadFailure> {
        match self {
            Self::ClientSecret { client_id, secret } => {
                let secret = secret.read().map_err(|error| ReadFailure::SignInRequired {
                    advice: format!("the client secret cannot be read: {error}"),
                })?;
                let form = [
                    ("grant_type", "client_credentials"),
                    ("client_id", client_id),
                    ("client_secret", secret.expose_secret()),
                    ("scope", &format!("{resource}/.default")),
                ];
                authority.token(&form).await.map_err(NotIssued::into)
            }
            Self::Delegated(sign_in) => sign_in.fetch(authority, resource, fresh).await,
            Self::Fixed(token) => Ok(Issued {
                token: token.clone(),
                lives: Duration::from_secs(3600),
                delegated: answer::Delegated::default(),
            }),
        }
    }
}
