//! What long trouble costs: memory while the broker is away for a day, requests when there are too many
//! people, time of the processor while somebody refuses. `ENDURANCE=full` takes the times that the promises
//! are made for, in a release build; otherwise short ones, which show a busy loop or a leak just as well.

use std::time::{Duration, Instant};

use presence2mqtt::simulate::Settings;
use serde_json::Value;
use tokio::time::sleep;

use crate::harness::{Bridge, Configuration, Listener, Mosquitto, Source, retained, within};

fn full() -> bool {
    std::env::var("ENDURANCE").is_ok_and(|value| value == "full")
}

/// One length for promises, another for every day.
fn lasts(full_length: u64, short: u64) -> Duration {
    Duration::from_secs(if full() { full_length } else { short })
}

/// The processor's time that a minute of waiting may cost.
const WAITING_COSTS: Duration = Duration::from_millis(200);

#[tokio::test]
async fn a_broker_away_for_a_day_costs_no_memory_and_gets_the_newest_values() {
    let people = if full() { 10_000 } else { 1_000 };
    let away = lasts(300, 10);
    let speed = 86_400.0 / away.as_secs_f64();
    let source = Source::lively(Settings { users: people, speed, ..Settings::default() }).await;
    let mut broker = Mosquitto::start().await;
    let bridge = Bridge::start(&Configuration::new(&source, &broker.url()).everybody(&source));
    bridge.says("everything is published").await;
    source.tenant.wait_for_requests(20).await;
    broker.kill().await;
    bridge.says("no connection to the broker").await;
    let (at_first, began) = (bridge.resident(), Instant::now());
    let mut most = at_first;
    while began.elapsed() < away {
        // Nothing to wait for but time: the measurement is of what happens meanwhile.
        sleep(away / 20).await;
        most = most.max(bridge.resident());
    }
    println!(
        "figure: {people} people, a day in {away:?}: {} KiB resident when the broker left, {most} KiB at most, {} reads",
        at_first,
        source.tenant.requests().graph()
    );
    assert!(most <= at_first + at_first / 10 + 2048, "{at_first} KiB grew to {most} KiB");

    source.everybody_is("DoNotDisturb", "Presenting");
    broker.start_again().await;
    let returned = Instant::now();
    Listener::only(broker.port, "presence/bridge/state")
        .await
        .until_newest("presence/bridge/state", "online")
        .await;
    let published = returned.elapsed();
    let expected: Vec<(String, &str)> = source
        .tenant
        .people()
        .iter()
        .flat_map(|person| {
            let name = person.principal_name.split('@').next().unwrap();
            [("availability", "DoNotDisturb"), ("activity", "Presenting"), ("health", "ok")]
                .map(|(field, word)| (format!("presence/{name}/{field}"), word))
        })
        .collect();
    let right = async {
        loop {
            let found = retained(broker.port, "presence/#").await;
            if expected.iter().all(|(topic, word)| found.get(topic).is_some_and(|held| held == word)) {
                return found;
            }
        }
    };
    let found = within(Duration::from_secs(60), "everybody's new values", right).await;
    println!(
        "figure: everything sent again {published:?} after the broker's return, everybody right before {:?}",
        returned.elapsed()
    );
    assert_eq!(found.len(), 4 * people + 3);
}

#[tokio::test]
async fn too_many_people_stretch_the_interval_and_never_exceed_the_limit() {
    let people = 3_000;
    let source = Source::lively(Settings { users: people, speed: 0.0, ..Settings::default() }).await;
    let broker = Mosquitto::start().await;
    let configuration = Configuration::new(&source, &broker.url()).everybody(&source);
    let _bridge = Bridge::start(&configuration.set("graph.endpoint", "users"));
    let lasts = lasts(180, 33);
    sleep(lasts).await;
    let requests = source.tenant.requests();
    let info: Value =
        serde_json::from_str(&retained(broker.port, "presence/bridge/info").await["presence/bridge/info"])
            .unwrap();
    println!(
        "figure: {people} people one by one for {lasts:?}: {} requests, {} refused, achieved interval {}",
        requests.graph(),
        requests.with_status(429),
        info["achieved_interval"]
    );
    assert_eq!(requests.with_status(429), 0);
    let share = requests.graph() as f64 / (lasts.as_secs_f64() * 50.0);
    assert!((0.9..1.0).contains(&share), "{share} of the limit");
    assert_eq!(info["achieved_interval"], "1m 1s");
}

#[tokio::test]
async fn a_broker_that_refuses_costs_next_to_nothing() {
    let (source, broker) = (Source::start().await, Mosquitto::start().await);
    let bridge = Bridge::start(&Configuration::new(&source, &broker.url()));
    bridge.says("everything is published").await;
    broker.kill().await;
    bridge.says("no connection to the broker").await;
    costs_little(&bridge, "the broker refuses").await;
}

#[tokio::test]
async fn a_graph_that_refuses_costs_next_to_nothing() {
    let (source, broker) = (Source::start().await, Mosquitto::start().await);
    let bridge = Bridge::start(&Configuration::new(&source, &broker.url()));
    bridge.says("everything is published").await;
    source.stop().await;
    bridge.says("presence cannot be read").await;
    costs_little(&bridge, "Graph refuses").await;
}

async fn costs_little(bridge: &Bridge, what: &str) {
    let (before, lasts) = (bridge.processor_time(), lasts(60, 6));
    sleep(lasts).await;
    let cost = bridge.processor_time().saturating_sub(before);
    println!("figure: {lasts:?} in which {what}: {cost:?} of the processor");
    assert!(cost < WAITING_COSTS, "{cost:?}");
    assert_eq!(bridge.lines("WARN").len(), 1, "{}", bridge.log());
}
