//! The sign-in service: its endpoints, and what all of them check first.
//!
//! `client` says which app asks, by `assertion` too; `device_code`, `authorize` and `refresh` are the ways of people,
//! with their `scope`s; `page` is what people see, `error` what goes wrong.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};
use url::form_urlencoded;

use crate::core::model::name::ObjectId;

use super::message::{Answer, Asked};
use super::route::Route;
use super::state::State;
use super::token::{Caller, Grant};
use super::wire::Marks;

mod assertion;
mod authorize;
mod bounded;
mod client;
mod device_code;
mod error;
mod id_token;
mod page;
mod refresh;
mod scope;
mod secrets;

pub(super) use error::{SignInError, outage};
use scope::Scopes;
pub(super) use scope::is_graph;

/// What the service remembers from one request to the next.
#[derive(Debug, Default)]
pub(super) struct Memory {
    pub(super) device_codes: device_code::DeviceCodes,
    codes: authorize::Codes,
    pub(super) refresh_tokens: refresh::RefreshTokens,
    pub(super) assertions: assertion::Assertions,
    pub(super) secrets: secrets::Secrets,
}

/// Who signed in, and what they allowed the app to do.
#[derive(Debug, Clone)]
struct SignedIn {
    user: ObjectId,
    scopes: Scopes,
}

/// The parameters of a request, from its body or its query.
type Form = BTreeMap<String, String>;

/// Answers a request to the sign-in service; none if the route leads elsewhere.
pub(super) fn answer(state: &mut State, route: &Route, asked: &Asked, marks: &Marks) -> Option<Answer> {
    let outcome = match route {
        Route::Token { tenant } => token(state, tenant, asked),
        Route::DeviceCode { tenant } => device_code::start(state, tenant, asked),
        Route::Authorize { tenant } => return Some(authorize::answer(state, tenant, asked, marks)),
        Route::DeviceLogin => return Some(device_code::login_page(state, asked)),
        Route::MyPresence
        | Route::UserPresence { .. }
        | Route::CommunicationsPresence { .. }
        | Route::PresencesByUserId
        | Route::Write { .. }
        | Route::User { .. }
        | Route::GroupMembers { .. }
        | Route::Me
        | Route::MetadataIdentity
        | Route::AppServiceIdentity
        | Route::WrongMethod
        | Route::Unknown => return None,
    };
    Some(match outcome {
        Ok(body) => Answer::json(200, body),
        Err(error) => error.answer(marks),
    })
}

/// `POST /{tenant}/oauth2/v2.0/token`
fn token(state: &mut State, tenant: &str, asked: &Asked) -> Result<Value, SignInError> {
    let form = parse(&asked.body);
    let app_only = form.get("grant_type").is_some_and(|grant| grant == "client_credentials");
    check_tenant(state, tenant, app_only)?;
    check_client(state, &form)?;
    match required(&form, "grant_type")? {
        "client_credentials" => client_credentials(state, &form, &asked.host),
        device_code::GRANT => device_code::grant(state, &form, &asked.host),
        "authorization_code" => authorize::grant(state, &form, &asked.host),
        "refresh_token" => refresh::grant(state, &form, &asked.host),
        other => Err(SignInError::new(70003, other)),
    }
}

fn client_credentials(state: &mut State, form: &Form, host: &str) -> Result<Value, SignInError> {
    scope::check_default(required(form, "scope")?, host)?;
    client::confidential(state, form, host)?;
    let grant = Grant {
        app: state.settings.client_id.clone(),
        caller: Caller::App,
        permissions: state.settings.permissions.clone(),
    };
    Ok(access(state, grant).0)
}

/// The answer to a sign-in of this person, as far as it does not concern refresh tokens.
fn tokens(state: &mut State, user: ObjectId, scopes: &Scopes) -> Result<Value, SignInError> {
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
fn first_tokens(state: &mut State, signed_in: SignedIn) -> Result<Value, SignInError> {
    let mut answer = tokens(state, signed_in.user, &signed_in.scopes)?;
    if signed_in.scopes.has("offline_access") {
        answer["refresh_token"] = refresh::issue(state, signed_in, None).into();
    }
    Ok(answer)
}

/// An answer with an access token, and how long that lives.
fn access(state: &mut State, grant: Grant) -> (Value, Duration) {
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

fn parse(form: &[u8]) -> Form {
    form_urlencoded::parse(form).into_owned().collect()
}

fn required<'a>(form: &'a Form, name: &str) -> Result<&'a str, SignInError> {
    match form.get(name) {
        Some(value) if !value.is_empty() => Ok(value),
        Some(_) | None => Err(SignInError::new(900144, name)),
    }
}

/// The registration is for one tenant, so nobody's tenant is not an answer.
fn check_tenant(state: &State, tenant: &str, app_only: bool) -> Result<(), SignInError> {
    let is = |known: &str| known.eq_ignore_ascii_case(tenant);
    if is(&state.settings.tenant_id) || is(super::DOMAIN) {
        return Ok(());
    }
    match ["common", "organizations", "consumers"].into_iter().any(is) {
        true if app_only => Err(SignInError::new(9001023, "")),
        true => Err(SignInError::new(50194, &state.settings.client_id)),
        false => Err(SignInError::new(90002, tenant)),
    }
}

fn check_client(state: &State, form: &Form) -> Result<(), SignInError> {
    let client = required(form, "client_id")?;
    match client.eq_ignore_ascii_case(&state.settings.client_id) {
        true => Ok(()),
        false => Err(SignInError::new(700016, client)),
    }
}

/// A random life between the two ends of the setting, in whole seconds because that is what the answer can say.
pub(super) fn lifetime(random: &mut fastrand::Rng, range: &std::ops::Range<Duration>) -> Duration {
    let (from, to) = (range.start.as_secs(), range.end.as_secs());
    Duration::from_secs(if from < to { random.u64(from..to) } else { from })
}
