//! MQTT 5 with the embedded broker, which is another's work than Mosquitto.

use std::time::Duration;

use presence2mqtt::core::command::{Message, Protocol, Qos};
use presence2mqtt::mqtt::address::Address;
use presence2mqtt::mqtt::one_shot::OneShot;
use presence2mqtt::simulate::Settings;

use crate::stage::{Stage, within};

#[tokio::test]
async fn what_is_retained_comes_back_and_what_expired_does_not() {
    let stage = Stage::set(Settings::default()).await;
    let mut config = stage.config("", &stage.everybody());
    config.mqtt.protocol = Protocol::V5;
    let address = Address::of_command(&config.mqtt, "test");
    let mut connection = within(OneShot::connect(&address)).await.unwrap();
    let message = |topic: &str, payload: String, expires| Message {
        topic: topic.to_owned(),
        payload,
        qos: Qos::AtLeastOnce,
        retain: true,
        expires,
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
