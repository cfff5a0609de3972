//! The way to the broker: a connection, a message there and back, and Home Assistant's topics.

use std::io::Write;
use std::pin::Pin;
use std::time::Duration;

use tokio::time::timeout;

use super::checklist::{Checklist, Outcome};
use crate::cli::exit::{self, Failure};
use crate::cli::progress::Progress;
use crate::cli::signals;
use crate::config::Config;
use crate::core::command::{Message, Qos};
use crate::core::discovery;
use crate::core::topic::Topics;
use crate::mqtt::address::Address;
use crate::mqtt::one_shot::{OneShot, OneShotError};

const BROKER: &str = "broker";
const PUBLISH: &str = "publish";
const DISCOVERY: &str = "discovery";

/// For a message to come back. Brokers do not say that they drop one, so that this is all there is to tell it by.
const PATIENCE: Duration = Duration::from_secs(3);

/// With MQTT 5 the broker forgets what this program could not remove.
const EXPIRES: Duration = Duration::from_secs(60);

/// How far a message came.
enum Way {
    ThereAndBack,
    /// It came to those who listened, and was not kept.
    NotKept,
    /// It came to nobody.
    Swallowed,
}

pub(super) async fn check(
    config: &Config,
    progress: Progress,
    list: &mut Checklist<'_, impl Write>,
) -> Result<(), Failure> {
    let mqtt = &config.mqtt;
    let address = Address::of_command(mqtt, "check");
    let connecting = OneShot::connect(&address);
    let mut broker = match progress.during("connecting to the broker", connecting).await {
        Ok(broker) => broker,
        Err(error) => {
            list.add(BROKER, failed(error))?;
            list.add(PUBLISH, Outcome::Skipped(BROKER))?;
            if config.home_assistant.discovery {
                list.add(DISCOVERY, Outcome::Skipped(BROKER))?;
            }
            return Ok(());
        }
    };
    list.add(BROKER, Outcome::Ok(format!("{} lets this client in", mqtt.broker)))?;
    let random = &uuid::Uuid::new_v4().as_simple().to_string()[..8];
    // From here on there is something to remove.
    let mut stop = std::pin::pin!(signals::stop()?);
    let topics = Topics::new(mqtt.base_topic.clone(), mqtt.bridge_name.clone());
    let own = topics.of_check(random);
    let trying = publish(&mut broker, &own, stop.as_mut());
    let published = progress.during("publishing", trying).await?;
    let is_lost = matches!(published, Err(OneShotError::Link(_)));
    list.add(PUBLISH, of_publish(published, mqtt.base_topic.as_str(), &own))?;
    if config.home_assistant.discovery {
        if is_lost {
            broker = match progress.during("connecting to the broker again", OneShot::connect(&address)).await
            {
                Ok(broker) => broker,
                Err(error) => return Ok(list.add(DISCOVERY, failed(error))?),
            };
        }
        let prefix = &config.home_assistant.discovery_prefix;
        let topic = discovery::of_check(prefix, random);
        let announcing = announce(&mut broker, &topic, stop);
        let announced = progress.during("announcing", announcing).await?;
        list.add(DISCOVERY, of_discovery(announced, prefix.as_str()))?;
    }
    broker.close().await;
    Ok(())
}

/// Publishes to a topic of this program's own, and removes what it published also when it is asked to stop.
async fn publish(
    broker: &mut OneShot,
    topic: &str,
    stop: Pin<&mut impl Future<Output = ()>>,
) -> Result<Result<Way, OneShotError>, Failure> {
    let published = tokio::select! {
        published = there_and_back(broker, topic) => Ok(published),
        () = stop => Err(interrupted()),
    };
    // Whatever came of it: where nothing is, nothing is removed.
    let nothing = Message::retained(topic.to_owned(), String::new(), Qos::AtLeastOnce);
    let removed = broker.publish(nothing).await;
    Ok(published?.and_then(|way| removed.map(|()| way)))
}

async fn announce(
    broker: &mut OneShot,
    topic: &str,
    stop: Pin<&mut impl Future<Output = ()>>,
) -> Result<Result<bool, OneShotError>, Failure> {
    tokio::select! {
        passes = passes(broker, topic) => Ok(passes),
        () = stop => Err(interrupted()),
    }
}

fn interrupted() -> Failure {
    Failure::new(exit::UNEXPECTED, "interrupted; nothing is left on the broker")
}

/// Publishes a retained message and asks for it.
async fn there_and_back(broker: &mut OneShot, topic: &str) -> Result<Way, OneShotError> {
    let kept = Message::retained(topic.to_owned(), "kept".to_owned(), Qos::AtLeastOnce);
    broker.publish(Message { expires: Some(EXPIRES), ..kept.clone() }).await?;
    broker.subscribe(topic).await?;
    if comes(broker, topic).await? {
        return Ok(Way::ThereAndBack);
    }
    broker.publish(Message { retain: false, ..kept }).await?;
    Ok(if comes(broker, topic).await? { Way::NotKept } else { Way::Swallowed })
}

/// Whether a message to the topic comes to those who listen. It is empty and not retained: to Home Assistant, a device
/// that it does not have is not there.
async fn passes(broker: &mut OneShot, topic: &str) -> Result<bool, OneShotError> {
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

fn of_publish(way: Result<Way, OneShotError>, base: &str, topic: &str) -> Outcome {
    match way {
        Ok(Way::ThereAndBack) => {
            Outcome::Ok(format!("a retained message to {topic} came back, and is removed again"))
        }
        Ok(Way::NotKept) => Outcome::Failed(
            exit::UNREACHABLE,
            "the broker keeps no retained messages; allow them (Mosquitto: retain_available true)".to_owned(),
        ),
        Err(OneShotError::Link(failure)) => Outcome::Failed(
            exit::UNREACHABLE,
            format!(
                "{failure} when a retained message was published; does it allow them (Mosquitto: retain_available true)?"
            ),
        ),
        Ok(Way::Swallowed) => Outcome::Failed(exit::UNREACHABLE, swallowed(topic, &format!("{base}/#"))),
        Err(error) => failed(error),
    }
}

fn of_discovery(passes: Result<bool, OneShotError>, prefix: &str) -> Outcome {
    match passes {
        Ok(true) => Outcome::Ok(format!("{prefix}/device/… may be written")),
        Ok(false) => {
            let topics = format!("{prefix}/device/#");
            let why = swallowed(&format!("{prefix}/device/…"), &topics);
            Outcome::Failed(exit::UNREACHABLE, format!("{why}, or set home_assistant.discovery = false"))
        }
        Err(error) => failed(error),
    }
}

fn swallowed(topic: &str, topics: &str) -> String {
    format!(
        "the broker takes messages to {topic} and drops them, as it does by an access list; allow this user to read and write {topics}"
    )
}

fn failed(error: OneShotError) -> Outcome {
    let advice = match &error {
        OneShotError::Link(_) => "; check [mqtt], and that the broker runs and lets this user in",
        OneShotError::PublishRefused { .. } => "; allow it in the broker's access list",
        OneShotError::Address(_) | OneShotError::Refused(_) | OneShotError::Silent => "",
    };
    let failure = exit::of_broker(error);
    Outcome::Failed(failure.code(), format!("{failure}{advice}"))
}
