//! The command line: arguments in, exit code out. Results go to standard output, logs to standard error.

mod account;
mod check;
mod clean;
mod completions;
mod examples;
pub mod exit;
mod get;
mod healthcheck;
mod light;
mod lines;
mod living;
mod logging;
mod login;
mod man;
mod members;
mod online;
mod paper;
mod progress;
mod run;
mod setup;
mod signals;
mod terminal;
mod watch;
mod which;

use std::io::Write;
use std::path::PathBuf;

use clap::{CommandFactory, Parser, Subcommand};

use crate::config::{self, Config, Environment};
#[cfg(feature = "demo")]
use crate::demo::DemoError;
#[cfg(feature = "demo")]
use crate::view::show::Look;
use exit::Failure;
use logging::Drawn;
pub use logging::LastWords;
use progress::Progress;
use terminal::Terminal;

/// Publishes Microsoft Teams presence to an MQTT broker.
#[derive(Debug, Parser)]
#[command(version, about, after_help = examples::ALL)]
pub struct Arguments {
    /// The configuration file [default: presence2mqtt.toml here, then in the user's and the system's
    /// configuration folder]
    #[arg(short, long, global = true, help_heading = logging::EVERYWHERE, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(flatten)]
    logging: logging::Options,
    #[command(subcommand)]
    command: Option<Task>,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Run the bridge until you stop it (default)
    #[command(after_help = examples::RUN)]
    Run(run::Options),
    /// Ask a few questions, check each answer, sign in, and write the configuration
    #[command(after_help = examples::SETUP)]
    Setup(setup::Options),
    /// Show everything at work: a simulated tenant, a broker, the bridge and a live view
    #[cfg(feature = "demo")]
    #[command(after_help = examples::DEMO)]
    Demo(crate::demo::Options),
    /// Check the configuration; --online also tries the sign-in, Graph and the broker, and prints what to fix
    #[command(after_help = examples::CHECK)]
    Check(check::Options),
    /// Sign a person in, with a code or a browser (only with method "device-code" or "browser")
    #[command(after_help = examples::LOGIN)]
    Login(login::Options),
    /// Delete the stored sign-in
    #[command(after_help = examples::LOGOUT)]
    Logout(which::Which),
    /// Print who is signed in, and with which permissions
    #[command(after_help = examples::WHOAMI)]
    Whoami(which::Which),
    /// Read presence once from Graph and print it
    #[command(after_help = examples::GET)]
    Get(get::Options),
    /// Show the people on the broker, live: a table on a terminal, otherwise a line for each change
    #[command(after_help = examples::WATCH)]
    Watch(watch::Options),
    /// Run the simulated Graph and sign-in service alone, for development and tests
    #[cfg(feature = "demo")]
    #[command(after_help = examples::SIMULATE)]
    Simulate(crate::simulate::command::Options),
    /// Test a configured light
    #[command(subcommand)]
    Light(light::Options),
    /// Remove the topics that this or an earlier configuration left on the broker
    #[command(after_help = examples::CLEAN)]
    Clean(clean::Options),
    /// Ask the bridge that runs with this configuration whether it is alive (for containers)
    #[command(after_help = examples::HEALTHCHECK)]
    Healthcheck,
    /// Print the JSON Schema of the configuration
    #[command(after_help = examples::SCHEMA)]
    Schema,
    /// Print completions for a shell
    #[command(after_help = examples::COMPLETIONS)]
    Completions(completions::Options),
    /// Print the manual page
    #[command(after_help = examples::MAN)]
    Man,
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
    let done = obey(&arguments, environment, out).await;
    done.map_err(|failure| failure.said(|says| exit::naming(arguments.config.as_deref(), says)))
}

async fn obey(
    arguments: &Arguments,
    environment: &Environment,
    out: &mut (impl Write + Send),
) -> Result<(), Failure> {
    let file = arguments.config.as_deref();
    let terminal = Terminal::of_process(environment);
    let drawn = match &arguments.command {
        Some(Task::Watch(options)) if terminal.out && terminal.err => options.drawn(),
        #[cfg(feature = "demo")]
        Some(Task::Demo(_)) if terminal.out && terminal.err => Drawn::InPlace,
        _ => Drawn::Nothing,
    };
    logging::start(&arguments.logging, environment, terminal, drawn);
    let progress = Progress::new(terminal.err && arguments.logging.is_for_people());
    let config = || load(arguments, environment);
    match arguments.command.as_ref().unwrap_or(&Task::Run(run::Options::default())) {
        Task::Run(options) => run::run(options, config, (file, environment)).await,
        Task::Setup(options) => setup::run(options, (file, environment), (terminal, progress), out).await,
        #[cfg(feature = "demo")]
        Task::Demo(options) => {
            let stop = signals::stop()?;
            let look = Look { live: terminal.out, colours: terminal.colours_out(), timed: false };
            let typed = terminal.typed();
            let ended = crate::demo::run(options, (look, typed), stop, out).await;
            match ended {
                Err(DemoError::Io(error)) => Err(error.into()),
                ended => ended.map_err(|error| Failure::new(exit::UNEXPECTED, error)),
            }
        }
        Task::Check(options) => {
            check::run(&config()?, options, file, (terminal.paper(), progress), out).await
        }
        Task::Login(options) => login::run(&config()?, options, file, (terminal, progress), out).await,
        Task::Logout(which) => account::logout(&config()?, which, progress, out).await,
        Task::Whoami(which) => account::whoami(&config()?, which, progress, out).await,
        Task::Get(options) => get::run(&config()?, options, (terminal.paper(), progress), out).await,
        Task::Watch(options) => {
            let listening = config::load_listening(file, environment);
            let listening = listening.map_err(|error| Failure::new(exit::CONFIG, error))?;
            watch::run(&listening, options, (terminal, progress), out).await
        }
        #[cfg(feature = "demo")]
        Task::Simulate(options) => {
            let stop = signals::stop()?;
            let ended = crate::simulate::command::run(*options, stop, out).await;
            ended.map_err(|error| Failure::new(exit::UNEXPECTED, error))
        }
        Task::Light(options) => light::run(&config()?, options, progress, out).await,
        Task::Clean(options) => clean::run(&config()?, options, progress, out).await,
        Task::Healthcheck => {
            let listen = config::load_listen(file, environment);
            healthcheck::run(listen.map_err(|error| Failure::new(exit::CONFIG, error))?, out).await
        }
        Task::Schema => Ok(writeln!(out, "{:#}", config::json_schema())?),
        Task::Completions(options) => Ok(completions::run(Arguments::command(), options, out)?),
        Task::Man => Ok(man::run(Arguments::command(), out)?),
    }
}

impl Arguments {
    /// How the program says why it ends.
    #[must_use]
    pub fn last_words(&self) -> LastWords {
        self.logging.last_words()
    }
}

fn load(arguments: &Arguments, environment: &Environment) -> Result<Config, Failure> {
    config::load(arguments.config.as_deref(), environment).map_err(|error| Failure::new(exit::CONFIG, error))
}
