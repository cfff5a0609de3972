//! The program as it is shipped, with a configuration as a person would write it.

use std::process::Command;
use std::time::{Duration, Instant};

use presence2mqtt::simulate::Settings;
use tempfile::TempDir;
use toml::{Table, Value};

use super::process::{Output, Process};
use super::{PEOPLE, Source};

/// A configuration file to be.
#[derive(Debug, Clone)]
pub(crate) struct Configuration(Table);

/// The running bridge. Dropping it kills it.
pub(crate) struct Bridge {
    process: Process,
    _home: TempDir,
}

/// A command that is over.
#[derive(Debug)]
pub(crate) struct Finished {
    pub(crate) code: Option<i32>,
    pub(crate) output: Output,
    /// Since it was asked to end, or waited for.
    pub(crate) after: Duration,
}

impl Configuration {
    /// Everybody in the tenant, read once a second.
    pub(crate) fn new(source: &Source, broker: &str) -> Self {
        let Settings { tenant_id, client_id, client_secret, .. } = source.tenant.settings();
        let mut table = toml::toml! {
            [graph]
            poll_interval = "1s"
            [graph.auth]
            method = "client-secret"
        };
        table.insert("mqtt".to_owned(), Table::new().into());
        let configuration = Self(table).set("mqtt.url", broker).set("graph.tenant_id", tenant_id);
        let configuration = configuration.set("graph.client_id", client_id);
        let configuration = configuration.set("graph.auth.client_secret", client_secret);
        configuration
            .set("graph.graph_url", source.url())
            .set("graph.login_url", source.url())
            .users(source, &PEOPLE)
    }

    /// The same with one key changed, written as `section.key`.
    pub(crate) fn set(mut self, key: &str, value: impl Into<Value>) -> Self {
        let (sections, key) = key.rsplit_once('.').unwrap();
        let mut table = &mut self.0;
        for section in sections.split('.') {
            table = table[section].as_table_mut().unwrap();
        }
        table.insert(key.to_owned(), value.into());
        self
    }

    /// The same with exactly these users.
    pub(crate) fn users(mut self, source: &Source, names: &[&str]) -> Self {
        let user = |name: &&str| {
            let fields = [("name", (*name).to_owned()), ("id", source.id(name).to_string())];
            Value::from(
                fields
                    .map(|(key, value)| (key.to_owned(), Value::from(value)))
                    .into_iter()
                    .collect::<Table>(),
            )
        };
        self.0.insert("users".to_owned(), names.iter().map(user).collect::<Vec<_>>().into());
        self
    }
}

impl Bridge {
    pub(crate) fn start(configuration: &Configuration) -> Self {
        Self::with_log(configuration, "info")
    }

    /// Starts it with what `RUST_LOG` says.
    pub(crate) fn with_log(configuration: &Configuration, log: &str) -> Self {
        let home = tempfile::tempdir().unwrap();
        Self {
            process: Process::start(command(configuration, &home, &["run"]).env("RUST_LOG", log)).unwrap(),
            _home: home,
        }
    }

    pub(crate) async fn says(&self, words: &str) {
        self.process.says(words).await;
    }

    pub(crate) fn log(&self) -> String {
        self.process.output().stderr
    }

    /// The lines of the log at this level.
    pub(crate) fn lines(&self, level: &str) -> Vec<String> {
        let log = self.log();
        log.lines().filter(|line| line.split_whitespace().nth(1) == Some(level)).map(str::to_owned).collect()
    }

    pub(crate) fn is_running(&self) -> bool {
        self.process.is_running()
    }

    /// Sends a signal and waits for the end.
    pub(crate) async fn stop(self, signal: &str) -> Finished {
        let asked = Instant::now();
        self.process.signal(signal);
        over(&self.process, asked).await
    }

    /// Waits for the end that comes by itself.
    pub(crate) async fn end(self) -> Finished {
        over(&self.process, Instant::now()).await
    }
}

/// Runs a command to its end.
pub(crate) async fn finished(configuration: &Configuration, arguments: &[&str]) -> Finished {
    let home = tempfile::tempdir().unwrap();
    over(&Process::start(&mut command(configuration, &home, arguments)).unwrap(), Instant::now()).await
}

async fn over(process: &Process, asked: Instant) -> Finished {
    let status = process.end().await;
    Finished { code: status.code(), output: process.output(), after: asked.elapsed() }
}

fn command(configuration: &Configuration, home: &TempDir, arguments: &[&str]) -> Command {
    let file = home.path().join("presence2mqtt.toml");
    std::fs::write(&file, configuration.0.to_string()).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_presence2mqtt"));
    command.args(arguments).arg("--config").arg(file).env("RUST_LOG", "info").env("NO_COLOR", "1");
    command
}
