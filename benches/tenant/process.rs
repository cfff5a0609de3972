//! Processes of the run's own: what they cost, and that they and their children never outlive it.

use std::fs;
use std::io::{self, BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};

/// A running process. Dropping it kills it.
pub(crate) struct Process(Child);

/// What a process has cost so far.
#[derive(Debug, Clone, Copy, Default)]
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
        Self(command.process_group(0).spawn().unwrap_or_else(|error| panic!("{command:?}: {error}")))
    }

    /// Starts one that says its first line on standard output; returns that line.
    pub(crate) fn told(command: &mut Command) -> (Self, String) {
        let mut process = Self::start(command.stdout(Stdio::piped()));
        let mut line = String::new();
        let stdout: &mut ChildStdout = process.0.stdout.as_mut().unwrap();
        BufReader::new(stdout).read_line(&mut line).unwrap();
        (process, line.trim().to_owned())
    }

    /// What it cost with its children and its threads; not of threads that have ended, nor the wake-ups of
    /// children that have.
    pub(crate) fn cost(&self) -> Cost {
        let mut sum = Cost::default();
        let mut left = sum.add(self.0.id()).unwrap();
        while let Some(id) = left.pop() {
            // It may have ended meanwhile.
            left.extend(sum.add(id).unwrap_or_default());
        }
        sum
    }

    /// Begins a new peak (Linux: `proc_pid_clear_refs(5)`).
    pub(crate) fn forget_peak(&self) {
        fs::write(format!("/proc/{}/clear_refs", self.0.id()), "5").unwrap();
    }

    pub(crate) fn kill(&mut self) {
        self.kill_group().unwrap();
        self.0.wait().unwrap();
    }

    /// A shell's children would outlive it.
    fn kill_group(&self) -> rustix::io::Result<()> {
        kill_process_group(Pid::from_child(&self.0), Signal::KILL)
    }
}

impl Cost {
    /// Adds one process and its threads; returns its children. Linux: `proc_pid_schedstat(5)`, in
    /// nanoseconds, `proc_pid_status(5)`, and for children that have ended `proc_pid_stat(5)`, in hundredths
    /// of a second.
    fn add(&mut self, id: u32) -> io::Result<Vec<u32>> {
        let (mut cost, mut children) = (Self::default(), Vec::new());
        for thread in fs::read_dir(format!("/proc/{id}/task"))? {
            let thread = thread?.path();
            let read = |file| fs::read_to_string(thread.join(file));
            // It may have ended meanwhile.
            let (Ok(time), Ok(status)) = (read("schedstat"), read("status")) else { continue };
            cost.time += Duration::from_nanos(time.split(' ').next().unwrap().parse().unwrap());
            cost.wakes += line(&status, "voluntary_ctxt_switches:");
            children.extend(read("children")?.split_whitespace().map(|id| id.parse::<u32>().unwrap()));
        }
        let status = fs::read_to_string(format!("/proc/{id}/status"))?;
        cost.resident += line(&status, "VmRSS:");
        cost.peak += line(&status, "VmHWM:");
        let stat = fs::read_to_string(format!("/proc/{id}/stat"))?;
        let ended = stat.rsplit_once(") ").unwrap().1.split(' ').skip(13).take(2);
        cost.time += Duration::from_millis(ended.map(|time| time.parse::<u64>().unwrap() * 10).sum());
        self.time += cost.time;
        self.wakes += cost.wakes;
        self.resident += cost.resident;
        self.peak += cost.peak;
        Ok(children)
    }
}

/// The number in the line that begins with this, without its unit; none where there is no such line.
fn line(status: &str, name: &str) -> u64 {
    let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap_or("0");
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ended = self.kill_group();
        let _status = self.0.wait();
    }
}
