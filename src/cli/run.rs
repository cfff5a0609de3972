//! `presence2mqtt run`

use std::path::Path;
use std::sync::Arc;

use tokio::sync::mpsc;

use super::exit::{self, Failure};
use super::signals;
use crate::chain::chain;
use crate::config::{self, Config, Environment};
use crate::core::model::effect::Ending;
use crate::http::door::DoorError;
use crate::run;

/// Configurations that were read again and not yet taken. When it is full the next one waits to be read: it
/// will be newer.
const RELOADS: usize = 1;

/// What `run` may be told.
#[derive(Debug, Default, clap::Args)]
pub(super) struct Options {
    /// Wait while another instance with this configuration is active, and take over when it is gone (as
    /// mqtt.standby)
    #[arg(long)]
    standby: bool,
}

/// Runs the bridge until it is asked to stop. At a first start the page asks for a configuration before.
pub(super) async fn run(
    options: &Options,
    load: impl Fn() -> Result<Config, Failure>,
    (explicit, environment): (Option<&Path>, &Environment),
) -> Result<(), Failure> {
    let load = || -> Result<Config, Failure> {
        let mut config = load()?;
        config.mqtt.settings.standby |= options.standby;
        Ok(config)
    };
    let found = match load() {
        Ok(config) => Ok(Arc::new(config)),
        Err(missing) => match config::first_start(explicit, environment) {
            Some(first) => Err((first, missing)),
            None => return Err(missing),
        },
    };
    let stop = signals::stop()?;
    let (to, reloads) = mpsc::channel(RELOADS);
    let read = || load().inspect(warn).map_err(|failure| failure.to_string());
    let reload = signals::reload(read, to)?;
    let supervisor = run::Supervisor::of(environment, std::process::id());
    let running = async {
        match &found {
            Ok(config) => {
                starting(config);
                run::supervised(Arc::clone(config), stop, reloads, supervisor).await
            }
            Err((first, _)) => {
                let load = || load().inspect(starting).map_err(|failure| failure.to_string());
                run::set_up(first, (environment, load), stop, reloads, supervisor).await
            }
        }
    };
    let ended = tokio::select! {
        ended = running => ended,
        never = reload => match never {},
    };
    match (ended, found) {
        // What is missing can only be written by hand.
        (Err(error @ run::RunError::NotWritten(_)), Err((_, missing))) => {
            Err(Failure::new(exit::CONFIG, format!("{missing}\n{}", chain(&error))))
        }
        (ended, _) => ending(ended),
    }
}

/// The story begins.
fn starting(config: &Config) {
    tracing::info!(
        version = env!("CARGO_PKG_VERSION"),
        config = %config.origin,
        broker = %config.mqtt.brokers,
        base_topic = %config.mqtt.settings.base_topic,
        users = config.users.len(),
        groups = config.groups.len(),
        "starting"
    );
    warn(config);
}

fn ending(ended: Result<Ending, run::RunError>) -> Result<(), Failure> {
    match ended {
        Ok(Ending::Stopped) => {
            tracing::info!("stopped");
            Ok(())
        }
        Ok(Ending::Conflict(sentence)) => Err(Failure::new(exit::CONFIG, sentence)),
        Err(error) => {
            let code = match &error {
                // Time may mend these, so whoever started the bridge should try again, which systemd never
                // does after 78.
                run::RunError::Store(error) if error.may_pass() => exit::UNEXPECTED,
                run::RunError::Door(DoorError::NotHere { .. }) | run::RunError::TaskDied(_) => {
                    exit::UNEXPECTED
                }
                run::RunError::Http(_)
                | run::RunError::Store(_)
                | run::RunError::Broker(_)
                | run::RunError::NotWritten(_)
                | run::RunError::Door(DoorError::Refused { .. }) => exit::CONFIG,
            };
            Err(Failure::new(code, error))
        }
    }
}

/// Says what others can do with the files, and which lights have hours without a clock.
fn warn(config: &Config) {
    for warning in config::exposed(config).into_iter().chain(config::unzoned(config)) {
        tracing::warn!("{warning}");
    }
}
