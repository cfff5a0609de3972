//! `presence2mqtt run`

use super::exit::{self, Failure};
use super::signals;
use crate::config::Config;
use crate::core::command::Ending;
use crate::run;

/// Runs the bridge until it is asked to stop.
pub(super) async fn run(config: &Config) -> Result<(), Failure> {
    let stop = signals::stop()?;
    tracing::info!(
        version = env!("CARGO_PKG_VERSION"),
        config = %config.origin,
        broker = %config.mqtt.broker,
        base_topic = %config.mqtt.base_topic,
        users = config.users.len(),
        "starting"
    );
    let ended = tokio::select! {
        ended = run::run(config, stop) => ended,
        never = signals::decline_reloads() => match never? {},
    };
    match ended {
        Ok(Ending::Stopped) => {
            tracing::info!("stopped");
            Ok(())
        }
        Ok(Ending::Conflict(sentence)) => Err(Failure::new(exit::CONFIG, sentence)),
        Err(error @ (run::RunError::Http(_) | run::RunError::Store(_))) => {
            Err(Failure::new(exit::CONFIG, error))
        }
        Err(error @ run::RunError::TaskDied(_)) => Err(Failure::new(exit::UNEXPECTED, error)),
    }
}
