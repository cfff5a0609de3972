//! What Graph checks before it answers, and its endpoints for reading.

use hyper::{Method, header};
use serde::Deserialize;
use serde_json::Value;

use crate::core::model::name::ObjectId;

use super::graph_request::{authenticate, json_body, parameter, signed_in};
use super::message::{Answer, Asked};
use super::pages;
use super::refusal::Refusal;
use super::route::Route;
use super::state::State;
use super::switches::UnknownIds;
use super::token::{Caller, Grant};
use super::{members, wire, writing};

/// The most ids one bulk read may have.
const MAX_IDS: usize = 650;

/// Answers a request to Graph. Checks first the token, then the rate limit, then the request.
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
        Route::GroupMembers { id } => members::page(state, grant, id, asked),
        Route::Me => user(state, grant, &signed_in(grant)?.to_string(), &asked.query),
        Route::WrongMethod => Err(Refusal::usual(405)),
        Route::Token { .. }
        | Route::DeviceCode { .. }
        | Route::Authorize { .. }
        | Route::OpenIdConfiguration { .. }
        | Route::DeviceLogin
        | Route::MetadataIdentity
        | Route::AppServiceIdentity
        | Route::Write { .. }
        | Route::Unknown => Err(Refusal::new(400, "BadRequest", "Resource not found for the segment.")),
    }
}

fn my_presence(state: &mut State, grant: &Grant) -> Result<Value, Refusal> {
    presence_of(state, grant, signed_in(grant)?)
}

fn user_presence(state: &mut State, grant: &Grant, id: &str) -> Result<Value, Refusal> {
    let id = id.parse().map_err(|_| Refusal::bad_guid(id))?;
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

/// A person's presence as this caller may see it.
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
    let mut ids = match (asked.method == Method::GET, pages::asked_for(asked)) {
        (true, None) => return Err(Refusal::usual(405)),
        (true, Some(page)) => {
            state.pages.rest(&page).ok_or_else(|| Refusal::bad("The skip token is invalid."))?
        }
        (false, _) => asked_ids(asked)?,
    };
    if !may_read_everyone(grant) {
        return Err(Refusal::usual(403));
    }
    // Graph does not promise an order, so this answer changes it.
    state.random.shuffle(&mut ids);
    let all = ids.clone();
    let rest =
        ids.split_off(state.switches.people_page.map_or(ids.len(), |page| page.clamp(1, ids.len().max(1))));
    let mut entities = Vec::new();
    for id in ids {
        match (entity(state, grant, id), state.switches.unknown_ids) {
            (Some(entity), _) => entities.push(entity),
            (None, UnknownIds::Missing) => {}
            (None, UnknownIds::Refused) => return Err(Refusal::bad("The request contains an unknown id.")),
            (None, UnknownIds::PresenceUnknown) => entities.push(serde_json::json!({
                "id": id, "availability": "PresenceUnknown", "activity": "PresenceUnknown",
            })),
        }
    }
    let path = "Collection(microsoft.graph.presence)";
    let mut answer = wire::collection(entities, path, state.settings.cloud);
    if !rest.is_empty() {
        let strange = state.switches.strange_link;
        let (next, same) = (state.pages.keep(rest), state.pages.keep(all));
        answer["@odata.nextLink"] = pages::link(asked, &next, &same, strange).into();
    }
    Ok(answer)
}

/// The people in a bulk request, each once.
fn asked_ids(asked: &Asked) -> Result<Vec<ObjectId>, Refusal> {
    #[derive(Deserialize)]
    struct Body {
        ids: Vec<String>,
    }
    let body: Body = json_body(asked)?;
    if body.ids.len() > MAX_IDS {
        return Err(Refusal::bad("The number of ids exceeds the limit of 650."));
    }
    let mut ids = Vec::new();
    for text in &body.ids {
        let id: ObjectId = text.parse().map_err(|_| Refusal::bad_guid(text))?;
        if !ids.contains(&id) {
            ids.push(id);
        }
    }
    Ok(ids)
}

fn user(state: &State, grant: &Grant, name: &str, query: &str) -> Result<Value, Refusal> {
    let person = state.person_named(name);
    let own = person.is_some_and(|p| grant.caller == Caller::Delegated(p.id));
    if !(grant.has_any(&["User.ReadBasic.All", "User.Read.All", "Directory.Read.All"])
        || own && grant.has_any(&["User.Read"]))
    {
        return Err(Refusal::usual(403));
    }
    let person = person.ok_or_else(|| Refusal::not_found(name))?;
    let select = parameter(query, "$select");
    let entity = wire::user(person, select.as_deref());
    Ok(wire::with_context(entity, "users/$entity", state.settings.cloud))
}

fn may_read_everyone(grant: &Grant) -> bool {
    grant.has_any(&["Presence.Read.All", "Presence.ReadWrite.All"])
}
