//! Three NATS servers of which one fails: the one that the bridge is connected to. What the others say is
//! what counts.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use tokio::time::timeout;

use crate::broker::Place;
use crate::choice::programs;
use crate::harness::process::Process;
use crate::harness::{Bridge, Heard, Listener};
use crate::kinds::nats;
use crate::office::{self, Office, STATE};
use crate::{manners, standby};

/// In `BROKERS`.
pub(crate) const NAME: &str = "nats-cluster";

const SERVERS: usize = 3;

/// About as many as the bridge has to publish.
const MESSAGES: usize = 5 * office::PEOPLE;

/// Until the others are right again.
const RIGHT_WITHIN: Duration = Duration::from_secs(90);

/// For a will that may come or not.
const WILL_WITHIN: Duration = Duration::from_secs(5);

/// For a server that is back.
const WHOLE_WITHIN: Duration = Duration::from_secs(20);

struct Cluster {
    servers: Vec<(Place, Process)>,
    routes: String,
}

impl Cluster {
    async fn start(program: &Path) -> Self {
        let places: Vec<Place> = (0..SERVERS).map(|_| Place::new(program, &[("mqtt", "")])).collect();
        let route = |place: &Place| format!("\"nats-route://127.0.0.1:{}\"", place.spare_ports[1]);
        let routes = places.iter().map(route).collect::<Vec<_>>().join(", ");
        let started = |(i, place): (usize, Place)| {
            let process = start(&place, i, &routes);
            (place, process)
        };
        let cluster = Self { servers: places.into_iter().enumerate().map(started).collect(), routes };
        for server in 0..SERVERS {
            // Nobody is let in before they have found each other.
            Listener::only(cluster.port(server), "is-there-anybody").await;
        }
        cluster
    }

    fn port(&self, server: usize) -> u16 {
        self.servers[server].0.port("mqtt")
    }

    fn urls(&self) -> Vec<String> {
        (0..SERVERS).map(|server| format!("mqtt://127.0.0.1:{}", self.port(server))).collect()
    }

    fn signal(&self, server: usize, signal: &str) {
        self.servers[server].1.signal(signal);
    }

    async fn start_again(&mut self, server: usize) {
        let (place, process) = &mut self.servers[server];
        process.end().await;
        *process = start(place, server, &self.routes);
    }
}

fn start(place: &Place, server: usize, routes: &str) -> Process {
    let listen = place.spare_ports[1];
    let cluster = format!("cluster {{ name: office, listen: \"127.0.0.1:{listen}\", routes: [{routes}] }}\n");
    let configuration = nats::configuration(place, &format!("server-{server}")) + &cluster;
    Process::start(&mut nats::command(place, &configuration)).unwrap()
}

async fn soon_enough<T>(what: impl Future<Output = T>) -> T {
    timeout(RIGHT_WITHIN, what).await.unwrap()
}

/// The program, once, if it is asked for.
fn asked() -> Vec<PathBuf> {
    programs(NAME, nats::NATS.program, nats::NATS.install)
}

#[tokio::test]
async fn the_bridge_leaves_a_server_that_is_killed() {
    for program in asked() {
        let mut cluster = Cluster::start(&program).await;
        let (office, bridge) = cluster.fails("KILL", "30s").await;
        cluster.start_again(0).await;
        cluster.is_whole(&office, bridge).await;
    }
}

/// Nothing of what it says gets through, and the connection stays.
#[tokio::test]
async fn the_bridge_leaves_a_server_that_is_frozen() {
    for program in asked() {
        for keep_alive in ["5s", "30s"] {
            let cluster = Cluster::start(&program).await;
            let (office, bridge) = cluster.fails("STOP", keep_alive).await;
            cluster.signal(0, "CONT");
            cluster.is_whole(&office, bridge).await;
        }
    }
}

/// Nobody is left who could say it: the bridge is gone, and the server that had its will is, too.
#[tokio::test]
async fn what_the_others_say_if_server_and_bridge_die_together() {
    for program in asked() {
        let cluster = Cluster::start(&program).await;
        let office = Office::new().await;
        let (bridge, observer) = cluster.joined(&office, "30s").await;
        let mark = observer.mark();
        cluster.signal(0, "KILL");
        bridge.stop("KILL").await;
        let offline = timeout(WILL_WITHIN, observer.next(mark, STATE, "offline")).await.is_ok();
        println!("figure: server and bridge die together: the others hear `offline`: {offline}");
    }
}

/// The server of the active one dies, with its bridge or without; the one that waits is connected to another
/// server.
#[tokio::test]
async fn one_that_waits_at_another_server_takes_over() {
    for program in asked() {
        for with_bridge in [true, false] {
            let cluster = Cluster::start(&program).await;
            let office = Office::new().await;
            let urls = cluster.urls();
            let configuration = office.configuration("").set("mqtt.standby", true);
            let attic = configuration.clone().set("mqtt.url", urls.clone());
            let cellar = configuration.set("mqtt.url", vec![urls[1].clone(), urls[2].clone()]);
            let (active, waiting) = standby::both(&attic, &cellar, cluster.port(1)).await;
            let (observer, began) = (Listener::start(cluster.port(1)).await, Instant::now());
            cluster.signal(0, "KILL");
            if with_bridge {
                active.signal("KILL");
            } else {
                // It may be the first that comes back, by another server.
                active.signal("STOP");
            }
            // What the cluster itself allows, at the same time: two servers may first have to agree who
            // leads.
            let (took, (first, all)) = tokio::join!(
                standby::follows(&observer, "cellar", began, RIGHT_WITHIN),
                soon_enough(manners::stores(cluster.port(2), MESSAGES))
            );
            println!(
                "figure: server and active bridge die (bridge frozen: {}): right after {took:?}; a bare client has its first message \
                 stored after {first:?}, {MESSAGES} after {all:?}",
                !with_bridge
            );
            println!("{}", waiting.lines("INFO").join("\n"));
            assert_eq!(waiting.stop("TERM").await.code, Some(0));
        }
    }
}

impl Cluster {
    /// The bridge, connected to the first server, and somebody who listens at the second.
    async fn joined(&self, office: &Office, keep_alive: &str) -> (Bridge, Listener) {
        // The first of several addresses is the first that is tried.
        let configuration = office.configuration("").set("mqtt.url", self.urls());
        let bridge = Bridge::start(&configuration.set("mqtt.keep_alive", keep_alive));
        let observer = office.right_within(RIGHT_WITHIN, self.port(1)).await;
        bridge.says("the bridge is online").await;
        (bridge, observer)
    }

    /// The first server fails, and somebody's presence changes.
    async fn fails(&self, signal: &str, keep_alive: &str) -> (Office, Bridge) {
        let office = Office::new().await;
        let (bridge, observer) = self.joined(&office, keep_alive).await;
        let mark = observer.mark();
        self.signal(0, signal);
        let failed = Instant::now();
        office.source.set("alice", "DoNotDisturb", "Presenting");
        let changed =
            |heard: &Heard| heard.topic == "presence/alice/availability" && heard.payload == "DoNotDisturb";
        observer.until_within(RIGHT_WITHIN, "a change", |heard| heard[mark..].iter().any(changed)).await;
        let changed = failed.elapsed();
        for server in [1, 2] {
            office.right_within(RIGHT_WITHIN, self.port(server)).await;
        }
        let offline =
            observer.since(mark).iter().any(|heard| heard.topic == STATE && heard.payload == "offline");
        println!(
            "figure: SIG{signal} to the bridge's server, keep_alive {keep_alive}: another has what changes after {changed:?}, \
             both have everything after {:?}; they heard `offline`: {offline}",
            failed.elapsed()
        );
        println!("{}", bridge.lines("WARN").join("\n"));
        (office, bridge)
    }

    /// The first server is back, with what it remembers. What NATS loses by that is its own matter.
    async fn is_whole(&self, office: &Office, bridge: Bridge) {
        for (word, what) in [("DoNotDisturb", "what has changed meanwhile"), ("Away", "what changes now")] {
            office.source.set("alice", word, word);
            let back = Instant::now();
            for server in 0..SERVERS {
                let found = office.found_within(WHOLE_WITHIN, self.port(server)).await;
                let wrong = found.err().map(|wrong| format!(", but for {} topics: {wrong:?}", wrong.len()));
                println!(
                    "figure: it is back: server {server} has {what} after {:?}{}",
                    back.elapsed(),
                    wrong.unwrap_or_default()
                );
            }
        }
        println!("{}", bridge.lines("WARN").join("\n"));
        assert_eq!(bridge.stop("TERM").await.code, Some(0));
    }
}
