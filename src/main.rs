//! The `presence2mqtt` command: arguments, environment, one run, an exit code, and nothing else.

use std::process::ExitCode;

use clap::Parser;
use presence2mqtt::cli::{self, Arguments, exit};
use presence2mqtt::config::Environment;

fn main() -> ExitCode {
    end_on_panic();
    keep_no_memory_on_disk();
    // Two TLS providers are linked, so one has to be selected before the first connection. Only a second call
    // fails.
    let _first = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let arguments = Arguments::parse();
    let last_words = arguments.last_words();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let result = runtime.map_err(exit::Failure::from).and_then(|runtime| {
        let mut out = std::io::stdout();
        runtime.block_on(cli::main(arguments, &environment(), &mut out))
    });
    match result {
        Ok(()) => ExitCode::SUCCESS,
        // The reader of the results has closed the pipe.
        Err(failure) if failure.is_broken_pipe() => ExitCode::SUCCESS,
        Err(failure) => {
            last_words.say(&failure);
            ExitCode::from(failure.code())
        }
    }
}

/// Reads the environment, and asks the system for the host name; no other place does.
#[expect(clippy::disallowed_methods, reason = "main reads the environment, everybody else is handed it")]
fn environment() -> Environment {
    let environment: Environment = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect();
    environment.on_host(host())
}

/// This machine's name, or the container's.
fn host() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

/// Passwords and tokens are in the memory. A core dump would write them to a disk or send them to a collector
/// of dumps, so there is none; other processes of the same user cannot read the memory either. If the system
/// refuses this, the bridge works nevertheless.
#[cfg(target_os = "linux")]
fn keep_no_memory_on_disk() {
    use rustix::process::{DumpableBehavior, Resource, Rlimit, set_dumpable_behavior, setrlimit};
    let _refused = set_dumpable_behavior(DumpableBehavior::NotDumpable);
    // Also for systems that dump regardless of `PR_SET_DUMPABLE`.
    let _refused = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) });
}

#[cfg(not(target_os = "linux"))]
fn keep_no_memory_on_disk() {}

/// After a panic the process ends with the documented exit code: half a bridge would publish wrong values.
#[expect(clippy::disallowed_methods, reason = "the promise of exit code 1 for a task that dies")]
fn end_on_panic() {
    let print = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        print(panic);
        std::process::exit(i32::from(exit::UNEXPECTED));
    }));
}
