//! One of several instances of a bridge: the program itself, so that it can be killed, and be stopped in its
//! tracks.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

/// Lines of a log that a failure shows.
const SHOWN: usize = 40;

/// The program with a configuration of its own, running or not. Dropping it kills it.
pub(crate) struct Instance {
    home: TempDir,
    /// A clock that is wrong by so much, where a library for that is installed.
    clock: Option<&'static str>,
    child: Option<Child>,
}

impl Instance {
    /// It does not run yet. The configuration may not say where its state is: that is its own.
    pub(crate) fn new(config: &str, clock: Option<&'static str>) -> Self {
        let home = tempfile::tempdir().unwrap();
        std::fs::write(home.path().join("config.toml"), config).unwrap();
        Self { home, clock, child: None }
    }

    pub(crate) fn start(&mut self) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_presence2mqtt"));
        let log = std::fs::OpenOptions::new().create(true).append(true).open(self.log()).unwrap();
        command.arg("run").arg("--config").arg(self.home.path().join("config.toml"));
        command.env("RUST_LOG", "info").env("NO_COLOR", "1").env("STATE_DIRECTORY", self.home.path());
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        if let (Some(clock), Some(library)) = (self.clock, faketime()) {
            command
                .env("LD_PRELOAD", library)
                .env("FAKETIME", clock)
                .env("FAKETIME_DONT_FAKE_MONOTONIC", "1");
        }
        self.child = Some(command.spawn().unwrap());
    }

    pub(crate) fn signal(&self, signal: &str) {
        let pid = self.child.as_ref().expect("it runs").id().to_string();
        let sent = Command::new("sh").args(["-c", "kill -s \"$0\" \"$1\"", signal, &pid]).status();
        assert!(sent.unwrap().success(), "{signal} could not be sent");
    }

    /// Ends it without a word, as a crash or a power cut does.
    pub(crate) fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    /// Asks it to end, which it must do as asked.
    pub(crate) async fn stop(&mut self) {
        self.signal("TERM");
        let mut child = self.child.take().unwrap();
        let ended = tokio::task::spawn_blocking(move || child.wait()).await.unwrap().unwrap();
        assert!(ended.success(), "{ended} after SIGTERM");
    }

    /// The newest of what it said.
    pub(crate) fn said(&self) -> String {
        let log = std::fs::read_to_string(self.log()).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(SHOWN)..].join("\n    ")
    }

    fn log(&self) -> PathBuf {
        self.home.path().join("log")
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Debian keeps it in a folder named after the machine's architecture.
fn faketime() -> Option<PathBuf> {
    let folders = std::fs::read_dir("/usr/lib").into_iter().flatten().flatten();
    folders.map(|folder| folder.path().join("faketime/libfaketimeMT.so.1")).find(|library| library.exists())
}
