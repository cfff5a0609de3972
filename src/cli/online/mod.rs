//! `presence2mqtt check --online`: everything that the bridge needs, tried once, beside a running bridge if
//! need be.
//!
//! `checklist` is what is printed and how it ends, `graph` (with `groups`) and `broker` (with `listening`
//! and `publishing`; of lights, `src/hearing.rs`) are the two ways that are gone.

mod broker;
mod checklist;
mod graph;
mod groups;
mod listening;
mod publishing;

use std::io::Write;

use super::exit::Failure;
use super::paper::Paper;
use super::progress::Progress;
use crate::config::Config;
use crate::core::model::account::AccountId;
use crate::graph::client::GraphClient;
use checklist::{Checklist, InWords, Outcome};

/// Tries each step and says what to fix. A step that needs another one is left out if that one fails; all
/// others are tried.
pub(super) async fn run(
    config: &Config,
    clients: &[(AccountId, GraphClient)],
    (paper, progress): (Paper, Progress),
    in_words: InWords<'_>,
    out: &mut impl Write,
) -> Result<(), Failure> {
    let mut list = Checklist::new(paper, in_words, out);
    list.add("configuration", Outcome::Ok(format!("{} is valid", config.origin)))?;
    let mut people = 0;
    for (of, client) in clients {
        list.about(config.accounts[of.index()].name.as_ref());
        people += graph::check(config, *of, client, progress, &mut list).await?;
    }
    list.about(None);
    broker::check(config, people, progress, &mut list).await?;
    list.conclude()
}

/// Tries the broker alone, for whoever has more to try.
pub(super) async fn run_broker(
    config: &Config,
    (paper, progress): (Paper, Progress),
    in_words: InWords<'_>,
    out: &mut impl Write,
) -> Result<(), Failure> {
    let mut list = Checklist::new(paper, in_words, out);
    broker::check(config, config.users.len(), progress, &mut list).await?;
    list.finish()
}
