//! The program as it is shipped, with a configuration as a person would write it.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use presence2mqtt::core::model::name::ObjectId;
use presence2mqtt::simulate::{Person, Settings};
use tempfile::TempDir;
use toml::{Table, Value};

use super::process::{Output, Process};
use super::{PEOPLE, Source};
use crate::LOGIN;

/// A configuration file to be.
#[derive(Debug, Clone)]
pub(crate) struct Configuration(Table);

/// The running bridge. Dropping it kills it.
pub(crate) struct Bridge {
    process: Process,
    home: TempDir,
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
        let login =
            LOGIN.into_iter().flat_map(|(user, password)| [("username", user), ("password", password)]);
        let mqtt: Table = login.map(|(key, word)| (key.to_owned(), word.into())).collect();
        table.insert("mqtt".to_owned(), mqtt.into());
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

    /// The same with one more section.
    pub(crate) fn section(mut self, name: &str, keys: Table) -> Self {
        self.0.insert(name.to_owned(), keys.into());
        self
    }

    /// The same with one more light.
    pub(crate) fn light(mut self, light: Table) -> Self {
        let lights = self.0.entry("lights").or_insert_with(|| Value::Array(Vec::new()));
        lights.as_array_mut().unwrap().push(light.into());
        self
    }

    /// The same with exactly these users.
    pub(crate) fn users(self, source: &Source, names: &[&str]) -> Self {
        self.following(names.iter().map(|name| ((*name).to_owned(), source.id(name))))
    }

    /// The same with everybody in the tenant.
    pub(crate) fn everybody(self, source: &Source) -> Self {
        let name = |person: &Person| person.principal_name.split('@').next().unwrap().to_owned();
        self.following(source.tenant.people().iter().map(|person| (name(person), person.id)))
    }

    fn following(mut self, users: impl Iterator<Item = (String, ObjectId)>) -> Self {
        let user = |(name, id): (String, ObjectId)| {
            let fields = [("name", name), ("id", id.to_string())];
            let fields = fields.map(|(key, value)| (key.to_owned(), Value::from(value)));
            Value::from(fields.into_iter().collect::<Table>())
        };
        self.0.insert("users".to_owned(), users.map(user).collect::<Vec<_>>().into());
        self
    }
}

impl Bridge {
    pub(crate) fn start(configuration: &Configuration) -> Self {
        Self::with_log(configuration, "info")
    }

    /// Starts it with what `RUST_LOG` says.
    pub(crate) fn with_log(configuration: &Configuration, log: &str) -> Self {
        Self::with_environment(configuration, &[("RUST_LOG", log)])
    }

    /// Starts it with more in its environment.
    pub(crate) fn with_environment(configuration: &Configuration, environment: &[(&str, &str)]) -> Self {
        let home = tempfile::tempdir().unwrap();
        let mut command = command(configuration, &home, &["run"]);
        Self { process: Process::start(command.envs(environment.iter().copied())).unwrap(), home }
    }

    /// Writes another configuration and asks for it to be read.
    pub(crate) fn reload(&self, configuration: &Configuration) {
        write_secret(&file(&self.home), &configuration.0.to_string());
        self.signal("HUP");
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

    /// Memory in use now, in KiB (Linux: `proc_pid_status(5)`).
    pub(crate) fn resident(&self) -> u64 {
        let status = self.process.system("status");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().trim_end_matches(" kB").parse().unwrap()
    }

    /// The processor's time so far (Linux: `proc_pid_stat(5)`, fields 14 and 15, in hundredths of a second).
    pub(crate) fn processor_time(&self) -> Duration {
        let stat = self.process.system("stat");
        let behind_name = stat.rsplit_once(')').unwrap().1;
        let fields = behind_name.split_whitespace().skip(11).take(2);
        Duration::from_millis(10 * fields.map(|field| field.parse::<u64>().unwrap()).sum::<u64>())
    }

    pub(crate) fn is_running(&self) -> bool {
        self.process.is_running()
    }

    /// Sends a signal that is no reason to end.
    pub(crate) fn signal(&self, signal: &str) {
        self.process.signal(signal);
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

impl Drop for Bridge {
    fn drop(&mut self) {
        if std::thread::panicking() {
            println!("the bridge said:\n{}", self.log());
        }
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

/// Writes a file that nobody else may read, as the bridge wants it.
pub(crate) fn write_secret(file: &Path, text: &str) {
    std::fs::write(file, text).unwrap();
    std::fs::set_permissions(file, Permissions::from_mode(0o600)).unwrap();
}

fn file(home: &TempDir) -> std::path::PathBuf {
    home.path().join("presence2mqtt.toml")
}

fn command(configuration: &Configuration, home: &TempDir, arguments: &[&str]) -> Command {
    let file = file(home);
    write_secret(&file, &configuration.0.to_string());
    let mut command = Command::new(env!("CARGO_BIN_EXE_presence2mqtt"));
    command.args(arguments).arg("--config").arg(file).env("RUST_LOG", "info").env("NO_COLOR", "1");
    command
}
