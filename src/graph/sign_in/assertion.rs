//! The app's proof of identity: a JWT signed with the key of its certificate (Microsoft identity platform:
//! `certificate-credentials`).
//!
//! The TLS library signs it. Three encoded parts and one signature need no JWT library.

use aws_lc_rs::digest;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::RSA_PSS_SHA256;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use secrecy::SecretString;
use serde_json::{Value, json};
use url::Url;

use crate::config::KeyedCertificate;

/// How long a proof is valid. Microsoft recommends 5 to 10 minutes.
const LIVES: SignedDuration = SignedDuration::from_mins(10);

/// Why there is no proof, and what to do.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum NoAssertion {
    #[error(
        "the certificate expired on {}: make a new one, upload it under Entra admin center > App \
        registrations > \
         Certificates & secrets, and replace graph.auth.certificate_file (or set this machine's clock, which says {})",
        .0.strftime("%Y-%m-%d"), .1.strftime("%Y-%m-%d")
    )]
    Ended(Timestamp, Timestamp),
    #[error(
        "the certificate is not valid before {}: set this machine's clock, which says {}, or wait",
        .0.strftime("%Y-%m-%d %H:%M UTC"), .1.strftime("%Y-%m-%d %H:%M UTC")
    )]
    NotYet(Timestamp, Timestamp),
    #[error("the key of the certificate cannot sign: make a new certificate")]
    CannotSign,
}

/// Signs the statement that the app `client_id` asks `audience`, the exact address of the token endpoint.
pub(super) fn sign(
    certificate: &KeyedCertificate,
    client_id: &str,
    audience: &Url,
    now: Timestamp,
) -> Result<SecretString, NoAssertion> {
    if now >= certificate.ends {
        return Err(NoAssertion::Ended(certificate.ends, now));
    }
    if now < certificate.begins {
        return Err(NoAssertion::NotYet(certificate.begins, now));
    }
    let thumbprint = digest::digest(&digest::SHA256, &certificate.der);
    let header =
        json!({ "alg": "PS256", "typ": "JWT", "x5t#S256": URL_SAFE_NO_PAD.encode(thumbprint.as_ref()) });
    let claims = json!({
        "aud": audience.as_str(),
        "iss": client_id,
        "sub": client_id,
        "jti": uuid::Uuid::new_v4().to_string(),
        "nbf": now.as_second(),
        "iat": now.as_second(),
        "exp": (now + LIVES).as_second(),
    });
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let signed = format!("{}.{}", part(&header), part(&claims));
    let mut signature = vec![0; certificate.key.public_modulus_len()];
    certificate
        .key
        .sign(&RSA_PSS_SHA256, &SystemRandom::new(), signed.as_bytes(), &mut signature)
        .map_err(|_| NoAssertion::CannotSign)?;
    Ok(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature)).into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_lc_rs::signature::{KeyPair, RSA_PSS_2048_8192_SHA256, UnparsedPublicKey};
    use jiff::civil::date;
    use secrecy::ExposeSecret;

    use crate::config::Certificate;
    use crate::config::tests::pem;

    fn certificate((certificate, key): pem::Pair) -> KeyedCertificate {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), certificate + &key).unwrap();
        Certificate { certificate_file: file.path().to_owned(), private_key_file: None }.read().unwrap()
    }

    fn at(time: &str) -> Timestamp {
        time.parse().unwrap()
    }

    fn endpoint() -> Url {
        "https://login.microsoftonline.com/contoso.example/oauth2/v2.0/token".parse().unwrap()
    }

    #[test]
    fn the_proof_is_what_microsoft_describes() {
        let certificate = certificate(pem::rsa());
        let now = at("2026-11-23T09:00:00Z");
        let [one, two] = [(); 2].map(|()| sign(&certificate, "the-app", &endpoint(), now).unwrap());
        let (signed, signature) = one.expose_secret().rsplit_once('.').unwrap();
        let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
        let public = UnparsedPublicKey::new(&RSA_PSS_2048_8192_SHA256, certificate.key.public_key());
        public.verify(signed.as_bytes(), &signature).unwrap();

        let part =
            |text: &str| serde_json::from_slice::<Value>(&URL_SAFE_NO_PAD.decode(text).unwrap()).unwrap();
        let (header, claims) = signed.split_once('.').unwrap();
        let thumbprint = digest::digest(&digest::SHA256, &certificate.der);
        let thumbprint = URL_SAFE_NO_PAD.encode(thumbprint.as_ref());
        assert_eq!(part(header), json!({ "alg": "PS256", "typ": "JWT", "x5t#S256": thumbprint }));
        let mut claims = part(claims);
        let id = claims.as_object_mut().unwrap().remove("jti").unwrap();
        id.as_str().unwrap().parse::<uuid::Uuid>().unwrap();
        let now = now.as_second();
        assert_eq!(
            claims,
            json!({ "aud": endpoint().as_str(), "iss": "the-app", "sub": "the-app", "nbf": now, "iat": now, "exp": now + 600 })
        );
        assert_ne!(one.expose_secret(), two.expose_secret(), "each has an id of its own");
    }

    #[test]
    fn out_of_its_time_it_is_not_even_tried() {
        let certificate = certificate(pem::rsa_between(date(2025, 1, 1), date(2026, 12, 13)));
        let says = |now| sign(&certificate, "the-app", &endpoint(), at(now)).unwrap_err().to_string();
        let ended = says("2026-12-13T00:00:00Z");
        assert!(ended.starts_with("the certificate expired on 2026-12-13: make a new one"), "{ended}");
        let not_yet = says("1970-01-01T00:00:00Z");
        assert!(
            not_yet.contains("before 2025-01-01 00:00 UTC: set this machine's clock, which says 1970"),
            "{not_yet}"
        );
        assert!(sign(&certificate, "the-app", &endpoint(), at("2026-12-12T23:59:59Z")).is_ok());
    }
}
