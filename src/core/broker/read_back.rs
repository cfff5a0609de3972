//! What an earlier run left on the broker, as far as it must be known before anything is published.

use std::collections::BTreeSet;

use crate::core::context::Context;
use crate::core::model::effect::Subscription;
use crate::core::model::foreign::Legible;
use crate::core::model::mqtt::Qos;
use crate::core::model::name::{LONGEST_LEVEL, TopicLevel};
use crate::core::model::topic::{BridgeField, Field};

/// What was found on the broker while reading back.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// Whose `info` is on this bridge's topic, and whether they are online.
    pub(super) bridge: Option<String>,
    pub(super) online: bool,
    /// Another bridge has been on this base topic.
    pub(super) neighbours: bool,
    /// People unknown here who have a `state`, whosever it is, and such who have a `health`.
    pub(super) states: BTreeSet<TopicLevel>,
    pub(super) healths: BTreeSet<TopicLevel>,
}

impl Found {
    /// What is said of another bridge's `info` beside a retained `online`.
    pub(super) fn stranger(&self, cx: &Context) -> Option<Legible> {
        let other = self.bridge.as_ref().filter(|other| self.online && !cx.is_own(other))?;
        let (other, topic) = (Legible::at_most(other, LONGEST_LEVEL), cx.topics.of_bridge(BridgeField::Info));
        let notice = format!(
            "{topic} was that of another bridge, \"{other}\", which does not answer, and is overwritten; should it run \
             after all, give this one its own mqtt.bridge_name"
        );
        Some(Legible::new(&notice))
    }
}

/// Where retained messages of earlier runs may be. `announcements` is the filter of those to Home Assistant.
pub(super) fn filters(announcements: Option<String>, cx: &Context) -> Vec<String> {
    let levels = [Field::State.level(), Field::Health.level(), BridgeField::Info.level()];
    let mut filters = levels.map(|level| cx.topics.every(level)).to_vec();
    filters.push(cx.topics.of_bridge(BridgeField::SignIn));
    filters.push(cx.topics.every_light());
    filters.extend(announcements);
    filters
}

/// Quality 0: brokers cut the queue of a late subscriber at quality 1.
pub(super) fn at_most_once(filters: Vec<String>) -> Vec<Subscription> {
    filters.into_iter().map(|filter| Subscription { filter, qos: Qos::AtMostOnce }).collect()
}

/// Subscriptions to what must not be missed.
pub(super) fn at_least_once(filters: Vec<String>) -> Vec<Subscription> {
    filters.into_iter().map(|filter| Subscription { filter, qos: Qos::AtLeastOnce }).collect()
}
