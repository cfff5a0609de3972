//! `presence2mqtt clean`

mod ours;

use std::collections::BTreeMap;
use std::io::Write;

use clap::Args;

use self::ours::Ours;
use super::exit::{self, Failure};
use super::living;
use super::progress::Progress;
use crate::config::Config;
use crate::core::model::effect::Message;
use crate::core::model::event::Incoming;
use crate::core::model::mqtt::Qos;
use crate::core::model::name::BaseTopic;
use crate::core::model::process::Process;
use crate::core::model::report::NO_WILDCARDS;
use crate::core::model::topic::{ONLINE, Topics};
use crate::mqtt::address::Address;
use crate::mqtt::one_shot::OneShot;
use crate::mqtt::wildcards;

/// Where so much is retained, a broker with a short queue may not have sent all of it.
const MAY_BE_CUT: usize = 100;

/// A topic that was emptied so often and is there again stays. A broker of several machines may need a
/// moment.
const ATTEMPTS: usize = 2;

/// Topics that are named where many are left.
const NAMED: usize = 3;

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

/// Empties every retained topic that this bridge, by its client id, left under the base topic, and its
/// announcements to Home Assistant but for those about the base topic in use.
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
    let broker = progress.during("connecting to the broker", connecting).await.map_err(exit::of_broker)?;
    let ours = Ours::new(config, &topics, (prefix, spared));
    let mut cleaning = Cleaning {
        topics: &topics,
        ours,
        asker: Process::new(mqtt, fastrand::u64(..)),
        asked: false,
        broker,
        progress,
        by_name: false,
        removed: Removed::default(),
    };
    let outcome = cleaning.remove_everything(out).await;
    let Cleaning { broker, removed, .. } = cleaning;
    broker.close().await;
    outcome?;
    let left = removed.left();
    writeln!(out, "{} retained topics removed", removed.topics.len() - left.len())?;
    if left.is_empty() { Ok(()) } else { Err(Failure::new(exit::UNEXPECTED, in_words(&left))) }
}

struct Cleaning<'a> {
    topics: &'a Topics,
    ours: Ours<'a>,
    asker: Process,
    /// Whether a bridge was asked for.
    asked: bool,
    broker: OneShot,
    progress: Progress,
    /// Whether what the configuration names is asked for, topic by topic.
    by_name: bool,
    removed: Removed,
}

/// What was emptied so far.
#[derive(Default)]
struct Removed {
    topics: BTreeMap<String, Attempts>,
}

#[derive(Default)]
struct Attempts {
    number: usize,
    /// It was found after it was emptied.
    is_there: bool,
    /// Why the broker does not take it.
    refused: Option<String>,
}

impl Cleaning<'_> {
    /// Looks again until nothing is found.
    async fn remove_everything(&mut self, out: &mut impl Write) -> Result<(), Failure> {
        loop {
            let progress = self.progress;
            let looking = self.look();
            let found = progress.during("looking for retained topics", looking).await?;
            let topics = self.removed.worth_a_try(self.ours.take(&found));
            if topics.is_empty() && (self.by_name || found.len() < MAY_BE_CUT) {
                return Ok(());
            }
            // Ours may be hidden behind what others left.
            self.by_name |= topics.is_empty();
            self.remove(topics, out).await?;
        }
    }

    /// What is retained now.
    async fn look(&mut self) -> Result<Vec<Incoming>, Failure> {
        if !self.by_name
            && let Some(found) = self.look_by_wildcard().await?
        {
            return Ok(found);
        }
        let mut found = self.retained(self.ours.named()).await?;
        self.refuse_beside_bridge(&found).await?;
        // Who may be announced is in their states.
        self.ours.take(&found);
        found.extend(self.retained(self.ours.announcements()).await?);
        Ok(found)
    }

    /// What is retained now; nothing where the broker does not answer wildcards.
    async fn look_by_wildcard(&mut self) -> Result<Option<Vec<Incoming>>, Failure> {
        let mut found = self.retained(self.ours.filters()).await?;
        let state = self.ours.state();
        self.refuse_beside_bridge(&found).await?;
        if found.len() >= MAY_BE_CUT {
            found.extend(self.retained(self.ours.missing_states(&found)).await?);
        } else if self.removed.topics.is_empty()
            && found.iter().all(|message| message.topic == state)
            && !wildcards::are_answered(&mut self.broker, self.topics).await.map_err(exit::of_broker)?
        {
            tracing::warn!(
                "{NO_WILDCARDS}: only topics that this configuration names can be found and removed"
            );
            self.by_name = true;
            return Ok(None);
        }
        Ok(Some(found))
    }

    /// A retained `online` proves nothing: the bridge is asked, once.
    async fn refuse_beside_bridge(&mut self, found: &[Incoming]) -> Result<(), Failure> {
        let state = self.ours.state();
        let is_online =
            found.iter().any(|message| message.topic == state && message.payload == ONLINE.as_bytes());
        if !is_online || std::mem::replace(&mut self.asked, true) {
            return Ok(());
        }
        // Where nobody may be asked nobody answers.
        match living::answers(&self.asker, self.topics, &mut self.broker).await {
            Ok(Some(other)) => {
                let why = format!(
                    "a bridge runs at {state} on {}: stop the bridge first, or it continues as if nothing \
                    had been removed",
                    other.instance
                );
                Err(Failure::new(exit::UNEXPECTED, why))
            }
            Ok(None) | Err(_) => Ok(()),
        }
    }

    async fn retained(&mut self, filters: Vec<String>) -> Result<Vec<Incoming>, Failure> {
        self.broker.all_retained(&filters).await.map_err(exit::of_broker)
    }

    /// Empties these, and prints each when the broker has it.
    async fn remove(&mut self, topics: Vec<String>, out: &mut impl Write) -> Result<(), Failure> {
        let empty = |topic| Message::retained(topic, String::new(), Qos::AtLeastOnce);
        let messages = topics.into_iter().map(empty).collect();
        let (removed, mut printed) = (&mut self.removed, Ok(()));
        let arrived = |topic: String, refused: Option<String>| {
            if removed.is_first(&topic, refused) && printed.is_ok() {
                printed = writeln!(out, "removed {topic}");
            }
        };
        self.broker.publish_all(messages, arrived).await.map_err(exit::of_broker)?;
        Ok(printed?)
    }
}

impl Removed {
    /// A topic was emptied, unless that is refused. Whether it was for the first time.
    fn is_first(&mut self, topic: &str, refused: Option<String>) -> bool {
        let attempts = self.topics.entry(topic.to_owned()).or_default();
        attempts.number += 1;
        attempts.is_there = false;
        attempts.refused = refused;
        attempts.number == 1 && attempts.refused.is_none()
    }

    /// Of the topics that were found, those that are to be emptied now.
    fn worth_a_try(&mut self, found: Vec<String>) -> Vec<String> {
        let mut topics = Vec::new();
        for topic in found {
            match self.topics.get_mut(&topic) {
                Some(attempts) if attempts.number >= ATTEMPTS => attempts.is_there = true,
                Some(_) | None => topics.push(topic),
            }
        }
        topics
    }

    /// What is left, and why where the broker said so.
    fn left(&self) -> Vec<(&str, Option<&str>)> {
        let left = self.topics.iter().filter(|(_, attempts)| attempts.is_there || attempts.refused.is_some());
        left.map(|(topic, attempts)| (topic.as_str(), attempts.refused.as_deref())).collect()
    }
}

fn in_words(left: &[(&str, Option<&str>)]) -> String {
    let named: Vec<&str> = left.iter().take(NAMED).map(|(topic, _)| *topic).collect();
    let more = left.len() - named.len();
    let more = if more == 0 { String::new() } else { format!(" and {more} more") };
    let why = left.iter().find_map(|(_, why)| *why).map(|why| format!(" ({why})")).unwrap_or_default();
    let named = named.join(", ");
    format!(
        "{} retained topics are left: {named}{more}{why}; allow this user to write them, and run `presence2mqtt clean` again",
        left.len()
    )
}
