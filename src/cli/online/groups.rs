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

/// Tries all groups, and returns somebody who is in one.
pub(super) async fn check(
    config: &Config,
    of: AccountId,
    client: &GraphClient,
    progress: Progress,
    list: &mut Checklist<'_, impl Write>,
) -> io::Result<Option<Member>> {
    let groups = || config.groups.iter().filter(|group| group.account == of);
    let all = groups().count();
    if all == 0 {
        return Ok(None);
    }
    let tried: Vec<ObjectId> = groups().take(MOST_TRIED).map(|group| group.id).collect();
    let looking = progress.during("reading groups from Graph", look(client, &tried)).await;
    let (outcome, member) = match looking {
        Ok(member) => {
            let tried = tried.len();
            let empty = if member.is_none() { ", and nobody is in them" } else { "" };
            (Outcome::Ok(format!("{tried} of {all} groups may be read{empty}")), member)
        }
        Err((id, ReadFailure::NotFound)) => {
            let why = format!("{id} is not in this tenant; check its id under [[groups]]");
            (Outcome::Failed(exit::CONFIG, why), None)
        }
        Err((_, failure)) => (Outcome::from_failure(&failure, exit::UNREACHABLE), None),
    };
    list.add(STEP, outcome)?;
    Ok(member)
}

/// The first member that is met, or the first group that cannot be read.
async fn look(client: &GraphClient, groups: &[ObjectId]) -> Result<Option<Member>, (ObjectId, ReadFailure)> {
    let mut member = None;
    for &id in groups {
        let page = once::first_page(client, id).await.map_err(|failure| (id, failure))?;
        member = member.or_else(|| page.members.into_iter().next());
    }
    Ok(member)
}
