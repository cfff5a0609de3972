//! The command line: arguments in, exit code out. Results go to standard output, logs to standard error.

mod account;
mod check;
mod clean;
pub mod exit;
mod get;
mod light;
mod logging;
mod login;
mod members;
mod run;
mod signals;

use std::io::Write;
use std::path::PathBuf;

use clap::{Parser, Subcommand};

use crate::config::{self, Config, Environment};
use exit::Failure;

/// Microsoft Teams presence on an MQTT broker, kept true.
#[derive(Debug, Parser)]
#[command(version, about, after_help = EXAMPLES)]
pub struct Arguments {
    /// The configuration file [default: presence2mqtt.toml here, then in the user's and the system's configuration folder]
    #[arg(short, long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(flatten)]
    logging: logging::Options,
    #[command(subcommand)]
    command: Option<Task>,
}

const EXAMPLES: &str = "\
Examples:
  presence2mqtt demo                        see everything at work, nothing to set up
  presence2mqtt check -c presence2mqtt.toml
  presence2mqtt get --json alice
  presence2mqtt run -c /etc/presence2mqtt/config.toml";

#[derive(Debug, Subcommand)]
enum Task {
    /// Keep the broker true until told to stop (the default)
    Run,
    /// Everything at once, nothing to set up: a simulated tenant, a broker, the bridge, a live view
    #[cfg(feature = "demo")]
    Demo(crate::demo::Options),
    /// Validate the configuration
    Check,
    /// Sign a person in, with a code or a browser, for the sign-in methods
    Login(login::Options),
    /// Forget the sign-in
    Logout,
    /// Say who is signed in, and for what
    Whoami,
    /// Read presence once from Graph and print it
    Get(get::Options),
    /// The simulated Graph and sign-in service alone, for development and tests
    #[cfg(feature = "demo")]
    Simulate(crate::simulate::command::Options),
    /// Try a configured light
    #[command(subcommand)]
    Light(light::Options),
    /// Remove what this or an earlier configuration left on the broker
    Clean(clean::Options),
    /// Print the JSON Schema of the configuration
    Schema,
}

/// Does what the arguments ask for.
///
/// # Errors
///
/// With the exit code that the failure ends in.
pub async fn main(
    arguments: Arguments,
    environment: &Environment,
    out: &mut (impl Write + Send),
) -> Result<(), Failure> {
    logging::start(&arguments.logging, environment);
    let config = || load(&arguments, environment);
    match arguments.command.as_ref().unwrap_or(&Task::Run) {
        Task::Run => run::run(config).await,
        #[cfg(feature = "demo")]
        Task::Demo(options) => {
            let stop = signals::stop()?;
            crate::demo::run(options, stop, out).await.map_err(|error| Failure::new(exit::UNEXPECTED, error))
        }
        Task::Check => check::run(&config()?, out),
        Task::Login(options) => login::run(&config()?, options, out).await,
        Task::Logout => account::logout(&config()?, out).await,
        Task::Whoami => account::whoami(&config()?, out).await,
        Task::Get(options) => get::run(&config()?, options, out).await,
        #[cfg(feature = "demo")]
        Task::Simulate(options) => {
            let stop = signals::stop()?;
            let ended = crate::simulate::command::run(*options, stop, out).await;
            ended.map_err(|error| Failure::new(exit::UNEXPECTED, error))
        }
        Task::Light(options) => light::run(&config()?, options, out).await,
        Task::Clean(options) => clean::run(&config()?, options, out).await,
        Task::Schema => Ok(writeln!(out, "{:#}", config::json_schema())?),
    }
}

fn load(arguments: &Arguments, environment: &Environment) -> Result<Config, Failure> {
    config::load(arguments.config.as_deref(), environment).map_err(|error| Failure::new(exit::CONFIG, error))
}
