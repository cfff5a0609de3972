//! `presence2mqtt clean`

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;

use clap::Args;

use super::exit::{self, Failure};
use super::progress::Progress;
use crate::config::Config;
use crate::core::home_assistant;
use crate::core::model::effect::Message;
use crate::core::model::event::Incoming;
use crate::core::model::health::Health;
use crate::core::model::heard::Heard;
use crate::core::model::mqtt::Qos;
use crate::core::model::name::{BaseTopic, TopicLevel};
use crate::core::model::payload::{RememberedInfo, RememberedState};
use crate::core::model::topic::{BridgeField, Field, ONLINE, Topics};
use crate::mqtt::address::Address;
use crate::mqtt::one_shot::OneShot;

/// Where to clean.
#[derive(Debug, Args)]
pub(super) struct Options {
    /// The base topic to clean [default: the configured one]
    #[arg(long, value_name = "OLD")]
    base: Option<BaseTopic>,
    /// The discovery prefix to clean [default: the configured one]
    #[arg(long, value_name = "OLD")]
    discovery_prefix: Option<BaseTopic>,
}

/// Empties every retained topic that this bridge, by its client id, left under the base topic, and its announcements to
/// Home Assistant but for those about the base topic in use.
pub(super) async fn run(
    config: &Config,
    options: &Options,
    progress: Progress,
    out: &mut impl Write,
) -> Result<(), Failure> {
    let (mqtt, discovery) = (&config.mqtt.settings, &config.home_assistant.settings);
    let base = options.base.clone().unwrap_or_else(|| mqtt.base_topic.clone());
    let prefix = options.discovery_prefix.as_ref().unwrap_or(&discovery.prefix);
    // A bridge may be running with the configuration at hand while an old base topic is cleaned.
    let in_use = base != mqtt.base_topic && *prefix == discovery.prefix;
    let spared = in_use.then_some(&mqtt.base_topic);
    let topics = Topics::new(base, mqtt.bridge_name.clone());
    let address = Address::of_command(&config.mqtt, "clean");
    let connecting = OneShot::connect(&address);
    let mut broker =
        progress.during("connecting to the broker", connecting).await.map_err(exit::of_broker)?;
    let mut removed = Vec::new();
    let cleaning = clean(config, &topics, (prefix, spared), &mut broker, &mut removed);
    let outcome = progress.during("looking for what is retained", cleaning).await;
    broker.close().await;
    for topic in &removed {
        writeln!(out, "removed {topic}")?;
    }
    outcome?;
    Ok(writeln!(out, "{} retained topics removed", removed.len())?)
}

/// Adds what it removes to `removed`, also if it fails on the way.
async fn clean(
    config: &Config,
    topics: &Topics,
    (prefix, spared): (&BaseTopic, Option<&BaseTopic>),
    broker: &mut OneShot,
    removed: &mut Vec<String>,
) -> Result<(), Failure> {
    let retained = broker.retained(&topics.every_topic()).await.map_err(exit::of_broker)?;
    let state = topics.of_bridge(BridgeField::State);
    if retained.iter().any(|message| message.topic == state && message.payload == ONLINE.as_bytes()) {
        let why = format!(
            "{state} says online: stop the bridge first, or it would go on as if nothing were removed"
        );
        return Err(Failure::new(exit::UNEXPECTED, why));
    }
    let client_id = &config.mqtt.settings.client_id;
    let is_ours = |bridge: &str| bridge == client_id.as_str();
    // Whose a person's topics are, their state says; without one they are the configuration's.
    let mut owners: BTreeMap<TopicLevel, bool> =
        config.users.iter().map(|user| (user.name.clone(), true)).collect();
    let (mut bridge_is_ours, mut is_alone, mut never_read) = (true, true, Vec::new());
    for message in &retained {
        match Heard::from_topic(&message.topic, topics) {
            Heard::Own(BridgeField::Info) => {
                let info = serde_json::from_slice::<RememberedInfo>(&message.payload);
                bridge_is_ours = info.is_ok_and(|info| is_ours(&info.bridge));
            }
            Heard::Person(user, Field::State) => {
                let state = serde_json::from_slice::<RememberedState>(&message.payload);
                owners.insert(user, state.is_ok_and(|state| is_ours(&state.bridge)));
            }
            Heard::OtherBridge(_, BridgeField::Info) => is_alone = false,
            Heard::Person(user, Field::Health) if Health::is_never_read(&message.payload) => {
                never_read.push(user);
            }
            Heard::Own(_)
            | Heard::Person(..)
            | Heard::OtherBridge(..)
            | Heard::Refresh
            | Heard::Set(_)
            | Heard::SetStatusMessage(_)
            | Heard::Account(..)
            | Heard::Light(..)
            | Heard::PauseLight(_)
            | Heard::Device
            | Heard::Elsewhere => {}
        }
    }
    // Of somebody who was never read there is only a health, which does not say whose it is.
    for user in never_read.into_iter().filter(|_| is_alone) {
        owners.entry(user).or_insert(true);
    }
    let mut ours: BTreeSet<String> = BTreeSet::new();
    if bridge_is_ours {
        ours.extend(BridgeField::ALL.map(|field| topics.of_bridge(field)));
    }
    for user in owners.into_iter().filter_map(|(user, ours)| ours.then_some(user)) {
        ours.extend(Field::IN_ORDER.map(|field| topics.of_user(&user, field)));
    }
    let mut deeper = Vec::new();
    if bridge_is_ours {
        for filter in [topics.every_account(), topics.every_light(), topics.every_check()] {
            deeper.extend(broker.retained(&filter).await.map_err(exit::of_broker)?);
        }
    }
    let announced = broker.retained(&home_assistant::every_device(prefix)).await.map_err(exit::of_broker)?;
    let is_of = |m: &&Incoming| home_assistant::is_of(client_id, &m.topic, &m.payload, spared);
    let announced = announced.iter().filter(is_of);
    // Announcements go first, so that Home Assistant hears of nobody whose topics are emptied.
    let left = retained.iter().filter(|message| ours.contains(&message.topic));
    for Incoming { topic, .. } in announced.chain(left).chain(&deeper) {
        let message = Message::retained(topic.clone(), String::new(), Qos::AtLeastOnce);
        broker.publish(message).await.map_err(exit::of_broker)?;
        removed.push(topic.clone());
    }
    Ok(())
}
