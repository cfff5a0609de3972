//! What Graph checks before it answers, its words for what it refuses, and its read endpoints.

use axum::http::header;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::core::model::name::ObjectId;

use super::UnknownIds;
use super::groups;
use super::message::{Answer, Asked};
use super::route::Route;
use super::state::State;
use super::token::{Caller, Grant, Rejected};
use super::wire::{self, Marks};
use super::writing;

/// The most ids one bulk read may have.
const MAX_IDS: usize = 650;

/// Why Graph does not answer, in its own words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    status: u16,
    code: &'static str,
    message: String,
    headers: Vec<(header::HeaderName, String)>,
}

impl Refusal {
    pub(super) fn new(status: u16, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into(), headers: Vec::new() }
    }

    /// The refusal that a status stands for when nothing more is known.
    pub(super) fn usual(status: u16) -> Self {
        let (code, message) = wire::usual_error(status);
        Self::new(status, code, message)
    }

    fn with(mut self, name: header::HeaderName, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    pub(super) fn answer(&self, marks: &Marks) -> Answer {
        let mut body = wire::error(self.code, &self.message, marks);
        if self.status == 429 {
            let inner = &mut body["error"]["innerError"];
            inner["code"] = "429".into();
            inner["message"] = "Please retry after".into();
            inner["status"] = "429".into();
        }
        let mut answer = Answer::json(self.status, body);
        answer.headers.clone_from(&self.headers);
        answer
    }
}

/// Answers a request to Graph: who asks, how often, and then what for.
pub(super) fn answer(state: &mut State, route: &Route, asked: &Asked) -> Result<Answer, Refusal> {
    let grant = authenticate(state, asked)?;
    if route.endpoint().is_presence() {
        state.window.count(state.now.up).map_err(|exceeded| {
            let seconds = exceeded.retry_after.as_secs_f64().ceil().max(1.0);
            Refusal::usual(429).with(header::RETRY_AFTER, seconds.to_string())
        })?;
    }
    if let Route::Write { id, action } = route {
        writing::answer(state, &grant, id.as_deref(), *action, asked)?;
        return Ok(Answer::empty(200));
    }
    read(state, &grant, route, asked).map(|body| Answer::json(200, body))
}

fn read(state: &mut State, grant: &Grant, route: &Route, asked: &Asked) -> Result<Value, Refusal> {
    match route {
        Route::MyPresence => my_presence(state, grant),
        Route::UserPresence { id } => user_presence(state, grant, id),
        Route::CommunicationsPresence { id } => {
            let entity = user_presence(state, grant, id)?;
            Ok(match state.switches.wrapped {
                true => serde_json::json!({ "value": [entity] }),
                false => entity,
            })
        }
        Route::PresencesByUserId => bulk(state, grant, asked),
        Route::User { name } => user(state, grant, name, &asked.query),
        Route::GroupMembers { id } => groups::members(state, grant, id, asked),
        Route::Me => user(state, grant, &signed_in(grant)?.to_string(), &asked.query),
        Route::WrongMethod => Err(Refusal::usual(405)),
        Route::Token { .. }
        | Route::DeviceCode { .. }
        | Route::Authorize { .. }
        | Route::DeviceLogin
        | Route::MetadataIdentity
        | Route::AppServiceIdentity
        | Route::Write { .. }
        | Route::Unknown => Err(Refusal::new(400, "BadRequest", "Resource not found for the segment.")),
    }
}

/// The grant behind the request's bearer token.
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

fn my_presence(state: &mut State, grant: &Grant) -> Result<Value, Refusal> {
    presence_of(state, grant, signed_in(grant)?)
}

/// Whoever `me` is.
pub(super) fn signed_in(grant: &Grant) -> Result<ObjectId, Refusal> {
    let text = "/me request is only valid with delegated authentication flow.";
    match grant.caller {
        Caller::App => Err(Refusal::new(400, "BadRequest", text)),
        Caller::Delegated(me) => Ok(me),
    }
}

fn user_presence(state: &mut State, grant: &Grant, id: &str) -> Result<Value, Refusal> {
    let id = id.parse().map_err(|_| bad_guid(id))?;
    presence_of(state, grant, id)
}

fn presence_of(state: &mut State, grant: &Grant, id: ObjectId) -> Result<Value, Refusal> {
    let own = ["Presence.Read", "Presence.ReadWrite"];
    if !(may_read_everyone(grant) || grant.caller == Caller::Delegated(id) && grant.has_any(&own)) {
        return Err(Refusal::usual(403));
    }
    let entity = entity(state, grant, id).ok_or_else(|| Refusal::usual(404))?;
    let path = format!("users('{id}')/presence/$entity");
    Ok(wire::with_context(entity, &path, state.settings.cloud))
}

/// Somebody's presence as this caller may see it.
fn entity(state: &mut State, grant: &Grant, id: ObjectId) -> Option<Value> {
    let mut entity = state.entity(id)?;
    let hidden = state.switches.expiry_hidden && grant.caller != Caller::Delegated(id);
    let message = entity.get_mut("statusMessage").and_then(Value::as_object_mut);
    if let (true, Some(message)) = (hidden, message) {
        message.remove("expiryDateTime");
    }
    Some(entity)
}

fn bulk(state: &mut State, grant: &Grant, asked: &Asked) -> Result<Value, Refusal> {
    #[derive(Deserialize)]
    struct Body {
        ids: Vec<String>,
    }
    let body: Body = json_body(asked)?;
    if body.ids.len() > MAX_IDS {
        return Err(bad("The number of ids exceeds the limit of 650."));
    }
    if !may_read_everyone(grant) {
        return Err(Refusal::usual(403));
    }
    let mut ids = Vec::new();
    for text in &body.ids {
        let id: ObjectId = text.parse().map_err(|_| bad_guid(text))?;
        if !ids.contains(&id) {
            ids.push(id);
        }
    }
    // The order is not promised, so it is not kept.
    state.random.shuffle(&mut ids);
    let mut entities = Vec::new();
    for id in ids {
        match (entity(state, grant, id), state.switches.unknown_ids) {
            (Some(entity), _) => entities.push(entity),
            (None, UnknownIds::Missing) => {}
            (None, UnknownIds::Refused) => return Err(bad("The request contains an unknown id.")),
            (None, UnknownIds::PresenceUnknown) => entities.push(serde_json::json!({
                "id": id, "availability": "PresenceUnknown", "activity": "PresenceUnknown",
            })),
        }
    }
    let path = "Collection(microsoft.graph.presence)";
    Ok(wire::collection(entities, path, state.settings.cloud))
}

/// What a request says in JSON.
pub(super) fn json_body<T: DeserializeOwned>(asked: &Asked) -> Result<T, Refusal> {
    let json = asked
        .header(header::CONTENT_TYPE)
        .is_some_and(|kind| kind.to_ascii_lowercase().starts_with("application/json"));
    if !json {
        return Err(bad("Write requests must contain the Content-Type header declaration."));
    }
    serde_json::from_slice(&asked.body).map_err(|_| bad("Unable to read JSON request payload."))
}

fn user(state: &State, grant: &Grant, name: &str, query: &str) -> Result<Value, Refusal> {
    let person = state.person_named(name);
    let own = person.is_some_and(|p| grant.caller == Caller::Delegated(p.id));
    if !(grant.has_any(&["User.ReadBasic.All", "User.Read.All", "Directory.Read.All"])
        || own && grant.has_any(&["User.Read"]))
    {
        return Err(Refusal::usual(403));
    }
    let person = person.ok_or_else(|| not_found(name))?;
    let select = parameter(query, "$select");
    let entity = wire::user(person, select.as_deref());
    Ok(wire::with_context(entity, "users/$entity", state.settings.cloud))
}

/// What a directory says of a resource that it does not have.
pub(super) fn not_found(name: &str) -> Refusal {
    Refusal::new(
        404,
        "Request_ResourceNotFound",
        format!(
            "Resource '{name}' does not exist or one of its queried reference-property objects are not present."
        ),
    )
}

/// A parameter of a query.
pub(super) fn parameter(query: &str, name: &str) -> Option<String> {
    let mut parameters = url::form_urlencoded::parse(query.as_bytes());
    parameters.find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}

fn may_read_everyone(grant: &Grant) -> bool {
    grant.has_any(&["Presence.Read.All", "Presence.ReadWrite.All"])
}

pub(super) fn bad_guid(text: &str) -> Refusal {
    bad(format!("Id '{text}' is not a GUID."))
}

pub(super) fn bad(message: impl Into<String>) -> Refusal {
    Refusal::new(400, "BadRequest", message)
}
