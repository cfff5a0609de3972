//! How the bridge gets in: passwords, access lists, TLS, WebSockets; and what it says when it does not.

use std::fs;

use crate::harness::{
    Bridge, Certificates, Configuration, Listener, Mosquitto, PEOPLE, Setup, Source, password_file, retained,
    write_secret,
};

const PASSWORD: &str = "planted-broker-password";
const WRONG_PASSWORD: &str = "planted-wrong-password";

#[tokio::test]
async fn a_refused_password_is_named_and_a_corrected_one_lets_the_bridge_in() {
    let home = tempfile::tempdir().unwrap();
    let passwords = password_file(home.path(), "bridge", PASSWORD);
    let guarded = format!("allow_anonymous false\npassword_file {}", passwords.display());
    let broker = guarded_by(guarded).await;
    let source = Source::start().await;
    let file = home.path().join("mqtt-password");
    write_secret(&file, WRONG_PASSWORD);
    let configuration = Configuration::new(&source, &broker.guarded_url("mqtt"))
        .set("mqtt.username", "bridge")
        .set("mqtt.password_file", file.to_str().unwrap());
    let bridge = Bridge::with_log(&configuration, "trace");
    bridge.says("no connection to the broker").await;
    let refused = bridge.lines("WARN");
    assert_eq!(refused.len(), 1, "{refused:?}");
    assert!(refused[0].contains("no connection to the broker: the broker"), "{refused:?}");
    assert!(refused[0].contains("mqtt.password_file"), "{refused:?}");
    assert!(bridge.is_running());

    fs::write(&file, format!("{PASSWORD}\n")).unwrap();
    let listener = Listener::start(broker.port).await;
    listener.until_newest("presence/bridge/state", "online").await;
    listener.until_newest("presence/alice/health", "ok").await;
    let log = bridge.log();
    for secret in [PASSWORD, WRONG_PASSWORD] {
        assert!(!log.contains(secret), "{log}");
    }
}

#[tokio::test]
async fn an_access_list_that_denies_one_topic_stops_no_other() {
    let home = tempfile::tempdir().unwrap();
    let list = home.path().join("access");
    fs::write(&list, "topic readwrite presence/#\ntopic deny presence/bob/availability\n").unwrap();
    let broker = guarded_by(format!("allow_anonymous true\nacl_file {}", list.display())).await;
    let source = Source::start().await;
    let bridge = Bridge::start(&Configuration::new(&source, &broker.guarded_url("mqtt")));
    let listener = Listener::start(broker.port).await;
    let mark = listener.mark();
    let mut wanted = source.truth();
    wanted.remove("presence/bob/availability").unwrap();
    for (topic, payload) in &wanted {
        listener.until_newest(topic, payload).await;
    }
    listener.until_newest("presence/bridge/state", "online").await;
    source.set("bob", "Away", "Away");
    listener.next(mark, "presence/bob/activity", "Away").await;
    let found = retained(broker.port, "presence/#").await;
    assert!(!found.contains_key("presence/bob/availability"), "{found:?}");
    assert_eq!(found.len(), 4 * PEOPLE.len() + 3 - 1);
    assert!(bridge.is_running());
}

#[tokio::test]
async fn tls_with_an_own_authority() {
    let certificates = Certificates::new();
    let broker = guarded_by(certificates.listener()).await;
    gets_in(&broker, "mqtts", |c| c.set("mqtt.ca_file", certificates.written("ca.pem"))).await;
}

#[tokio::test]
async fn tls_with_a_certificate_of_the_bridge() {
    let certificates = Certificates::new();
    let broker = guarded_by(format!("{}\nrequire_certificate true", certificates.listener())).await;
    gets_in(&broker, "mqtts", |c| {
        c.set("mqtt.ca_file", certificates.written("ca.pem"))
            .set("mqtt.client_cert_file", certificates.written("bridge.pem"))
            .set("mqtt.client_key_file", certificates.written("bridge.key"))
    })
    .await;
}

#[tokio::test]
async fn a_broker_that_wants_a_certificate_is_told_apart_from_one_that_is_away() {
    let certificates = Certificates::new();
    let broker = guarded_by(format!("{}\nrequire_certificate true", certificates.listener())).await;
    let source = Source::start().await;
    let configuration = Configuration::new(&source, &broker.guarded_url("mqtts"));
    let bridge = Bridge::start(&configuration.set("mqtt.ca_file", certificates.written("ca.pem")));
    bridge.says("no connection to the broker").await;
    let warnings = bridge.lines("WARN");
    assert!(warnings[0].contains("mqtt.client_cert_file"), "{warnings:?}");
    assert!(bridge.is_running());
}

#[tokio::test]
async fn a_broker_of_another_authority_is_refused_with_a_sentence() {
    let (certificates, others) = (Certificates::new(), Certificates::new());
    let broker = guarded_by(certificates.listener()).await;
    let source = Source::start().await;
    let configuration = Configuration::new(&source, &broker.guarded_url("mqtts"));
    let bridge = Bridge::start(&configuration.set("mqtt.ca_file", others.written("ca.pem")));
    bridge.says("no connection to the broker").await;
    let warnings = bridge.lines("WARN");
    assert!(warnings[0].contains("mqtt.ca_file"), "{warnings:?}");
    assert!(bridge.is_running());
    assert_eq!(retained(broker.port, "#").await.len(), 0);
}

#[tokio::test]
async fn web_sockets() {
    let broker = guarded_by("protocol websockets\nallow_anonymous true".to_owned()).await;
    gets_in(&broker, "ws", |c| c).await;
}

#[tokio::test]
async fn web_sockets_over_tls() {
    let certificates = Certificates::new();
    let broker = guarded_by(format!("protocol websockets\n{}", certificates.listener())).await;
    gets_in(&broker, "wss", |c| c.set("mqtt.ca_file", certificates.written("ca.pem"))).await;
}

async fn guarded_by(options: String) -> Mosquitto {
    Mosquitto::with(Setup { guarded: Some(options), ..Setup::default() }).await
}

/// Runs the bridge through the guarded door, once through its whole life.
async fn gets_in(broker: &Mosquitto, scheme: &str, key: impl Fn(Configuration) -> Configuration) {
    let source = Source::start().await;
    let listener = Listener::start(broker.port).await;
    let bridge = Bridge::start(&key(Configuration::new(&source, &broker.guarded_url(scheme))));
    for (topic, payload) in source.truth() {
        listener.until_newest(&topic, &payload).await;
    }
    listener.until_newest("presence/bridge/state", "online").await;
    let finished = bridge.stop("TERM").await;
    assert_eq!(finished.code, Some(0), "{}", finished.output.stderr);
    listener.until_newest("presence/bridge/state", "offline").await;
}
