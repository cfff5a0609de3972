//! `presence2mqtt clean`

use std::collections::BTreeSet;
use std::io::Write;

use clap::Args;

use super::exit::{self, Failure};
use crate::config::Config;
use crate::core::command::{Message, Qos};
use crate::core::name::{BaseTopic, TopicLevel};
use crate::core::payload::RememberedState;
use crate::core::topic::{BridgeField, Field, ONLINE, Topics};
use crate::mqtt::address::Address;
use crate::mqtt::one_shot::{OneShot, OneShotError};

/// Where to clean.
#[derive(Debug, Args)]
pub(super) struct Options {
    /// The base topic to clean [default: the configured one]
    #[arg(long, value_name = "OLD")]
    base: Option<BaseTopic>,
}

/// Empties every retained topic that this bridge, by its client id, left under the base topic.
pub(super) async fn run(config: &Config, options: &Options, out: &mut impl Write) -> Result<(), Failure> {
    let base = options.base.clone().unwrap_or_else(|| config.mqtt.base_topic.clone());
    let topics = Topics::new(base, config.mqtt.bridge_name.clone());
    let address = Address::of_command(&config.mqtt, "clean");
    let unreachable = |error: OneShotError| Failure::new(exit::UNREACHABLE, error);
    let mut broker = OneShot::connect(&address).await.map_err(unreachable)?;
    let outcome = clean(config, &topics, &mut broker, out).await;
    broker.close().await;
    outcome
}

async fn clean(
    config: &Config,
    topics: &Topics,
    broker: &mut OneShot,
    out: &mut impl Write,
) -> Result<(), Failure> {
    let unreachable = |error: OneShotError| Failure::new(exit::UNREACHABLE, error);
    let retained = broker.retained(&topics.every_topic()).await.map_err(unreachable)?;
    let state = topics.of_bridge(BridgeField::State);
    if retained.iter().any(|message| message.topic == state && message.payload == ONLINE.as_bytes()) {
        let why = format!(
            "{state} says online: stop the bridge first, or it would go on as if nothing were removed"
        );
        return Err(Failure::new(exit::UNEXPECTED, why));
    }
    let mut ours: BTreeSet<String> = [BridgeField::State, BridgeField::Info, BridgeField::Health]
        .map(|field| topics.of_bridge(field))
        .into();
    let configured = config.users.iter().map(|user| user.name.clone());
    let left = retained.iter().filter_map(|message| {
        let user = topics.user_of_state(&message.topic)?;
        let state: RememberedState = serde_json::from_slice(&message.payload).ok()?;
        (state.bridge == config.mqtt.client_id.as_str()).then_some(user)
    });
    for user in configured.chain(left).collect::<BTreeSet<TopicLevel>>() {
        ours.extend(Field::IN_ORDER.map(|field| topics.of_user(&user, field)));
    }
    let present: BTreeSet<&String> =
        retained.iter().map(|message| &message.topic).filter(|topic| ours.contains(*topic)).collect();
    for topic in &present {
        let message =
            Message { topic: (*topic).clone(), payload: String::new(), qos: Qos::AtLeastOnce, retain: true };
        broker.publish(message).await.map_err(unreachable)?;
        writeln!(out, "removed {topic}")?;
    }
    Ok(writeln!(out, "{} retained topics removed", present.len())?)
}
