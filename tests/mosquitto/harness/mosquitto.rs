//! A broker of the test's own.

use std::fs;
use std::io::ErrorKind;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::ports::{ATTEMPTS, free_port};
use super::process::{Process, server};
use super::soon;

/// How a broker is set up beyond the plain listener that lets everybody in.
#[derive(Debug, Default)]
pub(crate) struct Setup {
    /// Saves every change and reads it back at the next start.
    pub(crate) persistent: bool,
    /// The options of a second listener.
    pub(crate) guarded: Option<String>,
}

/// A broker, running or down. Its ports stay the same.
pub(crate) struct Mosquitto {
    pub(crate) port: u16,
    pub(crate) guarded_port: u16,
    home: TempDir,
    process: Process,
}

impl Mosquitto {
    /// One plain listener, everybody is let in, nothing is kept.
    pub(crate) async fn start() -> Self {
        Self::with(Setup::default()).await
    }

    pub(crate) async fn with(setup: Setup) -> Self {
        let home = tempfile::tempdir().unwrap();
        for _ in 0..ATTEMPTS {
            let [port, guarded_port] = [free_port(), free_port()];
            fs::write(home.path().join("mosquitto.conf"), configuration(&setup, port, guarded_port, &home))
                .unwrap();
            let process = spawn(&home);
            if is_up(&process).await {
                return Self { port, guarded_port, home, process };
            }
            let said = process.output().stderr;
            assert!(said.contains("Address already in use"), "mosquitto does not start: {said}");
        }
        panic!("no free port in {ATTEMPTS} attempts");
    }

    /// The plain listener.
    pub(crate) fn url(&self) -> String {
        format!("mqtt://127.0.0.1:{}", self.port)
    }

    /// The second listener.
    pub(crate) fn guarded_url(&self, scheme: &str) -> String {
        format!("{scheme}://127.0.0.1:{}", self.guarded_port)
    }

    /// Ends it without a goodbye.
    pub(crate) async fn kill(&self) {
        self.process.signal("KILL");
        self.process.end().await;
    }

    /// Starts it again, at the same ports.
    pub(crate) async fn start_again(&mut self) {
        assert!(!self.process.is_running());
        self.process = spawn(&self.home);
        assert!(is_up(&self.process).await, "{}", self.log());
    }

    pub(crate) fn freeze(&self) {
        self.process.signal("STOP");
    }

    pub(crate) fn thaw(&self) {
        self.process.signal("CONT");
    }

    /// Stands in for the broker that is down: takes so many connections and hangs up on each.
    pub(crate) async fn hang_up(&self, connections: usize) {
        assert!(!self.process.is_running());
        let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, self.port)).await.unwrap();
        for _ in 0..connections {
            drop(soon("a connection to hang up on", listener.accept()).await.unwrap());
        }
    }

    pub(crate) async fn says_so(&self, what: &str, condition: impl Fn(&str) -> bool) {
        self.process.says_so(what, condition).await;
    }

    pub(crate) fn log(&self) -> String {
        self.process.output().stderr
    }
}

/// Makes a password file for one user.
pub(crate) fn password_file(home: &Path, user: &str, password: &str) -> PathBuf {
    let path = home.join("passwords");
    let made = server("mosquitto_passwd").args(["-b", "-c"]).arg(&path).args([user, password]).status();
    assert!(made.unwrap_or_else(missing).success());
    path
}

fn configuration(setup: &Setup, port: u16, guarded_port: u16, home: &TempDir) -> String {
    let Setup { persistent, guarded } = setup;
    let home = home.path().display();
    // Started by root, it would become a user who cannot read the test's files.
    let mut text = format!(
        "per_listener_settings true\nuser root\nlog_dest stderr\nlog_type all\n\
         persistence {persistent}\npersistence_location {home}/\nautosave_on_changes true\nautosave_interval 1\n\
         listener {port} 127.0.0.1\nallow_anonymous true\n"
    );
    if let Some(guarded) = guarded {
        text += &format!("listener {guarded_port} 127.0.0.1\n{guarded}\n");
    }
    text
}

fn spawn(home: &TempDir) -> Process {
    let configuration = home.path().join("mosquitto.conf");
    Process::start(server("mosquitto").arg("-c").arg(configuration)).unwrap_or_else(missing)
}

async fn is_up(process: &Process) -> bool {
    // It says so once it listens everywhere, and ends if it cannot.
    process.says_so("mosquitto to run", |said| said.contains(" running") || said.contains("Error")).await;
    process.output().stderr.contains(" running")
}

fn missing<T>(error: std::io::Error) -> T {
    if error.kind() == ErrorKind::NotFound {
        panic!("mosquitto is not installed; install it: apt-get install mosquitto");
    }
    panic!("mosquitto cannot be started: {error}");
}
