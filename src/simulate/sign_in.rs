//! The sign-in service: its endpoints, and what all of them check first.
//!
//! A request is a `form`. `client` says which app asks, by `assertion` too; `device_code`, `authorize` and
//! `refresh` are the ways of people, with their `scope`s, to `tokens` and an `id_token`;
//! `openid_configuration` tells anybody which tenant a domain is; `page` is what people see, `error` what
//! goes wrong. All is remembered in `memory`.

use serde_json::Value;

use super::message::{Answer, Asked};
use super::route::Route;
use super::state::State;
use super::token::{Caller, Grant};
use super::wire::Marks;

mod assertion;
mod authorize;
mod client;
mod device_code;
mod error;
mod form;
mod id_token;
mod memory;
mod openid_configuration;
mod page;
mod refresh;
mod scope;
mod tokens;

pub(super) use error::{SignInError, outage};
pub(super) use memory::Memory;
pub(super) use scope::is_graph;

use client::{check_client, check_tenant};
use form::{Form, parse, required};
use tokens::access;

/// Answers a request to the sign-in service; none if the route leads elsewhere.
pub(super) fn answer(state: &mut State, route: &Route, asked: &Asked, marks: &Marks) -> Option<Answer> {
    let outcome = match route {
        Route::Token { tenant } => token(state, tenant, asked),
        Route::DeviceCode { tenant } => device_code::start(state, tenant, asked),
        Route::OpenIdConfiguration { tenant } => openid_configuration::answer(state, tenant, &asked.host),
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
