//! MQTT 5 with the embedded broker, which is another's work than Mosquitto.

use std::time::Duration;

use presence2mqtt::config::Broker;
use presence2mqtt::core::model::effect::{Ending, Message};
use presence2mqtt::core::model::mqtt::{Protocol, Qos};
use presence2mqtt::mqtt::address::Address;
use presence2mqtt::mqtt::one_shot::OneShot;
use presence2mqtt::simulate::Settings;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use crate::stage::{Running, Stage, within};

#[tokio::test]
async fn what_is_retained_comes_back_and_what_expired_does_not() {
    let stage = Stage::set(Settings::default()).await;
    let mut config = stage.config("", &stage.everybody());
    config.mqtt.settings.protocol = Protocol::V5;
    let address = Address::of_command(&config.mqtt, "test");
    let mut connection = within(OneShot::connect(&address)).await.unwrap();
    let message = |topic: &str, payload: String, expires| Message {
        topic: topic.to_owned(),
        payload,
        qos: Qos::AtLeastOnce,
        retain: true,
        expires,
        correlation: None,
    };
    let large = "x".repeat(20_000);
    for (topic, expires) in
        [("presence/soon", Some(Duration::from_secs(1))), ("presence/later", Some(Duration::from_secs(600)))]
    {
        within(connection.publish(message(topic, large.clone(), expires))).await.unwrap();
    }
    within(connection.publish(message("presence/never", large.clone(), None))).await.unwrap();
    within(connection.close()).await;
    let held = async {
        loop {
            let mut connection = OneShot::connect(&address).await.unwrap();
            let mut held = connection.retained("presence/#").await.unwrap();
            connection.close().await;
            if held.len() < 3 {
                held.sort_by(|a, b| a.topic.cmp(&b.topic));
                return held;
            }
        }
    };
    let held = within(held).await;
    let topics: Vec<_> = held.iter().map(|message| message.topic.as_str()).collect();
    assert_eq!(topics, ["presence/later", "presence/never"]);
    assert!(held.iter().all(|message| message.payload == large.as_bytes()));
}

#[tokio::test]
async fn what_the_bridge_publishes_expires_unless_the_bridge_renews_it() {
    let stage = Stage::set(Settings { users: 1, ..Settings::default() }).await;
    let mut config = stage.config("", &stage.everybody());
    (config.mqtt.settings.protocol, config.mqtt.settings.message_expiry) =
        (Protocol::V5, Some(Duration::from_secs(2)));
    let bridge = Running::start(&config);
    let mut listener = stage.listen(&config).await;
    listener.until(&[("presence/alice/health", "ok"), ("presence/bridge/state", "online")]).await;
    let info = listener.until_topic("presence/bridge/info", |_| true).await;
    assert!(info.contains(r#""protocol":"5""#), "{info}");
    // Everything is sent again at half time, twice.
    for _ in 0..2 {
        let before = listener.heard.len();
        while !listener.heard[before..].iter().any(|(topic, _)| topic == "presence/alice/availability") {
            listener.next().await;
        }
    }
    assert_eq!(bridge.stop().await, Ending::Stopped);
    let left = async {
        loop {
            let mut late = OneShot::connect(&Address::of_command(&config.mqtt, "late")).await.unwrap();
            let left = late.retained("presence/#").await.unwrap();
            late.close().await;
            if left.len() == 1 {
                return left;
            }
        }
    };
    let left = within(left).await;
    assert_eq!(left[0].topic, "presence/bridge/state");
    assert_eq!(left[0].payload, b"offline", "which nobody would renew");
}

#[tokio::test]
async fn a_broker_that_knows_only_3_1_1_is_spoken_to_in_that() {
    let stage = Stage::set(Settings { users: 1, ..Settings::default() }).await;
    let old = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = old.local_addr().unwrap().port();
    let front = tokio::spawn(only_3_1_1(old, stage.port));
    let mut config = stage.config("", &stage.everybody());
    config.mqtt.settings.protocol = Protocol::V5;
    let mut listener = stage.listen(&config).await;
    config.mqtt.brokers = format!("mqtt://127.0.0.1:{port}").parse::<Broker>().unwrap().into();
    let bridge = Running::start(&config);
    listener.until(&[("presence/alice/health", "ok"), ("presence/bridge/state", "online")]).await;
    let info = listener.until_topic("presence/bridge/info", |_| true).await;
    assert!(info.contains(r#""protocol":"3.1.1""#), "{info}");
    let health =
        listener.until_topic("presence/bridge/health", |health| health.contains("notices\":[\"")).await;
    assert!(health.contains("does not speak MQTT 5, so 3.1.1 is used"), "{health}");
    assert_eq!(bridge.stop().await, Ending::Stopped);
    front.abort();
}

/// Stands before a broker and closes each connection that begins in another version, as old brokers do.
async fn only_3_1_1(listener: TcpListener, broker: u16) {
    let mut connections = JoinSet::new();
    while let Ok((mut client, _)) = listener.accept().await {
        connections.spawn(async move {
            let mut beginning = [0; 16];
            while client.peek(&mut beginning).await.unwrap_or(0) < beginning.len() {
                client.readable().await.unwrap();
            }
            // The name of the protocol, and behind it its version (MQTT 3.1.1 section 3.1.2.2).
            let name = beginning.windows(4).position(|bytes| bytes == b"MQTT").unwrap();
            if beginning[name + 4] == 4 {
                let mut broker = TcpStream::connect(("127.0.0.1", broker)).await.unwrap();
                drop(copy_bidirectional(&mut client, &mut broker).await);
            }
        });
    }
}
