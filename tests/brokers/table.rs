//! The same steps on every broker, and the table of what was seen.

use std::fmt::Write;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tokio::time::timeout;

use crate::broker::{Broker, Kind};
use crate::choice::{assert_known, programs};
use crate::harness::{Bridge, Finished, Listener, finished, within};
use crate::manners::{self, MAYBE};
use crate::office::{HEALTH, Office, PEOPLE, STATE, value};
use crate::{cluster, kinds, standby};

/// Between the broker's return and the last topic; 5 s are promised, on a machine that does not start a
/// broker meanwhile.
const BACK_WITHIN: Duration = Duration::from_secs(10);

/// After a start.
const RIGHT_WITHIN: Duration = Duration::from_secs(10);

/// Mosquitto 2.0.11 takes 40 ms for each message that comes by WebSocket.
const SLOWLY_RIGHT_WITHIN: Duration = Duration::from_secs(60);

/// Between the end of the bridge and the broker's word for it.
const OFFLINE_WITHIN: Duration = Duration::from_secs(5);

/// What was seen of one broker, row by row. A broker that fails leaves what it had until then.
#[derive(Clone, Default)]
pub(crate) struct Column(Arc<Mutex<Vec<(&'static str, String)>>>);

impl Column {
    pub(crate) fn add(&self, row: &'static str, seen: impl Into<String>) {
        let seen = seen.into();
        println!("figure: {row}: {seen}");
        self.0.lock().unwrap().push((row, seen));
    }

    fn rows(&self) -> Vec<(&'static str, String)> {
        self.0.lock().unwrap().clone()
    }
}

#[tokio::test]
async fn every_broker_carries_the_bridge() {
    assert_known(&kinds::ALL.map(|kind| kind.name).into_iter().chain([cluster::NAME]).collect::<Vec<_>>());
    let (mut columns, mut failed) = (Vec::new(), Vec::new());
    for kind in kinds::ALL {
        for program in programs(kind.name, kind.program, kind.install) {
            let column = Column::default();
            // In a task of its own, one that fails does not hide the others.
            if tokio::spawn(judge(kind, program, column.clone())).await.is_err() {
                failed.push(
                    column.rows().first().map_or_else(|| kind.name.to_owned(), |(_, title)| title.clone()),
                );
            }
            columns.push(column.rows());
        }
    }
    println!("\n{}", table(&columns));
    assert!(failed.is_empty(), "failed, see above: {failed:?}");
}

/// A line for each row, with the brokers side by side.
fn table(columns: &[Vec<(&'static str, String)>]) -> String {
    let mut rows: Vec<&str> = Vec::new();
    for (row, _) in columns.iter().flatten() {
        if !rows.contains(row) {
            rows.push(row);
        }
    }
    let mut text = String::new();
    for (i, row) in rows.iter().enumerate() {
        let seen = |column: &Vec<(&str, String)>| {
            column.iter().find(|(name, _)| name == row).map(|(_, seen)| seen.clone()).unwrap_or_default()
        };
        writeln!(text, "| {row} | {} |", columns.iter().map(seen).collect::<Vec<_>>().join(" | ")).unwrap();
        if i == 0 {
            writeln!(text, "|---|{}", "---|".repeat(columns.len())).unwrap();
        }
    }
    text
}

async fn judge(kind: &'static Kind, program: PathBuf, column: Column) {
    let mut broker = Broker::start(kind, &program).await;
    column.add("", broker.title());
    let mut office = Office::new().await;
    presence(&broker, &office, &column).await;
    restart(&mut broker, &mut office, &column).await;
    protocol_5(&broker, &office, &column).await;
    doors(&broker, &office, &column).await;
    standby::takes_turns(&mut broker, &office, &column).await;
    clean(&broker, &office, &column).await;
}

/// From the first start to a sudden end.
async fn presence(broker: &Broker, office: &Office, column: &Column) {
    let (port, began) = (broker.port(), Instant::now());
    let bridge = Bridge::start(&office.configuration(&broker.url()));
    office.right_within(RIGHT_WITHIN, port).await;
    column.add("3.1.1: 50 people are right after", time(began.elapsed()));
    let reader = office.right_within(RIGHT_WITHIN, port).await;
    let live = reader.heard().into_iter().filter(|heard| !heard.retained && heard.topic != HEALTH);
    let live: Vec<String> = live.map(|heard| heard.topic).collect();
    assert_eq!(live, [] as [&str; 0], "whoever comes later finds everything");
    let wildcard = manners::wildcard(port, "presence/#", 4 * PEOPLE + 3).await;
    column.add("wildcard subscriptions receive retained messages", wildcard.as_str());
    column.add("8 filters in one SUBSCRIBE", manners::eight_filters(port).await);
    println!("notices: {}", value(port, HEALTH).await["notices"]);
    let warnings = bridge.lines("WARN");
    // That it brings nothing may be worth a warning.
    assert!(warnings.is_empty() || wildcard != "yes", "{warnings:?}");

    let (closed, will) = manners::takeover(port).await;
    column.add("a second client of the same id: the first is closed", closed);
    column.add("its will is published", will);
    let (mark, began) = (reader.mark(), Instant::now());
    manners::comes_once(port, "presence2mqtt").await;
    let back = reader.next(mark, STATE, "online").await;
    column.add("this happens to the bridge: online again after", time(back.saturating_duration_since(began)));
    office.right_within(RIGHT_WITHIN, port).await;

    let (mark, killed) = (reader.mark(), Instant::now());
    bridge.stop("KILL").await;
    let offline = within(OFFLINE_WITHIN, "the will", reader.next(mark, STATE, "offline")).await;
    column.add("killed: offline after", time(offline.saturating_duration_since(killed)));
}

/// From the second start, with one person less, to a proper end; in between the broker loses everything.
async fn restart(broker: &mut Broker, office: &mut Office, column: &Column) {
    let port = broker.port();
    let (reader, since) = (Listener::each(port, office.topics()).await, office.since(port).await);
    let (mark, leaver) = (reader.mark(), office.somebody_leaves());
    let bridge = Bridge::start(&office.configuration(&broker.url()));
    reader.next(mark, STATE, "online").await;
    let topic = format!("presence/{leaver}/state");
    let emptied = timeout(RIGHT_WITHIN, reader.next(mark, &topic, "")).await.is_ok();
    column.add("a restart: who is no longer configured disappears", yes(emptied));
    office.right_within(RIGHT_WITHIN, port).await;
    let survives = office.since(port).await == since;
    column.add("`since` survives", yes(survives));
    assert!(survives && (emptied || broker.lacks_wildcards()));

    broker.lose_everything().await;
    broker.start_again().await;
    let returned = Instant::now();
    let reader = office.right_within(BACK_WITHIN, port).await;
    column.add("an empty store: everything is back after", time(returned.elapsed()));
    let (mark, asked) = (reader.mark(), Instant::now());
    assert_stopped(&bridge.stop("TERM").await);
    let offline = reader.next(mark, STATE, "offline").await;
    column.add("stopped: offline after", time(offline.saturating_duration_since(asked)));
}

async fn protocol_5(broker: &Broker, office: &Office, column: &Column) {
    let configuration = office.configuration(&broker.url()).set("mqtt.protocol", "5");
    let bridge = Bridge::start(&configuration);
    office.right_within(RIGHT_WITHIN, broker.port()).await;
    let protocol = value(broker.port(), "presence/bridge/info").await["protocol"].take();
    column.add("MQTT 5", if protocol == "5" { "yes" } else { "falls back" });
    let check = finished(&configuration, &["check", "--online"]).await;
    column.add("`check --online`", said_by(&check));
    assert_stopped(&bridge.stop("TERM").await);
}

async fn doors(broker: &Broker, office: &Office, column: &Column) {
    let mut opened = Vec::new();
    for (scheme, url) in broker.other_doors() {
        let mut configuration = office.configuration(&url);
        if ["mqtts", "wss"].contains(&scheme) {
            configuration = configuration.set("mqtt.ca_file", broker.ca_file());
        }
        let (bridge, began) = (Bridge::start(&configuration), Instant::now());
        office.right_within(SLOWLY_RIGHT_WITHIN, broker.port()).await;
        opened.push(format!("`{scheme}` {}", time(began.elapsed())));
        assert_stopped(&bridge.stop("TERM").await);
    }
    column.add("TLS, WebSocket: people are right after", opened.join(", "));
}

async fn clean(broker: &Broker, office: &Office, column: &Column) {
    let began = Instant::now();
    let cleaned = finished(&office.configuration(&broker.url()), &["clean"]).await;
    let took = time(began.elapsed());
    println!("{}{}", cleaned.output.stdout.lines().last().unwrap_or_default(), cleaned.output.stderr);
    let reader = Listener::each(broker.port(), office.topics()).await;
    // Nothing comes, and to see that takes its time.
    let _nothing = timeout(MAYBE, reader.until("more than nothing", |_| false)).await;
    let left = reader.heard().iter().filter(|heard| heard.retained).count();
    let left = if left == 0 { "nothing left".to_owned() } else { format!("**{left} topics left**") };
    column.add("`clean`", format!("{took}, exit code {}, {left}", cleaned.code.unwrap()));
    assert_eq!(cleaned.code, Some(0));
    assert!(left == "nothing left" || broker.lacks_wildcards());
}

fn assert_stopped(finished: &Finished) {
    assert_eq!(finished.code, Some(0), "{}", finished.output.stderr);
}

/// Whether a command succeeds, and what it says if it does not.
fn said_by(finished: &Finished) -> String {
    if finished.code == Some(0) {
        return "ok".to_owned();
    }
    println!("{}{}", finished.output.stdout, finished.output.stderr);
    format!("**exit code {}**", finished.code.unwrap())
}

fn yes(yes: bool) -> String {
    if yes { "yes" } else { "**no**" }.to_owned()
}

pub(crate) fn time(duration: Duration) -> String {
    if duration < Duration::from_millis(500) {
        format!("{} ms", duration.as_millis())
    } else {
        format!("{:.1} s", duration.as_secs_f64())
    }
}
