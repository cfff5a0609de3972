//! `setup` from nothing to a configuration that works: by options, through a pipe, and given up.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};
use std::time::Duration;

use presence2mqtt::core::model::effect::Message;
use presence2mqtt::core::model::mqtt::Qos;
use presence2mqtt::mqtt::address::Address;
use presence2mqtt::mqtt::one_shot::OneShot;
use presence2mqtt::simulate::{AutoApprove, Endpoint, Fault, Scope, Settings, Times};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use crate::login::landing;
use crate::program::{Reader, program, told};
use crate::stage::{Stage, within};
use crate::typing::Typist;

/// A tenant, a broker, and an empty folder.
pub(crate) struct Beginner {
    pub(crate) stage: Stage,
    pub(crate) home: TempDir,
}

impl Beginner {
    /// Whoever uses a code is alice.
    pub(crate) async fn new() -> Self {
        let quick = Duration::from_secs(1);
        let stage = Stage::set(Settings { device_code_interval: quick, ..Settings::default() }).await;
        let used = AutoApprove { after: 0, person: stage.tenant.people()[0].id };
        stage.tenant.switch(|switches| switches.auto_approve = Some(used));
        Self { stage, home: tempfile::tempdir().unwrap() }
    }

    /// Signing in is named: for root on a machine with systemd it would be for later.
    pub(crate) fn command(&self, words: &[&str]) -> Command {
        let mut command = program();
        command.current_dir(self.home.path()).env("HOME", self.home.path());
        for name in ["GRAPH_URL", "LOGIN_URL"] {
            command.env(format!("PRESENCE2MQTT__GRAPH__{name}"), self.stage.server.url());
        }
        // Whatever this machine has is none of the test's.
        command.env("PRESENCE2MQTT_SETUP_BROKERS", "");
        command.args(words).args(["--config", "etc/bridge.toml"]);
        command
    }

    pub(crate) async fn told(&self, words: &[&str]) -> (Option<i32>, String) {
        let mut command = self.command(words);
        let ended = tokio::task::spawn_blocking(move || told(&mut command));
        let (code, out, err) = within(ended).await.unwrap();
        (code, out + &err)
    }

    pub(crate) fn file(&self, name: &str) -> String {
        std::fs::read_to_string(self.home.path().join("etc").join(name)).unwrap_or_default()
    }

    pub(crate) fn client_id(&self) -> String {
        self.stage.tenant.settings().client_id
    }

    pub(crate) fn broker(&self) -> String {
        format!("127.0.0.1:{}", self.stage.port)
    }

    /// A WLED that says that it is there, and what it is told.
    pub(crate) async fn light(&self) -> OneShot {
        let config = self.stage.config("", &self.stage.everybody());
        let mut light = OneShot::connect(&Address::of_command(&config.mqtt, "wled")).await.unwrap();
        let (topic, payload) = ("wled/office/status".to_owned(), "online".to_owned());
        let qos = Qos::AtLeastOnce;
        let online = Message { topic, payload, qos, retain: true, expires: None, correlation: None };
        light.publish(online).await.unwrap();
        light.subscribe("wled/office/api").await.unwrap();
        light
    }
}

/// What stands on each of these lines of the configuration.
pub(crate) fn holds(text: &str, lines: &[&str]) {
    for line in lines {
        assert!(text.lines().any(|found| found.starts_with(line)), "{line} in {text}");
    }
}

#[tokio::test]
async fn every_question_is_an_option_and_what_is_written_works() {
    let beginner = Beginner::new().await;
    let mut light = beginner.light().await;
    let (client_id, broker) = (beginner.client_id(), beginner.broker());
    let words = [
        "setup",
        "--yes",
        "--email",
        "alice@contoso.example",
        "--client-id",
        &client_id,
        "--broker",
        &broker,
        "--sign-in",
        "code",
        "--light",
        "wled/office",
    ];
    let (code, text) = beginner.told(&words).await;
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains("Signed in as alice@contoso.example"), "{text}");
    assert!(text.contains("alice") && text.contains("AVAILABILITY"), "{text}");
    // A lamp that announces itself and does not answer may be unplugged.
    assert!(text.contains("office was told to blink red, and does not say whether it did;"), "{text}");
    assert!(text.contains("presence/alice/availability"), "{text}");

    let tenant = beginner.stage.tenant.settings().tenant_id;
    let written = beginner.file("bridge.toml");
    let url = format!("url = \"mqtt://{broker}\"");
    let (tenant, client_id) = (format!("tenant_id = \"{tenant}\""), format!("client_id = \"{client_id}\""));
    let lines =
        ["#:schema ./presence2mqtt.schema.json", &url, &tenant, &client_id, "method = \"device-code\""];
    holds(&written, &lines);
    holds(&written, &["name = \"alice\"", "id = \"me\"", "name = \"office\"", "preset = \"wled\""]);
    assert_eq!(
        beginner.file("presence2mqtt.schema.json"),
        include_str!("../../examples/presence2mqtt.schema.json")
    );
    let (code, text) = beginner.told(&["check"]).await;
    assert_eq!((code, text.contains("warning")), (Some(0), false), "{text}");
    let (code, text) = beginner.told(&["get"]).await;
    assert_eq!(code, Some(0), "{text}");

    let mut colours = Vec::new();
    while colours.len() < 6 {
        let message = within(light.message()).await.unwrap();
        let told = String::from_utf8(message.payload).unwrap();
        // It is asked whether it is there before.
        colours.extend(Some(told).filter(|told| !told.contains("\"v\"")));
    }
    assert!(colours[0].contains("255") && colours[5].contains("false"), "{colours:?}");

    // Nothing is replaced without a word.
    let again = ["setup", "--yes", "--email", "bob@contoso.example"];
    let (code, text) = beginner.told(&again).await;
    assert_eq!((code, text.contains("--replace")), (Some(2), true), "{text}");
    assert_eq!(beginner.file("bridge.toml"), written);
}

#[tokio::test]
async fn answers_may_come_through_a_pipe_and_wrong_ones_are_asked_for_again() {
    let beginner = Beginner::new().await;
    let _light = beginner.light().await;
    let typed = format!(
        "alice@fabrikam.example\nalice@contoso.example\nnone\n{}\n{}\nwled/kitchen\n1\n",
        beginner.client_id(),
        beginner.broker()
    );
    let (code, text) = answered(&mut beginner.command(&["setup", "--sign-in", "code"]), typed).await;
    assert_eq!(code, Some(0), "{text}");
    for words in
        ["no Microsoft 365 tenant", "az ad app create", "must be the application", "not among the lights"]
    {
        assert!(text.contains(words), "{words} in {text}");
    }
    assert!(!text.contains('\x1b'), "{text}");
    holds(&beginner.file("bridge.toml"), &["preset = \"wled\"", "topic = \"wled/office\""]);
    assert_eq!(beginner.told(&["check"]).await.0, Some(0));
}

#[tokio::test]
async fn what_is_found_is_not_asked_for_and_a_wrong_app_is_asked_for_again() {
    let beginner = Beginner::new().await;
    let _light = beginner.light().await;
    // Of some other app. Then Enter takes the only light.
    let typed = format!("{}@contoso.example\n{}\n\n", uuid::Uuid::new_v4(), beginner.client_id());
    let mut command = beginner.command(&["setup", "--sign-in", "code"]);
    command.env("PRESENCE2MQTT_SETUP_BROKERS", beginner.broker());
    let (code, text) = answered(&mut command, typed).await;
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains(&format!("Found the broker mqtt://{}.", beginner.broker())), "{text}");
    for (question, times) in
        [("an app as ID@domain", 1), ("(client) ID", 1), ("MQTT broker", 0), ("Its number", 1)]
    {
        assert_eq!(text.matches(question).count(), times, "{question} in {text}");
    }
    assert!(text.contains("this tenant does not know the app's ID"), "{text}");
    let written = beginner.file("bridge.toml");
    // The name is that of whoever signed in.
    holds(&written, &["name = \"alice\"", "topic = \"wled/office\""]);
    assert!(written.contains("# contoso.example") && written.contains(&beginner.client_id()), "{written}");
}

#[tokio::test]
async fn what_the_environment_says_is_not_asked_for() {
    let beginner = Beginner::new().await;
    let mut command = beginner.command(&["setup", "--sign-in", "code"]);
    for (key, value) in [
        ("GRAPH__TENANT_ID", "contoso.example".to_owned()),
        ("GRAPH__CLIENT_ID", beginner.client_id()),
        ("MQTT__URL", format!("mqtt://{}", beginner.broker())),
        ("MQTT__USERNAME", "bridge".to_owned()),
        ("MQTT__PASSWORD", "s3cret".to_owned()),
    ] {
        command.env(format!("PRESENCE2MQTT__{key}"), value);
    }
    let (code, text) = answered(&mut command, String::new()).await;
    assert_eq!(code, Some(0), "{text}");
    let written = beginner.file("bridge.toml");
    holds(&written, &["name = \"alice\""]);
    for key in ["tenant_id", "client_id", "url", "username", "password"] {
        assert!(!written.contains(&format!("{key} = ")), "{key} in {written}");
    }
}

#[tokio::test]
async fn after_a_wrong_account_there_is_another_code_and_no_other_question() {
    let beginner = Beginner::new().await;
    let app = format!("{}@contoso.example", beginner.client_id());
    let mut command = beginner.command(&["setup", "--sign-in", "code", "--light", "none"]);
    command.env("PRESENCE2MQTT_SETUP_BROKERS", beginner.broker());
    let mut person = Typist::before(command);
    person.sees("an app as ID@domain").await;
    person.types(&app);
    person.sees("Use this account for the bridge? [Y/n] ").await;
    assert!(!person.screen.contains("everything that was tried"), "{}", person.screen);
    person.screen.clear();
    person.types("n");
    person.sees("Not saved. Sign in with another account:").await;
    person.sees("and enter the code").await;
    person.sees("Use this account for the bridge? [Y/n] ").await;
    assert!(!person.screen.contains("(client) ID"), "{}", person.screen);
    person.types("");
    let (code, screen) = person.end().await;
    assert_eq!(code, Some(0), "{screen}");
    holds(&beginner.file("bridge.toml"), &["name = \"alice\""]);
}

/// What the program says to these answers.
async fn answered(command: &mut Command, typed: String) -> (Option<i32>, String) {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let ended = tokio::task::spawn_blocking(move || {
        child.stdin.take().unwrap().write_all(typed.as_bytes()).unwrap();
        child.wait_with_output().unwrap()
    });
    let output = within(ended).await.unwrap();
    (output.status.code(), String::from_utf8([output.stdout, output.stderr].concat()).unwrap())
}

#[tokio::test]
async fn an_app_without_public_client_flows_signs_in_by_browser() {
    let beginner = Beginner::new().await;
    let tenant = &beginner.stage.tenant;
    tenant.sign_in_browser_as(tenant.people()[0].id);
    tenant.fault(Fault::SignIn { code: 7_000_218 }, Scope::Endpoint(Endpoint::Token), Times::Next(1));
    let app = format!("{}@contoso.example", beginner.client_id());
    let (broker, words) = (beginner.broker(), ["setup", "--no-open", "--sign-in", "code", "--light", "none"]);
    let mut command = beginner.command(&words);
    let mut setup =
        Reader::start(command.args(["--client-id", &app, "--broker", &broker]).stdin(Stdio::piped()));
    setup.until("Paste that address here").await;
    assert!(
        setup.read.iter().any(|line| line.contains("Sign-in codes are not allowed here")),
        "{:?}",
        setup.read
    );
    assert_eq!(setup.stop("INT").await, Some(1));
}

#[tokio::test]
async fn a_password_goes_to_a_file_of_its_own() {
    let beginner = Beginner::new().await;
    // As Windows writes it.
    std::fs::write(beginner.home.path().join("given"), "\u{feff}s3cret\r\n").unwrap();
    let (client_id, broker) = (beginner.client_id(), beginner.broker());
    let words = [
        "setup",
        "--yes",
        "--email",
        "alice@contoso.example",
        "--client-id",
        &client_id,
        "--broker",
        &broker,
        "--username",
        "bridge",
        "--password-file",
        "given",
        "--sign-in",
        "later",
    ];
    let (code, text) = beginner.told(&words).await;
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains("login") && !text.contains("s3cret"), "{text}");
    assert_eq!(beginner.file("mqtt-password"), "s3cret\n");
    let mode = beginner.home.path().join("etc/mqtt-password").metadata().unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    holds(&beginner.file("bridge.toml"), &["username = \"bridge\"", "password_file = \"mqtt-password\""]);
    assert_eq!(beginner.told(&["check"]).await.0, Some(0));
}

#[tokio::test]
async fn a_password_is_for_the_broker_that_it_was_typed_for() {
    let beginner = Beginner::new().await;
    let first = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let second = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let [one, other] = [&first, &second].map(|listener| listener.local_addr().unwrap());
    // Enter instead of a password is no password.
    let typed = format!("{one}\nbridge\n\ns3cret\n{other}\n");
    let client_id = beginner.client_id();
    let mut command =
        beginner.command(&["setup", "--email", "alice@contoso.example", "--client-id", &client_id]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(typed.as_bytes()).unwrap();
    let ended = tokio::task::spawn_blocking(move || child.wait_with_output().unwrap());

    let mut connect = Vec::new();
    let (mut connection, _) = within(first.accept()).await.unwrap();
    // Whoever comes again finds nobody.
    drop(first);
    within(connection.read_buf(&mut connect)).await.unwrap();
    // MQTT 3.1.1 section 3.2.2.3: not authorized.
    connection.write_all(&[0x20, 2, 0, 5]).await.unwrap();
    connect.clear();
    let (mut connection, _) = within(second.accept()).await.unwrap();
    within(connection.read_buf(&mut connect)).await.unwrap();
    drop((connection, second));

    let told = String::from_utf8_lossy(&connect);
    assert!(told.contains("MQTT") && !told.contains("s3cret"), "{told:?}");
    let output = within(ended).await.unwrap();
    let text = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    assert_eq!((output.status.code(), text.matches("Password").count()), (Some(2), 2), "{text}");
}

#[tokio::test]
async fn neither_a_presence_that_cannot_be_read_nor_a_light_that_cannot_blink_ends_it() {
    let mut beginner = Beginner::new().await;
    let _light = beginner.light().await;
    let my_presence = Scope::Endpoint(Endpoint::MyPresence);
    beginner.stage.tenant.fault(Fault::status(403), my_presence, Times::UntilCleared);
    let (client_id, broker) = (beginner.client_id(), beginner.broker());
    let words = [
        "setup",
        "--email",
        "alice@contoso.example",
        "--client-id",
        &client_id,
        "--broker",
        &broker,
        "--sign-in",
        "code",
    ];
    let mut command = beginner.command(&words);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    let reading = tokio::task::spawn_blocking(move || {
        let read: Vec<String> = lines.by_ref().take_while(|line| !line.contains("wled/office")).collect();
        (read, lines)
    });
    let (read, lines) = within(reading).await.unwrap();
    assert!(
        read.iter().any(|line| line.starts_with("Your presence cannot be shown now: alice: ")),
        "{read:?}"
    );
    within(beginner.stage.stop_broker()).await;
    writeln!(child.stdin.take().unwrap(), "1").unwrap();
    let ended =
        tokio::task::spawn_blocking(move || (lines.collect::<Vec<_>>(), child.wait().unwrap().code()));
    let (rest, code) = within(ended).await.unwrap();
    assert_eq!(code, Some(0), "{rest:?}");
    assert!(rest.iter().any(|line| line.starts_with("office could not be told to blink: ")), "{rest:?}");
    holds(&beginner.file("bridge.toml"), &["topic = \"wled/office\""]);
}

#[tokio::test]
async fn where_codes_are_blocked_the_browser_is_taken_and_written() {
    let beginner = Beginner::new().await;
    let tenant = &beginner.stage.tenant;
    tenant.sign_in_browser_as(tenant.people()[0].id);
    tenant.fault(Fault::SignIn { code: 53_003 }, Scope::Endpoint(Endpoint::Token), Times::Next(1));
    let (client_id, broker) = (beginner.client_id(), beginner.broker());
    let words = [
        "setup",
        "--no-open",
        "--email",
        "alice@contoso.example",
        "--client-id",
        &client_id,
        "--broker",
        &broker,
        "--sign-in",
        "code",
        "--light",
        "none",
    ];
    let mut command = beginner.command(&words);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    let reading = tokio::task::spawn_blocking(move || {
        let read: Vec<String> =
            lines.by_ref().take_while(|line| !line.contains("Paste that address")).collect();
        (read, lines)
    });
    let (read, lines) = within(reading).await.unwrap();
    assert!(read.iter().any(|line| line.contains("Sign-in codes are not allowed here")), "{read:?}");
    let landing = landing(read.iter().find(|line| line.starts_with("http://")).unwrap()).await;
    writeln!(child.stdin.take().unwrap(), "{landing}").unwrap();
    let ended =
        tokio::task::spawn_blocking(move || (lines.collect::<Vec<_>>(), child.wait().unwrap().code()));
    let (rest, code) = within(ended).await.unwrap();
    assert_eq!(code, Some(0), "{rest:?}");
    holds(&beginner.file("bridge.toml"), &["method = \"browser\""]);
}

#[tokio::test]
async fn an_interrupted_question_leaves_nothing() {
    let beginner = Beginner::new().await;
    let mut command = beginner.command(&["setup", "--email", "alice@contoso.example"]);
    let mut setup = Reader::start(command.stdin(Stdio::piped()));
    setup.until("-o tsv").await;
    assert_eq!(setup.stop("INT").await, Some(1));
    assert_eq!(std::fs::read_dir(beginner.home.path()).unwrap().count(), 0);
}

#[tokio::test]
async fn whoever_has_no_configuration_is_told_of_setup_and_demo() {
    let home = tempfile::tempdir().unwrap();
    let (code, _, err) = told(program().current_dir(home.path()).env("HOME", home.path()));
    assert_eq!(code, Some(78));
    for words in ["presence2mqtt setup", "presence2mqtt demo"] {
        assert!(err.contains(words), "{err}");
    }
}
