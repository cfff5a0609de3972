//! The members of the configured groups, read once, as people who might have been configured.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::exit::{self, Failure};
use crate::config::Config;
use crate::core::model::account::AccountId;
use crate::core::model::name::UserId;
use crate::core::model::name_conflict::NameConflict;
use crate::core::model::request::ReadFailure;
use crate::core::model::settings::User;
use crate::graph::client::GraphClient;
use crate::graph::once;

/// Everybody to follow by these accounts: those who are configured, and the members of groups behind them;
/// and which groups cannot be read, if any. `code` says what that ends in.
///
/// # Errors
///
/// If two people have one name.
pub(super) async fn everybody(
    config: &Config,
    clients: &BTreeMap<AccountId, GraphClient>,
    code: impl Fn(&ReadFailure) -> u8,
) -> Result<(Vec<User>, Option<Failure>), Failure> {
    let mut users: Vec<User> =
        config.users.iter().filter(|user| clients.contains_key(&user.account)).cloned().collect();
    let mut ids: HashSet<(AccountId, UserId)> =
        users.iter().map(|user| (user.account, lower(&user.id))).collect();
    let mut names: HashMap<String, usize> =
        users.iter().enumerate().map(|(i, user)| (user.name.as_str().to_ascii_lowercase(), i)).collect();
    let mut unread = Vec::new();
    for group in &config.groups {
        let Some(client) = clients.get(&group.account) else { continue };
        let members = once::members(client, group.id).await.unwrap_or_else(|failure| {
            let why = match &failure {
                ReadFailure::NotFound => "it is not in this tenant; check its id under [[groups]]".to_owned(),
                ReadFailure::Passing { .. }
                | ReadFailure::Throttled { .. }
                | ReadFailure::TokenRefused { .. }
                | ReadFailure::SignInRequired { .. }
                | ReadFailure::Forbidden { .. }
                | ReadFailure::Refused { .. } => failure.to_string(),
            };
            let why = format!("the members of the group {} cannot be read: {why}", group.id);
            let account = config.accounts[group.account.index()].name.as_ref();
            unread.push(Failure::new(code(&failure), why).of_account(account));
            Vec::new()
        });
        for member in members {
            let principal =
                member.principal_name.as_deref().and_then(|name| name.to_lowercase().parse().ok());
            let is_configured =
                principal.is_some_and(|name| ids.contains(&(group.account, UserId::Principal(name))));
            if is_configured || !ids.insert((group.account, UserId::Object(member.id))) {
                continue;
            }
            let name = group.name.name(&member, &config.mqtt.settings.bridge_name);
            let display_name = member.display_name.as_deref().unwrap_or(name.as_str()).to_owned();
            if let Some(other) = names.insert(name.as_str().to_ascii_lowercase(), users.len()) {
                let other = NameConflict::who(&users[other].display_name, &users[other].id);
                let people = [other, NameConflict::who(&display_name, &member.id)];
                return Err(Failure::new(exit::CONFIG, NameConflict { name, people }.to_string()));
            }
            users.push(User {
                name,
                id: UserId::Object(member.id),
                display_name,
                discovery: group.discovery,
                account: group.account,
            });
        }
    }
    Ok((users, Failure::together(&unread)))
}

/// Principal names are compared ignoring case.
fn lower(id: &UserId) -> UserId {
    match id {
        UserId::Principal(name) => name.as_str().to_lowercase().parse().unwrap_or_else(|_| id.clone()),
        UserId::Me | UserId::Object(_) => id.clone(),
    }
}
