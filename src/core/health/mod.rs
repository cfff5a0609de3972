//! What the bridge publishes about itself: `<bridge>/info` and `<bridge>/health`.

use std::time::Duration;

use jiff::Timestamp;

use super::broker::outbox::Outbox;
use super::context::Context;
use super::model::mqtt::Protocol;
use super::model::payload::{HealthPayload, Info, json};
use super::model::snapshot::GraphSnapshot;
use super::model::time::{Now, Tick, whole_seconds};
use super::model::topic::BridgeField;

/// `last_success` alone moves `<bridge>/health` at most this often.
const LAST_SUCCESS_EVERY: Duration = Duration::from_secs(300);

/// What `<bridge>/health` says, but for the times in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct HealthWords {
    pub graph: &'static str,
    pub detail: Option<String>,
    pub notices: Vec<String>,
}

/// What the bridge has published about itself.
#[derive(Debug)]
pub(super) struct BridgeHealth {
    started_at: Timestamp,
    /// Why the configuration could not be read again.
    reload_trouble: Option<String>,
    last: LastPublished,
}

/// What was last published on `<bridge>/health`, and when.
#[derive(Debug)]
struct LastPublished {
    words: Option<HealthWords>,
    last_success: Option<Timestamp>,
    at: Tick,
}

impl BridgeHealth {
    pub(super) fn new(now: Now) -> Self {
        Self {
            started_at: whole_seconds(now.wall),
            reload_trouble: None,
            last: LastPublished { words: None, last_success: None, at: now.tick },
        }
    }

    /// Of this process, or since the last change of broker.
    pub(super) fn started_at(&self) -> Timestamp {
        self.started_at
    }

    /// The configuration was read again, or could not be.
    pub(super) fn reloaded(&mut self, trouble: Option<String>) {
        self.reload_trouble = trouble;
    }

    /// That the configuration could not be read again.
    pub(super) fn notice(&self) -> Option<String> {
        self.reload_trouble.as_ref().map(|why| format!("configuration not reloaded because {why}"))
    }

    /// Queues `<bridge>/health`, if it is news.
    pub(super) fn publish_news(
        &mut self,
        words: HealthWords,
        graph: &GraphSnapshot,
        outbox: &mut Outbox,
        cx: &Context,
    ) {
        let moved =
            graph.last_success != self.last.last_success && cx.now >= self.last.at + LAST_SUCCESS_EVERY;
        if moved || self.last.words.as_ref() != Some(&words) {
            self.publish(words, graph, outbox, cx);
        }
    }

    /// Queues `<bridge>/health`.
    pub(super) fn publish(
        &mut self,
        words: HealthWords,
        graph: &GraphSnapshot,
        outbox: &mut Outbox,
        cx: &Context,
    ) {
        let health = json(&HealthPayload {
            graph: words.graph,
            since: graph.since,
            last_success: graph.last_success,
            detail: words.detail.as_deref(),
            notices: &words.notices,
        });
        outbox.own(cx.topics.of_bridge(BridgeField::Health), health);
        self.last = LastPublished { words: Some(words), last_success: graph.last_success, at: cx.now };
    }

    /// Queues `<bridge>/info`.
    pub(super) fn publish_info(
        &self,
        account: Option<&str>,
        users: usize,
        achieved_interval: Duration,
        protocol: Protocol,
        outbox: &mut Outbox,
        cx: &Context,
    ) {
        let about = &cx.settings.about;
        let info = json(&Info {
            version: about.version,
            started_at: self.started_at,
            bridge: &cx.settings.mqtt.client_id,
            cloud: about.cloud,
            auth_method: about.auth_method,
            account,
            users,
            poll_interval: cx.settings.graph.poll_interval,
            achieved_interval,
            protocol: protocol.as_str(),
            discovery_prefix: cx.settings.discovery.as_ref().map(|discovery| discovery.prefix.as_str()),
        });
        outbox.own(cx.topics.of_bridge(BridgeField::Info), info);
    }
}
