//! The metrics, in the text format that Prometheus reads (OpenMetrics 1.0).

use std::sync::atomic::AtomicU64;

use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;

use crate::core::model::health::GraphState;
use crate::core::model::snapshot::{BrokerState, Snapshot};
use crate::meters::Meters;

/// Of every name.
const PREFIX: &str = "presence2mqtt";

pub(super) const TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Everything that can be measured now. The registry is made for one answer: what is known changes with each.
pub(super) fn text(snapshot: &Snapshot, meters: &Meters) -> String {
    let mut all = Registry::default();
    let Snapshot { about, graph, broker, .. } = snapshot;
    let about = [("version", about.version), ("cloud", about.cloud), ("auth_method", about.auth_method)];
    all.register(PREFIX, "What runs here", Info::new(about));
    let registry = all.sub_registry_with_prefix(PREFIX);
    of_graph(registry, snapshot, meters);
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
        "Visits refused, since wrong passwords came from their address",
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
    gauge(registry, "notices", "Sentences about what needs a look", whole(snapshot.notices.len()));
    seconds(registry, "poll_interval_seconds", "As configured", graph.poll_interval.as_secs_f64());
    seconds(
        registry,
        "achieved_interval_seconds",
        "As the request budget allows",
        graph.achieved_interval.as_secs_f64(),
    );
    let mut text = String::new();
    // Writing to a string cannot fail; half an answer would have no end mark, which a scraper sees.
    let _written = encode(&mut text, &all);
    text
}

fn of_graph(registry: &mut Registry, snapshot: &Snapshot, meters: &Meters) {
    let (graph, meter) = (&snapshot.graph, &meters.graph);
    registry.register("graph_requests", "Requests to Graph by how they ended", meter.requests.clone());
    registry.register(
        "graph_request_duration_seconds",
        "From a request to the last byte of its answer",
        meter.duration.clone(),
    );
    let states = GraphState::WORDS.map(|state| (state, i64::from(state == graph.state)));
    labelled(registry, "graph_state", "1 for the state that Graph is in", "state", states);
    if let Some(last) = graph.last_success {
        let help = "When Graph last told somebody's presence";
        gauge(registry, "graph_last_success_timestamp_seconds", help, last.as_second());
    }
    gauge(registry, "request_budget", "Requests in 30 seconds, at most", graph.budget.into());
    gauge(registry, "request_budget_used", "Requests in the last 30 seconds", whole(graph.budget_used));
    if meter.token_ends.get() > 0 {
        let help = "When the newest access token ends; it is renewed before";
        registry.register("token_expiry_timestamp_seconds", help, meter.token_ends.clone());
    }
    if let Some(ends) = snapshot.certificate_ends {
        let help = "When the app's certificate ends; somebody has to renew it before";
        gauge(registry, "certificate_expiry_timestamp_seconds", help, ends.as_second());
    }
}

fn gauge(registry: &mut Registry, name: &str, help: &str, value: i64) {
    let gauge: Gauge = Gauge::default();
    gauge.set(value);
    registry.register(name, help, gauge);
}

fn seconds(registry: &mut Registry, name: &str, help: &str, value: f64) {
    let gauge = Gauge::<f64, AtomicU64>::default();
    gauge.set(value);
    registry.register(name, help, gauge);
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
