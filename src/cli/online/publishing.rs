//! A message there and back, and one to Home Assistant's topics.

use std::time::Duration;

use tokio::time::timeout;

use super::checklist::Outcome;
use crate::cli::exit;
use crate::core::model::effect::Message;
use crate::core::model::mqtt::Qos;
use crate::core::model::topic::Topics;
use crate::mqtt::one_shot::{OneShot, OneShotError};
use crate::mqtt::wildcards;

/// For a message to come back. Brokers do not say that they drop one, so that this is all there is to tell it
/// by.
const PATIENCE: Duration = Duration::from_secs(3);

/// With MQTT 5 the broker forgets what this program could not remove.
const EXPIRES: Duration = Duration::from_secs(60);

/// How far a message came.
pub(super) enum Way {
    ThereAndBack {
        by_wildcard: bool,
    },
    /// It came to those who listened, and was not kept.
    NotKept,
    /// It came to nobody.
    Swallowed,
}

/// Publishes a retained message of so many bytes, as the largest of a run has, and asks for it.
pub(super) async fn there_and_back(
    broker: &mut OneShot,
    topics: &Topics,
    topic: &str,
    size: usize,
) -> Result<Way, OneShotError> {
    let kept = Message::retained(topic.to_owned(), format!("{:<size$}", "kept"), Qos::AtLeastOnce);
    broker.publish(Message { expires: Some(EXPIRES), ..kept.clone() }).await?;
    broker.subscribe(topic).await?;
    if comes(broker, topic).await? {
        return Ok(Way::ThereAndBack { by_wildcard: wildcards::come(broker, topics, topic).await? });
    }
    broker.publish(Message { retain: false, ..kept }).await?;
    Ok(if comes(broker, topic).await? { Way::NotKept } else { Way::Swallowed })
}

/// Removes what was published.
pub(super) async fn remove(broker: &mut OneShot, topic: &str) -> Result<(), OneShotError> {
    broker.publish(Message::retained(topic.to_owned(), String::new(), Qos::AtLeastOnce)).await
}

/// Whether a message to the topic comes to those who listen. It is empty and not retained: to Home Assistant,
/// a device that it does not have is not there.
pub(super) async fn passes(broker: &mut OneShot, topic: &str) -> Result<bool, OneShotError> {
    broker.subscribe(topic).await?;
    let nothing = Message::retained(topic.to_owned(), String::new(), Qos::AtLeastOnce);
    broker.publish(Message { retain: false, ..nothing }).await?;
    comes(broker, topic).await
}

async fn comes(broker: &mut OneShot, topic: &str) -> Result<bool, OneShotError> {
    let coming = async {
        while broker.message().await?.topic != topic {}
        Ok(true)
    };
    timeout(PATIENCE, coming).await.unwrap_or(Ok(false))
}

/// What publishing has shown.
pub(super) fn of_publish(
    way: Result<Way, OneShotError>,
    base: &str,
    (topic, largest): (&str, usize),
) -> Outcome {
    match way {
        Ok(Way::ThereAndBack { .. }) => {
            let size = format!("of {largest} bytes, the largest that `run` publishes,");
            Outcome::Ok(format!(
                "a retained test message {size} to {topic} was published, received and \
            removed"
            ))
        }
        Ok(Way::NotKept) => Outcome::Failed(
            exit::UNREACHABLE,
            "the broker keeps no retained messages; allow them (Mosquitto: retain_available true)".to_owned(),
        ),
        Err(OneShotError::Link(failure)) => Outcome::Failed(
            exit::UNREACHABLE,
            format!(
                "{failure} when a retained message of {largest} bytes was published, the largest that `run` publishes; does it allow that (Mosquitto: retain_available true, max_packet_size, max_qos 1)?"
            ),
        ),
        Ok(Way::Swallowed) => Outcome::Failed(exit::UNREACHABLE, swallowed(topic, &format!("{base}/#"))),
        Err(error) => Outcome::from_broker(error),
    }
}

/// What announcing has shown.
pub(super) fn of_discovery(passes: Result<bool, OneShotError>, prefix: &str) -> Outcome {
    match passes {
        Ok(true) => Outcome::Ok(format!("{prefix}/device/… can be written")),
        Ok(false) => {
            let topics = format!("{prefix}/device/#");
            let why = swallowed(&format!("{prefix}/device/…"), &topics);
            Outcome::Failed(exit::UNREACHABLE, format!("{why}, or set home_assistant.discovery = false"))
        }
        Err(error) => Outcome::from_broker(error),
    }
}

fn swallowed(topic: &str, topics: &str) -> String {
    format!(
        "the broker accepts messages to {topic} but does not deliver them, probably because of an access \
        list; allow this user to read and write {topics}"
    )
}
