//! The program as a process, with a configuration of its own.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;
use tokio::sync::mpsc;

use crate::stage::within;

/// The program, with nothing in its environment.
pub(crate) fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_presence2mqtt"));
    command.env_clear();
    command
}

/// How a command ended, and what it said on standard output and standard error.
pub(crate) fn told(command: &mut Command) -> (Option<i32>, String, String) {
    let output = command.output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

/// A folder with a configuration in it.
pub(crate) struct Home(TempDir);

/// A command that is read line by line. Dropping it kills it.
pub(crate) struct Reader {
    child: Child,
    lines: mpsc::Receiver<String>,
    pub(crate) read: Vec<String>,
}

impl Home {
    pub(crate) fn with(configuration: &str) -> Self {
        let home = Self(tempfile::tempdir().unwrap());
        let file = home.0.path().join("presence2mqtt.toml");
        std::fs::write(&file, configuration).unwrap();
        // There may be a secret in it, of which `check` would warn.
        std::fs::set_permissions(file, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
        home
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = program();
        command.current_dir(self.0.path()).args(arguments);
        command
    }

    /// Runs a command beside whatever else this test runs.
    pub(crate) async fn told(&self, arguments: &[&str]) -> (Option<i32>, String, String) {
        let mut command = self.command(arguments);
        within(tokio::task::spawn_blocking(move || told(&mut command))).await.unwrap()
    }
}

impl Reader {
    pub(crate) fn start(command: &mut Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        // When it is full the program waits, as it does for a slow terminal.
        let (sender, lines) = mpsc::channel(64);
        std::thread::spawn(move || {
            let mut lines = output.lines().map_while(Result::ok);
            lines.all(|line| sender.blocking_send(line).is_ok());
        });
        Self { child, lines, read: Vec::new() }
    }

    /// Reads until there is a line with these words.
    pub(crate) async fn until(&mut self, words: &str) {
        loop {
            let Some(line) = within(self.lines.recv()).await else {
                panic!("no {words:?} in {:#?}", self.read)
            };
            let found = line.contains(words);
            self.read.push(line);
            if found {
                return;
            }
        }
    }

    /// Its process id.
    pub(crate) fn id(&self) -> String {
        self.child.id().to_string()
    }

    /// Sends a signal, and says how the command ends.
    pub(crate) async fn stop(mut self, signal: &str) -> Option<i32> {
        let pid = self.id();
        assert!(
            Command::new("sh")
                .args(["-c", "kill -s \"$0\" \"$1\"", signal, &pid])
                .status()
                .unwrap()
                .success()
        );
        while within(self.lines.recv()).await.is_some() {}
        self.child.wait().unwrap().code()
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        // It may have ended, which is as well.
        let _ended = self.child.kill();
        let _code = self.child.wait();
    }
}
