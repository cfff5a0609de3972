//! Refresh tokens: each answer brings a new one, and the old one dies when the new one is first used.
//!
//! So a client that went down before it stored the new token can go on with the old one. Real Entra is milder and
//! lets old tokens live; whoever gets on with this gets on with that. Microsoft's page: "Refresh tokens in the
//! Microsoft identity platform".

use std::collections::VecDeque;
use std::time::Duration;

use serde_json::Value;

use super::bounded::keep;
use super::error::SignInError;
use super::scope::Scopes;
use super::{Form, SignedIn, client, required, tokens};
use crate::simulate::state::State;

/// Refresh tokens that are remembered; older ones are forgotten, which to a client looks like an invalid token.
const REMEMBERED: usize = 1_024;

/// The refresh tokens in the world, oldest first.
#[derive(Debug, Default)]
pub(in crate::simulate) struct RefreshTokens {
    issued: VecDeque<Issued>,
    /// How many were ever issued.
    count: u64,
}

#[derive(Debug, Clone)]
struct Issued {
    number: u64,
    /// The token it was got with, until it is used for the first time.
    parent: Option<u64>,
    text: String,
    signed_in: SignedIn,
    ends: Duration,
    /// The AADSTS number it is refused with.
    refused: Option<u32>,
}

/// The grant `refresh_token`.
pub(super) fn grant(state: &mut State, form: &Form, host: &str) -> Result<Value, SignInError> {
    client::public(state, form, host)?;
    let token = state.sign_in.refresh_tokens.find(required(form, "refresh_token")?)?;
    if let Some(code) = token.refused {
        return Err(SignInError::new(code, &state.settings.client_id));
    }
    if token.ends <= state.now.up {
        return Err(SignInError::new(700082, ""));
    }
    let asked = match form.get("scope") {
        Some(scope) => Scopes::read(scope, host)?,
        None => token.signed_in.scopes.clone(),
    };
    if let Some(missing) = asked.first_beyond(&token.signed_in.scopes) {
        return Err(SignInError::new(65001, missing));
    }
    let mut answer = tokens(state, token.signed_in.user, &asked)?;
    state.sign_in.refresh_tokens.used(&token);
    answer["refresh_token"] = issue(state, token.signed_in, Some(token.number)).into();
    Ok(answer)
}

/// A new refresh token, which replaces `parent` when it is first used.
pub(super) fn issue(state: &mut State, signed_in: SignedIn, parent: Option<u64>) -> String {
    let text = state.secret("refresh");
    let ends = state.now.up + state.settings.refresh_token_lifetime;
    state.sign_in.refresh_tokens.add(text.clone(), signed_in, ends, parent);
    text
}

impl RefreshTokens {
    fn find(&self, text: &str) -> Result<Issued, SignInError> {
        let found = self.issued.iter().find(|issued| issued.text == text);
        found.cloned().ok_or_else(|| SignInError::new(70000, ""))
    }

    fn add(&mut self, text: String, signed_in: SignedIn, ends: Duration, parent: Option<u64>) {
        self.count += 1;
        let token = Issued { number: self.count, parent, text, signed_in, ends, refused: None };
        keep(&mut self.issued, REMEMBERED, token);
    }

    /// Ends the token this one was got with, and whatever else was got with that and never used.
    fn used(&mut self, token: &Issued) {
        let Some(parent) = token.parent else { return };
        self.issued.retain(|other| {
            other.number == token.number || (other.number != parent && other.parent != Some(parent))
        });
        for issued in self.issued.iter_mut().filter(|issued| issued.number == token.number) {
            issued.parent = None;
        }
    }

    /// Refuses every token there is with this AADSTS number, for good.
    pub(in crate::simulate) fn refuse_all(&mut self, code: u32) {
        for issued in &mut self.issued {
            issued.refused = Some(code);
        }
    }
}
