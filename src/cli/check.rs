//! `presence2mqtt check`

use std::io::Write;

use clap::Args;
use jiff::Timestamp;

use super::exit::{self, Failure};
use super::online;
use super::progress::Progress;
use crate::config::{self, Config};
use crate::core::model::name::TopicLevel;
use crate::core::model::report::words;
use crate::core::sign_in::certificate;
use crate::mqtt::address::Address;
use crate::run;

/// How far to go.
#[derive(Debug, Args)]
pub(super) struct Options {
    /// Also sign in, read one presence, connect to the broker and publish there; leaves nothing behind
    #[arg(long)]
    online: bool,
}

/// Says what an accepted configuration means. Whatever is wrong with it was said while it was loaded.
pub(super) async fn run(
    config: &Config,
    options: &Options,
    progress: Progress,
    out: &mut impl Write,
) -> Result<(), Failure> {
    // Certificate authorities and passwords are files too.
    let client = run::graph_client(config).map_err(|error| Failure::new(exit::CONFIG, error))?;
    let address = Address::of_command(&config.mqtt, "check");
    address.check().map_err(|error| Failure::new(exit::CONFIG, error))?;
    let outcome = if options.online {
        online::run(config, &client, progress, out).await
    } else {
        Ok(describe(config, out)?)
    };
    warn(config, out)?;
    outcome
}

fn describe(config: &Config, out: &mut impl Write) -> std::io::Result<()> {
    let Config { origin, mqtt, graph, users, groups, lights, .. } = config;
    writeln!(out, "{origin} is valid")?;
    writeln!(out, "  broker   {} as {}", mqtt.brokers, mqtt.settings.client_id)?;
    let base = &mqtt.settings.base_topic;
    writeln!(out, "  topics   {base}/<user>/availability, …/activity, …/state, …/health")?;
    writeln!(out, "  tenant   {} in the {} cloud", graph.tenant.as_str(), graph.cloud.as_str())?;
    writeln!(out, "  sign-in  {}", graph.auth.as_str())?;
    writeln!(out, "  users    {}, read every {}", users.len(), words(graph.settings.poll_interval))?;
    for group in groups {
        let (id, refresh) = (group.id, words(group.refresh_members));
        writeln!(out, "  group    {id}, members read every {refresh}")?;
    }
    for light in lights {
        let users: Vec<&str> = light.users.iter().map(TopicLevel::as_str).collect();
        writeln!(out, "  light    {} shows {}", light.name, users.join(", "))?;
    }
    Ok(())
}

#[expect(clippy::disallowed_methods, reason = "a command is an edge: certificates end by the clock")]
fn warn(config: &Config, out: &mut impl Write) -> std::io::Result<()> {
    for warning in config::exposed(config) {
        writeln!(out, "warning: {warning}")?;
    }
    let ends = run::certificate_ends(config);
    match ends.and_then(|ends| certificate::notice(ends, Timestamp::now())) {
        Some(notice) => writeln!(out, "warning: {notice}"),
        None => Ok(()),
    }
}
