//! Mosquitto, which keeps nothing when it is started again.

use std::fs;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::process::Process;

/// Until it listens.
const LIMIT: Duration = Duration::from_secs(10);

pub(crate) struct Broker {
    pub(crate) port: u16,
    process: Process,
    file: String,
}

impl Broker {
    pub(crate) fn start(home: &Path) -> Self {
        // Below the range from which systems take ports for outgoing connections, so that nobody takes it
        // meanwhile.
        let free = |port: &u16| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok();
        let port = std::iter::repeat_with(|| fastrand::u16(20_000..32_000)).find(free).unwrap();
        let file = home.join("mosquitto.conf");
        // A listener to whom a million retained messages come at once is behind for a moment, and would lose
        // some.
        let text = format!(
            "user root\nlog_type error\npersistence false\nlistener {port} 127.0.0.1\nallow_anonymous true\nset_tcp_nodelay true\n\
             max_queued_messages 0\n"
        );
        fs::write(&file, text).unwrap();
        let file = file.to_str().unwrap().to_owned();
        let process = spawn(&file, port);
        Self { port, process, file }
    }

    /// Ends it without a goodbye and starts it with an empty store; when it listened again.
    pub(crate) fn lose_everything(&mut self) -> Instant {
        self.process.kill();
        self.process = spawn(&self.file, self.port);
        Instant::now()
    }
}

fn spawn(file: &str, port: u16) -> Process {
    let path = std::env::var("PATH").unwrap_or_default();
    let mut command = Command::new("mosquitto");
    // Debian keeps servers where not everybody looks.
    command.env("PATH", format!("{path}:/usr/local/sbin:/usr/sbin")).args(["-c", file]);
    let process = Process::start(command.stdout(Stdio::null()).stderr(Stdio::null()));
    let began = Instant::now();
    while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
        assert!(began.elapsed() < LIMIT, "mosquitto does not start; is it installed?");
        std::thread::sleep(Duration::from_millis(1));
    }
    process
}
