//! The `presence2mqtt` command: arguments, environment, one run, an exit code, and nothing else.

use std::process::ExitCode;

use clap::Parser;
use presence2mqtt::cli::{self, Arguments, exit};
use presence2mqtt::config::Environment;

fn main() -> ExitCode {
    end_on_panic();
    // Two providers are linked in; which one is meant must be said before the first connection. Only a second call fails.
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
        // Whoever read the results has seen enough.
        Err(failure) if failure.is_broken_pipe() => ExitCode::SUCCESS,
        Err(failure) => {
            last_words.say(&failure);
            ExitCode::from(failure.code())
        }
    }
}

/// The one place that reads the environment.
#[expect(clippy::disallowed_methods, reason = "main reads the environment, everybody else is handed it")]
fn environment() -> Environment {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect()
}

/// A half-alive bridge misinforms: whatever panics, the process ends, with the documented code.
#[expect(clippy::disallowed_methods, reason = "the promise of exit code 1 for a task that dies")]
fn end_on_panic() {
    let print = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        print(panic);
        std::process::exit(i32::from(exit::UNEXPECTED));
    }));
}
