//! What the broker does not take: filters, and messages for some topics; and what this bridge does not take
//! from it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::core::context::Context;
use crate::core::model::backoff::Backoff;
use crate::core::model::effect::Subscription;
use crate::core::model::event::RefusedFilter;
use crate::core::model::foreign::Legible;
use crate::core::model::mqtt::Qos;
use crate::core::model::report::Report;
use crate::core::model::time::Tick;

/// Topics that the broker refuses are remembered up to this number, so that each is reported once.
const REFUSED_TOPICS: usize = 100;

/// What was refused on this connection, or since the last full sending.
#[derive(Debug)]
pub(super) struct Refusals {
    /// Filters, how they are asked for, and why they are refused.
    filters: BTreeMap<String, (Qos, Option<String>)>,
    reported_filters: BTreeSet<String>,
    /// When they are asked for again.
    ask_at: Option<Tick>,
    asking: Backoff,
    /// Topics that the broker rejects messages for, and why.
    topics: BTreeMap<String, Legible>,
    /// Messages that were not read, by topic, with their size.
    skipped: BTreeMap<String, usize>,
    reported: bool,
    backoff: Backoff,
}

impl Refusals {
    pub(super) fn none() -> Self {
        Self {
            filters: BTreeMap::new(),
            reported_filters: BTreeSet::new(),
            ask_at: None,
            asking: Backoff::new(Duration::from_secs(30), Duration::from_secs(1800)),
            topics: BTreeMap::new(),
            skipped: BTreeMap::new(),
            reported: false,
            backoff: Backoff::new(Duration::from_secs(15), Duration::from_secs(900)),
        }
    }

    /// There is a new connection.
    pub(super) fn connected(&mut self) {
        self.filters.clear();
        self.reported_filters.clear();
        self.ask_at = None;
        self.asking.reset();
        self.reported = false;
    }

    /// The broker has answered to these. What it refuses is asked for again after growing pauses: nobody
    /// would say when it is allowed.
    pub(super) fn answered(
        &mut self,
        asked: Vec<Subscription>,
        refused: Vec<RefusedFilter>,
        cx: &mut Context,
    ) {
        for Subscription { filter, .. } in &asked {
            self.filters.remove(filter);
        }
        if !refused.is_empty() && self.ask_at.is_none() {
            self.ask_at = Some(cx.now + self.asking.failed(&mut cx.random));
        }
        for RefusedFilter { filter, why } in refused {
            let qos =
                asked.iter().find(|asked| asked.filter == filter).map_or(Qos::AtLeastOnce, |asked| asked.qos);
            self.filters.insert(filter.clone(), (qos, why));
            if self.reported_filters.insert(filter.clone()) {
                cx.report(Report::SubscriptionRefused(filter));
            }
        }
    }

    /// A message that others published is too large or cannot be read. It stays named: it is met only at the
    /// first connect.
    pub(super) fn skipped(&mut self, topic: String, bytes: usize, cx: &mut Context) {
        let is_room = self.skipped.len() < REFUSED_TOPICS;
        if is_room && self.skipped.insert(topic.clone(), bytes).is_none() {
            cx.report(Report::MessageSkipped { topic, bytes });
        }
    }

    /// What is to be asked for again now.
    pub(super) fn due_again(&mut self, cx: &Context) -> Vec<Subscription> {
        if self.ask_at.take_if(|at| *at <= cx.now).is_none() {
            return Vec::new();
        }
        let again =
            |(filter, (qos, _)): (&String, &(Qos, _))| Subscription { filter: filter.clone(), qos: *qos };
        self.filters.iter().map(again).collect()
    }

    /// When that is.
    pub(super) fn ask_at(&self) -> Option<Tick> {
        self.ask_at
    }

    /// A subscription was taken back.
    pub(super) fn forget_filter(&mut self, filter: &str) {
        self.filters.remove(filter);
    }

    /// The broker does not take a message. Returns when everything is to be sent again, if this is the first:
    /// what is not on the broker must get there when it is allowed, and nobody would say when that is.
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
        let filters = self.filters.iter().map(|(filter, (_, why))| {
            let why = why.as_ref().map(|why| format!(" ({why})")).unwrap_or_default();
            format!("the broker refused the subscription to {filter}{why}; allow it in its access list")
        });
        let skipped = self.skipped.first_key_value().map(|(topic, bytes)| {
            let more = self.skipped.len() - 1;
            let others = if more == 0 { String::new() } else { format!(" and {more} more") };
            format!("ignored a message of {bytes} bytes at {topic}{others}: too large or not readable; remove it there")
        });
        let topics = self.topics.first_key_value().map(|(topic, why)| {
            let more = self.topics.len() - 1;
            let others = if more == 0 { String::new() } else { format!(" and for {more} more") };
            format!("the broker rejects messages for {topic}{others}: {why}")
        });
        filters.chain(topics).chain(skipped)
    }
}
