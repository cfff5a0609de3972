//! The members of a group, page by page (Graph: `group-list-transitivemembers`).

use serde_json::{Value, json};

use crate::core::model::name::ObjectId;

use super::graph_request::parameter;
use super::message::Asked;
use super::pages;
use super::refusal::Refusal;
use super::state::State;
use super::token::Grant;
use super::wire;

/// Members on a page unless `$top` says otherwise, and at most.
const PAGE: (usize, usize) = (100, 999);

/// One page of the members of a group.
pub(super) fn page(state: &mut State, grant: &Grant, id: &str, asked: &Asked) -> Result<Value, Refusal> {
    let group: ObjectId = id.parse().map_err(|_| Refusal::bad_guid(id))?;
    if !grant.has_any(&["GroupMember.Read.All", "Group.Read.All", "Directory.Read.All"]) {
        return Err(Refusal::usual(403));
    }
    let counts = parameter(&asked.query, "$count").is_some_and(|count| count.eq_ignore_ascii_case("true"));
    let eventual =
        asked.header("ConsistencyLevel").is_some_and(|level| level.eq_ignore_ascii_case("eventual"));
    // The type in the path makes it an advanced query, which needs both.
    if !(counts && eventual) {
        return Err(Refusal::new(
            400,
            "Request_UnsupportedQuery",
            "The query needs $count and ConsistencyLevel.",
        ));
    }
    let members = state.groups.members(group).cloned().ok_or_else(|| Refusal::not_found(id))?;
    let from = match pages::asked_for(asked) {
        None => 0,
        Some(from) => {
            let from = from.parse().ok();
            from.filter(|&from: &usize| from <= members.len())
                .ok_or_else(|| Refusal::bad("The skip token is invalid."))?
        }
    };
    let top = parameter(&asked.query, "$top")
        .map_or(Ok(PAGE.0), |top| top.parse().map_err(|_| Refusal::bad("Invalid $top.")))?;
    if !(1..=PAGE.1).contains(&top) {
        return Err(Refusal::bad("The limit of $top is 999."));
    }
    let size = state.switches.members_page.map_or(top, |page| page.clamp(1, top));
    let until = members.len().min(from + size);
    let visible = grant.has_any(&["User.ReadBasic.All", "User.Read.All", "Directory.Read.All"]);
    let select = parameter(&asked.query, "$select");
    let people = members[from..until].iter().filter_map(|&id| state.person(id));
    let page: Vec<Value> = people
        .map(|person| match visible {
            true => wire::user(person, select.as_deref()),
            // Of people whom the permissions do not cover, only the id is returned.
            false => json!({"id": person.id, "userPrincipalName": null, "displayName": null}),
        })
        .collect();
    let mut answer = wire::collection(page, "users", state.settings.cloud);
    if from == 0 {
        let there = members.iter().filter(|&&id| state.person(id).is_some()).count();
        answer["@odata.count"] = there.into();
    }
    if until < members.len() {
        let strange = state.switches.strange_link;
        answer["@odata.nextLink"] = pages::link(asked, &until.to_string(), "0", strange).into();
    }
    Ok(answer)
}
