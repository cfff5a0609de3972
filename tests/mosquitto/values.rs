//! What a listener finds on the broker, in which order, and how soon.

use std::time::{Duration, Instant};

use jiff::Timestamp;
use presence2mqtt::simulate::{Fault, Scope, Times};
use serde_json::{Value, json};

use crate::harness::{Bridge, Configuration, Heard, Listener, Mosquitto, PEOPLE, Source, retained};

/// Changes that are timed; what is promised must hold for the one in the middle, so that a busy machine may
/// stumble.
const SAMPLES: usize = 7;

#[tokio::test]
async fn who_comes_late_finds_everything_about_everybody() {
    let (source, broker) = (Source::start().await, Mosquitto::start().await);
    let started = Timestamp::now();
    let _bridge = Bridge::start(&Configuration::new(&source, &broker.url()));
    let early = Listener::start(broker.port).await;
    for name in PEOPLE {
        early.until_newest(&format!("presence/{name}/health"), "ok").await;
    }
    early.until("Graph to be ok", |heard| heard.iter().any(says_graph_is_ok)).await;

    let found = retained(broker.port, "#").await;
    let now = Timestamp::now();
    let assert_recent = |value: &Value| {
        let text = value.as_str().unwrap();
        assert_eq!(text.len(), "2026-11-23T09:14:22Z".len(), "{text}");
        let time: Timestamp = text.parse().unwrap();
        assert!(started.as_second() <= time.as_second() && time <= now, "{time}");
    };
    for (topic, payload) in source.truth() {
        assert_eq!(found[&topic], payload, "{topic}");
    }
    for name in PEOPLE {
        let state: Value = serde_json::from_str(&found[&format!("presence/{name}/state")]).unwrap();
        let truth = source.tenant.presence(source.id(name)).unwrap();
        assert_recent(&state["since"]);
        let wanted = json!({
            "availability": truth.availability, "activity": truth.activity, "since": state["since"],
            "out_of_office": truth.entity["outOfOfficeSettings"]["isOutOfOffice"],
            "out_of_office_message": null, "status_message": null, "status_message_expires": null,
            "work_location": state["work_location"],
            "raw_availability": truth.availability, "raw_activity": truth.activity,
            "sequence_number": truth.entity["sequenceNumber"],
            "user_id": source.id(name), "bridge": "presence2mqtt",
        });
        assert_eq!(state, wanted, "{name}");
    }
    assert_eq!(found["presence/bridge/state"], "online");
    let info: Value = serde_json::from_str(&found["presence/bridge/info"]).unwrap();
    assert_recent(&info["started_at"]);
    let wanted = json!({
        "version": env!("CARGO_PKG_VERSION"), "started_at": info["started_at"], "bridge": "presence2mqtt",
        "cloud": "global", "auth_method": "client-secret", "account": null, "users": 3, "poll_interval": "1s",
        "achieved_interval": "1s", "protocol": "3.1.1", "discovery_prefix": "homeassistant",
    });
    assert_eq!(info, wanted);
    let health: Value = serde_json::from_str(&found["presence/bridge/health"]).unwrap();
    assert_recent(&health["since"]);
    assert_recent(&health["last_success"]);
    let wanted = json!({
        "graph": "ok", "since": health["since"], "last_success": health["last_success"],
        "detail": null, "notices": [],
    });
    assert_eq!(health, wanted);
    let ours = found.keys().filter(|topic| topic.starts_with("presence/")).count();
    assert_eq!(ours, 4 * PEOPLE.len() + 3, "{:?}", found.keys());
}

#[tokio::test]
async fn a_change_comes_as_state_then_activity_then_availability_and_ok_comes_last() {
    let (source, broker) = (Source::start().await, Mosquitto::start().await);
    let listener = Listener::start(broker.port).await;
    // The first answer is held back, so that the bridge is online before it.
    source.tenant.fault(Fault::Hang, Scope::Graph, Times::UntilCleared);
    let _bridge = Bridge::start(&Configuration::new(&source, &broker.url()));
    listener.until_newest("presence/bridge/state", "online").await;
    source.tenant.clear_faults();
    listener.until_newest("presence/alice/health", "ok").await;
    let heard = listener.heard();
    assert_eq!(
        fields(&heard, "alice"),
        ["health stale", "state", "activity Available", "availability Available", "health ok"]
    );
    let place = |topic: &str, payload: &str| {
        heard.iter().position(|heard| heard.topic == topic && heard.payload == payload).unwrap()
    };
    let online = place("presence/bridge/state", "online");
    for name in PEOPLE {
        assert!(
            place(&format!("presence/{name}/health"), "stale") < online,
            "{name} is doubted before online"
        );
    }

    let mark = listener.mark();
    source.set("alice", "DoNotDisturb", "Presenting");
    listener.next(mark, "presence/alice/availability", "DoNotDisturb").await;
    assert_eq!(
        fields(&listener.since(mark), "alice"),
        ["state", "activity Presenting", "availability DoNotDisturb"]
    );
    assert!(listener.since(mark).iter().all(|heard| !heard.retained), "news is not marked as old");
}

#[tokio::test]
async fn a_change_is_on_the_broker_within_a_poll_and_a_tenth_of_a_second() {
    let (source, broker) = (Source::start().await, Mosquitto::start().await);
    let listener = Listener::start(broker.port).await;
    let _bridge = Bridge::start(&Configuration::new(&source, &broker.url()));
    listener.until_newest("presence/alice/health", "ok").await;
    let mut latencies = Vec::new();
    for word in ["Busy", "Away"].iter().cycle().take(SAMPLES) {
        // The poll that brought the last change has just been: nearly a whole interval has to pass.
        let (mark, changed) = (listener.mark(), Instant::now());
        source.set("alice", word, word);
        latencies.push(listener.next(mark, "presence/alice/availability", word).await - changed);
    }
    println!("figure: change to listener, worst phase of a 1 s poll: {latencies:?}");
    latencies.sort();
    let median = latencies[SAMPLES / 2];
    println!("figure: change to listener, median {median:?}, longest {:?}", latencies[SAMPLES - 1]);
    assert!(median <= Duration::from_millis(1100), "{latencies:?}");
}

#[tokio::test]
async fn ten_polls_without_a_change_publish_nothing() {
    let (source, broker) = (Source::start().await, Mosquitto::start().await);
    let listener = Listener::start(broker.port).await;
    let _bridge = Bridge::start(&Configuration::new(&source, &broker.url()));
    for name in PEOPLE {
        listener.until_newest(&format!("presence/{name}/health"), "ok").await;
    }
    let (mark, asked) = (listener.mark(), source.tenant.requests().graph());
    source.tenant.wait_for_requests(asked + 10).await;
    source.set("alice", "Away", "Away");
    listener.next(mark, "presence/alice/availability", "Away").await;
    let polls = source.tenant.requests().graph() - asked;
    let users = listener.since(mark).into_iter().filter(|heard| !heard.topic.starts_with("presence/bridge/"));
    let topics: Vec<String> =
        users.map(|heard| heard.topic).filter(|topic| topic.starts_with("presence/")).collect();
    println!("figure: {polls} polls, the last with a change: {} messages about users", topics.len());
    // What the bridge publishes arrives in its order, so anything before the change would be among these.
    assert_eq!(topics, ["presence/alice/state", "presence/alice/activity", "presence/alice/availability"]);
}

#[tokio::test]
async fn with_quality_0_everything_arrives_and_online_comes_last() {
    let (source, broker) = (Source::start().await, Mosquitto::start().await);
    let listener = Listener::start(broker.port).await;
    let _bridge = Bridge::start(&Configuration::new(&source, &broker.url()).set("mqtt.qos", 0));
    for name in PEOPLE {
        listener.until_newest(&format!("presence/{name}/health"), "ok").await;
    }
    let found = retained(broker.port, "#").await;
    for (topic, payload) in source.truth() {
        assert_eq!(found[&topic], payload, "{topic}");
    }
    // Asked to, it sends everything again, and `online` behind it.
    let mark = listener.mark();
    listener.publish("presence/bridge/refresh", "now", false).await;
    listener.next(mark, "presence/bridge/state", "online").await;
    let heard = listener.since(mark);
    let online = heard.iter().position(|heard| heard.payload == "online").unwrap();
    for name in PEOPLE {
        assert_eq!(fields(&heard[..online], name).len(), 4, "{name}");
    }
    // A change goes the same way, and Mosquitto's own word for the quality is on record.
    source.set("carol", "BeRightBack", "BeRightBack");
    listener.until_newest("presence/carol/availability", "BeRightBack").await;
    let log = broker.log();
    let of_user = |line: &&str| {
        line.contains("Received PUBLISH from presence2mqtt") && line.contains("presence/carol/")
    };
    assert_eq!(log.lines().filter(of_user).filter(|line| !line.contains(" q0,")).count(), 0, "{log}");
    assert_ne!(log.lines().filter(of_user).count(), 0, "{log}");
}

#[tokio::test]
async fn an_idle_connection_is_kept_alive() {
    let (source, broker) = (Source::start().await, Mosquitto::start().await);
    let listener = Listener::start(broker.port).await;
    let configuration = Configuration::new(&source, &broker.url());
    let configuration = configuration.set("graph.poll_interval", "1h").set("mqtt.keep_alive", "5s");
    let _bridge = Bridge::start(&configuration);
    listener.until_newest("presence/bridge/state", "online").await;
    let mark = listener.mark();
    // Mosquitto lets go of a silent client after one and a half times its keep-alive.
    let pings = |log: &str| log.matches("Received PINGREQ from presence2mqtt").count();
    broker.says_so("two pings of the bridge", |log| pings(log) >= 2).await;
    let log = broker.log();
    assert_eq!(log.matches(" as presence2mqtt (").count(), 1, "connected once: {log}");
    assert!(log.contains("as presence2mqtt (p2, c1, k5)"), "{log}");
    let of_bridge = listener.since(mark).into_iter().filter(|heard| heard.topic == "presence/bridge/state");
    assert_eq!(of_bridge.count(), 0, "the bridge stays online");
}

fn says_graph_is_ok(heard: &Heard) -> bool {
    let health = || serde_json::from_str::<Value>(&heard.payload).ok();
    heard.topic == "presence/bridge/health" && health().is_some_and(|health| health["graph"] == "ok")
}

/// What was heard about a user, without the text of `state`.
fn fields(heard: &[Heard], user: &str) -> Vec<String> {
    let field = |heard: &Heard| {
        let field = heard.topic.strip_prefix(&format!("presence/{user}/"))?.to_owned();
        Some(if field == "state" { field } else { format!("{field} {}", heard.payload) })
    };
    heard.iter().filter_map(field).collect()
}
