//! The JSON that Graph writes.

use serde_json::{Map, Value, json};

use crate::core::model::name::ObjectId;

use super::clock::Now;
use super::person::Person;
use super::resident::Shown;
use super::settings::Cloud;

/// The ids every answer carries, and its moment.
#[derive(Debug, Clone)]
pub(super) struct Marks {
    pub(super) request_id: String,
    pub(super) client_request_id: String,
    pub(super) now: Now,
}

/// One presence entity.
pub(super) fn presence(id: ObjectId, shown: &Shown, sequence: u64, cloud: Cloud) -> Value {
    let mut entity = json!({
        "id": id,
        "availability": shown.availability,
        "activity": shown.activity,
        "statusMessage": shown.status_message,
    });
    let now = &shown.situation;
    if cloud == Cloud::Global {
        entity["outOfOfficeSettings"] = json!({
            "message": now.out_of_office,
            "isOutOfOffice": now.out_of_office.is_some(),
        });
        entity["workLocation"] = json!({
            "placeId": null,
            "source": now.work_location.source,
            "workLocationType": now.work_location.kind,
        });
        // Ten digits, so that comparing texts compares numbers.
        entity["sequenceNumber"] = json!(format!("A{sequence:010}"));
    }
    entity
}

/// `InACall` as `inACall`: the spelling of the newer resource page.
pub(super) fn camel_case(word: &str) -> String {
    let mut letters = word.chars();
    let first = letters.next().map(|c| c.to_ascii_lowercase());
    first.into_iter().chain(letters).collect()
}

/// Puts the `@odata.context` in front of a single entity.
pub(super) fn with_context(entity: Value, path: &str, cloud: Cloud) -> Value {
    match entity {
        Value::Object(members) => {
            let mut all = Map::new();
            all.insert("@odata.context".into(), context(path, cloud));
            all.extend(members);
            Value::Object(all)
        }
        // Tests may set anything as an entity; then it goes out as it is.
        other @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_)) => {
            other
        }
    }
}

/// A collection of entities.
pub(super) fn collection(entities: Vec<Value>, path: &str, cloud: Cloud) -> Value {
    json!({"@odata.context": context(path, cloud), "value": entities})
}

fn context(path: &str, cloud: Cloud) -> Value {
    Value::String(format!("{}/v1.0/$metadata#{path}", cloud.graph()))
}

/// A user object with the selected members, or those Graph gives unasked.
pub(super) fn user(person: &Person, select: Option<&str>) -> Value {
    let all = json!({
        "businessPhones": [],
        "displayName": person.display_name,
        "id": person.id,
        "mail": person.principal_name,
        "userPrincipalName": person.principal_name,
    });
    let (Some(select), Value::Object(all)) = (select, &all) else {
        return all;
    };
    let wanted = |name: &str| select.split(',').any(|s| s.trim().eq_ignore_ascii_case(name));
    let chosen = all.iter().filter(|(name, _)| wanted(name));
    Value::Object(chosen.map(|(k, v)| (k.clone(), v.clone())).collect())
}

/// An error in the shape of Graph.
pub(super) fn error(code: &str, message: &str, marks: &Marks) -> Value {
    json!({"error": {
        "code": code,
        "message": message,
        "innerError": {
            "date": marks.now.wall.strftime("%Y-%m-%dT%H:%M:%S").to_string(),
            "request-id": marks.request_id,
            "client-request-id": marks.client_request_id,
        },
    }})
}

/// The code and message Graph has for a status when nothing more is known.
pub(super) fn usual_error(status: u16) -> (&'static str, &'static str) {
    match status {
        400 => ("BadRequest", "The request is malformed or incorrect."),
        401 => ("InvalidAuthenticationToken", "Access token has expired or is not yet valid."),
        403 => ("Authorization_RequestDenied", "Insufficient privileges to complete the operation."),
        404 => ("NotFound", "The resource could not be found."),
        405 => ("Request_BadRequest", "Specified HTTP method is not allowed for the request target."),
        409 => ("Conflict", "The resource is in conflict with the request."),
        429 => ("TooManyRequests", "Please retry again later."),
        500 => ("InternalServerError", "An internal server error occurred while processing the request."),
        503 => ("ServiceUnavailable", "The service is temporarily unavailable."),
        504 => ("GatewayTimeout", "The server, acting as a proxy, timed out."),
        _ => ("UnknownError", "An unknown error has occurred."),
    }
}
