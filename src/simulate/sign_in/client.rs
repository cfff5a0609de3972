//! Which app asks, of which tenant, and how it proves that it is the registered one: by secret, by assertion,
//! or not at all.

use super::assertion;
use super::error::SignInError;
use super::form::{Form, required};
use crate::simulate::state::State;

/// The registration is for one tenant, so nobody's tenant is not an answer.
pub(super) fn check_tenant(state: &State, tenant: &str, app_only: bool) -> Result<(), SignInError> {
    let is = |known: &str| known.eq_ignore_ascii_case(tenant);
    if is(&state.settings.tenant_id) || is(&state.settings.domain()) {
        return Ok(());
    }
    match ["common", "organizations", "consumers"].into_iter().any(is) {
        true if app_only => Err(SignInError::new(9001023, "")),
        true => Err(SignInError::new(50194, &state.settings.client_id)),
        false => Err(SignInError::new(90002, tenant)),
    }
}

/// Only one app is registered.
pub(super) fn check_client(state: &State, form: &Form) -> Result<(), SignInError> {
    let client = required(form, "client_id")?;
    match client.eq_ignore_ascii_case(&state.settings.client_id) {
        true => Ok(()),
        false => Err(SignInError::new(700016, client)),
    }
}

/// For calls that the app makes in its own name: a secret or an assertion, and it must be right.
pub(super) fn confidential(state: &mut State, form: &Form, host: &str) -> Result<(), SignInError> {
    let client_id = state.settings.client_id.clone();
    if let Some(jwt) = form.get("client_assertion") {
        if required(form, "client_assertion_type")? != assertion::TYPE {
            return Err(SignInError::new(900144, "client_assertion_type"));
        }
        return assertion::check(state, jwt, host);
    }
    let Some(secret) = form.get("client_secret") else {
        return Err(SignInError::new(7000218, ""));
    };
    if *secret != state.settings.client_secret {
        return Err(SignInError::new(7000215, client_id));
    }
    if state.switches.secret_expired {
        return Err(SignInError::new(7000222, client_id));
    }
    Ok(())
}

/// For calls on behalf of a person: the registration decides whether a credential is forbidden or needed.
pub(super) fn public(state: &mut State, form: &Form, host: &str) -> Result<(), SignInError> {
    if state.switches.no_public_flows {
        return confidential(state, form, host);
    }
    match form.contains_key("client_secret") || form.contains_key("client_assertion") {
        true => Err(SignInError::new(700025, "")),
        false => Ok(()),
    }
}
