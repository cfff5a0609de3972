//! Everything that a run is made of, started and put together.

use std::collections::HashMap;
use std::process::Command;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::bridge::{self, Places};
use super::broker::Broker;
use super::listener::{Heard, Listener};
use super::options::Options;
use super::process::{Cost, Process};
use super::{people, tenant};

/// Anything that does not come within this will not come.
pub(crate) const LIMIT: Duration = Duration::from_secs(300);

/// A tenant, a broker and a bridge.
pub(crate) struct Stage {
    pub(crate) options: Options,
    pub(crate) broker: Broker,
    pub(crate) bridge: Process,
    /// When the bridge was started.
    pub(crate) began: Instant,
    control: String,
    _tenant: Process,
    home: TempDir,
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
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args([
            "--serve",
            "--people",
            &options.people.to_string(),
            "--seed",
            &options.seed.to_string(),
        ]);
        if options.https {
            command.arg("--certificates").arg(home.path());
        }
        let (tenant, said) = Process::told(&mut command);
        let (url, control) = said.split_once(' ').unwrap();
        let broker = Broker::start(home.path());
        let listens = before(broker.port);
        let places = Places { tenant: url, broker: broker.port, home: home.path() };
        let (began, bridge) = (Instant::now(), bridge::start(options, &places));
        let (options, control) = (options.clone(), control.to_owned());
        (Self { options, broker, bridge, began, control, _tenant: tenant, home }, listens)
    }

    /// Everybody was published, and the bridge says that it is there.
    pub(crate) fn published(&self, everybody: &Listener<Everybody>) -> Duration {
        let count = self.options.people;
        let heard = everybody.until("everybody's availability", LIMIT, |heard| {
            heard.first.len() == count && heard.online.is_some()
        });
        heard.newest.unwrap().max(heard.online.unwrap()) - self.began
    }

    /// Somebody who listens to changes, and has heard before what is retained.
    pub(crate) fn listens(&self) -> Listener<Everybody> {
        let listener = everybody(self.broker.port, true);
        let everybody = self.options.people;
        let all = |heard: &Everybody| heard.first.len() == everybody && heard.changes.len() == everybody;
        drop(listener.until("what is retained", LIMIT, all));
        listener
    }

    /// From now on this share changes from one cycle to the next.
    pub(crate) fn change(&self, share: f64) {
        tenant::control(&self.control, &format!("change/{share}"));
    }

    /// Counts from now on.
    pub(crate) fn begin(&self) -> Cost {
        tenant::control(&self.control, "begin");
        self.bridge.forget_peak();
        self.bridge.cost()
    }

    /// What the tenant counted under this name.
    pub(crate) fn counted(&self, name: &str) -> String {
        let counts = tenant::control(&self.control, "counts");
        let value = counts.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default();
        value.trim().to_owned()
    }

    /// The changes told since the last look, oldest first: whose, their how many-th, and when the answer had gone out by the
    /// wall clock.
    pub(crate) fn changes(&self) -> Vec<(usize, u32, u128)> {
        let text = tenant::control(&self.control, "changes");
        let change = |line: &str| {
            let mut fields = line.split(' ');
            let (place, count, told) = (fields.next()?, fields.next()?, fields.next()?);
            Some((place.parse().ok()?, count.parse().ok()?, told.parse().ok()?))
        };
        text.lines().filter_map(change).collect()
    }

    /// From the last byte of the answer that told a change to its availability at the listener, shortest first; and how many
    /// changes never came.
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
