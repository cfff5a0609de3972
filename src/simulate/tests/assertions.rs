//! Client assertions: by certificate, and by another identity provider.

use std::sync::LazyLock;

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};

use super::*;
use crate::simulate::IdentityProvider;

const TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
const SUBJECT: &str = "system:serviceaccount:office:presence";

/// A certificate and its key.
struct Credential {
    certificate: String,
    thumbprint: String,
    key: String,
}

static OURS: LazyLock<Credential> = LazyLock::new(credential);
static THEIRS: LazyLock<Credential> = LazyLock::new(credential);
static CLUSTER: LazyLock<IdentityProvider> =
    LazyLock::new(|| IdentityProvider::new("https://cluster.example/oidc").unwrap());

fn credential() -> Credential {
    let key = KeyPair::generate(KeySize::Rsa2048).unwrap();
    let der = key.as_der().unwrap();
    let key = format!(
        "-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n",
        STANDARD.encode(der.as_ref())
    );
    let pair = rcgen::KeyPair::from_pem_and_sign_algo(&key, &rcgen::PKCS_RSA_SHA256).unwrap();
    let certificate =
        rcgen::CertificateParams::new(["presence.example".to_owned()]).unwrap().self_signed(&pair).unwrap();
    let thumbprint = URL_SAFE_NO_PAD.encode(digest(&SHA256, certificate.der()));
    Credential { certificate: certificate.pem(), thumbprint, key }
}

/// A header and claims that are good, to be spoiled one by one.
struct Assertion {
    header: Header,
    claims: Value,
    key: &'static str,
}

impl Assertion {
    fn sign(&self) -> String {
        encode(&self.header, &self.claims, &EncodingKey::from_rsa_pem(self.key.as_bytes()).unwrap()).unwrap()
    }
}

impl World {
    async fn trusting() -> Self {
        let certificates = vec!["nonsense".to_owned(), OURS.certificate.clone()];
        let federated = vec![CLUSTER.credential(SUBJECT)];
        Self::with(Settings { speed: 0.0, certificates, federated, ..Settings::default() }).await
    }

    fn assertion(&self, id: &str) -> Assertion {
        let mut header = Header::new(Algorithm::PS256);
        header.x5t_s256 = Some(OURS.thumbprint.clone());
        let client_id = self.tenant.settings().client_id;
        let now = jiff::Timestamp::now().as_second();
        let claims = json!({
            "aud": self.sign_in_url("token"), "iss": client_id, "sub": client_id, "jti": id,
            "nbf": now, "iat": now, "exp": now + 300,
        });
        Assertion { header, claims, key: &OURS.key }
    }

    fn present(&self, jwt: &str) -> RequestBuilder {
        let fields = [("client_secret", ""), ("client_assertion_type", TYPE), ("client_assertion", jwt)];
        self.token_request(&fields)
    }

    /// Spoils a good assertion, and expects its number.
    async fn spoiled(&self, code: u32, spoil: impl FnOnce(&mut Assertion)) {
        let mut assertion = self.assertion(&format!("spoiled {code}"));
        spoil(&mut assertion);
        refused(self.present(&assertion.sign()), 401, "invalid_client", code).await;
    }
}

#[tokio::test]
async fn a_certificate_opens_what_a_secret_opens_once_per_assertion() {
    let world = World::trusting().await;
    let jwt = world.assertion("1").sign();
    let body = expect(world.present(&jwt), 200).await;
    refused(world.present(&jwt), 401, "invalid_client", 50_013).await;
    let mut cloud = world.assertion("2");
    let tenant = world.tenant.settings().tenant_id;
    cloud.claims["aud"] = format!("https://login.microsoftonline.com/{tenant}/oauth2/v2.0/token").into();
    let cloud = cloud.sign();
    expect(world.present(&cloud), 200).await;
    assert_eq!(world.tenant.assertions_received(), [jwt.clone(), jwt, cloud]);
    let world = World { token: body["access_token"].as_str().unwrap().to_owned(), ..world };
    expect(world.read(), 200).await;
}

#[tokio::test]
async fn each_flaw_of_an_assertion_has_its_number() {
    let world = World::trusting().await;
    world.spoiled(700_027, |a| a.header.x5t_s256 = Some(THEIRS.thumbprint.clone())).await;
    world.spoiled(700_027, |a| a.header.x5t_s256 = None).await;
    world.spoiled(50_012, |a| a.key = &THEIRS.key).await;
    world.spoiled(50_027, |a| a.header.alg = Algorithm::RS256).await;
    world.spoiled(50_027, |a| a.header.typ = None).await;
    world.spoiled(50_027, |a| a.claims["exp"] = json!("soon")).await;
    world.spoiled(700_021, |a| a.claims["sub"] = json!("else")).await;
    world.spoiled(700_023, |a| a.claims["aud"] = json!("https://example.com")).await;
    let now = jiff::Timestamp::now().as_second();
    world.spoiled(700_024, |a| a.claims["exp"] = json!(now - 400)).await;
    world.spoiled(700_024, |a| a.claims["nbf"] = json!(now + 400)).await;
    world.spoiled(50_013, |a| a.claims["jti"] = json!("")).await;
    refused(world.present("no.jwt.at all"), 401, "invalid_client", 50_027).await;
    let bare = world.token_request(&[("client_secret", ""), ("client_assertion", "x")]);
    refused(bare, 400, "invalid_request", 900_144).await;
    world.tenant.switch(|switches| switches.certificate_expired = true);
    world.spoiled(1_000_502, |_| ()).await;
}

#[tokio::test]
async fn the_older_signature_is_a_switch_and_skips_do_not_age_assertions() {
    let world = World::trusting().await;
    world.tenant.skip(Duration::from_secs(24 * 60 * 60));
    world.tenant.switch(|switches| switches.rs256_accepted = true);
    let mut assertion = world.assertion("1");
    assertion.header.alg = Algorithm::RS256;
    expect(world.present(&assertion.sign()), 200).await;
    expect(world.present(&world.assertion("2").sign()), 200).await;
}

#[tokio::test]
async fn another_provider_speaks_for_the_app() {
    let world = World::trusting().await;
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("token");
    CLUSTER.write_token(&path, SUBJECT, Duration::from_secs(3_600)).unwrap();
    let jwt = std::fs::read_to_string(path).unwrap();
    // Unlike the app's own assertions, the file is used until it changes.
    expect(world.present(&jwt), 200).await;
    expect(world.present(&jwt), 200).await;
}

#[tokio::test]
async fn each_flaw_of_a_federated_token_has_its_number() {
    let world = World::trusting().await;
    let good = jsonwebtoken::dangerous::insecure_decode_claims::<Value>(
        CLUSTER.token(SUBJECT, Duration::from_secs(600)).unwrap(),
    )
    .unwrap();
    let now = jiff::Timestamp::now().as_second();
    for (code, name, value) in [
        (700_211, "iss", json!("https://other.example")),
        (700_213, "sub", json!("system:serviceaccount:office:other")),
        (700_212, "aud", json!(["api://else"])),
        (700_024, "exp", json!(now - 400)),
    ] {
        let mut claims = good.clone();
        claims[name] = value;
        refused(world.present(&CLUSTER.sign(&claims).unwrap()), 401, "invalid_client", code).await;
    }
    let key = EncodingKey::from_rsa_pem(THEIRS.key.as_bytes()).unwrap();
    let forged = encode(&Header::new(Algorithm::RS256), &good, &key).unwrap();
    refused(world.present(&forged), 401, "invalid_client", 50_013).await;
}
