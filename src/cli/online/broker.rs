//! The way to the broker as `run` goes it: a connection with the last will, what is listened to, a message of
//! the largest size there and back, and Home Assistant's topics.

use std::collections::BTreeSet;
use std::io::Write;
use std::pin::Pin;

use super::checklist::{Checklist, Outcome};
use super::listening;
use super::publishing::{Way, of_discovery, of_publish, passes, remove, there_and_back};
use crate::cli::exit::{self, Failure};
use crate::cli::living;
use crate::cli::progress::Progress;
use crate::cli::signals;
use crate::config::{Auth, Config};
use crate::core::home_assistant;
use crate::core::lights::settings::Settings as Light;
use crate::core::model::burst::{PACED_PEOPLE_MAX, queue_for};
use crate::core::model::name::TopicLevel;
use crate::core::model::process::Process;
use crate::core::model::report::without_wildcards;
use crate::core::model::settings::MqttSettings;
use crate::core::model::topic::{BridgeField, ONLINE, Topics};
use crate::core::rehearsal::{Rehearsal, rehearse};
use crate::hearing::{self, Hearing};
use crate::mqtt::address::{Address, Will};
use crate::mqtt::one_shot::{OneShot, OneShotError};
use crate::run::{self, Clock};

const BROKER: &str = "broker";
const BURST: &str = "burst";
const LISTEN: &str = "listen";
const PUBLISH: &str = "publish";
const WILDCARDS: &str = "wildcards";
const DISCOVERY: &str = "discovery";
const LIGHT: &str = "light";
const RUNNING: &str = "running";
const STANDBY: &str = "standby";

/// Two connections of one user cannot be there at once.
const ONE_CLIENT: &str = "the broker uses the user name as client id (Mosquitto: \
    use_username_as_clientid), so commands and the bridge disconnect each other; give commands a configuration \
    with its own user name";

/// What is stored of a person's sign-in is one machine's.
const SIGN_IN_ON_EACH: &str = "a person signs in: run `presence2mqtt login` on each machine, and do not share graph.state_dir between machines";

/// `people` are followed, as far as it is known.
pub(super) async fn check(
    config: &Config,
    people: usize,
    progress: Progress,
    list: &mut Checklist<'_, impl Write>,
) -> Result<(), Failure> {
    let mqtt = &config.mqtt;
    let without_will = Address::of_command(mqtt, "check");
    let address = without_will.clone().with_will(Will::of_bridge(&mqtt.settings));
    let connecting = OneShot::connect(&address);
    let refused = match progress.during("connecting to the broker", connecting).await {
        Ok(broker) => {
            // What is tried next may end the connection, and the will would then stay.
            broker.close().await;
            None
        }
        Err(error) => Some(error),
    };
    let connecting = OneShot::connect(&without_will);
    let broker = match (progress.during("connecting to the broker again", connecting).await, refused) {
        (Ok(broker), None) => {
            list.add(BROKER, Outcome::Ok(format!("{} accepts this client", mqtt.brokers)))?;
            broker
        }
        (Ok(broker), Some(error)) => {
            list.add(BROKER, without(&error, &mqtt.settings))?;
            broker
        }
        (Err(error), refused) => {
            list.add(BROKER, Outcome::from_broker(refused.unwrap_or(error)))?;
            return skip(config, list);
        }
    };
    let mut link = Link { address: &without_will, broker: Some(broker), progress };
    if link.is_one_client(config).await {
        list.add(BROKER, Outcome::Failed(exit::UNREACHABLE, ONE_CLIENT.to_owned()))?;
        link.close().await;
        return skip(config, list);
    }
    let outcome = try_out(config, &mut link, list).await;
    link.close().await;
    outcome?;
    if people > PACED_PEOPLE_MAX {
        list.add(BURST, of_burst(people))?;
    }
    Ok(())
}

fn skip(config: &Config, list: &mut Checklist<'_, impl Write>) -> Result<(), Failure> {
    let discovery = config.home_assistant.discovery.then_some(DISCOVERY);
    let lights = (!config.lights.is_empty()).then_some(LIGHT);
    for step in [LISTEN, PUBLISH].into_iter().chain(discovery).chain(lights) {
        list.add(step, Outcome::Skipped(BROKER))?;
    }
    Ok(())
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
    let Rehearsal { filters, largest, .. } = rehearse(run::settings(config), Clock::start().now());
    let listened = tokio::select! {
        listened = link.listen(&filters) => listened,
        () = stop.as_mut() => return Err(Failure::new(exit::UNEXPECTED, "interrupted; nothing is left on the broker")),
    };
    list.add(LISTEN, listened.unwrap_or_else(Outcome::from_broker))?;
    let size = largest.saturating_sub(own.len());
    let Published { way, removed } = link.publish(&topics, &own, size, stop.as_mut()).await?;
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
    let outcome = of_publish(
        way.and_then(|way| removed.map(|()| way)),
        mqtt.settings.base_topic.as_str(),
        (&own, largest),
    );
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
            () = stop.as_mut() => return Err(interrupted()),
        };
        list.add(DISCOVERY, of_discovery(announced, prefix.as_str()))?;
    }
    for (light, outcome) in link.hear(&config.lights).await {
        list.add(LIGHT, outcome.named(light))?;
    }
    let asker = Process::new(&mqtt.settings, fastrand::u64(..));
    if mqtt.settings.standby {
        let outcome = tokio::select! {
            outcome = link.standby(&topics) => outcome,
            () = stop => return Err(interrupted()),
        };
        list.add(STANDBY, outcome.unwrap_or_else(Outcome::from_broker))?;
        if config.accounts.iter().any(|account| matches!(account.auth, Auth::Person { .. })) {
            list.add(STANDBY, Outcome::Note(SIGN_IN_ON_EACH.to_owned()))?;
        }
    }
    // How the broker is was said by the steps before.
    if let Ok(Some(outcome)) = link.running(&asker, &topics).await {
        list.add(RUNNING, outcome)?;
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

    /// Publishes to a topic of this program's own, and removes what it published also when it is asked to
    /// stop.
    async fn publish(
        &mut self,
        topics: &Topics,
        topic: &str,
        size: usize,
        stop: Pin<&mut impl Future<Output = ()>>,
    ) -> Result<Published, Failure> {
        let progress = self.progress;
        let broker = self.broker().await.map_err(exit::of_broker)?;
        let publishing = async {
            let way = tokio::select! {
                way = there_and_back(broker, topics, topic, size) => Some(way),
                () = stop => None,
            };
            // Whatever came of it: where nothing is, nothing is removed.
            Published { way, removed: remove(broker, topic).await }
        };
        Ok(progress.during("publishing", publishing).await)
    }

    /// Removes on a new connection what came through before the old one was lost. Says whether nothing is
    /// left.
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

    /// Whether the broker closes the connection when the same user comes under another client id.
    async fn is_one_client(&mut self, config: &Config) -> bool {
        let another = Address::of_command(&config.mqtt, "check");
        let refresh = Topics::from_settings(&config.mqtt.settings).refresh();
        let progress = self.progress;
        let Ok(broker) = self.broker().await else { return false };
        let trying = async {
            let Ok(another) = OneShot::connect(&another).await else { return false };
            let asked = broker.subscribe(&refresh).await;
            another.close().await;
            matches!(asked, Err(OneShotError::Link(_)))
        };
        if !progress.during("connecting a second time", trying).await {
            return false;
        }
        // It may have been the subscription.
        self.lose().await;
        match self.broker().await {
            Ok(alone) => alone.subscribe(&refresh).await.is_ok(),
            Err(_) => false,
        }
    }

    async fn listen(&mut self, filters: &BTreeSet<String>) -> Result<Outcome, OneShotError> {
        let progress = self.progress;
        let broker = self.broker().await?;
        let listened = progress.during("subscribing", listening::try_all(filters, broker)).await;
        if listened.is_err() {
            self.lose().await;
        }
        listened
    }

    async fn announce(&mut self, topic: &str) -> Result<bool, OneShotError> {
        let progress = self.progress;
        let broker = self.broker().await?;
        progress.during("announcing", passes(broker, topic)).await
    }

    /// Asks every light's device whether it is there.
    async fn hear<'l>(&mut self, lights: &'l [Light]) -> Vec<(&'l TopicLevel, Outcome)> {
        let progress = self.progress;
        let mut all: Vec<Hearing<'l>> = lights.iter().map(Hearing::new).collect();
        let names = lights.iter().map(|light| &light.name);
        if all.is_empty() {
            return Vec::new();
        }
        let asked = match self.broker().await {
            Ok(broker) => {
                let asking = async {
                    hearing::listen(&mut all, broker).await?;
                    hearing::ask(&mut all, broker).await
                };
                progress.during("asking the lights", asking).await
            }
            Err(error) => Err(error),
        };
        match asked {
            Ok(()) => names.zip(all.iter().map(|hearing| Outcome::from_light(hearing.verdict()))).collect(),
            Err(error) => names.zip([Outcome::from_broker(error)]).collect(),
        }
    }

    /// Whether pings and answers come through, and all that instances say of themselves.
    async fn standby(&mut self, topics: &Topics) -> Result<Outcome, OneShotError> {
        let progress = self.progress;
        let broker = self.broker().await?;
        let trying = async {
            broker.subscribe(&topics.every_standby()).await?;
            for topic in [topics.ping(), topics.pong()] {
                if !passes(broker, &topic).await? {
                    let why = format!(
                        "a message to {topic} does not come back, probably because of an access list: no \
                        instance would take over from a frozen one; allow this user to read and write {}",
                        topics.every_standby()
                    );
                    return Ok(Outcome::Failed(exit::UNREACHABLE, why));
                }
            }
            Ok(Outcome::Ok("pings come back".to_owned()))
        };
        progress.during("pinging", trying).await
    }

    /// Asks whether a bridge runs, where one says so.
    async fn running(&mut self, asker: &Process, topics: &Topics) -> Result<Option<Outcome>, OneShotError> {
        let progress = self.progress;
        let broker = self.broker().await?;
        let state = topics.of_bridge(BridgeField::State);
        if !broker.retained(&state).await?.iter().any(|message| message.payload == ONLINE.as_bytes()) {
            return Ok(None);
        }
        let asking = living::answers(asker, topics, broker);
        let outcome = match progress.during("asking whether a bridge runs", asking).await {
            Ok(Some(other)) if other.client_id == asker.client_id => {
                Outcome::Ok(format!("the bridge of this configuration runs on {}", other.instance))
            }
            Ok(Some(other)) => Outcome::Failed(exit::CONFIG, asker.conflict_with(&other, topics)),
            Ok(None) => {
                Outcome::Ok(format!("{state} is online, but no bridge answers: `run` takes its place"))
            }
            Err(error) => Outcome::Ok(format!(
                "cannot be asked ({error}); a second `run` would not be \
            recognised"
            )),
        };
        Ok(Some(outcome))
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

/// Nobody can tell from outside how much a broker keeps.
fn of_burst(people: usize) -> Outcome {
    let keep = queue_for(people);
    Outcome::Note(format!(
        "publishing {people} people may overrun a slow subscriber; let the broker queue {keep} messages \
        for each client (Mosquitto: max_queued_messages {keep})"
    ))
}

/// The broker lets this program in, but not as it would the bridge.
fn without(error: &OneShotError, settings: &MqttSettings) -> Outcome {
    let Will { topic, payload } = Will::of_bridge(settings);
    let why = format!(
        "the broker accepts this client only without the last will of `run`, {payload:?} at {topic}, \
        retained: {error}; allow this user to write there, and retained messages at QoS 1"
    );
    Outcome::Failed(exit::UNREACHABLE, why)
}
