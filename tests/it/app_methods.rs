//! The ways in which an app signs in, each from its configuration to an answer of Graph.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;

use jiff::civil::{Date, date};
use jiff::{Timestamp, ToSpan};
use presence2mqtt::config::{self, Config, Environment};
use presence2mqtt::core::model::account::AccountId;
use presence2mqtt::core::model::request::{ReadFailure, ReadPresence};
use presence2mqtt::graph::client::GraphClient;
use presence2mqtt::run;
use presence2mqtt::simulate::{
    Endpoint, Fault, IdentityProvider, ManagedIdentity, RetryAfter, Scope, Server, Settings, Tenant, Times,
};
use tokio::net::TcpListener;

use crate::pem;
use crate::stage::{Running, Stage, ask, ask_with_new_token, within};

const SUBJECT: &str = "system:serviceaccount:office:presence";

/// A tenant that knows the certificate of [`pem::rsa`], and a folder for what the bridge is given.
struct World {
    tenant: Tenant,
    server: Server,
    folder: tempfile::TempDir,
    cluster: IdentityProvider,
    /// Graph refused the last token: a new one is asked for, as the core does.
    refused: std::cell::Cell<bool>,
}

impl World {
    async fn new() -> Self {
        let cluster = IdentityProvider::new("https://cluster.example/oidc").unwrap();
        let tenant = Tenant::new(Settings {
            speed: 0.0,
            certificates: vec![pem::rsa().0],
            federated: vec![cluster.credential(SUBJECT)],
            ..Settings::default()
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server = Server::start(listener, tenant.clone()).unwrap();
        let folder = tempfile::tempdir().unwrap();
        Self { tenant, server, folder, cluster, refused: std::cell::Cell::new(false) }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write_certificate(&self, (certificate, key): pem::Pair) {
        std::fs::write(self.path("app.pem"), certificate + &key).unwrap();
    }

    /// A configuration file with this `[graph.auth]`, which also says who is followed.
    fn write_config(&self, client_id: Option<&str>, auth: &str) -> PathBuf {
        let (url, tenant) = (self.server.url(), self.tenant.settings().tenant_id);
        let client_id = client_id.map_or(String::new(), |id| format!("client_id = \"{id}\"\n"));
        let alice = self.tenant.people()[0].id;
        let text = format!(
            "[mqtt]\nurl = \"mqtt://localhost\"\n\
             [graph]\ntenant_id = \"{tenant}\"\n{client_id}graph_url = \"{url}\"\nlogin_url = \"{url}\"\n\
             [graph.auth]\n{auth}\n[[users]]\nname = \"alice\"\nid = \"{alice}\"\n"
        );
        let file = self.path("presence2mqtt.toml");
        std::fs::write(&file, text).unwrap();
        file
    }

    fn config(&self, client_id: Option<&str>, auth: &str, variables: &[(&str, String)]) -> Config {
        let file = self.write_config(client_id, auth);
        let owned = |(name, value): &(&str, String)| ((*name).to_owned(), value.clone());
        config::load(Some(&file), &variables.iter().map(owned).collect::<Environment>()).unwrap()
    }

    /// A client of the registered app.
    fn client(&self, auth: &str) -> GraphClient {
        let client_id = self.tenant.settings().client_id;
        run::graph_client(&self.config(Some(&client_id), auth, &[]), AccountId::FIRST).unwrap()
    }

    /// A client of the machine's identity.
    fn machine(&self, client_id: Option<&str>, variables: &[(&str, String)]) -> GraphClient {
        run::graph_client(
            &self.config(client_id, "method = \"managed-identity\"", variables),
            AccountId::FIRST,
        )
        .unwrap()
    }

    fn metadata_service(&self) -> [(&'static str, String); 1] {
        [("AZURE_POD_IDENTITY_AUTHORITY_HOST", self.server.url())]
    }

    async fn read(&self, client: &GraphClient) -> Result<(), ReadFailure> {
        let id = self.tenant.people()[0].id;
        let operation = ReadPresence::User(id);
        let outcome = match self.refused.get() {
            true => ask_with_new_token(client, operation).await,
            false => ask(client, operation).await,
        };
        self.refused.set(matches!(outcome, Err(ReadFailure::TokenRefused { .. })));
        assert_eq!(outcome?[0].id, id);
        Ok(())
    }

    async fn advice(&self, client: &GraphClient) -> String {
        match self.read(client).await {
            Err(ReadFailure::SignInRequired { advice }) => advice.to_string(),
            other => panic!("{other:?}"),
        }
    }
}

fn program(file: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_presence2mqtt"));
    command.env_clear().arg("-c").arg(file);
    command
}

/// Runs the program while the tenant answers it.
async fn told(mut command: Command) -> (Option<i32>, String, String) {
    let Output { status, stdout, stderr } =
        within(tokio::task::spawn_blocking(move || command.output())).await.unwrap().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (status.code(), text(stdout), text(stderr))
}

fn today() -> Date {
    Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).date()
}

/// The tenant verifies signature, thumbprint, audience, issuer, subject, id and times of each assertion.
#[tokio::test]
async fn an_app_that_is_refused_is_told_what_an_app_can_do() {
    let world = World::new().await;
    let secret = format!("client_secret = \"{}\"", world.tenant.settings().client_secret);
    let app = world.client(&format!("method = \"client-secret\"\n{secret}"));
    for number in [53003, 50097, 70044, 65001, 50076, 530_035] {
        let scope = Scope::Endpoint(Endpoint::Token);
        world.tenant.fault(Fault::SignIn { code: number }, scope, Times::Next(1));
        let advice = world.advice(&app).await;
        assert!(!advice.contains("login") && advice.contains("Entra admin center > "), "{advice}");
        assert!(advice.contains(&format!("(AADSTS{number}, trace ")), "{advice}");
    }
}

#[tokio::test]
async fn a_certificate_opens_graph_with_a_new_assertion_for_each_token() {
    let world = World::new().await;
    world.write_certificate(pem::rsa());
    let client = world.client("method = \"certificate\"\ncertificate_file = \"app.pem\"");
    for tokens in 1..=3 {
        world.read(&client).await.unwrap();
        world.read(&client).await.unwrap();
        assert_eq!(world.tenant.requests().token, tokens);
        world.tenant.revoke_tokens();
        assert!(matches!(world.read(&client).await, Err(ReadFailure::TokenRefused { .. })));
    }
    let assertions = world.tenant.assertions_received();
    assert_eq!(assertions.len(), 3);
    assert!(assertions[0] != assertions[1] && assertions[1] != assertions[2]);
}

#[tokio::test]
async fn no_assertion_token_or_key_is_said() {
    let world = World::new().await;
    world.write_certificate(pem::rsa());
    let client_id = world.tenant.settings().client_id;
    let file =
        world.write_config(Some(&client_id), "method = \"certificate\"\ncertificate_file = \"app.pem\"");
    let mut get = program(&file);
    get.arg("get").env("RUST_LOG", "trace");
    let (code, out, err) = told(get).await;
    assert_eq!(code, Some(0), "{err}");
    assert!(err.contains("TRACE"), "everything was to be said");
    let secrets = [world.tenant.assertions_received(), world.tenant.secrets_issued()].concat();
    assert!(secrets.len() >= 2);
    let key = std::fs::read_to_string(world.path("app.pem")).unwrap();
    let key_line = key.lines().rev().find(|line| line.len() >= 60).unwrap().to_owned();
    for secret in secrets.iter().chain([&key_line]) {
        assert!(!out.contains(secret) && !err.contains(secret), "a secret was said");
    }
}

#[tokio::test]
async fn a_certificate_that_is_not_registered_is_said_and_its_renewal_is_noticed() {
    let world = World::new().await;
    world.write_certificate(pem::rsa_of_another());
    let client = world.client("method = \"certificate\"\ncertificate_file = \"app.pem\"");
    let advice = world.advice(&client).await;
    assert!(advice.contains("upload it under") && advice.contains("AADSTS700027, trace "), "{advice}");
    world.tenant.switch(|switches| switches.certificate_expired = true);
    world.write_certificate(pem::rsa());
    let advice = world.advice(&client).await;
    assert!(advice.starts_with("the certificate has expired: make a new one"), "{advice}");
    world.tenant.switch(|switches| switches.certificate_expired = false);
    world.read(&client).await.unwrap();
    std::fs::remove_file(world.path("app.pem")).unwrap();
    world.tenant.revoke_tokens();
    assert!(matches!(world.read(&client).await, Err(ReadFailure::TokenRefused { .. })));
    assert!(world.advice(&client).await.contains("app.pem cannot be read"));
}

#[tokio::test]
async fn an_expired_certificate_is_a_warning_of_check_and_asks_nobody() {
    let world = World::new().await;
    world.write_certificate(pem::rsa_between(date(2020, 1, 1), date(2021, 12, 13)));
    let client_id = world.tenant.settings().client_id;
    let file =
        world.write_config(Some(&client_id), "method = \"certificate\"\ncertificate_file = \"app.pem\"");
    let mut check = program(&file);
    check.arg("check");
    let (code, out, err) = told(check).await;
    assert_eq!(code, Some(0), "{err}");
    assert!(out.contains("  sign-in  certificate\n"), "{out}");
    assert!(out.contains("\nwarning: the certificate expired on 2021-12-13; make a new one"), "{out}");
    let mut get = program(&file);
    get.arg("get");
    let (code, _, err) = told(get).await;
    assert_eq!(code, Some(77), "{err}");
    assert!(err.contains("the certificate expired on 2021-12-13: make a new one"), "{err}");
    assert_eq!(world.tenant.requests().total, 0);
}

#[tokio::test]
async fn the_end_of_the_certificate_is_noticed_on_the_broker_until_it_is_renewed() {
    let mut stage = Stage::without_broker(Settings {
        certificates: vec![pem::rsa().0, pem::rsa_between(date(2020, 1, 1), today() + 10.days()).0],
        ..Settings::default()
    })
    .await;
    stage.start_broker().await;
    let folder = tempfile::tempdir().unwrap();
    let certificate_file = folder.path().join("app.pem");
    let write =
        |(certificate, key): pem::Pair| std::fs::write(&certificate_file, certificate + &key).unwrap();
    write(pem::rsa_between(date(2020, 1, 1), today() + 10.days()));
    let mut config = stage.config("", &stage.everybody());
    let certificate =
        config::Certificate { certificate_file: certificate_file.clone(), private_key_file: None };
    let client_id = stage.tenant.settings().client_id.parse().unwrap();
    config.accounts[0].auth = config::Auth::Certificate { client_id, certificate };
    let bridge = Running::start(&config);
    let mut listener = stage.listen(&config).await;
    listener.until(&[("presence/alice/health", "ok")]).await;
    let ends = format!("the certificate expires on {} (in less than 30 days)", today() + 10.days());
    listener.until_topic("presence/bridge/health", |health| health.contains(&ends)).await;
    let info = listener.until_topic("presence/bridge/info", |_| true).await;
    assert!(info.contains("\"auth_method\":\"certificate\""), "{info}");
    write(pem::rsa());
    listener.until_topic("presence/bridge/health", |health| health.contains("\"notices\":[]")).await;
    bridge.stop().await;
}

#[tokio::test]
async fn a_federated_token_is_read_again_for_each_token() {
    let world = World::new().await;
    let file = world.path("token");
    let write = |subject: &str| world.cluster.write_token(&file, subject, Duration::from_secs(600)).unwrap();
    write("system:serviceaccount:office:somebody-else");
    let client = world.client("method = \"workload-identity\"\nfederated_token_file = \"token\"");
    let advice = world.advice(&client).await;
    assert!(advice.contains("no federated credential fits") && advice.contains("AADSTS700213"), "{advice}");
    for _ in 0..2 {
        write(SUBJECT);
        world.read(&client).await.unwrap();
        world.tenant.revoke_tokens();
        assert!(matches!(world.read(&client).await, Err(ReadFailure::TokenRefused { .. })));
    }
    std::fs::write(&file, "x".repeat(65 * 1024)).unwrap();
    assert!(world.advice(&client).await.contains("the federated token cannot be read"));
}

#[tokio::test]
async fn the_machines_identity_is_asked_again_when_it_is_not_ready() {
    let world = World::new().await;
    let client = world.machine(None, &world.metadata_service());
    for (status, seconds) in [(404, None), (410, None), (429, Some(7)), (500, None), (503, Some(3))] {
        let fault = Fault::Error { status, retry_after: seconds.map(RetryAfter::Seconds) };
        world.tenant.fault(fault, Scope::Endpoint(Endpoint::MetadataIdentity), Times::Next(1));
        let failure = world.read(&client).await.unwrap_err();
        let ReadFailure::Passing { retry_after, why } = failure else { panic!("{status}: {failure:?}") };
        assert_eq!(retry_after, seconds.map(Duration::from_secs), "{status}");
        assert!(why.starts_with("the identity service of this machine "), "{why}");
    }
    world.read(&client).await.unwrap();
    assert_eq!(world.tenant.requests().token, 0, "the sign-in service is not asked");
}

#[tokio::test]
async fn an_identity_that_is_not_assigned_waits_for_somebody() {
    let world = World::new().await;
    let ManagedIdentity { client_id, header, .. } = world.tenant.settings().managed_identity;
    world.read(&world.machine(Some(&client_id), &world.metadata_service())).await.unwrap();
    let stranger = "11111111-2222-3333-4444-555555555555";
    let advice = world.advice(&world.machine(Some(stranger), &world.metadata_service())).await;
    let details = r#"(400, invalid_request; Microsoft says "Identity not found")"#;
    assert!(advice.contains("graph.client_id") && advice.ends_with(details), "{advice}");

    let endpoint = ("IDENTITY_ENDPOINT", format!("{}/msi/token", world.server.url()));
    let app = |header: &str| world.machine(None, &[endpoint.clone(), ("IDENTITY_HEADER", header.to_owned())]);
    world.read(&app(&header)).await.unwrap();
    let advice = world.advice(&app("another")).await;
    assert!(advice.contains("$IDENTITY_HEADER") && !advice.contains("another"), "{advice}");
}

#[tokio::test]
async fn the_machines_identity_is_never_asked_through_a_proxy() {
    let world = World::new().await;
    let file = world.write_config(None, "method = \"managed-identity\"");
    let mut get = program(&file);
    get.args(["get", "--json"]).envs(world.metadata_service());
    for name in ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"] {
        // Nobody listens on the discard port.
        get.env(name, "http://127.0.0.1:9");
    }
    let (code, out, err) = told(get).await;
    assert_eq!(code, Some(0), "{err}");
    assert!(out.contains("\"alice\""), "{out}");
    assert_eq!(world.tenant.requests().to(Endpoint::MetadataIdentity), 1);
}
