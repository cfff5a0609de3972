//! What a broker's limits, and what others put on it, may cost: the one message, never the others.

use std::time::Duration;

use presence2mqtt::simulate::Settings;

use crate::harness::{Bridge, Configuration, Listener, Mosquitto, Setup, Source, within};

/// With three people it takes a broker that hangs up a few turns until it is known at what.
const LIMIT: Duration = Duration::from_secs(60);

async fn limited(options: &str) -> Mosquitto {
    // The options are the broker's, whichever listener they stand behind.
    let guarded = Some(format!("allow_anonymous true\n{options}"));
    Mosquitto::with(Setup { guarded, ..Setup::default() }).await
}

/// Waits until `health` has a notice with these words.
async fn notice(listener: &Listener, words: &str) {
    let has = |heard: &crate::harness::Heard| {
        heard.topic == "presence/bridge/health" && heard.payload.contains(words)
    };
    within(LIMIT, words, listener.until(words, |heard| heard.iter().any(has))).await;
}

/// Whoever may write one topic that the bridge reads could keep it away for ever, with one message.
#[tokio::test]
async fn a_large_message_of_somebody_elses_is_passed_over_and_named() {
    let source = Source::start().await;
    for (protocol, topic) in [
        ("3.1.1", "homeassistant/device/camera/config"),
        ("3.1.1", "presence/camera/state"),
        ("5", "presence/bridge/refresh"),
    ] {
        let broker = Mosquitto::start().await;
        let listener = Listener::start(broker.port).await;
        listener.publish(topic, &"x".repeat(300_000), true).await;
        listener.until("the message", |heard| heard.iter().any(|heard| heard.topic == topic)).await;
        let configuration = Configuration::new(&source, &broker.url()).set("mqtt.protocol", protocol);
        let bridge = Bridge::start(&configuration);
        listener.until_newest("presence/alice/health", "ok").await;
        if protocol == "3.1.1" {
            // In MQTT 5 the broker is told what is too large, and does not send it.
            notice(&listener, &format!("bytes at {topic}: too large")).await;
        }
        bridge.stop("TERM").await;
    }
}

/// Discovery is larger than anybody's presence, and Mosquitto hangs up at a packet that is larger than it
/// likes.
#[tokio::test]
async fn a_broker_that_hangs_up_at_large_packets_has_everybodys_presence() {
    let (source, broker) = (Source::start().await, limited("max_packet_size 3000").await);
    let listener = Listener::start(broker.port).await;
    let bridge = Bridge::start(&Configuration::new(&source, &broker.url()));
    let began = std::time::Instant::now();
    let everybody = |heard: &[crate::harness::Heard]| {
        crate::harness::PEOPLE.iter().all(|name| {
            let topic = format!("presence/{name}/health");
            heard.iter().rev().find(|heard| heard.topic == topic).is_some_and(|heard| heard.payload == "ok")
        })
    };
    within(LIMIT, "presence", listener.until("everybody's presence", everybody)).await;
    println!("figure: everybody is there {:?} after the start", began.elapsed());
    notice(&listener, "; it is left out and retried later").await;
    within(LIMIT, "online", listener.until_newest("presence/bridge/state", "online")).await;
    println!("figure: it is online for good {:?} after the start", began.elapsed());
    assert!(!bridge.log().contains("another client"), "{}", bridge.log());
    bridge.stop("TERM").await;
}

#[tokio::test]
async fn a_code_that_nobody_knows_refuses_that_message() {
    let (source, broker) = (Source::start().await, limited("message_size_limit 3000").await);
    let listener = Listener::start(broker.port).await;
    let bridge = Bridge::start(&Configuration::new(&source, &broker.url()).set("mqtt.protocol", "5"));
    listener.until_newest("presence/alice/health", "ok").await;
    listener.until_newest("presence/bridge/state", "online").await;
    notice(&listener, "too large for the broker; raise its limit (reason code 0x95)").await;
    let mark = listener.mark();
    source.set("alice", "Busy", "InACall");
    listener.next(mark, "presence/alice/availability", "Busy").await;
    assert_eq!(bridge.log().matches("connected to the broker").count(), 1, "{}", bridge.log());
    bridge.stop("TERM").await;
}

/// Its connection before was cut, and its will comes late.
#[tokio::test]
async fn an_offline_that_is_not_true_does_not_stay() {
    let (source, broker) = (Source::with(Settings::default()).await, Mosquitto::start().await);
    let listener = Listener::start(broker.port).await;
    let bridge = Bridge::start(&Configuration::new(&source, &broker.url()));
    listener.until_newest("presence/alice/health", "ok").await;
    let mark = listener.mark();
    listener.publish("presence/bridge/state", "offline", true).await;
    listener.next(mark, "presence/bridge/state", "offline").await;
    listener.next(mark, "presence/bridge/state", "online").await;
    bridge.stop("TERM").await;
}
