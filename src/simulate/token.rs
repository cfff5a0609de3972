//! Access tokens: issued, looked up, gone when their time is over.

use std::collections::VecDeque;
use std::time::Duration;

use crate::core::model::name::ObjectId;

/// Tokens that are remembered; older ones are forgotten, which to a client looks like revocation.
const REMEMBERED: usize = 4_096;

/// Whom a token speaks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Caller {
    /// The app itself, with the permissions an administrator gave it.
    App,
    /// The app on behalf of somebody who signed in.
    Delegated(ObjectId),
}

/// What a token allows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Grant {
    /// The id of the app, which is the machine's own one for a managed identity.
    pub(super) app: String,
    pub(super) caller: Caller,
    /// Application roles or delegated scopes, such as `Presence.Read.All`.
    pub(super) permissions: Vec<String>,
}

/// Why a token is not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rejected {
    Unknown,
    Expired,
}

/// The tokens in the world, newest first.
#[derive(Debug, Default)]
pub(super) struct Tokens {
    issued: VecDeque<Issued>,
}

#[derive(Debug)]
struct Issued {
    text: String,
    grant: Grant,
    ends: Duration,
}

impl Tokens {
    /// Makes a token out of `entropy`, good until `ends`.
    pub(super) fn issue(&mut self, grant: Grant, ends: Duration, entropy: u128) -> String {
        let text = format!("simulated.{entropy:032x}");
        self.issued.truncate(REMEMBERED - 1);
        self.issued.push_front(Issued { text: text.clone(), grant, ends });
        text
    }

    pub(super) fn check(&self, text: &str, now: Duration) -> Result<Grant, Rejected> {
        let found = self.issued.iter().find(|issued| issued.text == text);
        let issued = found.ok_or(Rejected::Unknown)?;
        if now < issued.ends { Ok(issued.grant.clone()) } else { Err(Rejected::Expired) }
    }

    pub(super) fn revoke_all(&mut self) {
        self.issued.clear();
    }
}

impl Grant {
    /// Whether any of these permissions was given.
    pub(super) fn has_any(&self, wanted: &[&str]) -> bool {
        self.permissions.iter().any(|given| wanted.iter().any(|w| given.eq_ignore_ascii_case(w)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_end() {
        let grant =
            Grant { app: "app".into(), caller: Caller::App, permissions: vec!["Presence.Read.All".into()] };
        let mut tokens = Tokens::default();
        let end = Duration::from_secs(60);
        let token = tokens.issue(grant.clone(), end, 1);
        assert_eq!(tokens.check(&token, Duration::ZERO), Ok(grant));
        assert_eq!(tokens.check(&token, end), Err(Rejected::Expired));
        assert_eq!(tokens.check("else", end), Err(Rejected::Unknown));
        tokens.revoke_all();
        assert_eq!(tokens.check(&token, Duration::ZERO), Err(Rejected::Unknown));
    }

    #[test]
    fn memory_is_bounded() {
        let mut tokens = Tokens::default();
        for entropy in 0..2 * REMEMBERED as u128 {
            let grant = Grant { app: String::new(), caller: Caller::App, permissions: Vec::new() };
            tokens.issue(grant, Duration::MAX, entropy);
        }
        assert_eq!(tokens.issued.len(), REMEMBERED);
    }
}
