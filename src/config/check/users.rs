//! `[[users]]`.

use std::collections::BTreeSet;

use super::refusals::Refusals;
use crate::config::key::Key;
use crate::config::written::{self, Written};
use crate::core::model::name::{TopicLevel, UserId};
use crate::core::model::settings::{Endpoint, User};

pub(super) fn check(written: &Written, refusals: &mut Refusals<'_>) -> Vec<User> {
    let method = written.graph.auth.method;
    if written.users.is_empty() && written.groups.is_empty() && !method.signs_in() {
        refusals.refuse(
            "users",
            "nobody to follow: add [[users]] with name = \"alice\" and id = \"<object id or user principal name>\" to the configuration file, or [[groups]] with the id of a group",
        );
    }
    if written.users.is_empty() && written.groups.is_empty() && method.signs_in() {
        // Whoever signs in follows themselves.
        let myself =
            |name: TopicLevel| User { display_name: name.to_string(), name, id: UserId::Me, discovery: true };
        return "me".parse().map(myself).into_iter().collect();
    }
    // Ignoring case: brokers tell such topics apart, people do not.
    let mut names = BTreeSet::from([written.mqtt.bridge_name.to_lowercase()]);
    let mut ids = BTreeSet::new();
    let mut users = Vec::new();
    for (i, user) in written.users.iter().enumerate() {
        let at = Key::from("users").index(i);
        let name = name(user, &at, &mut names, refusals);
        let id = id(user, &at, &mut ids, &written.graph, refusals);
        let display_name = display_name(user, &at, refusals);
        if let (Some(name), Some(id), Some(display_name)) = (name, id, display_name) {
            users.push(User { name, id, display_name, discovery: user.discovery });
        }
    }
    users
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
    taken: &mut BTreeSet<String>,
    graph: &written::Graph,
    refusals: &mut Refusals<'_>,
) -> Option<UserId> {
    let key = at.name("id");
    let text = refusals.require(key.clone(), user.id.as_deref())?;
    let id: UserId = refusals.parse(key.clone(), text)?;
    if !taken.insert(id.to_string().to_lowercase()) {
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
