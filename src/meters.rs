//! Counters and timers of the edges. The metrics are made from them; no decision depends on them.
//!
//! All clones count into the same meters. They contain no names of people.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;

use crate::core::model::name::TopicLevel;
use crate::core::model::request::ReadFailure;

/// One label of a metric.
type Label = [(&'static str, &'static str); 1];

/// Buckets in seconds. Graph answers in tens of milliseconds, and a request may take two minutes.
const OF_GRAPH: [f64; 12] = [0.02, 0.05, 0.1, 0.2, 0.35, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 120.0];

/// Buckets in seconds. A broker nearby answers within milliseconds.
const OF_BROKER: [f64; 11] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0, 30.0];

/// All values of the label `outcome`.
pub const OUTCOMES: [&str; 8] =
    ["ok", "throttled", "failed", "token_refused", "sign_in_required", "forbidden", "not_found", "refused"];

/// All meters of a process.
#[derive(Debug, Clone, Default)]
pub struct Meters {
    /// Requests to Microsoft, by the account's name.
    graph: Arc<Mutex<BTreeMap<Option<TopicLevel>, GraphMeter>>>,
    /// Messages to the broker.
    pub broker: BrokerMeter,
    /// Visitors of the page.
    pub http: HttpMeter,
}

/// Visitors of the status page.
#[derive(Debug, Clone, Default)]
pub struct HttpMeter {
    /// Wrong passwords.
    pub wrong_passwords: Counter,
    /// Requests refused because their address has to wait after wrong passwords.
    pub slowed: Counter,
    /// Connections closed to make room for newer ones.
    pub crowded_out: Counter,
}

/// Requests to Graph.
#[derive(Debug, Clone)]
pub struct GraphMeter {
    /// Finished requests by outcome, including those that were not sent because there was no token.
    pub requests: Family<Label, Counter>,
    /// From the request to the last byte of the answer, without the wait for a token.
    pub duration: Histogram,
    /// When the newest access token expires, in seconds since 1970; 0 before the first.
    pub token_ends: Gauge,
}

/// Connections and messages to the broker.
#[derive(Debug, Clone)]
pub struct BrokerMeter {
    /// Connections that the broker accepted.
    pub connects: Counter,
    /// Messages sent.
    pub publishes: Counter,
    /// From sending a message to its acknowledgement (QoS 1 only).
    pub acknowledged: Histogram,
}

impl Default for GraphMeter {
    fn default() -> Self {
        let requests = Family::<Label, Counter>::default();
        for outcome in OUTCOMES {
            // An alert on a rate needs the initial zero.
            drop(requests.get_or_create(&[("outcome", outcome)]));
        }
        Self { requests, duration: Histogram::new(OF_GRAPH), token_ends: Gauge::default() }
    }
}

impl Default for BrokerMeter {
    fn default() -> Self {
        Self {
            connects: Counter::default(),
            publishes: Counter::default(),
            acknowledged: Histogram::new(OF_BROKER),
        }
    }
}

impl Meters {
    /// The meters of the account with this name, or of the only one.
    #[must_use]
    pub fn graph(&self, account: Option<&TopicLevel>) -> GraphMeter {
        let mut meters = self.graph.lock().unwrap_or_else(PoisonError::into_inner);
        meters.entry(account.cloned()).or_default().clone()
    }
}

impl GraphMeter {
    /// A request has ended. `took` is its duration, if it was sent.
    pub fn ended<T>(&self, outcome: &Result<T, ReadFailure>, took: Option<Duration>) {
        let outcome = match outcome {
            Ok(_) => "ok",
            Err(ReadFailure::Throttled { .. }) => "throttled",
            Err(ReadFailure::Passing { .. }) => "failed",
            Err(ReadFailure::TokenRefused { .. }) => "token_refused",
            Err(ReadFailure::SignInRequired { .. }) => "sign_in_required",
            Err(ReadFailure::Forbidden { .. }) => "forbidden",
            Err(ReadFailure::NotFound) => "not_found",
            Err(ReadFailure::Refused { .. }) => "refused",
        };
        self.requests.get_or_create(&[("outcome", outcome)]).inc();
        if let Some(took) = took {
            self.duration.observe(took.as_secs_f64());
        }
    }

    /// There is a new access token, which expires at this time.
    pub fn token_ends(&self, at: Timestamp) {
        self.token_ends.set(at.as_second());
    }
}

impl BrokerMeter {
    /// The broker accepted a connection.
    pub fn connected(&self) {
        self.connects.inc();
    }

    /// Counts messages that were sent.
    pub fn published(&self, messages: usize) {
        self.publishes.inc_by(messages as u64);
    }

    /// A message was acknowledged, this long after it was sent.
    pub fn acknowledged(&self, after: Duration) {
        self.acknowledged.observe(after.as_secs_f64());
    }
}
