//! A process of the test's own: what it says, how it ends, and that it never outlives the test.

use std::io::{self, BufRead, BufReader, Read};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use tokio::sync::watch;

use super::soon;

/// A server's program. Debian keeps them where not everybody looks.
pub(crate) fn server(name: &str) -> Command {
    let path = std::env::var("PATH").unwrap_or_default();
    let mut command = Command::new(name);
    command.env("PATH", format!("{path}:/usr/local/sbin:/usr/sbin:/sbin"));
    command
}

/// Everything that a process has said so far.
#[derive(Debug, Clone, Default)]
pub(crate) struct Output {
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// A running process, or one that has ended. Dropping it kills it.
pub(crate) struct Process {
    pid: u32,
    output: watch::Receiver<Output>,
    ended: watch::Receiver<Option<ExitStatus>>,
    keeper: Option<JoinHandle<()>>,
}

impl Process {
    pub(crate) fn start(command: &mut Command) -> io::Result<Self> {
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
        let pid = child.id();
        let (says, output) = watch::channel(Output::default());
        let says = Arc::new(says);
        let (ends, ended) = watch::channel(None);
        let (stdout, stderr) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
        let keeper = thread::spawn(move || {
            let also_says = Arc::clone(&says);
            let reader = thread::spawn(move || {
                read_lines(stdout, |line| also_says.send_modify(|output| output.stdout += line));
            });
            read_lines(stderr, |line| says.send_modify(|output| output.stderr += line));
            reader.join().unwrap();
            ends.send_replace(Some(child.wait().unwrap()));
        });
        Ok(Self { pid, output, ended, keeper: Some(keeper) })
    }

    /// Waits until the process has said `words` on standard error.
    pub(crate) async fn says(&self, words: &str) {
        self.says_so(words, |stderr| stderr.contains(words)).await;
    }

    /// Waits until what the process has said on standard error satisfies the condition.
    pub(crate) async fn says_so(&self, what: &str, condition: impl Fn(&str) -> bool) {
        let mut output = self.output.clone();
        let said = soon(what, output.wait_for(|output| condition(&output.stderr))).await.is_ok();
        assert!(said, "ended without {what:?}: {}", self.output().stderr);
    }

    pub(crate) fn output(&self) -> Output {
        self.output.borrow().clone()
    }

    pub(crate) fn is_running(&self) -> bool {
        self.ended.borrow().is_none()
    }

    /// Waits for the end of the process; all its output is there afterwards.
    pub(crate) async fn end(&self) -> ExitStatus {
        let mut ended = self.ended.clone();
        let status = soon("the end of a process", ended.wait_for(Option::is_some)).await;
        status.unwrap().unwrap()
    }

    /// Sends a signal by its name without `SIG`.
    pub(crate) fn signal(&self, name: &str) {
        assert!(self.is_running(), "has ended: {}", self.output().stderr);
        assert!(self.send(name), "SIG{name} cannot be sent");
    }

    /// What the system says of the process in this file.
    pub(crate) fn system(&self, file: &str) -> String {
        std::fs::read_to_string(format!("/proc/{}/{file}", self.pid)).unwrap()
    }

    fn send(&self, signal: &str) -> bool {
        let pid = self.pid.to_string();
        let sent = Command::new("sh").args(["-c", "kill -s \"$0\" \"$1\"", signal, &pid]).status();
        sent.is_ok_and(|status| status.success())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if self.is_running() {
            // It may just have ended; the keeper below knows.
            self.send("KILL");
        }
        if let Some(keeper) = self.keeper.take() {
            // Should it have panicked, the test failed where it waited for the process.
            let _ended = keeper.join();
        }
    }
}

fn read_lines(from: impl Read, take: impl Fn(&str)) {
    let mut from = BufReader::new(from);
    let mut line = Vec::new();
    while from.read_until(b'\n', &mut line).unwrap() > 0 {
        take(&String::from_utf8_lossy(&line));
        line.clear();
    }
}
