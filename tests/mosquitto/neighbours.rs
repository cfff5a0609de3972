//! How the bridge shares a broker with others, and with its own past.

use presence2mqtt::simulate::{Fault, Scope, Times};
use serde_json::Value;

use crate::harness::{Bridge, Configuration, Listener, Mosquitto, PEOPLE, Source, finished, retained};

#[tokio::test]
async fn who_is_no_longer_configured_disappears_and_others_stay() {
    let (source, broker) = (Source::start().await, Mosquitto::start().await);
    let listener = Listener::start(broker.port).await;
    let everybody = Configuration::new(&source, &broker.url());
    let another = everybody.clone().set("mqtt.client_id", "another").set("mqtt.bridge_name", "another");
    let another = Bridge::start(&another.users(&source, &["carol"]));
    listener.until_newest("presence/carol/health", "ok").await;
    let bridge = Bridge::start(&everybody.clone().users(&source, &["alice", "bob"]));
    listener.until_newest("presence/alice/health", "ok").await;
    listener.until_newest("presence/bob/health", "ok").await;
    assert_eq!(bridge.stop("TERM").await.code, Some(0));
    assert_eq!(topics_of(&broker, "bob").await.len(), 4);

    let mark = listener.mark();
    let _bridge = Bridge::start(&everybody.users(&source, &["alice"]));
    listener.next(mark, "presence/bridge/state", "online").await;
    assert_eq!(topics_of(&broker, "bob").await, [""; 0]);
    assert_eq!(topics_of(&broker, "alice").await.len(), 4);
    assert_eq!(topics_of(&broker, "carol").await.len(), 4);
    let about_carol =
        listener.since(mark).into_iter().filter(|heard| heard.topic.starts_with("presence/carol/"));
    assert_eq!(about_carol.count(), 0, "another bridge's users are not touched");
    assert!(another.is_running());
}

#[tokio::test]
async fn since_survives_a_restart_of_the_bridge() {
    let (source, broker) = (Source::start().await, Mosquitto::start().await);
    let configuration = Configuration::new(&source, &broker.url());
    let listener = Listener::start(broker.port).await;
    // As if an earlier run had seen alice come long ago, and bob in another presence.
    let old = |availability: &str| {
        let state = serde_json::json!({
            "availability": availability, "activity": availability, "since": "2026-01-02T03:04:05Z",
            "bridge": "presence2mqtt",
        });
        state.to_string()
    };
    listener.publish("presence/alice/state", &old("Available"), true).await;
    listener.publish("presence/bob/state", &old("Away"), true).await;
    listener
        .until("both", |heard| heard.iter().filter(|heard| heard.payload.contains("03:04:05")).count() == 2)
        .await;
    for _run in 0..2 {
        let mark = listener.mark();
        let bridge = Bridge::start(&configuration);
        listener.next(mark, "presence/alice/health", "ok").await;
        listener.next(mark, "presence/bob/health", "ok").await;
        let since = |name: &str| -> Value {
            let state = listener.newest(&format!("presence/{name}/state")).unwrap();
            serde_json::from_str::<Value>(&state).unwrap()["since"].take()
        };
        assert_eq!(since("alice"), "2026-01-02T03:04:05Z");
        assert_ne!(since("bob"), "2026-01-02T03:04:05Z", "he changed meanwhile");
        assert_eq!(bridge.stop("TERM").await.code, Some(0));
    }
}

#[tokio::test]
async fn old_values_stand_until_the_first_answer_and_are_doubted_meanwhile() {
    let (source, broker) = (Source::start().await, Mosquitto::start().await);
    let listener = Listener::start(broker.port).await;
    let configuration = Configuration::new(&source, &broker.url());
    let bridge = Bridge::start(&configuration);
    for name in PEOPLE {
        listener.until_newest(&format!("presence/{name}/health"), "ok").await;
    }
    assert_eq!(bridge.stop("TERM").await.code, Some(0));
    source.tenant.fault(Fault::status(503), Scope::All, Times::UntilCleared);
    let mark = listener.mark();
    let _bridge = Bridge::start(&configuration);
    listener.next(mark, "presence/bridge/state", "online").await;
    let found = retained(broker.port, "presence/#").await;
    for (topic, payload) in source.truth() {
        let wanted = if topic.ends_with("/health") { "stale" } else { &payload };
        assert_eq!(found[&topic], wanted, "{topic}");
    }
}

#[tokio::test]
async fn a_second_bridge_of_the_same_name_refuses_to_start_and_disturbs_nobody() {
    let (source, broker) = (Source::start().await, Mosquitto::start().await);
    let listener = Listener::start(broker.port).await;
    let configuration = Configuration::new(&source, &broker.url());
    let first = Bridge::start(&configuration);
    listener.until_newest("presence/bridge/state", "online").await;
    listener.until_newest("presence/alice/health", "ok").await;
    let mark = listener.mark();
    let second = Bridge::start(&configuration.clone().set("mqtt.client_id", "another"));
    let ended = second.end().await;
    assert_eq!(ended.code, Some(78), "{}", ended.output.stderr);
    assert!(ended.output.stderr.contains("mqtt.bridge_name"), "{}", ended.output.stderr);
    let checked =
        finished(&configuration.clone().set("mqtt.client_id", "another"), &["check", "--online"]).await;
    assert_eq!(checked.code, Some(78), "{}", checked.output.stdout);
    assert!(checked.output.stdout.contains("mqtt.bridge_name"), "{}", checked.output.stdout);
    // Once a change has come, whatever the second one had published would have come as well.
    source.set("alice", "Busy", "Busy");
    listener.next(mark, "presence/alice/availability", "Busy").await;
    // But for the ping, its answer, and what the check leaves nothing of.
    let is_of_bridge = |topic: &str| {
        topic.starts_with("presence/bridge/") && !topic.contains("/standby/") && !topic.contains("/check/")
    };
    let of_bridge = listener.since(mark).into_iter().filter(|heard| is_of_bridge(&heard.topic));
    assert_eq!(of_bridge.count(), 0);
    assert_eq!(retained(broker.port, "#").await["presence/bridge/state"], "online");

    // When the first is gone, its place is free.
    assert_eq!(first.stop("TERM").await.code, Some(0));
    let mark = listener.mark();
    let second = Bridge::start(&configuration.set("mqtt.client_id", "another"));
    listener.next(mark, "presence/bridge/state", "online").await;
    assert!(second.is_running());
}

async fn topics_of(broker: &Mosquitto, user: &str) -> Vec<String> {
    retained(broker.port, &format!("presence/{user}/#")).await.into_keys().collect()
}
