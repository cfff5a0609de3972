//! `[[users]]`.

use std::collections::BTreeSet;

use super::accounts::Known;
use super::refusals::Refusals;
use crate::config::key::Key;
use crate::config::written::{self, Written};
use crate::core::model::account::AccountId;
use crate::core::model::name::{TopicLevel, UserId};
use crate::core::model::settings::{Endpoint, User};

/// Runs after the groups: an account that neither a user nor a group names follows the person who signs in to
/// it.
pub(super) fn check(written: &Written, accounts: &mut Known, refusals: &mut Refusals<'_>) -> Vec<User> {
    // Ignoring case: brokers tell such topics apart, people do not.
    let mut names = BTreeSet::from([written.mqtt.bridge_name.to_lowercase()]);
    let mut ids = BTreeSet::new();
    let mut users = Vec::with_capacity(written.users.len());
    for (i, user) in written.users.iter().enumerate() {
        let at = Key::from("users").index(i);
        let account = accounts.named(&at.name("account"), user.account.as_deref(), refusals);
        let name = name(user, &at, &mut names, refusals);
        let id = id(user, &at, &mut ids, account.map(|account| (account, &*accounts)), refusals);
        let display_name = display_name(user, &at, refusals);
        if let (Some(name), Some(id), Some(display_name), Some(account)) = (name, id, display_name, account) {
            users.push(User { name, id, display_name, discovery: user.discovery, account });
        }
    }
    for (account, name) in accounts.unused() {
        users.extend(implied(account, name, accounts, &mut names, refusals));
    }
    users
}

/// The implied user of an account without users and groups: the person who signs in.
fn implied(
    account: AccountId,
    name: Option<&TopicLevel>,
    accounts: &Known,
    taken: &mut BTreeSet<String>,
    refusals: &mut Refusals<'_>,
) -> Option<User> {
    let at = name.map(|_| Key::from("accounts").index(account.index()).name("name"));
    if !accounts.method(account).signs_in() {
        match at.zip(name) {
            Some((at, name)) => refusals.refuse(
                at,
                format_args!(
                    "no people to follow: add [[users]] or [[groups]] with account = \"{name}\", \
                or remove the account"
                ),
            ),
            None => refusals.refuse(
                "users",
                "no people to follow: add [[users]] with name = \"alice\" and id = \"<object id or user \
                principal name>\" to the configuration file, or [[groups]] with the id of a group",
            ),
        }
        return None;
    }
    if let (Some(at), Some(name)) = (at, name)
        && !taken.insert(name.as_str().to_lowercase())
    {
        let says = "is also the name of this account's only user, and that name is in use; rename the \
        account, or add [[users]] with \
                    this account, another name and id = \"me\"";
        refusals.refuse(at, says);
    }
    let name = name.cloned().or_else(|| "me".parse().ok())?;
    Some(User { display_name: name.to_string(), name, id: UserId::Me, discovery: true, account })
}

fn name(
    user: &written::User,
    at: &Key,
    taken: &mut BTreeSet<String>,
    refusals: &mut Refusals<'_>,
) -> Option<TopicLevel> {
    let key = at.name("name");
    let text = refusals.require(key.clone(), user.name.as_deref())?;
    let name = refusals.parse(key.clone(), text)?;
    if !taken.insert(text.to_lowercase()) {
        let says = "must differ, ignoring case, from every other user's name and from mqtt.bridge_name";
        refusals.refuse(key, says);
    }
    Some(name)
}

fn id(
    user: &written::User,
    at: &Key,
    taken: &mut BTreeSet<(AccountId, String)>,
    account: Option<(AccountId, &Known)>,
    refusals: &mut Refusals<'_>,
) -> Option<UserId> {
    let key = at.name("id");
    let text = refusals.require(key.clone(), user.id.as_deref())?;
    let id: UserId = refusals.parse(key.clone(), text)?;
    let Some((account, accounts)) = account else { return Some(id) };
    let graph = accounts.graph(account);
    // An object id is unique everywhere. `me` and user principal names depend on the account.
    let of = if matches!(id, UserId::Object(_)) { AccountId::FIRST } else { account };
    if !taken.insert((of, id.to_string().to_lowercase())) {
        refusals.refuse(key.clone(), "another user has this id already");
    }
    match (&id, graph.auth.method) {
        (UserId::Me, method) if !method.signs_in() => {
            let method = method.as_str();
            let says = format!(
                "method \"{method}\" signs in an app, which has no \"me\"; write an object id, or use a sign-in method"
            );
            refusals.refuse(key, says);
        }
        (UserId::Object(_) | UserId::Principal(_), method)
            if graph.endpoint == Endpoint::Me && method.signs_in() =>
        {
            refusals.refuse(key, "graph.endpoint = \"me\" reads only id = \"me\"");
        }
        _ => {}
    }
    Some(id)
}

fn display_name(user: &written::User, at: &Key, refusals: &mut Refusals<'_>) -> Option<String> {
    let Some(text) = &user.display_name else {
        return user.name.clone();
    };
    let is_shown = !text.trim().is_empty() && !text.contains(char::is_control);
    if !is_shown || text.chars().count() > 128 {
        let says = "must be 1 to 128 characters, not only spaces, no control characters";
        refusals.refuse(at.name("display_name"), says);
    }
    Some(text.clone())
}
