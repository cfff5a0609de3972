//! Processes of the run's own: what they cost, and that they never outlive it.

use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

/// A running process. Dropping it kills it.
pub(crate) struct Process(Child);

/// What a process has cost so far.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cost {
    /// Of the processor, and how often it was given back to wait for something.
    pub(crate) time: Duration,
    pub(crate) wakes: u64,
    /// KiB in memory now, and at most since the last [`Process::forget_peak`].
    pub(crate) resident: u64,
    pub(crate) peak: u64,
}

impl Process {
    pub(crate) fn start(command: &mut Command) -> Self {
        Self(command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}")))
    }

    /// Starts one that says its first line on standard output; returns that line.
    pub(crate) fn told(command: &mut Command) -> (Self, String) {
        let mut process = Self::start(command.stdout(Stdio::piped()));
        let mut line = String::new();
        let stdout: &mut ChildStdout = process.0.stdout.as_mut().unwrap();
        BufReader::new(stdout).read_line(&mut line).unwrap();
        (process, line.trim().to_owned())
    }

    /// Linux: `proc_pid_schedstat(5)` of the one thread that works, in nanoseconds, and `proc_pid_status(5)`.
    pub(crate) fn cost(&self) -> Cost {
        let time = self.system("schedstat").split(' ').next().unwrap().parse().unwrap();
        let status = self.system("status");
        let number = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
            line.trim().trim_end_matches(" kB").parse().unwrap()
        };
        Cost {
            time: Duration::from_nanos(time),
            wakes: number("voluntary_ctxt_switches:"),
            resident: number("VmRSS:"),
            peak: number("VmHWM:"),
        }
    }

    /// Begins a new peak (Linux: `proc_pid_clear_refs(5)`).
    pub(crate) fn forget_peak(&self) {
        fs::write(format!("/proc/{}/clear_refs", self.0.id()), "5").unwrap();
    }

    pub(crate) fn kill(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }

    fn system(&self, file: &str) -> String {
        fs::read_to_string(format!("/proc/{}/{file}", self.0.id())).unwrap()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ended = self.0.kill();
        let _status = self.0.wait();
    }
}
