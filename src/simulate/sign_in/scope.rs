//! Delegated scopes: what a person is asked to allow.
//!
//! Microsoft's page: "Scopes and permissions in the Microsoft identity platform".

use super::error::SignInError;

/// The resources that stand for Graph, besides the simulator itself.
const GRAPH: [&str; 3] =
    ["https://graph.microsoft.com", "https://graph.microsoft.us", "https://dod-graph.microsoft.us"];

/// Scopes about the sign-in itself.
const OPENID: [&str; 4] = ["openid", "profile", "email", "offline_access"];

/// What Graph lets people allow, as far as the simulation knows Graph.
const DELEGATED: [&str; 10] = [
    "GroupMember.Read.All",
    "Group.Read.All",
    "Presence.Read",
    "Presence.Read.All",
    "Presence.ReadWrite",
    "Presence.ReadWrite.All",
    "User.Read",
    "User.ReadBasic.All",
    "User.Read.All",
    "Directory.Read.All",
];

/// Scopes that exist, spelled as they were asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::simulate) struct Scopes(Vec<String>);

/// Whether tokens for this resource are tokens for the simulated Graph.
pub(in crate::simulate) fn is_graph(resource: &str, host: &str) -> bool {
    let own = resource.strip_prefix("http://") == Some(host);
    own || GRAPH.contains(&resource)
}

/// App-only sign-in names exactly one resource, Graph or this simulator, and asks for all that was granted.
pub(super) fn check_default(scope: &str, host: &str) -> Result<(), SignInError> {
    let Some(resource) = scope.strip_suffix("/.default") else {
        return Err(SignInError::new(1002012, scope));
    };
    if is_graph(resource, host) { Ok(()) } else { Err(SignInError::new(70011, scope)) }
}

impl Scopes {
    /// Reads a `scope` parameter. A permission without a resource is one of Graph.
    pub(super) fn read(text: &str, host: &str) -> Result<Self, SignInError> {
        let scopes: Vec<_> = text.split_whitespace().map(str::to_owned).collect();
        for scope in &scopes {
            let known = match scope.rsplit_once('/') {
                Some((resource, permission)) => is_graph(resource, host) && is_delegated(permission),
                None => OPENID.contains(&scope.as_str()) || is_delegated(scope),
            };
            if !known {
                return Err(SignInError::new(70011, scope));
            }
        }
        Ok(Self(scopes))
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.0.iter().any(|scope| scope == name)
    }

    /// The permissions among them, without the resource.
    pub(super) fn permissions(&self) -> Vec<String> {
        let names = self.0.iter().map(|scope| permission(scope));
        names.filter(|name| is_delegated(name)).map(str::to_owned).collect()
    }

    /// The first permission that is not among those allowed before.
    pub(super) fn first_beyond(&self, allowed: &Self) -> Option<String> {
        let allowed = allowed.permissions();
        let new = |name: &String| !allowed.iter().any(|old| old.eq_ignore_ascii_case(name));
        self.permissions().into_iter().find(new)
    }

    /// What the answer says was given; `offline_access` shows by the refresh token alone.
    pub(super) fn given(&self) -> String {
        let shown = self.0.iter().map(String::as_str).filter(|&scope| scope != "offline_access");
        shown.collect::<Vec<_>>().join(" ")
    }
}

fn permission(scope: &str) -> &str {
    scope.rsplit_once('/').map_or(scope, |(_, name)| name)
}

fn is_delegated(name: &str) -> bool {
    DELEGATED.iter().any(|known| known.eq_ignore_ascii_case(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn permissions_may_name_graph_the_simulator_or_nothing() {
        let text = "openid offline_access http://here:1/Presence.Read https://graph.microsoft.com/User.Read Presence.Read.All";
        let scopes = Scopes::read(text, "here:1").unwrap();
        assert_eq!(scopes.permissions(), ["Presence.Read", "User.Read", "Presence.Read.All"]);
        assert!(scopes.has("openid") && !scopes.has("profile"));
        assert!(!scopes.given().contains("offline_access"));
        for wrong in ["http://there/Presence.Read", "Mail.Read", "https://graph.microsoft.com/offline_access"]
        {
            assert_eq!(Scopes::read(wrong, "here:1"), Err(SignInError::new(70011, wrong)));
        }
    }

    #[test]
    fn more_than_was_allowed_is_named() {
        let read = |text| Scopes::read(text, "").unwrap();
        let allowed = read("openid https://graph.microsoft.com/Presence.Read");
        assert_eq!(read("Presence.Read profile").first_beyond(&allowed), None);
        let more = read("Presence.Read User.ReadBasic.All").first_beyond(&allowed);
        assert_eq!(more.as_deref(), Some("User.ReadBasic.All"));
    }
}
