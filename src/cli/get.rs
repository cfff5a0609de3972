//! `presence2mqtt get`

use std::collections::BTreeMap;
use std::io::Write;

use clap::Args;
use serde_json::value::RawValue;

use super::exit::{self, Failure};
use super::members;
use super::progress::Progress;
use crate::config::Config;
use crate::core::model::foreign::escaped;
use crate::core::model::payload::{State, json};
use crate::core::model::request::ReadFailure;
use crate::core::model::settings::User;
use crate::core::model::time::whole_seconds;
use crate::graph::once::{self, Outcome};
use crate::run;
use crate::view::line::Ink;
use crate::view::table::{Cell, table};

/// Whom to read, and how to print it.
#[derive(Debug, Args)]
pub(super) struct Options {
    /// Names of configured users or of members of configured groups [default: all]
    #[arg(value_name = "USER")]
    users: Vec<String>,
    /// Print an object from user name to their state
    #[arg(long)]
    json: bool,
}

/// Reads presence once and prints it.
pub(super) async fn run(
    config: &Config,
    options: &Options,
    progress: Progress,
    out: &mut impl Write,
) -> Result<(), Failure> {
    let client = run::graph_client(config).map_err(|error| Failure::new(exit::CONFIG, error))?;
    let is_configured = |name: &String| config.users.iter().any(|user| user.name.as_str() == name);
    // Groups are read only for somebody who may be in one.
    let enough = !options.users.is_empty() && options.users.iter().all(is_configured);
    let known = match config.groups.is_empty() || enough {
        true => config.users.clone(),
        false => {
            progress.during("reading groups from Graph", members::everybody(config, &client, code)).await?
        }
    };
    let users = chosen(&known, &options.users)?;
    let ids: Vec<_> = users.iter().map(|user| user.id.clone()).collect();
    let reading = once::read(&client, config.graph.settings.endpoint, &ids);
    let outcomes = progress.during("reading presence from Graph", reading).await;
    let rows: Vec<(&User, Outcome)> = users.into_iter().zip(outcomes).collect();
    if options.json {
        print_json(config, &rows, out)?
    } else {
        print_table(&rows, out)?
    }
    match rows.into_iter().find_map(|(user, outcome)| outcome.err().map(|failure| (user, failure))) {
        Some((user, failure)) => Err(Failure::new(code(&failure), format!("{}: {failure}", user.name))),
        None => Ok(()),
    }
}

/// Names that are listed where one is not found.
const LISTED: usize = 20;

fn chosen<'a>(users: &'a [User], names: &[String]) -> Result<Vec<&'a User>, Failure> {
    if names.is_empty() {
        return Ok(users.iter().collect());
    }
    let find = |name: &String| {
        users.iter().find(|user| user.name.as_str() == name).ok_or_else(|| {
            let mut known: Vec<&str> = users.iter().map(|user| user.name.as_str()).take(LISTED).collect();
            known.extend((users.len() > LISTED).then_some("…"));
            Failure::new(exit::USAGE, format!("{name:?} is not configured; there are: {}", known.join(", ")))
        })
    };
    names.iter().map(find).collect()
}

#[expect(clippy::disallowed_methods, reason = "a command is an edge: what it sees first, it sees now")]
fn print_json(config: &Config, rows: &[(&User, Outcome)], out: &mut impl Write) -> Result<(), Failure> {
    let now = whole_seconds(jiff::Timestamp::now());
    let mut people = BTreeMap::new();
    for (user, outcome) in rows {
        let Ok((id, presence)) = outcome else { continue };
        let presence = if config.graph.settings.include_messages {
            presence.clone()
        } else {
            presence.clone().without_messages()
        };
        let state = State::new(&presence, now, Some(*id), &config.mqtt.settings.client_id);
        let state =
            RawValue::from_string(json(&state)).map_err(|error| Failure::new(exit::UNEXPECTED, error))?;
        people.insert(user.name.as_str(), state);
    }
    Ok(writeln!(out, "{}", escaped(&json(&people)))?)
}

fn print_table(rows: &[(&User, Outcome)], out: &mut impl Write) -> Result<(), Failure> {
    let rows: Vec<Vec<Cell>> = rows.iter().map(|(user, outcome)| cells(user, outcome)).collect();
    for line in table(&["USER", "NAME", "AVAILABILITY", "ACTIVITY", "OUT OF OFFICE"], &rows) {
        writeln!(out, " {}", line.render(None, false))?;
    }
    Ok(())
}

fn cells(user: &User, outcome: &Outcome) -> Vec<Cell> {
    let words = match outcome {
        Ok((_, presence)) => {
            let out_of_office = match presence.out_of_office {
                Some(true) => "yes",
                Some(false) => "no",
                None => "",
            };
            [presence.availability().as_str(), presence.words.activity_word(), out_of_office]
        }
        Err(_) => ["-", "-", ""],
    };
    let texts = [user.name.as_str(), &user.display_name].into_iter().chain(words);
    texts.map(|text| (text.to_owned(), Ink::Plain)).collect()
}

fn code(failure: &ReadFailure) -> u8 {
    match failure {
        ReadFailure::Passing { .. } | ReadFailure::Throttled { .. } => exit::UNREACHABLE,
        ReadFailure::TokenRefused { .. }
        | ReadFailure::SignInRequired { .. }
        | ReadFailure::Forbidden { .. } => exit::SIGN_IN,
        ReadFailure::NotFound | ReadFailure::Refused { .. } => exit::UNEXPECTED,
    }
}
