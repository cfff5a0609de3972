//! What the broker does not take: filters, and messages for some topics.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::core::context::Context;
use crate::core::model::backoff::Backoff;
use crate::core::model::foreign::Legible;
use crate::core::model::report::Report;
use crate::core::model::time::Tick;

/// Topics that the broker refuses are remembered up to this number, so that each is reported once.
const REFUSED_TOPICS: usize = 100;

/// What was refused on this connection, or since the last full sending.
#[derive(Debug)]
pub(super) struct Refusals {
    filters: BTreeSet<String>,
    /// Topics that the broker does not take messages for, and why.
    topics: BTreeMap<String, Legible>,
    reported: bool,
    backoff: Backoff,
}

impl Refusals {
    pub(super) fn none() -> Self {
        Self {
            filters: BTreeSet::new(),
            topics: BTreeMap::new(),
            reported: false,
            backoff: Backoff::new(Duration::from_secs(15), Duration::from_secs(900)),
        }
    }

    /// There is a new connection.
    pub(super) fn connected(&mut self) {
        self.filters.clear();
        self.reported = false;
    }

    pub(super) fn filters(&mut self, refused: Vec<String>, cx: &mut Context) {
        for filter in refused {
            if self.filters.insert(filter.clone()) {
                cx.report(Report::SubscriptionRefused(filter));
            }
        }
    }

    /// A subscription was taken back.
    pub(super) fn forget_filter(&mut self, filter: &str) {
        self.filters.remove(filter);
    }

    /// The broker does not take a message. Returns when everything is to be sent again, if this is the first: what is not on the
    /// broker must get there when it is allowed, and nobody would say when that is.
    pub(super) fn message(&mut self, topic: String, why: Legible, cx: &mut Context) -> Option<Tick> {
        if !std::mem::replace(&mut self.reported, true) {
            cx.report(Report::PublishRefused(why.clone()));
        }
        let is_first = self.topics.is_empty();
        let again = is_first.then(|| cx.now + self.backoff.failed(&mut cx.random));
        if self.topics.len() < REFUSED_TOPICS && !self.topics.contains_key(&topic) {
            cx.report(Report::TopicRefused(topic.clone()));
            self.topics.insert(topic, why);
        }
        again
    }

    /// Everything is sent again: the topics that were refused since the last time.
    pub(super) fn take_topics(&mut self) -> BTreeMap<String, Legible> {
        let refused = std::mem::take(&mut self.topics);
        if refused.is_empty() {
            self.backoff.reset();
        }
        refused
    }

    pub(super) fn notices(&self) -> impl Iterator<Item = String> {
        let filters = self.filters.iter().map(|filter| {
            format!("the broker refused the subscription to {filter}; allow it in its access list")
        });
        let topics = self.topics.first_key_value().map(|(topic, why)| {
            let more = self.topics.len() - 1;
            let others = if more == 0 { String::new() } else { format!(" and for {more} more") };
            format!("the broker does not take messages for {topic}{others}: {why}")
        });
        filters.chain(topics)
    }
}
