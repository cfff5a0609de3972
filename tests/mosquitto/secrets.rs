//! What nobody may ever read: not in a log, not on a topic.

use presence2mqtt::simulate::Settings;

use crate::harness::{
    Bridge, Configuration, Listener, Mosquitto, Setup, Source, password_file, write_secret,
};

const CLIENT_SECRET: &str = "planted-client-secret";
const PASSWORD: &str = "planted-broker-password";

#[tokio::test]
async fn no_secret_is_in_a_log_or_on_a_topic_even_when_everything_is_said() {
    let home = tempfile::tempdir().unwrap();
    let passwords = password_file(home.path(), "bridge", PASSWORD);
    let guarded = format!("allow_anonymous false\npassword_file {}", passwords.display());
    let mut broker = Mosquitto::with(Setup { guarded: Some(guarded), ..Setup::default() }).await;
    let source =
        Source::with(Settings { client_secret: CLIENT_SECRET.to_owned(), ..Settings::default() }).await;
    let file = home.path().join("mqtt-password");
    write_secret(&file, PASSWORD);
    let configuration = Configuration::new(&source, &broker.guarded_url("mqtt"))
        .set("mqtt.username", "bridge")
        .set("mqtt.password_file", file.to_str().unwrap());

    let listener = Listener::start(broker.port).await;
    let bridge = Bridge::with_log(&configuration, "trace");
    listener.until_newest("presence/alice/health", "ok").await;
    // A token that is refused is replaced, and so is a connection that is lost.
    source.tenant.revoke_tokens();
    source.tenant.wait_until(|requests| requests.with_status(401) > 0 && requests.token > 1).await;
    broker.kill().await;
    broker.start_again().await;
    let mark = listener.mark();
    source.set("alice", "Away", "Away");
    listener.next(mark, "presence/alice/availability", "Away").await;
    let finished = bridge.stop("TERM").await;
    assert_eq!(finished.code, Some(0), "{}", finished.output.stderr);
    listener.until_newest("presence/bridge/state", "offline").await;

    let tokens = source.tenant.secrets_issued();
    assert_eq!(tokens.len(), 2, "signed in, and again after the refusal");
    let mut said = finished.output.stderr + &finished.output.stdout;
    assert!(said.contains("TRACE"), "everything was to be said");
    for heard in listener.heard() {
        said += &heard.topic;
        said += &heard.payload;
    }
    for secret in tokens.iter().map(String::as_str).chain([CLIENT_SECRET, PASSWORD]) {
        assert!(!said.contains(secret), "{secret} in {said}");
    }
}

#[tokio::test]
async fn no_filter_makes_a_library_show_the_password() {
    let home = tempfile::tempdir().unwrap();
    let passwords = password_file(home.path(), "bridge", PASSWORD);
    let guarded =
        format!("protocol websockets\nallow_anonymous false\npassword_file {}", passwords.display());
    let broker = Mosquitto::with(Setup { guarded: Some(guarded), ..Setup::default() }).await;
    let source = Source::start().await;
    let configuration = Configuration::new(&source, &broker.guarded_url("ws"))
        .set("mqtt.username", "bridge")
        .set("mqtt.password", PASSWORD);
    // Named more closely than the program itself names it: such a library shows whole frames, in hexadecimal.
    let bridge = Bridge::with_log(&configuration, "trace,tungstenite::protocol=trace,rumqttc::state=trace");
    bridge.says("the bridge is online").await;
    let finished = bridge.stop("TERM").await;
    assert!(finished.output.stderr.contains("TRACE"), "everything was to be said");
    let hexadecimal: String = PASSWORD.bytes().map(|byte| format!("{byte:02x}")).collect();
    for secret in [PASSWORD, &hexadecimal] {
        assert!(!finished.output.stderr.contains(secret), "{secret} in {}", finished.output.stderr);
    }
}
