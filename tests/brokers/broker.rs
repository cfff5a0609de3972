//! One broker, running or down. Its ports stay the same.

use std::fs;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio::time::sleep;

use crate::harness::ports::{ATTEMPTS, free_port};
use crate::harness::process::Process;
use crate::harness::{Certificates, Listener, within};

/// Erlang takes its time on a busy machine.
const START_LIMIT: Duration = Duration::from_secs(90);

/// Between two looks at a broker that is starting.
const PAUSE: Duration = Duration::from_millis(20);

/// A way in: the scheme of its URL, and the path behind it.
pub(crate) type Door = (&'static str, &'static str);

/// How brokers of a kind are started.
pub(crate) struct Kind {
    pub(crate) name: &'static str,
    pub(crate) program: &'static str,
    pub(crate) install: &'static str,
    /// The first is plain MQTT.
    pub(crate) doors: &'static [Door],
    /// What it says before its version when it starts.
    pub(crate) version_behind: &'static str,
    /// Writes its configuration, and says what to start in which order.
    pub(crate) commands: fn(&Place) -> Vec<Command>,
}

/// What a broker has of its own: a program, a folder, and ports.
pub(crate) struct Place {
    pub(crate) program: PathBuf,
    pub(crate) certificates: Certificates,
    doors: Vec<(&'static str, u16)>,
    /// For what no client uses.
    pub(crate) spare_ports: [u16; 2],
    home: TempDir,
}

pub(crate) struct Broker {
    pub(crate) kind: &'static Kind,
    place: Place,
    processes: Vec<Process>,
}

impl Place {
    pub(crate) fn new(program: &Path, doors: &[Door]) -> Self {
        Self {
            program: program.to_owned(),
            certificates: Certificates::new(),
            doors: doors.iter().map(|&(scheme, _)| (scheme, free_port())).collect(),
            spare_ports: [free_port(), free_port()],
            home: tempfile::tempdir().unwrap(),
        }
    }

    pub(crate) fn port(&self, scheme: &str) -> u16 {
        self.doors.iter().find(|(door, _)| *door == scheme).unwrap().1
    }

    pub(crate) fn path(&self, name: &str) -> String {
        self.home.path().join(name).to_str().unwrap().to_owned()
    }

    /// What is lost if the broker loses its store.
    pub(crate) fn store(&self) -> String {
        self.path("store")
    }

    /// Writes a file that belongs to the broker, and says where.
    pub(crate) fn write(&self, name: &str, text: &str) -> String {
        fs::write(self.path(name), text).unwrap();
        self.path(name)
    }
}

impl Broker {
    pub(crate) async fn start(kind: &'static Kind, program: &Path) -> Self {
        for _ in 0..ATTEMPTS {
            let mut broker = Self { kind, place: Place::new(program, kind.doors), processes: Vec::new() };
            if broker.open().await {
                return broker;
            }
            let said = broker.said();
            assert!(
                said.contains("in use") || said.to_lowercase().contains("eaddrinuse"),
                "{} does not start: {said}",
                kind.name
            );
        }
        panic!("no free ports for {} in {ATTEMPTS} attempts", kind.name);
    }

    /// The port of plain MQTT.
    pub(crate) fn port(&self) -> u16 {
        self.place.doors[0].1
    }

    /// The URL of plain MQTT.
    pub(crate) fn url(&self) -> String {
        format!("mqtt://127.0.0.1:{}", self.port())
    }

    /// The schemes and URLs of all other ways in.
    pub(crate) fn other_doors(&self) -> Vec<(&'static str, String)> {
        let url = |&(scheme, path): &Door| {
            (scheme, format!("{scheme}://127.0.0.1:{}{path}", self.place.port(scheme)))
        };
        self.kind.doors[1..].iter().map(url).collect()
    }

    pub(crate) fn ca_file(&self) -> String {
        self.place.certificates.written("ca.pem")
    }

    /// Its name and version.
    pub(crate) fn title(&self) -> String {
        let said = self.said();
        let version =
            said.split(self.kind.version_behind).nth(1).unwrap_or_else(|| panic!("no version: {said}"));
        format!("{} {}", self.kind.name, version.split_whitespace().next().unwrap())
    }

    /// Sends nothing that is retained to a subscription with wildcards: who was taken out cannot be found.
    pub(crate) fn lacks_wildcards(&self) -> bool {
        self.kind.name == "rabbitmq"
    }

    /// Ends it without a goodbye, and takes what it has stored.
    pub(crate) async fn lose_everything(&mut self) {
        for process in self.processes.drain(..).rev() {
            process.signal("KILL");
            process.end().await;
        }
        if fs::exists(self.place.store()).unwrap() {
            fs::remove_dir_all(self.place.store()).unwrap();
        }
    }

    /// Starts it again, at the same ports.
    pub(crate) async fn start_again(&mut self) {
        assert!(self.open().await, "{}", self.said());
    }

    /// Starts it; true once it lets clients in at every door.
    async fn open(&mut self) -> bool {
        let start = |mut command| Process::start(&mut command).unwrap();
        self.processes = (self.kind.commands)(&self.place).into_iter().map(start).collect();
        let opens = async {
            for &(_, port) in &self.place.doors {
                while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await.is_err() {
                    if self.processes.iter().any(|process| !process.is_running()) {
                        return false;
                    }
                    sleep(PAUSE).await;
                }
            }
            Listener::only(self.port(), "is-there-anybody").await;
            true
        };
        within(START_LIMIT, &format!("{} to start", self.kind.name), opens).await
    }

    fn said(&self) -> String {
        let said = self.processes.iter().map(|process| process.output());
        said.map(|output| output.stdout + &output.stderr).collect()
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        if std::thread::panicking() {
            println!("{} said:\n{}", self.kind.name, self.said());
        }
    }
}
