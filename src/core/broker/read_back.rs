//! Where an earlier run left what must be known before anything is published.

use crate::core::context::Context;
use crate::core::model::effect::Subscription;
use crate::core::model::mqtt::Qos;
use crate::core::model::topic::{BridgeField, Field};

/// Filters in one SUBSCRIBE: more than eight end the connection at AWS IoT Core.
pub(super) const FILTERS: usize = 8;

/// Where retained messages of earlier runs may be. `announcements` is the filter of those to Home Assistant.
pub(super) fn filters(announcements: Option<String>, cx: &Context) -> Vec<String> {
    let levels = [Field::State.level(), Field::Health.level(), BridgeField::Info.level()];
    let mut filters = levels.map(|level| cx.topics.every(level)).to_vec();
    filters.push(cx.topics.of_bridge(BridgeField::SignIn));
    filters.push(cx.topics.every_light());
    filters.extend(announcements);
    filters
}

/// Where others say something to the bridge as long as it runs, beside its lights.
pub(super) fn lasting(cx: &Context) -> Vec<String> {
    let standby = if cx.settings.mqtt.standby { cx.topics.every_standby() } else { cx.topics.ping() };
    let mut filters = vec![cx.topics.refresh(), cx.topics.of_bridge(BridgeField::State), standby];
    filters.extend(cx.settings.discovery.as_ref().map(|discovery| discovery.birth_topic.clone()));
    if cx.settings.commands.is_some() {
        filters.extend(cx.topics.commands());
    }
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
