//! The tokens that come of a sign-in.

use std::time::Duration;

use serde_json::{Value, json};

use super::error::SignInError;
use super::id_token;
use super::memory::SignedIn;
use super::scope::Scopes;
use crate::core::model::name::ObjectId;
use crate::simulate::state::State;
use crate::simulate::token::{Caller, Grant};

/// The answer to a sign-in of this person, as far as it does not concern refresh tokens.
pub(super) fn tokens(state: &mut State, user: ObjectId, scopes: &Scopes) -> Result<Value, SignInError> {
    if let Some(code) = state.switches.people_refused {
        return Err(SignInError::new(code, &state.settings.client_id));
    }
    let person = state.person(user).cloned().ok_or_else(|| SignInError::new(50034, ""))?;
    let grant = Grant {
        app: state.settings.client_id.clone(),
        caller: Caller::Delegated(user),
        permissions: scopes.permissions(),
    };
    let (mut answer, lifetime) = access(state, grant);
    answer["scope"] = scopes.given().into();
    if let Some(id_token) = id_token::id_token(state, &person, scopes, lifetime) {
        state.sign_in.secrets.remember(&id_token);
        answer["id_token"] = id_token.into();
    }
    Ok(answer)
}

/// The answer to a person's first sign-in: a refresh token too, if it was asked for.
pub(super) fn first_tokens(state: &mut State, signed_in: SignedIn) -> Result<Value, SignInError> {
    let mut answer = tokens(state, signed_in.user, &signed_in.scopes)?;
    if signed_in.scopes.has("offline_access") {
        answer["refresh_token"] = refresh_token(state, signed_in, None).into();
    }
    Ok(answer)
}

/// An answer with an access token, and how long that lives.
pub(super) fn access(state: &mut State, grant: Grant) -> (Value, Duration) {
    let (token, lifetime) = state.issue(grant);
    let seconds = lifetime.as_secs();
    let answer = json!({
        "token_type": "Bearer",
        "expires_in": seconds,
        "ext_expires_in": seconds,
        "access_token": token,
    });
    (answer, lifetime)
}

/// A new refresh token, which replaces `parent` when it is first used.
pub(super) fn refresh_token(state: &mut State, signed_in: SignedIn, parent: Option<u64>) -> String {
    let text = state.secret("refresh");
    let ends = state.now.up + state.settings.refresh_token_lifetime;
    state.sign_in.refresh_tokens.add(text.clone(), signed_in, ends, parent);
    text
}
