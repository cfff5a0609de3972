//! Reports the bridge's state to systemd (`sd_notify(3)`). Without systemd it does nothing.

use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::time::Duration;

use sd_notify::NotifyState;

use crate::config::Environment;
use crate::core::model::time::Tick;

/// Sends `STATUS=` at most this often.
const STATUS_EVERY: Duration = Duration::from_secs(1);

/// The supervisor of the process, if there is one.
#[derive(Debug, Default)]
pub struct Supervisor {
    /// That of `NOTIFY_SOCKET`.
    socket: Option<UnixDatagram>,
    /// How often to send a sign of life: a third of the watchdog's interval.
    alive_every: Option<Duration>,
    alive_at: Tick,
    status_at: Tick,
    status: String,
}

impl Supervisor {
    /// There is no supervisor.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// The supervisor named in the environment: `NOTIFY_SOCKET`, and `WATCHDOG_USEC` if it is for `process`.
    #[must_use]
    pub fn of(environment: &Environment, process: u32) -> Self {
        let is_meant = environment.get("WATCHDOG_PID").is_none_or(|pid| pid.parse() == Ok(process));
        let watchdog = environment.get("WATCHDOG_USEC").filter(|_| is_meant);
        let watchdog = watchdog.and_then(|usec| usec.parse().ok()).map(Duration::from_micros);
        Self {
            socket: environment.get("NOTIFY_SOCKET").and_then(open),
            alive_every: watchdog.filter(|limit| !limit.is_zero()).map(|limit| limit / 3),
            ..Self::default()
        }
    }

    /// When the next sign of life is due.
    pub(super) fn wake_at(&self) -> Option<Tick> {
        self.alive_every.filter(|_| self.socket.is_some()).map(|_| self.alive_at)
    }

    /// The bridge runs, connected or not. Also sent after a reload.
    pub(super) fn ready(&self) {
        self.say([NotifyState::Ready]);
    }

    /// The configuration is being read again.
    pub(super) fn reloading(&self) {
        self.say([NotifyState::Reloading].into_iter().chain(NotifyState::monotonic_usec_now().ok()));
    }

    /// The bridge is stopping.
    pub(super) fn stopping(&self) {
        self.say([NotifyState::Stopping]);
    }

    /// The loop has made a turn: sends a sign of life if one is due, and the status if it changed.
    pub(super) fn turned(&mut self, now: Tick, headline: impl FnOnce() -> String) {
        if self.socket.is_none() {
            return;
        }
        if let Some(every) = self.alive_every.filter(|_| now >= self.alive_at) {
            self.alive_at = now + every;
            self.say([NotifyState::Watchdog]);
        }
        if now >= self.status_at {
            self.status_at = now + STATUS_EVERY;
            let status = headline();
            if status != self.status {
                self.say([NotifyState::Status(&status)]);
                self.status = status;
            }
        }
    }

    /// The new clock starts at zero, so everything is due immediately.
    pub(super) fn clock_began(&mut self) {
        (self.alive_at, self.status_at) = (Tick::default(), Tick::default());
    }

    fn say<'a>(&self, states: impl IntoIterator<Item = NotifyState<'a>>) {
        let Some(socket) = &self.socket else { return };
        let lines: String = states.into_iter().map(|state| format!("{state}\n")).collect();
        if let Err(error) = socket.send(lines.as_bytes()) {
            // If sending fails, systemd notices the missing message. The bridge does not depend on it.
            tracing::debug!(%error, "systemd could not be informed");
        }
    }
}

/// The socket of this name; `None` if no process listens on it. The `sd_notify` crate provides the words and
/// the clock, but its own sending reads the environment, which only `main` does here.
fn open(name: &str) -> Option<UnixDatagram> {
    let socket = UnixDatagram::unbound().ok()?;
    // If the queue at the other end is full, the loop must not wait.
    socket.set_nonblocking(true).ok()?;
    let address = match name.strip_prefix('@') {
        #[cfg(target_os = "linux")]
        Some(name) => {
            use std::os::linux::net::SocketAddrExt;
            SocketAddr::from_abstract_name(name)
        }
        _ => SocketAddr::from_pathname(name),
    };
    let connected = address.and_then(|address| socket.connect_addr(&address));
    connected.inspect_err(|error| tracing::debug!(%error, "NOTIFY_SOCKET cannot be used")).ok()?;
    Some(socket)
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixDatagram;

    use super::*;

    fn heard(socket: &UnixDatagram) -> Vec<String> {
        let mut heard = Vec::new();
        let mut buffer = [0; 512];
        while let Ok(length) = socket.recv(&mut buffer) {
            heard.push(String::from_utf8_lossy(&buffer[..length]).into_owned());
        }
        heard
    }

    fn at(millis: u64) -> Tick {
        Tick(Duration::from_millis(millis))
    }

    #[test]
    fn systemd_hears_each_word_on_its_socket() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notify");
        let systemd = UnixDatagram::bind(&path).unwrap();
        systemd.set_nonblocking(true).unwrap();
        let variables = [
            ("NOTIFY_SOCKET".to_owned(), path.to_str().unwrap().to_owned()),
            ("WATCHDOG_USEC".to_owned(), "3000000".to_owned()),
            ("WATCHDOG_PID".to_owned(), "4711".to_owned()),
        ];
        let environment = Environment::from_iter(variables);
        let mut supervisor = Supervisor::of(&environment, 4711);
        supervisor.ready();
        for millis in [0, 500, 999, 1000, 1999, 2001] {
            supervisor.turned(at(millis), || if millis < 2000 { "one" } else { "two" }.to_owned());
        }
        assert_eq!(supervisor.wake_at(), Some(at(3001)));
        supervisor.stopping();
        let words =
            ["READY=1", "WATCHDOG=1", "STATUS=one", "WATCHDOG=1", "WATCHDOG=1", "STATUS=two", "STOPPING=1"];
        assert_eq!(heard(&systemd), words.map(|word| format!("{word}\n")));

        supervisor.reloading();
        let [reloading] = &heard(&systemd)[..] else { panic!("one datagram") };
        let (first, usec) = reloading.split_once('\n').unwrap();
        assert_eq!(first, "RELOADING=1");
        assert!(usec.strip_prefix("MONOTONIC_USEC=").unwrap().trim().parse::<u64>().unwrap() > 0);

        drop(systemd);
        supervisor.ready();
        assert_eq!(Supervisor::of(&environment, 1).wake_at(), None, "meant for another process");
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn an_abstract_socket_is_found_and_a_missing_one_is_no_harm() {
        use std::os::linux::net::SocketAddrExt;
        let name = format!("presence2mqtt-test-{}", std::process::id());
        let address = std::os::unix::net::SocketAddr::from_abstract_name(&name).unwrap();
        let systemd = UnixDatagram::bind_addr(&address).unwrap();
        systemd.set_nonblocking(true).unwrap();
        let named = |socket: String| Environment::from_iter([("NOTIFY_SOCKET".to_owned(), socket)]);
        Supervisor::of(&named(format!("@{name}")), 1).ready();
        assert_eq!(heard(&systemd), ["READY=1\n"]);
        Supervisor::of(&named("/nowhere/notify".to_owned()), 1).ready();
        let mut nobody = Supervisor::of(&Environment::default(), 1);
        nobody.turned(at(0), || panic!("nobody asked"));
    }
}
