//! Refresh tokens: each answer brings a new one, and the old one dies when the new one is first used.
//!
//! So a client that went down before it stored the new token can go on with the old one. Real Entra is milder
//! and lets old tokens live; whoever gets on with this gets on with that. Microsoft's page: "Refresh tokens
//! in the Microsoft identity platform".

use serde_json::Value;

use super::client;
use super::error::SignInError;
use super::form::{Form, required};
use super::scope::Scopes;
use super::tokens::{refresh_token, tokens};
use crate::simulate::state::State;

/// The grant `refresh_token`.
pub(super) fn grant(state: &mut State, form: &Form, host: &str) -> Result<Value, SignInError> {
    client::public(state, form, host)?;
    let token = state.sign_in.refresh_tokens.find(required(form, "refresh_token")?);
    let token = token.ok_or_else(|| SignInError::new(70000, ""))?;
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
    answer["refresh_token"] = refresh_token(state, token.signed_in, Some(token.number)).into();
    Ok(answer)
}
