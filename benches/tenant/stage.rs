//! Everything that a run is made of, started and put together.

use std::collections::HashMap;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::bridge::{self, Place};
use super::broker::Broker;
use super::listener::{Heard, Listener};
use super::options::Options;
use super::process::{Cost, Process};
use super::{people, tenant};

/// Anything that does not come within this will not come.
pub(crate) const LIMIT: Duration = Duration::from_secs(300);

/// Tenants, a broker and a bridge.
pub(crate) struct Stage {
    pub(crate) options: Options,
    pub(crate) broker: Broker,
    pub(crate) bridge: Process,
    /// When the bridge was started.
    pub(crate) began: Instant,
    tenants: Vec<Tenant>,
    home: TempDir,
}

/// A tenant in a process of its own, and the address at which it says what it counted.
struct Tenant {
    control: String,
    _process: Process,
}

/// What was heard of everybody since a listener began.
#[derive(Default)]
pub(crate) struct Everybody {
    /// Where everybody's availability came first.
    first: HashMap<usize, Instant>,
    /// When the last of them did.
    pub(crate) newest: Option<Instant>,
    pub(crate) online: Option<Instant>,
    /// How often each person has changed, by the sequence number of their `state`.
    changes: HashMap<usize, u32>,
    /// When the availability of a change came, by the wall clock.
    pub(crate) arrived: HashMap<(usize, u32), u128>,
    /// Those whose availability came, in order.
    pub(crate) order: Vec<usize>,
    /// Live ones.
    pub(crate) messages: usize,
}

impl Stage {
    /// Starts everything, the bridge last. Somebody who listens from the start may be put between.
    pub(crate) fn set<T>(options: &Options, before: impl FnOnce(u16) -> T) -> (Self, T) {
        let mut home = tempfile::tempdir().unwrap();
        home.disable_cleanup(options.keep);
        let served =
            (0..usize::from(options.tenants)).map(|number| Tenant::start(options, number, home.path()));
        let (tenants, places): (Vec<Tenant>, Vec<Place>) = served.unzip();
        let broker = Broker::start(home.path());
        let listens = before(broker.port);
        let (began, bridge) = (Instant::now(), bridge::start(options, &places, broker.port, home.path()));
        (Self { options: options.clone(), broker, bridge, began, tenants, home }, listens)
    }

    /// Kills the bridge, starts it again, and says how long it took to the first presence. The broker holds
    /// what the one before left.
    pub(crate) fn start_again(&mut self) -> Duration {
        self.bridge.kill();
        let first = Listener::start(
            self.broker.port,
            &["presence/+/availability"],
            None,
            |first: &mut Option<Instant>, heard| {
                if !heard.retained {
                    first.get_or_insert(heard.at);
                }
            },
        );
        // Its will is published by then.
        std::thread::sleep(Duration::from_millis(200));
        self.began = Instant::now();
        self.bridge = bridge::again(&self.options, self.home.path());
        first.until("a presence", LIMIT, Option::is_some).unwrap() - self.began
    }

    /// Everybody was published, and the bridge says that it is there.
    pub(crate) fn published(&self, everybody: &Listener<Everybody>) -> Duration {
        let count = self.options.everybody();
        let heard = everybody.until("everybody's availability", LIMIT, |heard| {
            heard.first.len() == count && heard.online.is_some()
        });
        heard.newest.unwrap().max(heard.online.unwrap()) - self.began
    }

    /// Somebody who listens to changes, and has heard before what is retained.
    pub(crate) fn listens(&self) -> Listener<Everybody> {
        let listener = everybody(self.broker.port, true);
        let everybody = self.options.everybody();
        let all = |heard: &Everybody| heard.first.len() == everybody && heard.changes.len() == everybody;
        drop(listener.until("what is retained", LIMIT, all));
        listener
    }

    /// From now on this share changes from one cycle to the next.
    pub(crate) fn change(&self, share: f64) {
        for tenant in &self.tenants {
            tenant.ask(&format!("change/{share}"));
        }
    }

    /// Counts from now on.
    pub(crate) fn begin(&self) -> Cost {
        for tenant in &self.tenants {
            tenant.ask("begin");
        }
        self.bridge.forget_peak();
        self.bridge.cost()
    }

    /// What each tenant counted.
    pub(crate) fn counted(&self) -> Vec<Counted> {
        self.tenants.iter().map(|tenant| Counted(tenant.ask("counts"))).collect()
    }

    /// The changes told since the last look, oldest first: whose, their how many-th, and when the answer had
    /// gone out by the wall clock.
    pub(crate) fn changes(&self) -> Vec<(usize, u32, u128)> {
        let text: String = self.tenants.iter().map(|tenant| tenant.ask("changes")).collect();
        let change = |line: &str| {
            let mut fields = line.split(' ');
            let (place, count, told) = (fields.next()?, fields.next()?, fields.next()?);
            Some((place.parse().ok()?, count.parse().ok()?, told.parse().ok()?))
        };
        text.lines().filter_map(change).collect()
    }

    /// From the last byte of the answer that told a change to its availability at the listener, shortest
    /// first; and how many changes never came.
    pub(crate) fn latencies(&self, everybody: &Listener<Everybody>) -> (Vec<Duration>, usize) {
        let (changes, heard) = (self.changes(), everybody.kept());
        let mut latencies: Vec<Duration> = changes
            .iter()
            .filter_map(|&(place, count, told)| {
                let arrived = heard.arrived.get(&(place, count))?;
                Some(Duration::from_nanos(arrived.saturating_sub(told) as u64))
            })
            .collect();
        latencies.sort();
        let missed = changes.len() - latencies.len();
        (latencies, missed)
    }
}

impl Tenant {
    /// The n-th of several, whose people come after those of the ones before.
    fn start(options: &Options, number: usize, home: &Path) -> (Self, Place) {
        let certificates = home.join(format!("tenant{number}"));
        std::fs::create_dir(&certificates).unwrap();
        let mut command = Command::new(std::env::current_exe().unwrap());
        let (people, first) = (options.people, number * options.people);
        for (option, value) in [("--people", people), ("--first", first), ("--seed", options.seed as usize)] {
            command.args([option, &value.to_string()]);
        }
        command.args(["--away", &options.away.to_string()]);
        if options.https {
            command.arg("--certificates").arg(&certificates);
        }
        let (process, said) = Process::told(command.arg("--serve"));
        let (url, control) = said.split_once(' ').unwrap();
        let place = Place { number, url: url.to_owned(), certificates };
        (Self { control: control.to_owned(), _process: process }, place)
    }

    fn ask(&self, path: &str) -> String {
        tenant::control(&self.control, path)
    }
}

/// What a tenant counted, in lines of `name value`.
pub(crate) struct Counted(String);

impl Counted {
    /// The value of this name.
    pub(crate) fn text(&self, name: &str) -> &str {
        let value = self.0.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default();
        value.trim()
    }

    /// The same, as a number.
    pub(crate) fn number(&self, name: &str) -> usize {
        self.text(name).parse().unwrap()
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        if self.options.keep {
            println!("kept: {}", self.home.path().display());
        }
    }
}

/// Listens to everybody's availability, and to what changes if `changes`.
pub(crate) fn everybody(port: u16, changes: bool) -> Listener<Everybody> {
    let filters: &[&str] = match changes {
        true => &["presence/bridge/state", "presence/+/availability", "presence/+/state"],
        false => &["presence/bridge/state", "presence/+/availability"],
    };
    Listener::start(port, filters, Everybody::default(), Everybody::hear)
}

impl Everybody {
    fn hear(&mut self, heard: &Heard<'_>) {
        self.messages += usize::from(!heard.retained);
        if heard.topic == "presence/bridge/state" {
            self.online = (heard.payload == b"online").then_some(heard.at);
            return;
        }
        let mut levels = heard.topic.split('/').skip(1);
        let (Some(name), Some(field)) = (levels.next(), levels.next()) else { return };
        let Some(place) = people::place_of(name) else { return };
        if field == "state" {
            self.changes.extend(sequence(heard.payload).map(|number| (place, number)));
            return;
        }
        if let std::collections::hash_map::Entry::Vacant(entry) = self.first.entry(place) {
            entry.insert(heard.at);
            self.newest = Some(heard.at);
            self.order.push(place);
        }
        if !heard.retained
            && let Some(&number) = self.changes.get(&place)
        {
            self.arrived.insert((place, number), heard.wall);
        }
    }

    /// How many people's availability came.
    pub(crate) fn people(&self) -> usize {
        self.first.len()
    }
}

/// `"sequence_number":"A0000000007"`
fn sequence(state: &[u8]) -> Option<u32> {
    let text = std::str::from_utf8(state).ok()?;
    let (_, behind) = text.split_once("\"sequence_number\":\"A")?;
    behind.get(..10)?.parse().ok()
}
