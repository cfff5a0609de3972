//! `presence2mqtt check`

use std::io::Write;
use std::path::Path;

use clap::Args;
use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::exit::{self, Failure, naming};
use super::online;
use super::paper::Paper;
use super::progress::Progress;
use super::which::Which;
use crate::config::{self, Account, Config};
use crate::core::model::certificate;
use crate::core::model::name::TopicLevel;
use crate::core::model::report::words;
use crate::mqtt::address::Address;
use crate::run;

/// How far to go.
#[derive(Debug, Args)]
pub(super) struct Options {
    /// Also sign in, read one person's presence, connect to the broker, and publish a test message that it
    /// removes again
    #[arg(long)]
    online: bool,
    #[command(flatten)]
    which: Which,
}

/// Says what an accepted configuration means. Whatever is wrong with it was said while it was loaded.
pub(super) async fn run(
    config: &Config,
    options: &Options,
    file: Option<&Path>,
    (paper, progress): (Paper, Progress),
    out: &mut impl Write,
) -> Result<(), Failure> {
    // Certificate authorities and passwords are files too.
    let mut clients = Vec::new();
    for of in options.which.all(config)? {
        let client = run::graph_client(config, of).map_err(|error| Failure::new(exit::CONFIG, error))?;
        clients.push((of, client));
    }
    let address = Address::of_command(&config.mqtt, "check");
    address.check().map_err(|error| Failure::new(exit::CONFIG, error))?;
    let outcome = if options.online {
        online::run(config, &clients, (paper, progress), &|says| naming(file, says), out).await
    } else {
        Ok(describe(config, out)?)
    };
    warn(config, out)?;
    outcome
}

fn describe(config: &Config, out: &mut impl Write) -> std::io::Result<()> {
    let Config { origin, mqtt, accounts, users, groups, lights, .. } = config;
    writeln!(out, "{origin} is valid")?;
    writeln!(out, "  broker   {} as {}", mqtt.brokers, mqtt.settings.client_id)?;
    let base = &mqtt.settings.base_topic;
    writeln!(out, "  topics   {base}/<user>/availability, …/activity, …/state, …/health")?;
    for (of, account) in config.accounts() {
        let users = users.iter().filter(|user| user.account == of).count();
        let Account { name, tenant, cloud, auth, settings, .. } = account;
        name.iter().try_for_each(|name| writeln!(out, "  account  {name}"))?;
        writeln!(out, "  tenant   {} in the {} cloud", tenant.as_str(), cloud.as_str())?;
        writeln!(out, "  sign-in  {}", auth.as_str())?;
        let is_followed = groups.iter().any(|group| group.account == of);
        let users = match (users, is_followed) {
            (0, true) => "the members of groups".to_owned(),
            (users, true) => format!("{users}, and the members of groups"),
            (users, false) => users.to_string(),
        };
        writeln!(out, "  users    {users}, read every {}", words(settings.poll_interval))?;
        describe_budget(accounts, account, out)?;
    }
    for group in groups {
        let (id, refresh) = (group.id, words(group.refresh_members));
        writeln!(out, "  group    {id}, members read every {refresh}")?;
    }
    for light in lights {
        let users: Vec<&str> = light.users.iter().map(TopicLevel::as_str).collect();
        write!(out, "  light    {} shows {}", light.name, users.join(", "))?;
        match &light.active {
            Some(hours) => {
                writeln!(out, ", within its hours by the clock of {}", zone_in_words(&hours.zone))?
            }
            None => writeln!(out)?,
        }
    }
    Ok(())
}

/// The machine's own may have no name, as a file that is no link to the database.
fn zone_in_words(zone: &TimeZone) -> String {
    let name = if zone.is_unknown() { Some("UTC") } else { zone.iana_name() };
    name.unwrap_or("this machine").to_owned()
}

/// Says with which others an account shares its requests.
fn describe_budget(all: &[Account], account: &Account, out: &mut impl Write) -> std::io::Result<()> {
    let sharing = || all.iter().filter(|other| other.app() == account.app());
    let others: Vec<&str> = sharing().filter(|other| other.name != account.name).filter_map(name).collect();
    let limits = || sharing().map(|other| other.settings.request_budget);
    let (Some(least), Some(most), false) = (limits().min(), limits().max(), others.is_empty()) else {
        return Ok(());
    };
    let smaller = if least < most { ", the smaller request_budget" } else { "" };
    writeln!(out, "  budget   {least} requests in 30s{smaller}, shared with {}", others.join(", "))
}

fn name(account: &Account) -> Option<&str> {
    account.name.as_ref().map(TopicLevel::as_str)
}

#[expect(clippy::disallowed_methods, reason = "a command is an edge: certificates end by the clock")]
fn warn(config: &Config, out: &mut impl Write) -> std::io::Result<()> {
    for warning in config::exposed(config).into_iter().chain(config::unzoned(config)) {
        writeln!(out, "warning: {warning}")?;
    }
    for account in &config.accounts {
        let ends = run::certificate_ends(account);
        if let Some(notice) = ends.and_then(|ends| certificate::notice(ends, Timestamp::now())) {
            match &account.name {
                Some(name) => writeln!(out, "warning: account {name}: {notice}")?,
                None => writeln!(out, "warning: {notice}")?,
            }
        }
    }
    Ok(())
}
