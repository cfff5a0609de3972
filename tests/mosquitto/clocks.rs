//! A machine that slept, and clocks that jump. `faketime` (a library put in front of the system's) gives the
//! bridge another time of day while its monotonic clock goes on: what a machine sees that wakes up.

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use presence2mqtt::simulate::{Fault, Scope, Times};
use tempfile::TempDir;

use crate::harness::{Bridge, Configuration, Listener, Mosquitto, PEOPLE, Source};

/// The time of day as one bridge sees it.
struct TimeOfDay {
    home: TempDir,
}

impl TimeOfDay {
    fn new() -> Self {
        let clock = Self { home: tempfile::tempdir().unwrap() };
        clock.ahead("+0");
        clock
    }

    /// How far it is ahead of the real one, such as `+3h` or `-2h`.
    fn ahead(&self, offset: &str) {
        // Put in its place as a whole: the bridge reads it at any moment.
        let written = self.home.path().join("written");
        fs::write(&written, offset).unwrap();
        fs::rename(written, self.file()).unwrap();
    }

    /// Sets it, and lets a message come that says nothing new: of clocks that are set the kernel tells the
    /// bridge, and it knows nothing of this one.
    async fn leap(&self, offset: &str, listener: &Listener) {
        self.ahead(offset);
        listener.publish("presence/bridge/state", "online", false).await;
    }

    fn file(&self) -> PathBuf {
        self.home.path().join("ahead")
    }

    fn start(&self, configuration: &Configuration) -> Bridge {
        let (library, file) = (library(), self.file());
        let environment = [
            ("RUST_LOG", "info"),
            ("LD_PRELOAD", library.as_str()),
            ("FAKETIME_TIMESTAMP_FILE", file.to_str().unwrap()),
            ("FAKETIME_DONT_FAKE_MONOTONIC", "1"),
            ("FAKETIME_NO_CACHE", "1"),
        ];
        Bridge::with_environment(configuration, &environment)
    }
}

/// Debian keeps it in a folder named after the machine's architecture.
fn library() -> String {
    let folders = fs::read_dir("/usr/lib").into_iter().flatten().flatten();
    let libraries = folders.map(|folder| folder.path().join("faketime/libfaketimeMT.so.1"));
    let found = libraries.into_iter().find(|library| library.exists());
    found
        .expect("faketime is not installed; install it: apt-get install faketime")
        .to_str()
        .unwrap()
        .to_owned()
}

#[tokio::test]
async fn after_sleep_everybody_is_read_at_once_and_nobody_was_ever_stale() {
    let (source, broker, clock) = (Source::start().await, Mosquitto::start().await, TimeOfDay::new());
    // Without the jump the next read would come in an hour.
    let bridge = clock.start(&Configuration::new(&source, &broker.url()).set("graph.poll_interval", "1h"));
    let listener = Listener::start(broker.port).await;
    for name in PEOPLE {
        listener.until_newest(&format!("presence/{name}/health"), "ok").await;
    }
    listener.until_newest("presence/bridge/state", "online").await;
    source.set("alice", "DoNotDisturb", "Presenting");
    let connections = source.connections();
    let (mark, woke) = (listener.mark(), Instant::now());
    clock.leap("+8h", &listener).await;
    let read = listener.next(mark, "presence/alice/availability", "DoNotDisturb").await;
    println!("figure: read again {:?} after waking", read.saturating_duration_since(woke));
    assert!(read.saturating_duration_since(woke) < Duration::from_secs(10));
    bridge.says("8h ahead: the machine slept").await;
    assert!(source.connections() > connections, "the old connections are dead");
    let doubts = listener.since(mark).into_iter().filter(|heard| heard.payload == "stale").count();
    assert_eq!(doubts, 0, "{:?}", listener.since(mark));
}

#[tokio::test]
async fn after_sleep_without_graph_everybody_is_stale_within_two_seconds() {
    let (source, broker, clock) = (Source::start().await, Mosquitto::start().await, TimeOfDay::new());
    let bridge = clock.start(&Configuration::new(&source, &broker.url()));
    let listener = Listener::start(broker.port).await;
    listener.until_newest("presence/alice/health", "ok").await;
    source.tenant.fault(Fault::Hang, Scope::All, Times::UntilCleared);
    let (mark, woke) = (listener.mark(), Instant::now());
    clock.leap("+3h", &listener).await;
    for name in PEOPLE {
        let stale = listener.next(mark, &format!("presence/{name}/health"), "stale").await;
        let after = stale.saturating_duration_since(woke);
        println!("figure: {name} stale {after:?} after waking");
        assert!(after < Duration::from_secs(2), "{after:?}");
    }
    source.tenant.clear_faults();
    listener.next(mark, "presence/alice/health", "ok").await;
    assert!(bridge.is_running());
}

#[tokio::test]
async fn a_clock_set_back_changes_nothing() {
    let (source, broker, clock) = (Source::start().await, Mosquitto::start().await, TimeOfDay::new());
    let bridge = clock.start(&Configuration::new(&source, &broker.url()));
    let listener = Listener::start(broker.port).await;
    listener.until_newest("presence/alice/health", "ok").await;
    let mark = listener.mark();
    clock.ahead("-5h");
    let asked = source.tenant.requests().graph();
    source.tenant.wait_for_requests(asked + 4).await;
    source.set("alice", "Away", "Away");
    listener.next(mark, "presence/alice/availability", "Away").await;
    let doubts = listener.since(mark).into_iter().filter(|heard| heard.payload == "stale").count();
    assert_eq!(doubts, 0);
    assert_eq!(bridge.lines("WARN"), [""; 0]);
}
