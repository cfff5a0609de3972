//! What the bridge says about itself: `<bridge>/info` and `<bridge>/health`.

use std::time::Duration;

use jiff::Timestamp;

use crate::core::bridge::Bridge;
use crate::core::certificate;
use crate::core::model::payload::{HealthPayload, Info, json};
use crate::core::model::report::{RIVAL, words};
use crate::core::model::time::Tick;
use crate::core::model::topic::BridgeField;
use crate::core::person::Health;

/// `last_success` alone moves `<bridge>/health` at most this often.
const HEALTH_EVERY: Duration = Duration::from_secs(300);

/// What `<bridge>/health` says, but for the times in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct HealthWords {
    pub graph: &'static str,
    pub detail: Option<String>,
    pub notices: Vec<String>,
}

/// What was last said on `<bridge>/health`.
#[derive(Debug)]
pub(super) struct Said {
    words: Option<HealthWords>,
    last_success: Option<Timestamp>,
    at: Tick,
}

impl Said {
    pub(super) fn nothing(now: Tick) -> Self {
        Self { words: None, last_success: None, at: now }
    }
}

impl Bridge {
    /// Says how Graph is doing, if that is news.
    pub(super) fn say_health_if_new(&mut self, now: Tick) {
        let words = self.health_words();
        let moved =
            self.source.last_success() != self.said.last_success && now >= self.said.at + HEALTH_EVERY;
        if moved || self.said.words.as_ref() != Some(&words) {
            self.say_health(words, now);
        }
    }

    /// Queues all of the bridge's own JSON topics.
    pub(super) fn say_all(&mut self, now: Tick) {
        self.say_device();
        self.say_lights();
        let words = self.health_words();
        self.say_health(words, now);
        self.say_info();
        self.say_code();
    }

    /// Queues `<bridge>/info`, if there is anybody to tell; after a connect it is said anyway.
    pub(super) fn say_info_if_up(&mut self) {
        if self.link.is_up() {
            self.say_info();
        }
    }

    /// Queues `<bridge>/info`.
    pub(super) fn say_info(&mut self) {
        let about = &self.settings.about;
        let info = json(&Info {
            version: about.version,
            started_at: self.started_at,
            bridge: &self.settings.client_id,
            cloud: about.cloud,
            auth_method: about.auth_method,
            account: about.account.as_deref(),
            users: self.people.len(),
            poll_interval: self.settings.poll_interval,
            achieved_interval: self.schedule.achieved(),
            protocol: self.link.protocol().as_str(),
            discovery_prefix: self.settings.discovery.as_ref().map(|discovery| discovery.prefix.as_str()),
        });
        self.outbox.own(self.topics.of_bridge(BridgeField::Info), info);
    }

    fn say_health(&mut self, words: HealthWords, now: Tick) {
        let health = json(&HealthPayload {
            graph: words.graph,
            since: self.source.since(),
            last_success: self.source.last_success(),
            detail: words.detail.as_deref(),
            notices: &words.notices,
        });
        self.outbox.own(self.topics.of_bridge(BridgeField::Health), health);
        self.said = Said { words: Some(words), last_success: self.source.last_success(), at: now };
    }

    /// What is to be said on `<bridge>/health`.
    pub(super) fn health_words(&self) -> HealthWords {
        let detail = self.invitation.trouble().or(self.source.detail()).map(str::to_owned);
        let graph = self.source.reach().as_str();
        let mut notices = Vec::new();
        if self.schedule.achieved() > self.settings.poll_interval {
            notices.push(format!(
                "everybody is read every {} instead of every {}: more does not fit {} requests in 30s",
                words(self.schedule.achieved()),
                words(self.settings.poll_interval),
                self.settings.request_budget
            ));
        }
        notices.extend(self.settings.certificate_ends.and_then(|ends| certificate::notice(ends, self.wall)));
        let count = |health| self.census.get(&health).copied().unwrap_or_default();
        let (forbidden, not_found, all) =
            (count(Health::Forbidden), count(Health::NotFound), self.people.len());
        if let Some(advice) = self.forbidden_advice.as_ref().filter(|_| (1..all).contains(&forbidden)) {
            notices.push(format!("{forbidden} of {all} people cannot be read: {advice}"));
        }
        if not_found > 0 {
            notices.push(format!("{not_found} of {all} people are not in this tenant; check their ids"));
        }
        notices.extend(self.groups.notices());
        for filter in &self.refused_filters {
            notices.push(format!(
                "the broker refused the subscription to {filter}; allow it in its access list"
            ));
        }
        if let Some((topic, why)) = self.refused_topics.first_key_value() {
            let more = self.refused_topics.len() - 1;
            let others = if more == 0 { String::new() } else { format!(" and for {more} more") };
            notices.push(format!("the broker does not take messages for {topic}{others}: {why}"));
        }
        notices.extend(
            self.reload_trouble.as_ref().map(|why| format!("configuration not reloaded because {why}")),
        );
        notices.extend(self.command_notices());
        if self.link.has_rival() {
            notices.push(RIVAL.to_owned());
        }
        if self.link.protocol() != self.settings.protocol {
            notices.push(format!(
                "the broker does not speak MQTT {}, so {} is used and nothing expires; set mqtt.protocol to it",
                self.settings.protocol.as_str(),
                self.link.protocol().as_str()
            ));
        }
        HealthWords { graph, detail, notices }
    }
}
