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
use crate::core::home_assistant;
use crate::core::model::effect::Message;
use crate::core::model::mqtt::Qos;
use crate::core::model::report::without_wildcards;
use crate::core::model::topic::Topics;
use crate::mqtt::address::Address;
use crate::mqtt::one_shot::{OneShot, OneShotError};
use crate::mqtt::wildcards;

const BROKER: &str = "broker";
const PUBLISH: &str = "publish";
const WILDCARDS: &str = "wildcards";
const DISCOVERY: &str = "discovery";

/// For a message to come back. Brokers do not say that they drop one, so that this is all there is to tell it by.
const PATIENCE: Duration = Duration::from_secs(3);

/// With MQTT 5 the broker forgets what this program could not remove.
const EXPIRES: Duration = Duration::from_secs(60);

/// How far a message came.
enum Way {
    ThereAndBack {
        by_wildcard: bool,
    },
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
    let broker = match progress.during("connecting to the broker", connecting).await {
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
    list.add(BROKER, Outcome::Ok(format!("{} lets this client in", mqtt.brokers)))?;
    let mut link = Link { address: &address, broker: Some(broker), progress };
    let outcome = try_out(config, &mut link, list).await;
    link.close().await;
    outcome
}

/// The way to the broker, which may be lost on the way.
struct Link<'a> {
    address: &'a Address,
    broker: Option<OneShot>,
    progress: Progress,
}

/// What came of publishing.
struct Published {
    /// `None`: this program was asked to stop.
    way: Option<Result<Way, OneShotError>>,
    /// Whether the broker took it that nothing should be retained.
    removed: Result<(), OneShotError>,
}

async fn try_out(
    config: &Config,
    link: &mut Link<'_>,
    list: &mut Checklist<'_, impl Write>,
) -> Result<(), Failure> {
    let mqtt = &config.mqtt;
    let random = &uuid::Uuid::new_v4().as_simple().to_string()[..8];
    let mut stop = std::pin::pin!(signals::stop()?);
    let topics = Topics::from_settings(&mqtt.settings);
    let own = topics.of_check(random);
    let Published { way, removed } = link.publish(&topics, &own, stop.as_mut()).await?;
    let may_be_left = match (&way, &removed) {
        // What was not taken is not there.
        (_, Ok(())) | (Some(Err(OneShotError::PublishRefused { .. })), _) => false,
        (_, Err(OneShotError::PublishRefused { .. })) => true,
        (_, Err(_)) => !link.remove_again(&own).await,
    };
    let left = if may_be_left {
        format!("{own} may be left on the broker; `presence2mqtt clean` removes it")
    } else {
        "nothing is left on the broker".to_owned()
    };
    let interrupted = || Failure::new(exit::UNEXPECTED, format!("interrupted; {left}"));
    let way = way.ok_or_else(interrupted)?;
    let lacks_wildcards = matches!(way, Ok(Way::ThereAndBack { by_wildcard: false }));
    let outcome =
        of_publish(way.and_then(|way| removed.map(|()| way)), mqtt.settings.base_topic.as_str(), &own);
    let outcome = match outcome {
        Outcome::Failed(code, why) if may_be_left => Outcome::Failed(code, format!("{why}; {left}")),
        other @ (Outcome::Ok(_) | Outcome::Note(_) | Outcome::Failed(..) | Outcome::Skipped(_)) => other,
    };
    list.add(PUBLISH, outcome)?;
    if lacks_wildcards {
        list.add(WILDCARDS, Outcome::Note(without_wildcards()))?;
    }
    if config.home_assistant.discovery {
        let prefix = &config.home_assistant.settings.prefix;
        let topic = home_assistant::of_check(prefix, random);
        let announced = tokio::select! {
            announced = link.announce(&topic) => announced,
            () = stop => return Err(interrupted()),
        };
        list.add(DISCOVERY, of_discovery(announced, prefix.as_str()))?;
    }
    Ok(())
}

impl Link<'_> {
    /// The connection, made anew if it is lost.
    async fn broker(&mut self) -> Result<&mut OneShot, OneShotError> {
        let broker = match self.broker.take() {
            Some(broker) => broker,
            None => {
                let connecting = OneShot::connect(self.address);
                self.progress.during("connecting to the broker again", connecting).await?
            }
        };
        Ok(self.broker.insert(broker))
    }

    /// Publishes to a topic of this program's own, and removes what it published also when it is asked to stop.
    async fn publish(
        &mut self,
        topics: &Topics,
        topic: &str,
        stop: Pin<&mut impl Future<Output = ()>>,
    ) -> Result<Published, Failure> {
        let progress = self.progress;
        let broker = self.broker().await.map_err(exit::of_broker)?;
        let publishing = async {
            let way = tokio::select! {
                way = there_and_back(broker, topics, topic) => Some(way),
                () = stop => None,
            };
            // Whatever came of it: where nothing is, nothing is removed.
            Published { way, removed: remove(broker, topic).await }
        };
        Ok(progress.during("publishing", publishing).await)
    }

    /// Removes on a new connection what came through before the old one was lost. Says whether nothing is left.
    async fn remove_again(&mut self, topic: &str) -> bool {
        self.lose().await;
        let progress = self.progress;
        let Ok(broker) = self.broker().await else { return false };
        match progress.during("removing what was published", remove(broker, topic)).await {
            Ok(()) => true,
            Err(_) => {
                // Whatever is tried next is tried on a good one.
                self.lose().await;
                false
            }
        }
    }

    async fn announce(&mut self, topic: &str) -> Result<bool, OneShotError> {
        let progress = self.progress;
        let broker = self.broker().await?;
        progress.during("announcing", passes(broker, topic)).await
    }

    async fn lose(&mut self) {
        if let Some(broker) = self.broker.take() {
            broker.close().await;
        }
    }

    async fn close(mut self) {
        self.lose().await;
    }
}

async fn remove(broker: &mut OneShot, topic: &str) -> Result<(), OneShotError> {
    broker.publish(Message::retained(topic.to_owned(), String::new(), Qos::AtLeastOnce)).await
}

/// Publishes a retained message and asks for it.
async fn there_and_back(broker: &mut OneShot, topics: &Topics, topic: &str) -> Result<Way, OneShotError> {
    let kept = Message::retained(topic.to_owned(), "kept".to_owned(), Qos::AtLeastOnce);
    broker.publish(Message { expires: Some(EXPIRES), ..kept.clone() }).await?;
    broker.subscribe(topic).await?;
    if comes(broker, topic).await? {
        return Ok(Way::ThereAndBack { by_wildcard: wildcards::come(broker, topics, topic).await? });
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
        Ok(Way::ThereAndBack { .. }) => {
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
