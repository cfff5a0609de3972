//! `presence2mqtt light`

use std::io::Write;
use std::time::Duration;

use clap::{Args, Subcommand};

use super::exit::{self, Failure};
use super::progress::Progress;
use super::{examples, signals};
use crate::config::Config;
use crate::core::lights::settings::Settings;
use crate::core::model::effect::Message;
use crate::core::model::topic::Topics;
use crate::hearing::{self, Hearing, Verdict};
use crate::mqtt::address::Address;
use crate::mqtt::one_shot::OneShot;

/// What to do with a light.
#[derive(Debug, Subcommand)]
pub(super) enum Options {
    /// Show every state on a configured light, and report whether the device answers
    #[command(after_help = examples::LIGHT_TEST)]
    Test(Test),
}

/// Which light, and how fast.
#[derive(Debug, Args)]
pub(super) struct Test {
    /// The name of a configured light
    name: String,
    /// How long each state is shown
    #[arg(long, value_name = "DURATION", default_value = "2s", value_parser = humantime::parse_duration)]
    pause: Duration,
}

pub(super) async fn run(
    config: &Config,
    options: &Options,
    progress: Progress,
    out: &mut impl Write,
) -> Result<(), Failure> {
    let Options::Test(Test { name, pause }) = options;
    let light = config.lights.iter().find(|light| light.name.as_str() == name).ok_or_else(|| {
        let known: Vec<&str> = config.lights.iter().map(|light| light.name.as_str()).collect();
        let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
        Failure::new(exit::USAGE, format!("no light {name:?} is configured; there are: {known}"))
    })?;
    let stop = signals::stop()?;
    let address = Address::of_command(&config.mqtt, "light");
    let connecting = OneShot::connect(&address);
    let mut broker =
        progress.during("connecting to the broker", connecting).await.map_err(exit::of_broker)?;
    let mut hearing = [Hearing::new(light)];
    let outcome = tokio::select! {
        outcome = walk(&mut hearing, light, *pause, &mut broker, out) => outcome,
        () = stop => Ok(()),
    };
    // A bridge that drives the light says what it should really show, if one runs.
    let topics = Topics::from_settings(&config.mqtt.settings);
    let back = broker.publish(Message::handed_on(topics.refresh(), "light test".to_owned())).await;
    broker.close().await;
    outcome?;
    back.map_err(exit::of_broker)
}

/// Shows every state for a while, and leaves the light off. Says first whether the device is there, for
/// whoever waits before it.
async fn walk(
    hearing: &mut [Hearing<'_>; 1],
    light: &Settings,
    pause: Duration,
    broker: &mut OneShot,
    out: &mut impl Write,
) -> Result<(), Failure> {
    hearing::listen(hearing, broker).await.map_err(exit::of_broker)?;
    hearing::ask(hearing, broker).await.map_err(exit::of_broker)?;
    match hearing[0].verdict() {
        Verdict::Well(says) | Verdict::Unknown(says) | Verdict::Wrong(says) => writeln!(out, "{says}")?,
    }
    let mut line = |[state, color, brightness, effect]: [&str; 4]| {
        writeln!(out, "{}", format!("{state:<40} {color:<8} {brightness:>10}  {effect}").trim_end())?;
        out.flush()
    };
    line(["state", "color", "brightness", "effect"])?;
    for (words, look) in light.walk() {
        let lit = look.lit.as_ref();
        let brightness = lit.map(|lit| format!("{} %", lit.brightness)).unwrap_or_default();
        let effect = lit.and_then(|lit| lit.effect.name()).unwrap_or_default();
        line([&words, &look.shade().to_string(), &brightness, effect])?;
        for order in light.orders(&look) {
            let sent = broker.publish(order.into()).await;
            sent.map_err(exit::of_broker)?;
        }
        hearing[0].was_told();
        hearing::hear_for(pause, hearing, broker).await.map_err(exit::of_broker)?;
    }
    hearing::wait(hearing, broker).await.map_err(exit::of_broker)?;
    match hearing[0].verdict() {
        Verdict::Well(_) | Verdict::Unknown(_) => Ok(()),
        Verdict::Wrong(says) => Err(Failure::new(exit::UNREACHABLE, says)),
    }
}
