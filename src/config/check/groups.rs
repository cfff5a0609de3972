//! `[[groups]]`.

use std::collections::BTreeSet;

use super::accounts::Known;
use super::refusals::{MINUTE, Refusals, WEEK};
use crate::config::key::Key;
use crate::config::written::Written;
use crate::core::model::name::ObjectId;
use crate::core::model::settings::{Endpoint, Group};

pub(super) fn check(written: &Written, accounts: &mut Known, refusals: &mut Refusals<'_>) -> Vec<Group> {
    let mut ids = BTreeSet::new();
    let mut groups = Vec::with_capacity(written.groups.len());
    for (i, group) in written.groups.iter().enumerate() {
        let at = Key::from("groups").index(i);
        let text = refusals.require(at.name("id"), group.id.as_deref());
        let id = text.and_then(|text| refusals.parse::<ObjectId>(at.name("id"), text));
        if id.is_some_and(|id| !ids.insert(id)) {
            refusals.refuse(at.name("id"), "another group has this id already");
        }
        let name = refusals.parse(at.name("name"), &group.name);
        refusals.within(at.name("refresh_members"), group.refresh_members, MINUTE..=WEEK);
        let account = accounts.named(&at.name("account"), group.account.as_deref(), refusals);
        let graph = account.map(|account| accounts.graph(account));
        if graph.is_some_and(|graph| graph.endpoint == Endpoint::Me && graph.auth.method.signs_in()) {
            refusals.refuse(at.name("id"), "graph.endpoint = \"me\" reads only id = \"me\", and no group");
        }
        if let (Some(id), Some(name), Some(account)) = (id, name, account) {
            let refresh_members = group.refresh_members;
            groups.push(Group { id, name, refresh_members, discovery: group.discovery, account });
        }
    }
    groups
}
