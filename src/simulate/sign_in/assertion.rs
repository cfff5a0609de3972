//! Client assertions: a JWT instead of a secret, signed with the app's certificate or by another identity
//! provider.
//!
//! Microsoft's pages: "Microsoft identity platform application authentication certificate credentials" and
//! "Workload identity federation".

use aws_lc_rs::digest;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, DecodingKey, Header, TokenData, Validation, dangerous, decode};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::server::ParsedCertificate;
use serde::Deserialize;
use serde_json::Value;

use super::error::SignInError;
use crate::simulate::settings::Settings;
use crate::simulate::state::State;

/// The only `client_assertion_type` there is.
pub(super) const TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// How far another machine's clock may be off, in seconds.
const SKEW: i64 = 300;

#[derive(Debug, Deserialize)]
struct Claims {
    iss: String,
    sub: String,
    /// A text or a list of them.
    aud: Value,
    exp: i64,
    nbf: Option<i64>,
    jti: Option<String>,
}

/// Checks an assertion in every respect.
pub(super) fn check(state: &mut State, jwt: &str, host: &str) -> Result<(), SignInError> {
    state.sign_in.assertions.saw(jwt);
    let TokenData { header, claims } = dangerous::insecure_decode::<Claims>(jwt)
        .map_err(|error| SignInError::new(50027, error.to_string()))?;
    if claims.iss.eq_ignore_ascii_case(&state.settings.client_id) {
        by_certificate(state, jwt, &header, claims, host)
    } else {
        by_federation(state, jwt, &header, &claims)
    }
}

fn by_certificate(
    state: &mut State,
    jwt: &str,
    header: &Header,
    claims: Claims,
    host: &str,
) -> Result<(), SignInError> {
    let thumbprint = header.x5t_s256.as_deref().unwrap_or_default();
    let certificates = state.settings.certificates.iter();
    let certificate = certificates
        .filter_map(|pem| CertificateDer::from_pem_slice(pem.as_bytes()).ok())
        .find(|der| URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, der)) == thumbprint);
    let certificate = certificate.ok_or_else(|| SignInError::new(700027, "The key was not found."))?;
    let allowed =
        header.alg == Algorithm::PS256 || header.alg == Algorithm::RS256 && state.switches.rs256_accepted;
    if !allowed || header.typ.as_deref() != Some("JWT") {
        return Err(SignInError::new(50027, "the header must say PS256 and JWT"));
    }
    let key = public_key(&certificate).ok_or_else(|| SignInError::new(700030, ""))?;
    if !is_signed(jwt, header.alg, &key) {
        return Err(SignInError::new(50012, ""));
    }
    if state.switches.certificate_expired {
        return Err(SignInError::new(1000502, ""));
    }
    if !claims.sub.eq_ignore_ascii_case(&claims.iss) {
        return Err(SignInError::new(700021, ""));
    }
    if !audiences(&state.settings, host).any(|audience| claims.is_for(&audience)) {
        return Err(SignInError::new(700023, claims.aud.to_string()));
    }
    claims.check_time(state)?;
    let id = claims.jti.filter(|id| !id.is_empty());
    let id = id.ok_or_else(|| SignInError::new(50013, "it has no jti"))?;
    match state.sign_in.assertions.is_first_use(id) {
        true => Ok(()),
        false => Err(SignInError::new(50013, "its jti was used before")),
    }
}

fn by_federation(state: &State, jwt: &str, header: &Header, claims: &Claims) -> Result<(), SignInError> {
    let of_issuer = || state.settings.federated.iter().filter(|trusted| trusted.issuer == claims.iss);
    if of_issuer().next().is_none() {
        return Err(SignInError::new(700211, &claims.iss));
    }
    let trusted = of_issuer().find(|trusted| trusted.subject == claims.sub);
    let trusted = trusted.ok_or_else(|| SignInError::new(700213, &claims.sub))?;
    if !claims.is_for(&trusted.audience) {
        return Err(SignInError::new(700212, claims.aud.to_string()));
    }
    let key = DecodingKey::from_rsa_pem(trusted.public_key.as_bytes()).ok();
    let signed =
        header.alg == Algorithm::RS256 && key.is_some_and(|key| is_signed(jwt, Algorithm::RS256, &key));
    if !signed {
        return Err(SignInError::new(50013, "its signature is not the issuer's"));
    }
    claims.check_time(state)
}

impl Claims {
    fn is_for(&self, audience: &str) -> bool {
        let list = self.aud.as_array().map(Vec::as_slice);
        list.unwrap_or(std::slice::from_ref(&self.aud)).iter().any(|one| one == audience)
    }

    /// Against the clock that the signer shares, which skips do not move.
    fn check_time(&self, state: &State) -> Result<(), SignInError> {
        let now = state.now.elsewhere.as_second();
        if self.exp <= now - SKEW || self.nbf.is_some_and(|from| from > now + SKEW) {
            let (nbf, exp) = (self.nbf.unwrap_or_default(), self.exp);
            return Err(SignInError::new(700024, format!("Now {now}, valid from {nbf} to {exp}.")));
        }
        Ok(())
    }
}

/// The addresses of the token endpoint: of this simulator, and those it stands for.
fn audiences(settings: &Settings, host: &str) -> impl Iterator<Item = String> {
    let own = format!("http://{host}");
    let known = ["https://login.microsoftonline.com", "https://login.microsoftonline.us"];
    let authorities: Vec<_> = known.map(str::to_owned).into_iter().chain([own]).collect();
    let tenants = [settings.tenant_id.clone(), settings.domain()];
    authorities.into_iter().flat_map(move |authority| {
        tenants.clone().map(|tenant| format!("{authority}/{tenant}/oauth2/v2.0/token"))
    })
}

/// The certificate's RSA key.
fn public_key(certificate: &CertificateDer<'_>) -> Option<DecodingKey> {
    let parsed = ParsedCertificate::try_from(certificate).ok()?;
    let info = STANDARD.encode(parsed.subject_public_key_info());
    let pem = format!("-----BEGIN PUBLIC KEY-----\n{info}\n-----END PUBLIC KEY-----\n");
    DecodingKey::from_rsa_pem(pem.as_bytes()).ok()
}

/// Whether the signature is right; what is signed gets checked elsewhere, by the simulation's own clock.
fn is_signed(jwt: &str, algorithm: Algorithm, key: &DecodingKey) -> bool {
    let mut validation = Validation::new(algorithm);
    validation.required_spec_claims.clear();
    validation.validate_exp = false;
    validation.validate_aud = false;
    decode::<Value>(jwt, key, &validation).is_ok()
}
