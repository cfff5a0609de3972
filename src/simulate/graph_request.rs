//! The parts of a request that Graph uses: the token, the parameters, the JSON.

use hyper::header;
use serde::de::DeserializeOwned;

use crate::core::model::name::ObjectId;

use super::message::Asked;
use super::refusal::Refusal;
use super::state::State;
use super::token::{Caller, Grant, Rejected};

/// The grant of the request's bearer token.
pub(super) fn authenticate(state: &State, asked: &Asked) -> Result<Grant, Refusal> {
    let refuse = |message: &str| {
        Refusal::new(401, "InvalidAuthenticationToken", message).with(
            header::WWW_AUTHENTICATE,
            "Bearer realm=\"\", authorization_uri=\"https://login.microsoftonline.com/common/oauth2/authorize\"",
        )
    };
    let header = asked.header(header::AUTHORIZATION);
    let token = header
        .and_then(|value| value.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("Bearer"));
    let Some((_, token)) = token else {
        return Err(refuse("Access token is empty."));
    };
    match state.tokens.check(token.trim(), state.now.up) {
        Ok(grant) => Ok(grant),
        Err(Rejected::Unknown) => Err(refuse("Invalid access token.")),
        Err(Rejected::Expired) => Err(refuse("Lifetime validation failed, the token is expired.")),
    }
}

/// The person that `me` stands for.
pub(super) fn signed_in(grant: &Grant) -> Result<ObjectId, Refusal> {
    let text = "/me request is only valid with delegated authentication flow.";
    match grant.caller {
        Caller::App => Err(Refusal::new(400, "BadRequest", text)),
        Caller::Delegated(me) => Ok(me),
    }
}

/// The JSON body of a request.
pub(super) fn json_body<T: DeserializeOwned>(asked: &Asked) -> Result<T, Refusal> {
    let json = asked
        .header(header::CONTENT_TYPE)
        .is_some_and(|kind| kind.to_ascii_lowercase().starts_with("application/json"));
    if !json {
        return Err(Refusal::bad("Write requests must contain the Content-Type header declaration."));
    }
    serde_json::from_slice(&asked.body).map_err(|_| Refusal::bad("Unable to read JSON request payload."))
}

/// A parameter of a query.
pub(super) fn parameter(query: &str, name: &str) -> Option<String> {
    let mut parameters = url::form_urlencoded::parse(query.as_bytes());
    parameters.find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}
