//! A person's sign-in, from the first code to the two hundredth renewal.

use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use presence2mqtt::config::{self, Config, Environment};
use presence2mqtt::core::model::account::AccountId;
use presence2mqtt::core::model::effect::Ending;
use presence2mqtt::core::model::sign_in::{InvitationEnd, InvitationId, SignInBy, SignInEvent, SignInOrder};
use presence2mqtt::graph::sign_in::answer::NotIssued;
use presence2mqtt::graph::sign_in::attendant::{self, Attendant};
use presence2mqtt::graph::sign_in::authority::Authority;
use presence2mqtt::graph::sign_in::device_code::{CodeEnd, PendingCode};
use presence2mqtt::graph::sign_in::store::{StoreError, TokenStore};
use presence2mqtt::run::{RunError, graph_client, no_reloads, run};
use presence2mqtt::simulate::{DeviceCodes, Endpoint, Fault, Scope, Settings, Times};
use serde_json::Value;
use tokio::sync::mpsc;

use crate::stage::{Running, Stage, within};

/// A stage, a configuration file for it, and the folder of the tokens.
pub(crate) struct Home {
    pub(crate) stage: Stage,
    folder: tempfile::TempDir,
}

impl Home {
    pub(crate) async fn new() -> Self {
        let quick = Duration::from_secs(1);
        let settings =
            Settings { device_code_interval: quick, request_limit: usize::MAX, ..Settings::default() };
        let home = Self { stage: Stage::set(settings).await, folder: tempfile::tempdir().unwrap() };
        std::fs::write(home.file(), home.text()).unwrap();
        home
    }

    pub(crate) fn file(&self) -> PathBuf {
        self.folder.path().join("presence2mqtt.toml")
    }

    pub(crate) fn state(&self) -> PathBuf {
        self.folder.path().join("state")
    }

    pub(crate) fn store(&self) -> TokenStore {
        TokenStore::new(self.state())
    }

    pub(crate) fn text(&self) -> String {
        let Settings { tenant_id, client_id, .. } = self.stage.tenant.settings();
        let (url, port) = (self.stage.server.url(), self.stage.port);
        format!(
            "[mqtt]\nurl = \"mqtt://127.0.0.1:{port}\"\n\
             [graph]\ntenant_id = \"{tenant_id}\"\nclient_id = \"{client_id}\"\npoll_interval = \"1s\"\n\
             graph_url = \"{url}\"\nlogin_url = \"{url}\"\nstate_dir = \"state\"\n\
             [graph.auth]\nannounce_sign_in = true\n"
        )
    }

    pub(crate) fn config(&self) -> Config {
        config::load(Some(&self.file()), &Environment::from_iter([])).unwrap()
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_presence2mqtt"));
        command.env_clear().args(arguments).arg("-c").arg(self.file());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    fn program(&self, arguments: &[&str]) -> Child {
        self.command(arguments).spawn().unwrap()
    }

    /// Runs a command to its end; `person` signs in meanwhile.
    pub(crate) async fn told(&self, arguments: &[&str]) -> (Option<i32>, String) {
        output(self.program(arguments)).await
    }

    pub(crate) async fn log_in(&self, person: usize) -> String {
        let approve = async {
            let code = within(self.stage.tenant.wait_for_device_code()).await;
            assert!(self.stage.tenant.approve_device_code(&code, self.stage.tenant.people()[person].id));
        };
        let ((code, text), ()) = tokio::join!(self.told(&["login"]), approve);
        assert_eq!(code, Some(0), "{text}");
        text
    }
}

/// Waits for a program to end, and sees to it that it does.
pub(crate) async fn output(child: Child) -> (Option<i32>, String) {
    let id = child.id().to_string();
    let ended = tokio::task::spawn_blocking(|| child.wait_with_output().unwrap());
    let ended = tokio::time::timeout(crate::stage::LIMIT, ended).await;
    if ended.is_err() {
        Command::new("kill").args(["-KILL", &id]).status().unwrap();
    }
    let Output { status, stdout, stderr } = ended.expect("the program hangs").unwrap();
    (status.code(), String::from_utf8(stdout).unwrap() + &String::from_utf8(stderr).unwrap())
}

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[tokio::test]
async fn login_whoami_get_logout() {
    let home = Home::new().await;
    let (code, text) = home.told(&["whoami"]).await;
    assert_eq!((code, text.contains("no account is signed in")), (Some(77), true), "{text}");
    let text = home.log_in(0).await;
    for expected in ["/devicelogin", "Signed in as alice@contoso.example", "Saved."] {
        assert!(text.contains(expected), "{expected} in {text}");
    }
    assert_eq!((mode(&home.state()), mode(&home.store().file())), (0o700, 0o600));

    let (code, text) = home.told(&["whoami"]).await;
    assert_eq!(code, Some(0), "{text}");
    for expected in ["alice@contoso.example", "Presence.Read", "token     valid until"] {
        assert!(text.contains(expected), "{expected} in {text}");
    }
    let secrets = home.stage.tenant.secrets_issued();
    assert!(secrets.len() >= 3 && secrets.iter().all(|secret| !text.contains(secret)), "{text}");

    let (code, text) = home.told(&["get", "--json"]).await;
    assert_eq!((code, text.contains("\"me\"")), (Some(0), true), "{text}");
    assert_eq!(home.stage.tenant.requests().to(Endpoint::MyPresence), 1);

    let (code, _) = home.told(&["logout"]).await;
    assert_eq!(code, Some(0));
    let (code, text) = home.told(&["get"]).await;
    assert_eq!((code, text.contains("presence2mqtt login")), (Some(77), true), "{text}");
}

#[tokio::test]
async fn login_with_a_browser() {
    let home = Home::new().await;
    home.stage.tenant.sign_in_browser_as(home.stage.tenant.people()[1].id);
    let mut child = home.program(&["login", "--browser", "--no-open"]);
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    let address = lines.find(|line| line.starts_with("http://")).unwrap();
    // A browser: it follows the redirection back to the loopback port.
    let client = reqwest::Client::builder().tls_certs_only([]).build().unwrap();
    let page = within(client.get(&address).send()).await.unwrap().text().await.unwrap();
    assert!(page.contains("You can close this window"), "{page}");
    let end = tokio::task::spawn_blocking(move || (lines.collect::<Vec<_>>(), child.wait().unwrap().code()));
    let (rest, code) = within(end).await.unwrap();
    // The command names the file that this one was given.
    let saved = "Saved. Start the bridge with `presence2mqtt run -c ";
    assert!(rest.last().is_some_and(|line| line.starts_with(saved)), "{rest:?}");
    assert_eq!(code, Some(0));
    let (_, text) = home.told(&["whoami"]).await;
    assert!(text.contains("bob@contoso.example"), "{text}");
}

#[tokio::test]
async fn a_bridge_that_nobody_signed_in_invites_and_goes_on_when_somebody_did() {
    let home = Home::new().await;
    let config = home.config();
    let bridge = Running::start(&config);
    let mut listener = home.stage.listen(&config).await;
    listener.until(&[("presence/me/health", "sign_in_required"), ("presence/bridge/state", "online")]).await;
    let code = listener.until_topic("presence/bridge/sign_in", |code| !code.is_empty()).await;
    let code: Value = serde_json::from_str(&code).unwrap();
    assert!(code["verification_uri"].as_str().unwrap().ends_with("/devicelogin"), "{code}");
    assert!(code["expires_at"].as_str().unwrap().ends_with('Z'), "{code}");
    let alice = home.stage.tenant.people()[0].id;
    home.stage.tenant.set_presence(alice, "Busy", "Busy");
    assert!(home.stage.tenant.approve_device_code(code["user_code"].as_str().unwrap(), alice));
    listener
        .until(&[
            ("presence/me/health", "ok"),
            ("presence/me/availability", "Busy"),
            ("presence/bridge/sign_in", ""),
        ])
        .await;
    let info =
        listener.until_topic("presence/bridge/info", |info| info.contains("alice@contoso.example")).await;
    assert!(info.contains(r#""auth_method":"device-code""#), "{info}");
    assert_eq!(bridge.stop().await, Ending::Stopped);
}

#[tokio::test]
async fn a_login_beside_a_running_bridge_is_noticed() {
    let home = Home::new().await;
    home.log_in(0).await;
    let config = home.config();
    let bridge = Running::start(&config);
    let mut listener = home.stage.listen(&config).await;
    listener.until(&[("presence/me/health", "ok")]).await;
    home.stage.tenant.revoke_sign_ins();
    home.stage.tenant.revoke_tokens();
    let health =
        listener.until_topic("presence/bridge/health", |health| health.contains("sign_in_required")).await;
    assert!(health.contains("AADSTS"), "{health}");
    listener.until(&[("presence/me/health", "sign_in_required")]).await;
    listener.until_topic("presence/bridge/sign_in", |code| !code.is_empty()).await;
    // The bridge's own invitation stands; the person signs in at the command line instead.
    let before = home.stage.tenant.device_codes();
    let approve = async {
        loop {
            let now = home.stage.tenant.device_codes();
            if let Some(code) = now.iter().find(|code| !before.contains(code)) {
                assert!(home.stage.tenant.approve_device_code(code, home.stage.tenant.people()[0].id));
                return;
            }
            within(home.stage.tenant.wait_until(|requests| requests.to(Endpoint::DeviceCode) >= 3)).await;
        }
    };
    let ((code, text), ()) = tokio::join!(home.told(&["login"]), approve);
    assert_eq!(code, Some(0), "{text}");
    listener.until(&[("presence/me/health", "ok"), ("presence/bridge/sign_in", "")]).await;
    bridge.stop().await;
}

#[tokio::test]
async fn another_account_is_discarded_and_named() {
    let home = Home::new().await;
    home.log_in(0).await;
    home.stage.tenant.revoke_sign_ins();
    home.stage.tenant.revoke_tokens();
    let config = home.config();
    let bridge = Running::start(&config);
    let mut listener = home.stage.listen(&config).await;
    let code = listener.until_topic("presence/bridge/sign_in", |code| !code.is_empty()).await;
    let code: Value = serde_json::from_str(&code).unwrap();
    let bob = home.stage.tenant.people()[1].id;
    assert!(home.stage.tenant.approve_device_code(code["user_code"].as_str().unwrap(), bob));
    let named =
        listener.until_topic("presence/bridge/health", |health| health.contains("bob@contoso.example")).await;
    assert!(named.contains("follows another account"), "{named}");
    listener.until(&[("presence/me/health", "sign_in_required"), ("presence/bridge/sign_in", "")]).await;
    bridge.stop().await;
}

#[tokio::test]
async fn a_second_bridge_with_the_same_tokens_is_refused() {
    let home = Home::new().await;
    home.log_in(0).await;
    let config = home.config();
    let first = Running::start(&config);
    let mut listener = home.stage.listen(&config).await;
    listener.until(&[("presence/me/health", "ok")]).await;
    let second = run(&config, std::future::pending(), no_reloads()).await;
    assert!(matches!(second, Err(RunError::Store(StoreError::AlreadyRunning { .. }))), "{second:?}");
    let (code, text) = home.told(&["run"]).await;
    assert_eq!((code, text.contains("a bridge already runs")), (Some(78), true), "{text}");
    first.stop().await;
}

/// A code that the simulated service is asked for directly.
async fn code_of(home: &Home) -> (PendingCode, Authority) {
    let config = home.config();
    let client = graph_client(&config, AccountId::FIRST).unwrap();
    let scope = client.delegated().unwrap().scope(client.resource());
    let authority = client.authority().clone();
    let client_id = home.stage.tenant.settings().client_id;
    (within(PendingCode::ask(&authority, &client_id, &scope)).await.unwrap(), authority)
}

fn user_code(code: &PendingCode) -> String {
    code.shown.user_code.as_deref().unwrap().to_owned()
}

#[tokio::test]
async fn a_code_can_be_declined_can_expire_and_is_asked_about_at_the_services_pace() {
    let home = Home::new().await;
    let tenant = &home.stage.tenant;
    let (code, authority) = code_of(&home).await;
    assert!(tenant.decline_device_code(&user_code(&code)));
    assert!(matches!(within(code.wait(&authority)).await, Ok(CodeEnd::Declined(_))));

    let (code, authority) = code_of(&home).await;
    tenant.skip(Duration::from_secs(16 * 60));
    assert!(matches!(within(code.wait(&authority)).await, Ok(CodeEnd::Expired(_))));

    // A service that asks for patience gets it; one that cannot be asked loses nothing.
    let (code, authority) = code_of(&home).await;
    tenant.fault(Fault::status(503), Scope::Endpoint(Endpoint::Token), Times::Next(1));
    assert!(tenant.approve_device_code(&user_code(&code), tenant.people()[0].id));
    let asked = tenant.requests().token;
    assert!(matches!(within(code.wait(&authority)).await, Ok(CodeEnd::SignedIn(_))));
    let log = tenant.requests().log;
    let times: Vec<Duration> =
        log.iter().filter(|request| request.endpoint == Endpoint::Token).map(|request| request.at).collect();
    assert_eq!(tenant.requests().token, asked + 2);
    let pause = times[times.len() - 1] - times[times.len() - 2];
    assert!(pause >= Duration::from_secs(5), "{pause:?}");
}

#[tokio::test]
async fn blocked_codes_are_known_by_their_number_under_every_word_and_end_an_invitation_as_what_they_are() {
    let home = Home::new().await;
    let tenant = &home.stage.tenant;
    for word in [
        "invalid_grant",
        "access_denied",
        "interaction_required",
        "unauthorized_client",
        "authorization_pending",
    ] {
        tenant.switch(|switches| switches.device_codes = DeviceCodes::Blocked(530_035, word));
        let (code, authority) = code_of(&home).await;
        let asked = tenant.requests().token;
        let Err(NotIssued::Refused(refusal)) = within(code.wait(&authority)).await else { panic!("{word}") };
        assert!(refusal.blocks_codes(), "{word}");
        assert_eq!(tenant.requests().token, asked + 1, "{word} ends the first question");
    }

    let config = home.config();
    let client = graph_client(&config, AccountId::FIRST).unwrap();
    let attendant = Attendant {
        authority: client.authority().clone(),
        resource: client.resource().to_owned(),
        delegated: client.delegated().cloned(),
        watched: Vec::new(),
        certificate: None,
    };
    let ((order, orders), (events, mut happened)) = (mpsc::channel(1), mpsc::channel(4));
    let task = tokio::spawn(attendant::run(attendant, orders, events));
    order.send(SignInOrder::Invite(InvitationId::new(7), SignInBy::DeviceCode)).await.unwrap();
    assert!(matches!(within(happened.recv()).await, Some(SignInEvent::Invited(..))));
    let Some(SignInEvent::Ended(id, InvitationEnd::CodesBlocked(advice))) = within(happened.recv()).await
    else {
        panic!("another end")
    };
    assert!(advice.contains("security defaults of this tenant block device codes"), "{advice}");
    assert_eq!(id, InvitationId::new(7), "of that which was ordered");
    drop(order);
    within(task).await.unwrap();
}

#[tokio::test]
async fn what_microsoft_said_reaches_who_asked_on_every_way() {
    let home = Home::new().await;
    let tenant = &home.stage.tenant;
    tenant.switch(|switches| switches.device_codes = DeviceCodes::Blocked(530_035, "access_denied"));
    let (code, text) = home.told(&["login"]).await;
    assert_eq!(code, Some(77), "{text}");
    for part in [".toml --browser`", "(AADSTS530035, trace ", "blocked by security defaults."] {
        assert!(text.contains(part), "{part}: {text}");
    }
    tenant.switch(|switches| switches.device_codes = DeviceCodes::Allowed);
    let (code, authority) = code_of(&home).await;
    assert!(tenant.decline_device_code(&user_code(&code)));
    let Ok(CodeEnd::Declined(advice)) = within(code.wait(&authority)).await else { panic!("another end") };
    for part in
        ["login --browser`", "Need admin approval", "docs/for-administrators.md", "(AADSTS65004, trace "]
    {
        assert!(advice.contains(part), "{part}: {advice}");
    }
    let (code, authority) = code_of(&home).await;
    tenant.skip(Duration::from_secs(16 * 60));
    let Ok(CodeEnd::Expired(advice)) = within(code.wait(&authority)).await else { panic!("another end") };
    for part in
        ["login --browser`", "Need admin approval", "docs/for-administrators.md", "(AADSTS70020, trace "]
    {
        assert!(advice.contains(part), "{part}: {advice}");
    }
}

#[tokio::test]
async fn nothing_secret_is_said_while_signing_in_renewing_and_reading() {
    let home = Home::new().await;
    // Into files: nobody reads a pipe meanwhile, and everything is much.
    let log = |name: &str| std::fs::File::create(home.folder.path().join(name)).unwrap();
    let mut login = home.command(&["login"]);
    let mut login = login.env("RUST_LOG", "trace").stdout(log("1")).stderr(log("2")).spawn().unwrap();
    let code = within(home.stage.tenant.wait_for_device_code()).await;
    assert!(home.stage.tenant.approve_device_code(&code, home.stage.tenant.people()[0].id));
    within(tokio::task::spawn_blocking(move || login.wait().unwrap())).await.unwrap();

    let config = home.config();
    let mut listener = home.stage.listen(&config).await;
    let mut bridge = home.command(&["run"]);
    let mut bridge = bridge.env("RUST_LOG", "trace").stdout(log("3")).stderr(log("4")).spawn().unwrap();
    listener.until(&[("presence/me/health", "ok")]).await;
    // Renewed, then refused, then invited to sign in again.
    home.stage.tenant.revoke_tokens();
    within(home.stage.tenant.wait_until(|requests| requests.with_status(401) >= 1)).await;
    let alice = home.stage.tenant.people()[0].id;
    home.stage.tenant.set_presence(alice, "Away", "Away");
    listener.until(&[("presence/me/availability", "Away")]).await;
    home.stage.tenant.revoke_sign_ins();
    home.stage.tenant.revoke_tokens();
    listener.until_topic("presence/bridge/sign_in", |code| !code.is_empty()).await;
    let ended = tokio::task::spawn_blocking(move || {
        Command::new("kill").args(["-TERM", &bridge.id().to_string()]).status().unwrap();
        bridge.wait().unwrap()
    });
    assert_eq!(within(ended).await.unwrap().code(), Some(0));

    let secrets = home.stage.tenant.secrets_issued();
    assert!(secrets.len() >= 8, "tokens, codes and refresh tokens: {}", secrets.len());
    let mut text = String::new();
    for name in ["1", "2", "3", "4"] {
        text += &std::fs::read_to_string(home.folder.path().join(name)).unwrap();
    }
    assert!(text.contains("TRACE"), "everything was to be said");
    for (topic, payload) in &listener.heard {
        text += topic;
        text += payload;
    }
    let found: Vec<&String> = secrets.iter().filter(|secret| text.contains(secret.as_str())).collect();
    assert!(found.is_empty(), "{} of {} secrets were said", found.len(), secrets.len());
}

/// The number of renewals; a longer run: `SIGN_IN_CYCLES=5000 cargo test --test it renewals`.
fn cycles() -> u32 {
    std::env::var("SIGN_IN_CYCLES").ok().and_then(|cycles| cycles.parse().ok()).unwrap_or(200)
}

#[tokio::test]
async fn renewals_survive_a_kill_at_any_moment() {
    let seed = 20_261_123;
    let mut random = fastrand::Rng::with_seed(seed);
    let home = Home::new().await;
    home.log_in(0).await;
    let mut finished = 0;
    for cycle in 0..cycles() {
        // Old enough to be renewed by whoever comes next.
        let store = home.store();
        let locked = store.lock().await.unwrap();
        let mut kept = locked.read().unwrap().expect("a crash cost the sign-in");
        kept.access_issued = "2020-01-01T00:00:00Z".parse().unwrap();
        kept.access_ends = "2020-01-01T01:00:00Z".parse().unwrap();
        locked.replace(&kept).unwrap();
        drop(locked);
        let mut child = home.program(&["get"]);
        // Not synchronisation: the moment of the crash is what is being drawn.
        tokio::time::sleep(Duration::from_micros(random.u64(0..30_000))).await;
        child.kill().unwrap();
        finished += u32::from(child.wait().unwrap().code() == Some(0));
        let refused = home.stage.tenant.requests().with_status(400);
        // Pending polls of the one device code are answered with 400 too, before the first cycle.
        assert!(refused <= 2, "seed {seed}, cycle {cycle}: {refused} requests were refused");
    }
    let (code, text) = home.told(&["get", "--json"]).await;
    assert_eq!(code, Some(0), "seed {seed}: {text}");
    assert_eq!(
        home.stage.tenant.requests().to(Endpoint::DeviceCode),
        1,
        "seed {seed}: one sign-in is enough"
    );
    println!("seed {seed}: {} cycles, {finished} ran to their end, 0 sign-ins needed", cycles());
    assert!(finished < cycles(), "no crash ever met anything");
}
