//! `presence2mqtt get`

use std::collections::BTreeMap;
use std::io::Write;

use clap::Args;
use serde_json::value::RawValue;

use super::exit::{self, Failure};
use super::members;
use super::paper::Paper;
use super::progress::Progress;
use super::which::Which;
use crate::config::Config;
use crate::core::model::account::AccountId;
use crate::core::model::foreign::escaped;
use crate::core::model::name::UserId;
use crate::core::model::payload::{State, json};
use crate::core::model::request::ReadFailure;
use crate::core::model::settings::User;
use crate::core::model::time::whole_seconds;
use crate::graph::client::GraphClient;
use crate::graph::once::{self, Outcome};
use crate::run;
use crate::view::line::Ink;
use crate::view::table::{Cell, Widths, table};

/// Whom to read, and how to print it.
#[derive(Debug, Default, Args)]
pub(super) struct Options {
    /// Names of configured users or of members of configured groups [default: all]
    #[arg(value_name = "USER")]
    users: Vec<String>,
    /// Print a JSON object that maps each name to its state
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    which: Which,
}

/// Reads presence once and prints it.
pub(super) async fn run(
    config: &Config,
    options: &Options,
    (paper, progress): (Paper, Progress),
    out: &mut impl Write,
) -> Result<(), Failure> {
    let clients = clients(config, &options.which)?;
    let configured = config.users.iter().filter(|user| clients.contains_key(&user.account));
    let is_configured = |name: &String| configured.clone().any(|user| user.name.as_str() == name);
    // Groups are read only for somebody who may be in one.
    let enough = !options.users.is_empty() && options.users.iter().all(is_configured);
    let (known, unread) = match config.groups.is_empty() || enough {
        true => (configured.cloned().collect(), None),
        false => {
            progress.during("reading groups from Graph", members::everybody(config, &clients, code)).await?
        }
    };
    let users = match chosen(&known, &options.users) {
        Ok(users) => users,
        // Whoever is not found may be a member of a group that cannot be read.
        Err(unknown) => return Err(unread.unwrap_or(unknown)),
    };
    let reading = read(config, &clients, &users);
    let mut outcomes = progress.during("reading presence from Graph", reading).await;
    let rows = users.into_iter().enumerate().filter_map(|(i, user)| Some((user, outcomes.remove(&i)?)));
    let rows: Vec<(&User, Outcome)> = rows.collect();
    if options.json {
        print_json(config, &rows, out)?
    } else {
        print_table(&rows, paper, out)?
    }
    let failed = rows.into_iter().find_map(|(user, outcome)| {
        let (failure, account) = (outcome.err()?, config.accounts[user.account.index()].name.as_ref());
        Some(Failure::new(code(&failure), format!("{}: {failure}", user.name)).of_account(account))
    });
    unread.or(failed).map_or(Ok(()), Err)
}

/// A client for each account that is meant.
fn clients(config: &Config, which: &Which) -> Result<BTreeMap<AccountId, GraphClient>, Failure> {
    let client = |of| {
        let client = run::graph_client(config, of).map_err(|error| Failure::new(exit::CONFIG, error))?;
        Ok((of, client))
    };
    which.all(config)?.into_iter().map(client).collect()
}

/// What came of reading each of these, by their place among them.
async fn read(
    config: &Config,
    clients: &BTreeMap<AccountId, GraphClient>,
    users: &[&User],
) -> BTreeMap<usize, Outcome> {
    let mut outcomes = BTreeMap::new();
    for (of, client) in clients {
        let theirs = users.iter().enumerate().filter(|(_, user)| user.account == *of);
        let (places, ids): (Vec<usize>, Vec<UserId>) = theirs.map(|(i, user)| (i, user.id.clone())).unzip();
        if !ids.is_empty() {
            let endpoint = config.accounts[of.index()].settings.endpoint;
            outcomes.extend(places.into_iter().zip(once::read(client, endpoint, &ids).await));
        }
    }
    outcomes
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
        let presence = if config.graph.include_messages {
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

fn print_table(rows: &[(&User, Outcome)], paper: Paper, out: &mut impl Write) -> Result<(), Failure> {
    let rows: Vec<Vec<Cell>> = rows.iter().map(|(user, outcome)| cells(user, outcome)).collect();
    // A blank is before each line.
    let width = paper.width.map(|width| width.saturating_sub(1));
    let titles = ["USER", "NAME", "AVAILABILITY", "ACTIVITY", "OUT OF OFFICE"];
    for line in table(&titles, &rows, width, &[1, 4, 3], &mut Widths::default()) {
        writeln!(out, " {}", line.render(width, paper.colours))?;
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
