//! The delegated permissions that a configuration needs, and no more (Graph: `permissions-reference`).

use std::collections::BTreeSet;

use crate::core::model::name::UserId;

/// Scopes that are not Graph's: for a refresh token, and for the person's identity.
const OF_SIGN_IN: &str = "offline_access openid profile";

/// Allows setting one's own presence. Microsoft does not document whether it allows reading, too.
const TO_WRITE: &str = "Presence.ReadWrite";

/// The scopes that a person consents to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scopes {
    /// Without these, nothing works.
    pub needed: BTreeSet<&'static str>,
    /// For setting presence, too. An older sign-in without it can still read.
    pub writes: bool,
}

impl Scopes {
    /// For reading these people, for groups if `groups`, and for commands if `writes`.
    #[must_use]
    pub fn of<'a>(people: impl IntoIterator<Item = &'a UserId>, groups: bool, writes: bool) -> Self {
        Self { needed: needed(people, groups), writes }
    }

    /// The `scope` of a request to sign in, for the Graph at `resource`.
    #[must_use]
    pub fn request(&self, resource: &str) -> String {
        let mut wanted = self.needed.clone();
        if self.writes {
            wanted.insert(TO_WRITE);
        }
        request(&wanted, resource)
    }

    /// The `scope` of a request to renew a sign-in. It contains only what was consented to; more would be
    /// refused.
    #[must_use]
    pub fn renewal(&self, resource: &str, granted: &str) -> String {
        Self { needed: self.needed.clone(), writes: self.writes && lets_write(granted) }.request(resource)
    }
}

/// Whether the consent covers setting the person's presence.
#[must_use]
pub fn lets_write(granted: &str) -> bool {
    missing(&BTreeSet::from([TO_WRITE]), granted).is_empty()
}

/// For the members of a group, their names, and their presence.
const FOR_GROUPS: [&str; 3] = ["GroupMember.Read.All", "User.ReadBasic.All", "Presence.Read.All"];

/// The delegated permissions of Graph for reading these people, and members of groups.
fn needed<'a>(people: impl IntoIterator<Item = &'a UserId>, groups: bool) -> BTreeSet<&'static str> {
    let mut scopes: BTreeSet<&str> = FOR_GROUPS.into_iter().filter(|_| groups).collect();
    for person in people {
        match person {
            UserId::Me => scopes.insert("Presence.Read"),
            UserId::Object(_) => scopes.insert("Presence.Read.All"),
            UserId::Principal(_) => {
                scopes.insert("Presence.Read.All");
                scopes.insert("User.ReadBasic.All")
            }
        };
    }
    if scopes.contains("Presence.Read.All") {
        scopes.remove("Presence.Read");
    }
    scopes
}

fn request(needed: &BTreeSet<&'static str>, resource: &str) -> String {
    let of_graph: Vec<String> = needed.iter().map(|scope| format!("{resource}/{scope}")).collect();
    format!("{} {OF_SIGN_IN}", of_graph.join(" "))
}

/// The needed scopes without consent. The service returns names with or without the resource in front.
#[must_use]
pub fn missing(needed: &BTreeSet<&'static str>, granted: &str) -> Vec<&'static str> {
    let has = |scope: &str| {
        granted
            .split_whitespace()
            .any(|one| one.rsplit('/').next().is_some_and(|name| name.eq_ignore_ascii_case(scope)))
    };
    needed.iter().copied().filter(|scope| !has(scope)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(people: &[&str]) -> Vec<&'static str> {
        of_both(people, false)
    }

    fn of_both(people: &[&str], groups: bool) -> Vec<&'static str> {
        let people: Vec<UserId> = people.iter().map(|id| id.parse().unwrap()).collect();
        needed(&people, groups).into_iter().collect()
    }

    #[test]
    fn the_least_that_does() {
        let id = "66825e03-7ef5-42da-9069-724602c31f6b";
        assert_eq!(of(&["me"]), ["Presence.Read"]);
        assert_eq!(of(&[id]), ["Presence.Read.All"]);
        assert_eq!(of(&["me", id]), ["Presence.Read.All"]);
        assert_eq!(of(&["me", "bob@contoso.example"]), ["Presence.Read.All", "User.ReadBasic.All"]);
        let for_groups = ["GroupMember.Read.All", "Presence.Read.All", "User.ReadBasic.All"];
        assert_eq!(of_both(&[], true), for_groups);
        assert_eq!(of_both(&["me"], true), for_groups);
    }

    #[test]
    fn writing_is_asked_for_only_with_commands_and_never_missed() {
        let me: UserId = "me".parse().unwrap();
        let graph = "https://graph.microsoft.com";
        let scopes = |writes| Scopes::of([&me], false, writes);
        let (reads, both) = (
            format!("{graph}/Presence.Read offline_access openid profile"),
            format!("{graph}/Presence.Read {graph}/Presence.ReadWrite offline_access openid profile"),
        );
        assert_eq!(scopes(false).request(graph), reads);
        assert_eq!(scopes(true).request(graph), both);
        for (granted, renewal) in [("Presence.Read", &reads), ("Presence.Read presence.readwrite", &both)] {
            assert_eq!(&scopes(true).renewal(graph, granted), renewal);
            assert_eq!(scopes(false).renewal(graph, granted), reads);
            assert_eq!(lets_write(granted), *renewal == both);
            assert!(missing(&scopes(true).needed, granted).is_empty());
        }
    }

    #[test]
    fn what_is_asked_for_and_what_is_missing() {
        let needed = BTreeSet::from(["Presence.Read.All", "User.ReadBasic.All"]);
        assert_eq!(
            request(&needed, "https://graph.microsoft.us"),
            "https://graph.microsoft.us/Presence.Read.All https://graph.microsoft.us/User.ReadBasic.All offline_access openid profile"
        );
        let granted = "https://graph.microsoft.com/presence.read.all openid";
        assert_eq!(missing(&needed, granted), ["User.ReadBasic.All"]);
        assert_eq!(missing(&needed, "Presence.Read.All User.ReadBasic.All"), [""; 0]);
        assert_eq!(missing(&BTreeSet::from(["Presence.Read.All"]), "Presence.Read"), ["Presence.Read.All"]);
    }
}
