//! Groups: whether their members may be read, told by a first page of each.

use std::io::{self, Write};

use super::checklist::{Checklist, MOST_TRIED, Outcome};
use crate::cli::exit;
use crate::cli::progress::Progress;
use crate::config::Config;
use crate::core::model::account::AccountId;
use crate::core::model::members::Member;
use crate::core::model::name::ObjectId;
use crate::core::model::request::ReadFailure;
use crate::graph::client::GraphClient;
use crate::graph::once;

/// The name of this step.
pub(super) const STEP: &str = "groups";

/// Who is in the groups that were tried.
#[derive(Default)]
pub(super) struct Members {
    /// Somebody.
    pub(super) somebody: Option<Member>,
    /// How many there are at least.
    pub(super) count: usize,
}

/// Tries all groups.
pub(super) async fn check(
    config: &Config,
    of: AccountId,
    client: &GraphClient,
    progress: Progress,
    list: &mut Checklist<'_, impl Write>,
) -> io::Result<Members> {
    let groups = || config.groups.iter().filter(|group| group.account == of);
    let all = groups().count();
    if all == 0 {
        return Ok(Members::default());
    }
    let tried: Vec<ObjectId> = groups().take(MOST_TRIED).map(|group| group.id).collect();
    let looking = progress.during("reading groups from Graph", look(client, &tried)).await;
    let (outcome, members) = match looking {
        Ok(members) => {
            let tried = tried.len();
            let empty = if members.somebody.is_none() { ", and they have no members" } else { "" };
            (Outcome::Ok(format!("{tried} of {all} groups can be read{empty}")), members)
        }
        Err((id, ReadFailure::NotFound)) => {
            let why = format!("{id} is not in this tenant; check its id under [[groups]]");
            (Outcome::Failed(exit::CONFIG, why), Members::default())
        }
        Err((_, failure)) => (Outcome::from_failure(&failure, exit::UNREACHABLE), Members::default()),
    };
    list.add(STEP, outcome)?;
    Ok(members)
}

/// Who is met, or the first group that cannot be read.
async fn look(client: &GraphClient, groups: &[ObjectId]) -> Result<Members, (ObjectId, ReadFailure)> {
    let mut members = Members::default();
    for &id in groups {
        let page = once::first_page(client, id).await.map_err(|failure| (id, failure))?;
        members.count += page.counted.unwrap_or(page.members.len());
        members.somebody = members.somebody.or_else(|| page.members.into_iter().next());
    }
    Ok(members)
}
