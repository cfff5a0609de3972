//! How the bridge comes back when the broker does.

use std::time::{Duration, Instant};

use presence2mqtt::simulate::Settings;

use crate::harness::{Bridge, Configuration, Heard, Listener, Mosquitto, PEOPLE, Setup, Source, retained};

/// What is promised between the broker's return and the last topic.
const BACK_WITHIN: Duration = Duration::from_secs(5);

#[tokio::test]
async fn a_broker_that_lost_everything_has_it_again_within_five_seconds() {
    let (source, mut broker) = (Source::start().await, Mosquitto::start().await);
    let bridge = Bridge::start(&Configuration::new(&source, &broker.url()));
    let listener = Listener::start(broker.port).await;
    for name in PEOPLE {
        listener.until_newest(&format!("presence/{name}/health"), "ok").await;
    }
    drop(listener);
    let before = held(&broker).await;
    assert_eq!(before.len(), 4 * PEOPLE.len() + 3);
    // Outages in which more and more attempts fail: the last one has brought the back-off to its bound.
    for failed_attempts in [0, 1, 3, 6] {
        broker.kill().await;
        broker.hang_up(failed_attempts).await;
        broker.start_again().await;
        let returned = Instant::now();
        let listener = Listener::start(broker.port).await;
        listener.until_newest("presence/bridge/state", "online").await;
        let after = returned.elapsed();
        println!(
            "figure: everything back {after:?} after the return, {failed_attempts} failed attempts before"
        );
        let now = held(&broker).await;
        assert_eq!(now, before);
        assert!(after < BACK_WITHIN, "{after:?}");
    }
    assert!(bridge.is_running());
}

#[tokio::test]
async fn a_broker_that_is_away_at_the_start_is_waited_for_with_one_warning() {
    let (source, mut broker) = (Source::start().await, Mosquitto::start().await);
    broker.kill().await;
    let bridge = Bridge::start(&Configuration::new(&source, &broker.url()));
    bridge.says("no connection to the broker").await;
    broker.hang_up(4).await;
    assert_eq!(bridge.lines("WARN").len(), 1, "{}", bridge.log());
    broker.start_again().await;
    bridge.says("the bridge is online").await;
    assert_eq!(bridge.lines("WARN").len(), 1, "{}", bridge.log());
    let listener = Listener::start(broker.port).await;
    for (topic, payload) in source.truth() {
        listener.until_newest(&topic, &payload).await;
    }
}

#[tokio::test]
async fn a_broker_killed_in_the_middle_of_changes_holds_the_truth_in_the_end() {
    // The killed broker comes back with what it saved last, which is sometimes old.
    let setup = Setup { persistent: true, ..Setup::default() };
    let (source, mut broker) = (Source::start().await, Mosquitto::with(setup).await);
    let bridge = Bridge::start(&Configuration::new(&source, &broker.url()));
    let listener = Listener::start(broker.port).await;
    listener.until_newest("presence/alice/health", "ok").await;
    for word in ["Busy", "Away", "DoNotDisturb", "BeRightBack"] {
        let mark = listener.mark();
        for name in PEOPLE {
            source.set(name, word, word);
        }
        // Killed when the first message of nine has come.
        listener
            .until("a change", |heard| heard[mark..].iter().any(|heard| heard.payload.contains(word)))
            .await;
        broker.kill().await;
        source.set("bob", "Available", "Available");
        broker.start_again().await;
    }
    let mark = listener.mark();
    source.set("carol", "Offline", "OffWork");
    listener.next(mark, "presence/carol/availability", "Offline").await;
    for (topic, payload) in source.truth() {
        listener.until_newest(&topic, &payload).await;
    }
    let found = held(&broker).await;
    for (topic, payload) in source.truth() {
        assert_eq!(found[&topic], payload, "{topic}");
    }
    for name in PEOPLE {
        let state: serde_json::Value =
            serde_json::from_str(&found[&format!("presence/{name}/state")]).unwrap();
        for field in ["availability", "activity"] {
            assert_eq!(state[field], found[&format!("presence/{name}/{field}")], "{name}");
        }
    }
    assert_eq!(found["presence/bridge/state"], "online");
    assert!(bridge.is_running());
}

#[tokio::test]
async fn a_broker_killed_in_the_middle_of_two_hundred_changes_holds_the_newest_of_each() {
    let people = 200;
    let source = Source::lively(Settings { users: people, speed: 0.0, ..Settings::default() }).await;
    let mut broker = Mosquitto::start().await;
    let bridge = Bridge::start(&Configuration::new(&source, &broker.url()).everybody(&source));
    bridge.says("everything is published").await;
    source.everybody_is("Available", "Available");
    for word in ["Busy", "Away"] {
        let listener = Listener::start(broker.port).await;
        source.everybody_is(word, word);
        listener
            .until("half of the changes", |heard| {
                let changed =
                    |heard: &&Heard| heard.topic.ends_with("/availability") && heard.payload == word;
                heard.iter().filter(changed).count() >= people / 2
            })
            .await;
        broker.kill().await;
        source.everybody_is("BeRightBack", "BeRightBack");
        let listener = {
            broker.start_again().await;
            Listener::start(broker.port).await
        };
        let returned = Instant::now();
        listener
            .until("the newest of everybody", |heard| {
                let newest: std::collections::BTreeMap<&str, &str> =
                    heard.iter().map(|heard| (heard.topic.as_str(), heard.payload.as_str())).collect();
                let right = newest
                    .iter()
                    .filter(|(topic, word)| topic.ends_with("/availability") && **word == "BeRightBack");
                right.count() == people
            })
            .await;
        println!("figure: {people} people right {:?} after the broker's return", returned.elapsed());
    }
    assert!(bridge.is_running());
}

#[tokio::test]
async fn a_frozen_broker_is_given_up_and_has_everything_when_it_thaws() {
    let (source, broker) = (Source::start().await, Mosquitto::start().await);
    let configuration = Configuration::new(&source, &broker.url()).set("mqtt.keep_alive", "5s");
    let bridge = Bridge::start(&configuration);
    let listener = Listener::start(broker.port).await;
    listener.until_newest("presence/alice/health", "ok").await;
    let mark = listener.mark();
    broker.freeze();
    let frozen = Instant::now();
    source.set("alice", "DoNotDisturb", "Presenting");
    bridge.says("no connection to the broker").await;
    println!("figure: a frozen broker is given up after {:?}", frozen.elapsed());
    source.set("bob", "Offline", "OffWork");
    broker.thaw();
    listener.next(mark, "presence/bob/availability", "Offline").await;
    listener.next(mark, "presence/alice/availability", "DoNotDisturb").await;
    listener.until_newest("presence/bridge/state", "online").await;
    assert_eq!(bridge.lines("WARN").len(), 1, "{}", bridge.log());
}

/// What the broker holds of the bridge's, without the time of the last success, which moves.
async fn held(broker: &Mosquitto) -> std::collections::BTreeMap<String, String> {
    let mut found = retained(broker.port, "presence/#").await;
    if let Some(health) = found.get_mut("presence/bridge/health") {
        let mut value: serde_json::Value = serde_json::from_str(health).unwrap();
        value["last_success"].take();
        *health = value.to_string();
    }
    found
}
