//! Another identity provider, such as a Kubernetes cluster's. The tenant accepts its tokens for the app.
//!
//! Microsoft's page: "Workload identity federation".

use std::fmt;
use std::io;
use std::path::Path;
use std::time::Duration;

use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::KeyPair as _;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value, json};

use super::clock;

/// The audience that Entra wants such tokens to have.
pub const AUDIENCE: &str = "api://AzureADTokenExchange";

/// A federated credential of the app: which tokens of another identity provider the tenant accepts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FederatedCredential {
    /// The `iss` of its tokens.
    pub issuer: String,
    /// The `sub` that stands for the app.
    pub subject: String,
    /// The `aud` its tokens must have.
    pub audience: String,
    /// The RSA key its tokens are signed with, as PEM.
    pub public_key: String,
}

/// Why the other provider cannot make its key or a token.
#[derive(Debug, thiserror::Error)]
#[error("the other identity provider cannot {0}")]
pub struct ProviderError(&'static str);

/// The other identity provider, with its own key.
pub struct IdentityProvider {
    issuer: String,
    key: EncodingKey,
    public_key: String,
}

impl IdentityProvider {
    /// A provider with a new RSA key, which takes a moment to make.
    ///
    /// # Errors
    ///
    /// If no key can be made.
    pub fn new(issuer: &str) -> Result<Self, ProviderError> {
        let failed = ProviderError("make a key");
        let pair = KeyPair::generate(KeySize::Rsa2048).map_err(|_| ProviderError("make a key"))?;
        let (Ok(private), Ok(public)) = (pair.as_der(), pair.public_key().as_der()) else {
            return Err(failed);
        };
        let private = pem("PRIVATE KEY", private.as_ref());
        let key = EncodingKey::from_rsa_pem(private.as_bytes()).map_err(|_| failed)?;
        Ok(Self { issuer: issuer.to_owned(), key, public_key: pem("PUBLIC KEY", public.as_ref()) })
    }

    /// The federated credential that accepts this subject's tokens for the app; for
    /// [`super::Settings::federated`].
    #[must_use]
    pub fn credential(&self, subject: &str) -> FederatedCredential {
        FederatedCredential {
            issuer: self.issuer.clone(),
            subject: subject.to_owned(),
            audience: AUDIENCE.to_owned(),
            public_key: self.public_key.clone(),
        }
    }

    /// A token about this subject, valid from now on for so long.
    ///
    /// # Errors
    ///
    /// If it cannot be signed.
    pub fn token(&self, subject: &str, lifetime: Duration) -> Result<String, ProviderError> {
        let now = clock::calendar().as_second();
        self.sign(&json!({
            "iss": self.issuer,
            "sub": subject,
            "aud": [AUDIENCE],
            "iat": now,
            "nbf": now,
            "exp": now.saturating_add_unsigned(lifetime.as_secs()),
        }))
    }

    /// A token with exactly these claims.
    ///
    /// # Errors
    ///
    /// If it cannot be signed.
    pub fn sign(&self, claims: &Value) -> Result<String, ProviderError> {
        encode(&Header::new(Algorithm::RS256), claims, &self.key).map_err(|_| ProviderError("sign a token"))
    }

    /// Writes a token about this subject to a file, as a cluster does for its workloads.
    ///
    /// # Errors
    ///
    /// If it cannot be signed or written.
    pub fn write_token(&self, path: &Path, subject: &str, lifetime: Duration) -> io::Result<()> {
        std::fs::write(path, self.token(subject, lifetime).map_err(io::Error::other)?)
    }
}

impl fmt::Debug for IdentityProvider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IdentityProvider").field("issuer", &self.issuer).finish_non_exhaustive()
    }
}

fn pem(label: &str, der: &[u8]) -> String {
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", STANDARD.encode(der))
}
