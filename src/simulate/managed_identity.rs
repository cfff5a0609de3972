//! Managed identities: tokens from the machine itself, over the metadata address of a virtual machine or the
//! endpoint of App Service.
//!
//! Microsoft's pages: "How to use managed identities on an Azure VM to acquire an access token" and "How to
//! use managed identities for App Service and Azure Functions". Numbers in the answers are texts there.

use hyper::header::HeaderName;
use serde_json::{Value, json};
use url::form_urlencoded;

use super::message::{Answer, Asked};
use super::route::Route;
use super::sign_in::is_graph;
use super::state::State;
use super::token::{Caller, Grant};

/// Why there is no token: status, error and text.
type Refused = (u16, &'static str, String);

/// Answers a request for a managed identity's token; none if the route leads elsewhere.
pub(super) fn answer(state: &mut State, route: &Route, asked: &Asked) -> Option<Answer> {
    let outcome = match route {
        Route::MetadataIdentity => metadata(state, asked),
        Route::AppServiceIdentity => app_service(state, asked),
        Route::Token { .. }
        | Route::DeviceCode { .. }
        | Route::Authorize { .. }
        | Route::OpenIdConfiguration { .. }
        | Route::DeviceLogin
        | Route::MyPresence
        | Route::UserPresence { .. }
        | Route::CommunicationsPresence { .. }
        | Route::PresencesByUserId
        | Route::Write { .. }
        | Route::User { .. }
        | Route::GroupMembers { .. }
        | Route::Me
        | Route::WrongMethod
        | Route::Unknown => return None,
    };
    Some(match outcome {
        Ok(body) => Answer::json(200, body),
        Err((status, error, description)) => refusal(status, error, &description),
    })
}

/// A plain failure with the wanted status.
pub(super) fn outage(status: u16) -> Answer {
    match status {
        404 => refusal(404, "not_found", "The metadata service is being updated."),
        410 => refusal(
            410,
            "gone",
            "The metadata service is going through updates; it is back within 70 seconds.",
        ),
        429 => refusal(429, "too_many_requests", "Too many requests."),
        400..500 => refusal(status, "invalid_request", "The request was refused."),
        _ => refusal(status, "unknown", "Failed to retrieve a token from the service."),
    }
}

/// `GET /metadata/identity/oauth2/token`
fn metadata(state: &mut State, asked: &Asked) -> Result<Value, Refused> {
    if !asked.header("metadata").is_some_and(|value| value.eq_ignore_ascii_case("true")) {
        return Err(bad("Required metadata header not specified"));
    }
    if asked.header("x-forwarded-for").is_some() {
        return Err(bad("Requests must not come through a proxy"));
    }
    let resource = check(state, asked, &["2018-02-01"], ["client_id", "object_id", "msi_res_id"])?;
    let (token, lifetime) = issue(state);
    let now = state.now.elsewhere.as_second();
    let expires_on = now.saturating_add_unsigned(lifetime);
    Ok(json!({
        "access_token": token,
        "refresh_token": "",
        "expires_in": lifetime.to_string(),
        "expires_on": expires_on.to_string(),
        "not_before": now.to_string(),
        "resource": resource,
        "token_type": "Bearer",
    }))
}

/// `GET /msi/token`, where `IDENTITY_ENDPOINT` points.
fn app_service(state: &mut State, asked: &Asked) -> Result<Value, Refused> {
    let header = HeaderName::from_static("x-identity-header");
    if asked.header(header) != Some(&state.settings.managed_identity.header) {
        return Err((401, "unauthorized", "X-IDENTITY-HEADER is missing or wrong".into()));
    }
    let resource = check(state, asked, &["2019-08-01"], ["client_id", "principal_id", "mi_res_id"])?;
    let (token, lifetime) = issue(state);
    let expires_on = state.now.elsewhere.as_second().saturating_add_unsigned(lifetime);
    Ok(json!({
        "access_token": token,
        "expires_on": expires_on.to_string(),
        "resource": resource,
        "token_type": "Bearer",
        "client_id": state.settings.managed_identity.client_id,
    }))
}

/// Checks version, identity and resource; `names` are the parameters for client id, object id and resource
/// id.
fn check(state: &State, asked: &Asked, versions: &[&str], names: [&str; 3]) -> Result<String, Refused> {
    let query: Vec<_> = form_urlencoded::parse(asked.query.as_bytes()).into_owned().collect();
    let find = |name: &str| query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
    if !find("api-version").is_some_and(|version| versions.contains(&version)) {
        return Err(bad("Required query parameter 'api-version' is missing or not supported"));
    }
    let identity = &state.settings.managed_identity;
    let own = [&identity.client_id, &identity.object_id, &identity.resource_id];
    for (name, own) in names.into_iter().zip(own) {
        if find(name).is_some_and(|wanted| !wanted.eq_ignore_ascii_case(own)) {
            return Err(bad("Identity not found"));
        }
    }
    let resource = find("resource").ok_or_else(|| bad("Required query variable 'resource' is missing"))?;
    if !is_graph(resource.strip_suffix('/').unwrap_or(resource), &asked.host) {
        let text =
            format!("AADSTS500011: The resource principal named {resource} was not found in the tenant");
        return Err((400, "invalid_resource", text));
    }
    Ok(resource.to_owned())
}

/// A token with the permissions of the app, and its life in seconds.
fn issue(state: &mut State) -> (String, u64) {
    let grant = Grant {
        app: state.settings.managed_identity.client_id.clone(),
        caller: Caller::App,
        permissions: state.settings.permissions.clone(),
    };
    let (token, lifetime) = state.issue(grant);
    (token, lifetime.as_secs())
}

fn bad(text: &str) -> Refused {
    (400, "invalid_request", text.to_owned())
}

fn refusal(status: u16, error: &str, description: &str) -> Answer {
    Answer::json(status, json!({"error": error, "error_description": description}))
}
