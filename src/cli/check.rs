//! `presence2mqtt check`

use std::io::Write;

use jiff::Timestamp;

use super::exit::{self, Failure};
use crate::config::Config;
use crate::core::certificate;
use crate::core::report::words;
use crate::run;

/// Says what an accepted configuration means. Whatever is wrong with it was said while it was loaded.
#[expect(clippy::disallowed_methods, reason = "a command is an edge: certificates end by the clock")]
pub(super) fn run(config: &Config, out: &mut impl Write) -> Result<(), Failure> {
    // Certificate authorities are files too.
    run::graph_client(config).map_err(|error| Failure::new(exit::CONFIG, error))?;
    let Config { origin, mqtt, graph, users, groups, .. } = config;
    writeln!(out, "{origin} is valid")?;
    writeln!(out, "  broker   {} as {}", mqtt.broker, mqtt.client_id)?;
    writeln!(out, "  topics   {}/<user>/availability, …/activity, …/state, …/health", mqtt.base_topic)?;
    writeln!(out, "  tenant   {} in the {} cloud", graph.tenant.as_str(), graph.cloud.as_str())?;
    writeln!(out, "  sign-in  {}", graph.auth.as_str())?;
    writeln!(out, "  users    {}, read every {}", users.len(), words(graph.poll_interval))?;
    for group in groups {
        let (id, refresh) = (group.id, words(group.refresh_members));
        writeln!(out, "  group    {id}, members read every {refresh}")?;
    }
    let notice = run::certificate_ends(config).and_then(|ends| certificate::notice(ends, Timestamp::now()));
    if let Some(notice) = notice {
        writeln!(out, "warning: {notice}")?;
    }
    Ok(())
}
