//! Groups of people, and their members page by page (Graph: `group-list-transitivemembers`).

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::core::model::name::ObjectId;

use super::StrangeLink;
use super::graph::{Refusal, bad, bad_guid, not_found, parameter};
use super::message::Asked;
use super::state::State;
use super::token::Grant;
use super::wire;

/// Everybody is in this group, if there is one.
pub const EVERYBODY: uuid::Uuid = uuid::uuid!("02bd9fd6-8f93-4758-87c3-1fb73740a315");

/// Members on a page unless `$top` says otherwise, and at most.
const PAGE: (usize, usize) = (100, 999);

/// Who is in which group, in the order in which they came.
#[derive(Debug, Default)]
pub(super) struct Groups(BTreeMap<ObjectId, Vec<ObjectId>>);

impl Groups {
    pub(super) fn set(&mut self, group: ObjectId, members: Vec<ObjectId>) {
        self.0.insert(group, members);
    }

    pub(super) fn remove(&mut self, group: ObjectId) -> bool {
        self.0.remove(&group).is_some()
    }

    pub(super) fn members(&mut self, group: ObjectId) -> Option<&mut Vec<ObjectId>> {
        self.0.get_mut(&group)
    }
}

/// One page of the members of a group.
pub(super) fn members(state: &mut State, grant: &Grant, id: &str, asked: &Asked) -> Result<Value, Refusal> {
    let group: ObjectId = id.parse().map_err(|_| bad_guid(id))?;
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
    let members = state.groups.members(group).cloned().ok_or_else(|| not_found(id))?;
    let from = match parameter(&asked.query, "$skiptoken") {
        None => 0,
        Some(token) => {
            let from = token.strip_prefix("simulated-").and_then(|from| from.parse().ok());
            from.filter(|&from: &usize| from <= members.len())
                .ok_or_else(|| bad("The skip token is invalid."))?
        }
    };
    let top = parameter(&asked.query, "$top")
        .map_or(Ok(PAGE.0), |top| top.parse().map_err(|_| bad("Invalid $top.")))?;
    if !(1..=PAGE.1).contains(&top) {
        return Err(bad("The limit of $top is 999."));
    }
    let size = state.switches.members_page.map_or(top, |page| page.clamp(1, top));
    let until = members.len().min(from + size);
    let visible = grant.has_any(&["User.ReadBasic.All", "User.Read.All", "Directory.Read.All"]);
    let select = parameter(&asked.query, "$select");
    let people = members[from..until].iter().filter_map(|&id| state.person(id));
    let page: Vec<Value> = people
        .map(|person| match visible {
            true => wire::user(person, select.as_deref()),
            // Of what the permissions do not reach only the id is told.
            false => json!({"id": person.id, "userPrincipalName": null, "displayName": null}),
        })
        .collect();
    let mut answer = wire::collection(page, "users", state.settings.cloud);
    if from == 0 {
        let there = members.iter().filter(|&&id| state.person(id).is_some()).count();
        answer["@odata.count"] = there.into();
    }
    if until < members.len() {
        answer["@odata.nextLink"] = next(asked, until, state.switches.strange_link).into();
    }
    Ok(answer)
}

fn next(asked: &Asked, from: usize, strange: Option<StrangeLink>) -> String {
    let rest: Vec<String> = url::form_urlencoded::parse(asked.query.as_bytes())
        .filter(|(key, _)| key != "$skiptoken")
        .map(|(key, value)| format!("{key}={value}"))
        .collect();
    let query = format!("{}&$skiptoken=simulated-{from}", rest.join("&"));
    let (host, path) = (&asked.host, &asked.path);
    match strange {
        None => format!("http://{host}{path}?{query}"),
        Some(StrangeLink::OtherHost) => format!("http://elsewhere.example{path}?{query}"),
        Some(StrangeLink::OtherPath) => format!("http://{host}/v1.0/users?{query}"),
        Some(StrangeLink::Same) => format!("http://{host}{path}?{}&$skiptoken=simulated-0", rest.join("&")),
    }
}
