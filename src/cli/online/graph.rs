//! The way to Graph: a token, one presence, and the names.

use std::io::{self, Write};

use super::checklist::{Checklist, MOST_TRIED, Outcome};
use super::groups::{self, Members};
use crate::cli::exit;
use crate::cli::progress::Progress;
use crate::config::{Account, Config};
use crate::core::model::account::AccountId;
use crate::core::model::members::Member;
use crate::core::model::name::{PrincipalName, UserId};
use crate::core::model::request::ReadFailure;
use crate::core::model::settings::User;
use crate::graph::client::GraphClient;
use crate::graph::once;
use crate::graph::sign_in::scopes;

const SIGN_IN: &str = "sign-in";
const GRAPH: &str = "Graph";
const PERMISSION: &str = "permission";
const PEOPLE: &str = "people";

/// Returns how many people are followed, as far as it is known.
pub(super) async fn check(
    config: &Config,
    of: AccountId,
    client: &GraphClient,
    progress: Progress,
    list: &mut Checklist<'_, impl Write>,
) -> io::Result<usize> {
    let account = &config.accounts[of.index()];
    let named = || config.users.iter().filter(|user| user.account == of).count();
    if let Err(failure) = progress.during("signing in", client.sign_in()).await {
        list.add(SIGN_IN, Outcome::from_failure(&failure, exit::SIGN_IN))?;
        list.add(GRAPH, Outcome::Skipped(SIGN_IN))?;
        list.add(PERMISSION, Outcome::Skipped(SIGN_IN))?;
        return Ok(named());
    }
    let (who, scopes) = signed_in_as(account, client).await;
    list.add(SIGN_IN, Outcome::Ok(who))?;
    let Members { somebody: member, count } = groups::check(config, of, client, progress, list).await?;
    let people = named() + count;
    let Some((name, id)) = somebody(config, of, member) else {
        unread(list)?;
        return Ok(people);
    };
    let ids = [id.clone()];
    let reading = once::read(client, account.settings.endpoint, &ids);
    let outcome = progress.during("reading one presence from Graph", reading).await.pop();
    let missing = scopes.filter(|scopes| config.commands.enabled && !scopes::lets_write(scopes)).is_some();
    read((&name, &id), outcome, may(config, missing), list)?;
    let names = config.users.iter().filter(|user| user.account == of).filter_map(|user| match &user.id {
        UserId::Principal(name) => Some((user, name)),
        UserId::Me | UserId::Object(_) => None,
    });
    let names: Vec<_> = names.collect();
    if !names.is_empty() {
        look_up(client, &names, progress, list).await?;
    }
    Ok(people)
}

/// Who is read: whoever the configuration names first; else a member of a group.
fn somebody(config: &Config, of: AccountId, member: Option<Member>) -> Option<(String, UserId)> {
    let user = config
        .users
        .iter()
        .find(|user| user.account == of)
        .map(|user| (user.name.to_string(), user.id.clone()));
    user.or_else(|| {
        let Member { id, principal_name, .. } = member?;
        let name = principal_name.map_or_else(|| id.to_string(), String::from);
        Some((format!("{name} of a group"), UserId::Object(id)))
    })
}

/// Nobody is named, and no group has told of a member.
fn unread(list: &mut Checklist<'_, impl Write>) -> io::Result<()> {
    list.add(GRAPH, Outcome::Skipped(groups::STEP))?;
    list.add(PERMISSION, Outcome::Skipped(groups::STEP))
}

/// Who, in words, and what they consented to if it is a person.
async fn signed_in_as(account: &Account, client: &GraphClient) -> (String, Option<String>) {
    let method = account.auth.as_str();
    let Some(sign_in) = client.delegated() else { return (format!("as the app, by {method}"), None) };
    let kept = match sign_in.store.lock().await {
        Ok(store) => store.read().ok().flatten(),
        Err(_) => None,
    };
    let who = kept.as_ref().map_or("a person", |kept| kept.account.username.as_str());
    (format!("as {who}, by {method}"), kept.map(|kept| kept.scopes))
}

/// Whether what is configured may be done, as far as that shows before it is done.
fn may(config: &Config, missing: bool) -> Outcome {
    let why = "the sign-in was made without the permission Presence.ReadWrite, which commands need; run `presence2mqtt login`";
    match (config.commands.enabled, missing) {
        (_, true) => Outcome::Failed(exit::SIGN_IN, why.to_owned()),
        (true, false) => {
            Outcome::Ok("presence can be read; the first command shows whether it can be set".to_owned())
        }
        (false, false) => Outcome::Ok("presence can be read".to_owned()),
    }
}

/// What the reading of one person says of Graph, of the permission, and of the person.
fn read(
    (name, id): (&str, &UserId),
    outcome: Option<once::Outcome>,
    may: Outcome,
    list: &mut Checklist<'_, impl Write>,
) -> io::Result<()> {
    let answers = || Outcome::Ok("answers".to_owned());
    match outcome {
        None | Some(Ok(_)) => {
            list.add(GRAPH, Outcome::Ok(format!("answers; {name} was read")))?;
            list.add(PERMISSION, may)
        }
        Some(Err(failure @ ReadFailure::Forbidden { .. })) => {
            list.add(GRAPH, answers())?;
            list.add(PERMISSION, Outcome::from_failure(&failure, exit::SIGN_IN))
        }
        Some(Err(failure @ ReadFailure::NotFound)) => {
            list.add(GRAPH, answers())?;
            list.add(PERMISSION, may)?;
            // A name that is not found is said below.
            match id {
                UserId::Principal(_) => Ok(()),
                UserId::Me | UserId::Object(_) => {
                    list.add(PEOPLE, Outcome::Failed(exit::CONFIG, format!("{name}: {failure}")))
                }
            }
        }
        Some(Err(
            failure @ (ReadFailure::Passing { .. }
            | ReadFailure::Throttled { .. }
            | ReadFailure::TokenRefused { .. }
            | ReadFailure::SignInRequired { .. }
            | ReadFailure::Refused { .. }),
        )) => {
            list.add(GRAPH, Outcome::from_failure(&failure, exit::UNREACHABLE))?;
            list.add(PERMISSION, Outcome::Skipped(GRAPH))
        }
    }
}

async fn look_up(
    client: &GraphClient,
    names: &[(&User, &PrincipalName)],
    progress: Progress,
    list: &mut Checklist<'_, impl Write>,
) -> io::Result<()> {
    let tried = &names[..names.len().min(MOST_TRIED)];
    let looking = async {
        for (user, name) in tried {
            if let Err(failure) = once::resolve(client, (*name).clone()).await {
                return Some((user, failure));
            }
        }
        None
    };
    let outcome = match progress.during("looking up names", looking).await {
        None => Outcome::Ok(format!("{} of {} names found", tried.len(), names.len())),
        Some((user, failure)) => match Outcome::from_failure(&failure, exit::UNREACHABLE) {
            Outcome::Failed(code, why) => Outcome::Failed(code, format!("{}: {why}", user.name)),
            outcome @ (Outcome::Ok(_) | Outcome::Note(_) | Outcome::Skipped(_)) => outcome,
        },
    };
    list.add(PEOPLE, outcome)
}
