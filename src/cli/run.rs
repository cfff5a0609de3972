//! `presence2mqtt run`

use tokio::sync::mpsc;

use super::exit::{self, Failure};
use super::signals;
use crate::config::{Config, Environment};
use crate::core::command::Ending;
use crate::run;

/// Configurations that were read again and not yet taken. When it is full the next one waits to be read: it will be newer.
const RELOADS: usize = 1;

/// Runs the bridge until it is asked to stop.
pub(super) async fn run(
    load: impl Fn() -> Result<Config, Failure>,
    environment: &Environment,
) -> Result<(), Failure> {
    let config = load()?;
    let stop = signals::stop()?;
    let (reload, reloads) = mpsc::channel(RELOADS);
    tracing::info!(
        version = env!("CARGO_PKG_VERSION"),
        config = %config.origin,
        broker = %config.mqtt.broker,
        base_topic = %config.mqtt.base_topic,
        users = config.users.len(),
        groups = config.groups.len(),
        "starting"
    );
    let supervisor = run::Supervisor::of(environment, std::process::id());
    let reread = || load().map_err(|failure| failure.to_string());
    let ended = tokio::select! {
        ended = run::supervised(&config, stop, reloads, supervisor) => ended,
        never = signals::reload(reread, reload) => match never? {},
    };
    match ended {
        Ok(Ending::Stopped) => {
            tracing::info!("stopped");
            Ok(())
        }
        Ok(Ending::Conflict(sentence)) => Err(Failure::new(exit::CONFIG, sentence)),
        Err(error) => {
            let code = match &error {
                run::RunError::Http(_)
                | run::RunError::Store(_)
                | run::RunError::Broker(_)
                | run::RunError::Door(_) => exit::CONFIG,
                run::RunError::TaskDied(_) => exit::UNEXPECTED,
            };
            Err(Failure::new(code, error))
        }
    }
}
