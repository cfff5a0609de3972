//! The metrics, in the text format that Prometheus reads (OpenMetrics 1.0).

use std::sync::atomic::AtomicU64;
use std::time::Duration;

use jiff::Timestamp;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;

use super::of_accounts::{self, Labels, OfAccounts};
use crate::core::model::health::GraphState;
use crate::core::model::snapshot::{AccountSnapshot, BrokerState, GraphSnapshot, Snapshot};
use crate::meters::{Meters, OUTCOMES};

/// Of every name.
const PREFIX: &str = "presence2mqtt";

pub(super) const TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Everything that can be measured now. The registry is made for one answer: what is known changes with each.
pub(super) fn text(snapshot: &Snapshot, meters: &Meters) -> String {
    let mut all = Registry::default();
    let Snapshot { version, accounts, broker, .. } = snapshot;
    let mut about = vec![("version", *version)];
    if let [AccountSnapshot { name: None, cloud, auth_method, .. }] = &accounts[..] {
        about.extend([("cloud", *cloud), ("auth_method", *auth_method)]);
    }
    all.register(PREFIX, "What runs here", Info::new(about));
    let registry = all.sub_registry_with_prefix(PREFIX);
    of_graph(registry, accounts, meters);
    let is_active = broker.standby.as_ref().is_none_or(|standby| standby.is_active);
    let active = "1 while this instance does the work, without standby always; 0 while it waits or has lost the broker";
    gauge(registry, "active", active, i64::from(is_active));
    let connected = i64::from(broker.state == BrokerState::Connected);
    gauge(registry, "broker_connected", "1 while there is a connection to publish on", connected);
    let of_broker = &meters.broker;
    count(registry, "broker_connects", "Connections that the broker accepted", &of_broker.connects);
    count(registry, "publishes", "Messages sent to the broker", &of_broker.publishes);
    registry.register(
        "publish_ack_duration_seconds",
        "From handing a message over to its acknowledgement by the broker",
        of_broker.acknowledged.clone(),
    );
    let of_http = &meters.http;
    count(registry, "http_wrong_passwords", "Wrong passwords for the pages", &of_http.wrong_passwords);
    count(
        registry,
        "http_slowed",
        "Visits refused because wrong passwords came from their address",
        &of_http.slowed,
    );
    count(
        registry,
        "http_crowded_out",
        "Connections closed to make room for newer ones",
        &of_http.crowded_out,
    );
    gauge(registry, "publish_queue", "Messages that wait to be sent", whole(broker.queue));
    gauge(
        registry,
        "publish_in_flight",
        "Messages that wait for an acknowledgement",
        whole(broker.in_flight),
    );
    labelled(
        registry,
        "users",
        "People by health",
        "health",
        snapshot.census.map(|(word, n)| (word, whole(n))),
    );
    gauge(registry, "notices", "Warnings", whole(snapshot.notices.len()));
    let intervals = [
        ("poll_interval_seconds", "As configured", (|graph| graph.poll_interval) as Interval),
        ("achieved_interval_seconds", "As the request budget allows", |graph| graph.achieved_interval),
    ];
    for (name, help, interval) in intervals {
        let of_one = |account: &AccountSnapshot| seconds(interval(&account.graph));
        registry.register(
            name,
            help,
            OfAccounts(accounts.iter().map(|of| (labels(of), of_one(of))).collect()),
        );
    }
    let mut text = String::new();
    // Writing to a string cannot fail; half an answer would have no end mark, which a scraper sees.
    let _written = encode(&mut text, &all);
    text
}

fn of_graph(registry: &mut Registry, accounts: &[AccountSnapshot], meters: &Meters) {
    let meters: Vec<_> = accounts.iter().map(|of| (labels(of), meters.graph(of.name.as_ref()))).collect();
    let requests = meters.iter().flat_map(|(labels, meter)| {
        OUTCOMES.map(|outcome| {
            let counter = meter.requests.get_or_create(&[("outcome", outcome)]).clone();
            (with(labels, "outcome", outcome), counter)
        })
    });
    registry.register(
        "graph_requests",
        "Requests to Graph by how they ended",
        OfAccounts(requests.collect()),
    );
    let durations = meters.iter().map(|(labels, meter)| (labels.clone(), meter.duration.clone()));
    registry.register(
        "graph_request_duration_seconds",
        "From a request to the last byte of its answer",
        OfAccounts(durations.collect()),
    );
    let states = accounts.iter().flat_map(|of| {
        GraphState::ALL.map(|state| {
            (with(&labels(of), "state", state.as_str()), whole_gauge(i64::from(state == of.graph.state)))
        })
    });
    registry.register("graph_state", "1 for the state that Graph is in", OfAccounts(states.collect()));
    let mut each = |name: &str, help: &str, value: &dyn Fn(&AccountSnapshot) -> Option<i64>| {
        let values: Vec<_> =
            accounts.iter().filter_map(|of| Some((labels(of), whole_gauge(value(of)?)))).collect();
        if !values.is_empty() {
            registry.register(name, help, OfAccounts(values));
        }
    };
    each("graph_last_success_timestamp_seconds", "When Graph last returned presence", &|of| {
        of.graph.last_success.map(Timestamp::as_second)
    });
    each("request_budget", "Requests in 30 seconds, at most", &|of| Some(of.graph.budget.into()));
    each("request_budget_used", "Requests in the last 30 seconds", &|of| Some(whole(of.graph.budget_used)));
    each(
        "certificate_expiry_timestamp_seconds",
        "When the app's certificate expires; renew it before",
        &|of| of.certificate_ends.map(Timestamp::as_second),
    );
    let tokens = meters.into_iter().filter(|(_, meter)| meter.token_ends.get() > 0);
    let tokens: Vec<_> = tokens.map(|(labels, meter)| (labels, meter.token_ends)).collect();
    if !tokens.is_empty() {
        let help = "When the newest access token ends; it is renewed before";
        registry.register("token_expiry_timestamp_seconds", help, OfAccounts(tokens));
    }
}

/// One of the times that an account has.
type Interval = fn(&GraphSnapshot) -> Duration;

fn labels(account: &AccountSnapshot) -> Labels {
    of_accounts::labels(account.name.as_ref())
}

fn with(labels: &Labels, label: &'static str, value: &str) -> Labels {
    labels.iter().cloned().chain([(label, value.to_owned())]).collect()
}

fn whole_gauge(value: i64) -> Gauge {
    let gauge = Gauge::default();
    gauge.set(value);
    gauge
}

fn gauge(registry: &mut Registry, name: &str, help: &str, value: i64) {
    registry.register(name, help, whole_gauge(value));
}

fn seconds(duration: Duration) -> Gauge<f64, AtomicU64> {
    let gauge = Gauge::default();
    gauge.set(duration.as_secs_f64());
    gauge
}

fn count(registry: &mut Registry, name: &str, help: &str, counter: &Counter) {
    registry.register(name, help, counter.clone());
}

fn labelled<const N: usize>(
    registry: &mut Registry,
    name: &str,
    help: &str,
    label: &'static str,
    values: [(&'static str, i64); N],
) {
    let family = Family::<[(&'static str, &'static str); 1], Gauge>::default();
    for (word, value) in values {
        family.get_or_create(&[(label, word)]).set(value);
    }
    registry.register(name, help, family);
}

fn whole(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
