//! What the one-shot commands do, and how they end.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use presence2mqtt::simulate::Settings;
use serde_json::Value;
use tokio::net::TcpSocket;

use crate::harness::{Bridge, Configuration, Heard, Listener, Mosquitto, PEOPLE, Source, finished, retained};

#[tokio::test]
async fn clean_removes_what_was_left_and_refuses_while_the_bridge_is_online() {
    let (source, broker) = (Source::start().await, Mosquitto::start().await);
    let listener = Listener::start(broker.port).await;
    listener.publish("presence/stranger/state", r#"{"bridge":"another"}"#, true).await;
    listener.publish("elsewhere/bob/state", "kept", true).await;
    let configuration = Configuration::new(&source, &broker.url());
    let bridge = Bridge::start(&configuration);
    for name in PEOPLE {
        listener.until_newest(&format!("presence/{name}/health"), "ok").await;
    }
    listener.until_newest("presence/bridge/state", "online").await;
    let before = retained(broker.port, "#").await.len();
    let refused = finished(&configuration, &["clean"]).await;
    assert_eq!(refused.code, Some(1), "{}", refused.output.stderr);
    assert!(refused.output.stderr.contains("stop the bridge first"), "{}", refused.output.stderr);
    assert_eq!(retained(broker.port, "#").await.len(), before);

    assert_eq!(bridge.stop("TERM").await.code, Some(0));
    // Somebody left over from an earlier configuration goes as well.
    let cleaned = finished(&configuration.users(&source, &["alice"]), &["clean"]).await;
    assert_eq!(cleaned.code, Some(0), "{}", cleaned.output.stderr);
    assert!(cleaned.output.stdout.ends_with("19 retained topics removed\n"), "{}", cleaned.output.stdout);
    let left: Vec<String> = retained(broker.port, "#").await.into_keys().collect();
    assert_eq!(left, ["elsewhere/bob/state", "presence/stranger/state"]);
}

#[tokio::test]
async fn clean_takes_an_old_base_topic() {
    let (source, broker) = (Source::start().await, Mosquitto::start().await);
    let listener = Listener::start(broker.port).await;
    let configuration = Configuration::new(&source, &broker.url());
    let old = Bridge::start(&configuration.clone().set("mqtt.base_topic", "old/base"));
    listener.until_newest("old/base/carol/health", "ok").await;
    assert_eq!(old.stop("TERM").await.code, Some(0));
    let old_base = ["clean", "--base", "old/base"];
    let cleaned = finished(&configuration, &old_base).await;
    assert_eq!(cleaned.code, Some(0), "{}", cleaned.output.stderr);
    assert_eq!(retained(broker.port, "#").await.len(), 0);

    // What a bridge announces meanwhile about the base topic in use is spared.
    let bridge = Bridge::start(&configuration);
    listener.until_newest("presence/carol/health", "ok").await;
    listener.until_newest("presence/bridge/state", "online").await;
    let before = retained(broker.port, "#").await.len();
    let cleaned = finished(&configuration, &old_base).await;
    assert_eq!(cleaned.output.stdout, "0 retained topics removed\n");
    assert_eq!(retained(broker.port, "#").await.len(), before);
    assert_eq!(bridge.stop("TERM").await.code, Some(0));
}

/// What a household leaves is gone at once; so must be what a company leaves.
#[tokio::test]
async fn a_thousand_people_are_cleaned_within_seconds() {
    let source = Source::lively(Settings { speed: 0.0, users: 1000, ..Settings::default() }).await;
    let broker = Mosquitto::start().await;
    let configuration = Configuration::new(&source, &broker.url()).everybody(&source);
    let listener = Listener::only(broker.port, "presence/+/health").await;
    let bridge = Bridge::start(&configuration);
    let is_ok = |heard: &&Heard| heard.payload == "ok";
    listener.until("everybody", |heard| heard.iter().filter(is_ok).count() >= 1000).await;
    assert_eq!(bridge.stop("TERM").await.code, Some(0));
    let left = retained(broker.port, "#").await.len();
    assert!(left > 5000, "{left}");

    let cleaned = finished(&configuration, &["clean"]).await;
    println!("{left} retained topics are cleaned in {:?}", cleaned.after);
    assert_eq!(cleaned.code, Some(0), "{}", cleaned.output.stderr);
    assert_eq!(cleaned.output.stdout.lines().count(), left + 1);
    assert!(cleaned.output.stdout.ends_with(&format!("{left} retained topics removed\n")));
    assert_eq!(retained(broker.port, "#").await.len(), 0);
    assert!(cleaned.after < Duration::from_secs(5), "{:?}", cleaned.after);
}

#[tokio::test]
async fn get_prints_what_the_tenant_says() {
    let (source, (_taken, nobody)) = (Source::start().await, nobody());
    let configuration = Configuration::new(&source, &format!("mqtt://{nobody}"));
    let everybody = finished(&configuration, &["get", "--json"]).await;
    assert_eq!(everybody.code, Some(0), "{}", everybody.output.stderr);
    let people: Value = serde_json::from_str(&everybody.output.stdout).unwrap();
    assert_eq!(people.as_object().unwrap().len(), PEOPLE.len());
    for name in PEOPLE {
        let truth = source.tenant.presence(source.id(name)).unwrap();
        assert_eq!(people[name]["availability"], truth.availability, "{name}");
        assert_eq!(people[name]["activity"], truth.activity, "{name}");
    }
    let bob = finished(&configuration, &["get", "bob"]).await;
    assert_eq!(bob.code, Some(0), "{}", bob.output.stderr);
    let rows: Vec<Vec<&str>> =
        bob.output.stdout.lines().map(|row| row.split_whitespace().collect()).collect();
    assert_eq!(rows.len(), 2, "{rows:?}");
    assert_eq!(rows[1][..4], ["bob", "bob", "Busy", "InACall"]);
}

#[tokio::test]
async fn check_says_what_a_configuration_means() {
    let source = Source::start().await;
    let configuration = Configuration::new(&source, "mqtt://broker.example");
    let checked = finished(&configuration, &["check"]).await;
    assert_eq!(checked.code, Some(0), "{}", checked.output.stderr);
    for words in ["is valid", "mqtt://broker.example:1883", "3, read every 1s"] {
        assert!(checked.output.stdout.contains(words), "{words:?} in {}", checked.output.stdout);
    }
    assert_eq!(source.tenant.requests().total, 0, "nobody was asked");
}

#[tokio::test]
async fn failures_end_in_the_documented_codes() {
    let (source, (_taken, nobody)) = (Source::start().await, nobody());
    let good = Configuration::new(&source, &format!("mqtt://{nobody}"));
    let away = format!("http://{nobody}");
    let nobody_home = good.clone().set("graph.graph_url", &*away).set("graph.login_url", &*away);
    let wrong_secret = good.clone().set("graph.auth.client_secret", "planted-wrong-secret");
    for (configuration, arguments, code, words) in [
        (&nobody_home, &["get"][..], 69, "cannot connect"),
        (&good, &["clean"], 69, "refused"),
        (&wrong_secret, &["get"], 77, "secret"),
        (&good, &["get", "mallory"], 2, "\"mallory\" is not configured; there are: alice, bob, carol"),
        (&good, &["get", "--jsn"], 2, "--json"),
        (&good.clone().set("mqtt.qos", 2), &["check"], 78, "mqtt.qos"),
        (&good.clone().set("mqtt.qos", 2), &["run"], 78, "mqtt.qos"),
    ] {
        let ended = finished(configuration, arguments).await;
        let stderr = &ended.output.stderr;
        assert_eq!(ended.code, Some(code), "{arguments:?}: {stderr}");
        assert!(stderr.contains(words), "{words:?} in {stderr}");
        assert!(!stderr.contains("planted"), "{stderr}");
    }
}

/// An address that is taken, so that nobody else can, and at which nobody listens.
fn nobody() -> (TcpSocket, SocketAddr) {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind((Ipv4Addr::LOCALHOST, 0).into()).unwrap();
    let address = socket.local_addr().unwrap();
    (socket, address)
}
