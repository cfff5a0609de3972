//! The configuration read again while the bridge runs.

use crate::harness::{Bridge, Configuration, Listener, Mosquitto, Source, retained};

#[tokio::test]
async fn users_come_and_go_on_the_same_connection() {
    let (source, broker) = (Source::start().await, Mosquitto::start().await);
    let alice_and_bob = Configuration::new(&source, &broker.url()).users(&source, &["alice", "bob"]);
    let listener = Listener::start(broker.port).await;
    let bridge = Bridge::start(&alice_and_bob);
    listener.until_newest("presence/bob/health", "ok").await;
    listener.until_newest("presence/bridge/state", "online").await;

    let mark = listener.mark();
    let bob_and_carol = alice_and_bob.users(&source, &["bob", "carol"]).set("graph.poll_interval", "2s");
    bridge.reload(&bob_and_carol);
    listener.next(mark, "presence/carol/health", "ok").await;
    listener.next(mark, "presence/alice/state", "").await;
    let about_bob = listener.since(mark).into_iter().filter(|heard| heard.topic.starts_with("presence/bob/"));
    assert_eq!(about_bob.count(), 0, "nothing is new about bob");
    let found = retained(broker.port, "presence/#").await;
    assert!(!found.keys().any(|topic| topic.starts_with("presence/alice/")), "{found:?}");
    assert_eq!(found["presence/carol/availability"], "Away");
    let info: serde_json::Value = serde_json::from_str(&found["presence/bridge/info"]).unwrap();
    assert_eq!((&info["users"], &info["achieved_interval"]), (&2.into(), &"2s".into()));
    assert_eq!(connections(&broker), 1);
    assert!(bridge.lines("WARN").is_empty(), "{}", bridge.log());
}

#[tokio::test]
async fn a_bad_configuration_keeps_the_old_one_and_says_why() {
    let (source, broker) = (Source::start().await, Mosquitto::start().await);
    let good = Configuration::new(&source, &broker.url());
    let listener = Listener::start(broker.port).await;
    let bridge = Bridge::start(&good);
    listener.until_newest("presence/alice/health", "ok").await;

    bridge.reload(&good.clone().set("graph.poll_intervall", "9s"));
    listener
        .until("a notice", |heard| about_a_reload(heard.last().map(|heard| heard.payload.as_str())))
        .await;
    let warnings = bridge.lines("WARN");
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert!(
        warnings[0].contains("poll_intervall") && warnings[0].contains("the old one stays"),
        "{warnings:?}"
    );
    let mark = listener.mark();
    source.set("alice", "DoNotDisturb", "Presenting");
    listener.next(mark, "presence/alice/availability", "DoNotDisturb").await;

    bridge.reload(&good);
    listener
        .until("the notice to go", |heard| {
            let mut health = heard.iter().filter(|heard| heard.topic == "presence/bridge/health");
            !about_a_reload(health.next_back().map(|heard| heard.payload.as_str()))
        })
        .await;
    assert_eq!(connections(&broker), 1);
}

#[tokio::test]
async fn another_broker_gets_everything_and_the_old_one_hears_goodbye() {
    let source = Source::start().await;
    let (before, after) = (Mosquitto::start().await, Mosquitto::start().await);
    let configuration = Configuration::new(&source, &before.url());
    let listener = Listener::start(before.port).await;
    let bridge = Bridge::start(&configuration);
    listener.until_newest("presence/alice/health", "ok").await;
    listener.until_newest("presence/bridge/state", "online").await;

    bridge.reload(&configuration.set("mqtt.url", after.url()));
    listener.until_newest("presence/bridge/state", "offline").await;
    let listener = Listener::start(after.port).await;
    for (topic, payload) in source.truth() {
        listener.until_newest(&topic, &payload).await;
    }
    listener.until_newest("presence/bridge/state", "online").await;
    assert!(bridge.is_running());
}

#[tokio::test]
async fn another_secret_is_used_at_once() {
    let (source, broker) = (Source::start().await, Mosquitto::start().await);
    let good = Configuration::new(&source, &broker.url());
    let listener = Listener::start(broker.port).await;
    let bridge = Bridge::start(&good.clone().set("graph.auth.client_secret", "planted-wrong-secret"));
    listener.until_newest("presence/alice/health", "sign_in_required").await;
    bridge.reload(&good);
    listener.until_newest("presence/alice/health", "ok").await;
    assert_eq!(connections(&broker), 1);
    assert!(!bridge.log().contains("planted-wrong-secret"));
}

/// How often the bridge has connected.
fn connections(broker: &Mosquitto) -> usize {
    let log = broker.log();
    log.lines()
        .filter(|line| line.contains("New client connected") && line.contains(" as presence2mqtt "))
        .count()
}

fn about_a_reload(health: Option<&str>) -> bool {
    health.is_some_and(|health| health.contains("configuration not reloaded because"))
}
