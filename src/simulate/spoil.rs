//! What the faults make of an answer.

use std::time::Duration;

use http_body_util::Either;
use hyper::body::Bytes;
use hyper::{Response, StatusCode, header};
use serde_json::{Value, json};

use super::fault::{Fault, RetryAfter};
use super::managed_identity;
use super::message::Answer;
use super::refusal::Refusal;
use super::response::{Body, respond, whole};
use super::route::{Endpoint, Service};
use super::script::Script;
use super::sign_in::{self, SignInError};
use super::wire::Marks;

const PORTAL: &str =
    "<!DOCTYPE html><html><head><title>Welcome</title></head><body>Please accept the terms.</body></html>";

/// A huge body is 1,024 blocks of this many spaces.
const BLOCK: usize = 64 * 1024;

/// The response to send instead of, or made from, the honest answer.
pub(super) fn spoil(fault: &Fault, endpoint: Endpoint, honest: Answer, marks: &Marks) -> Response<Body> {
    match fault {
        Fault::Error { status, retry_after } => {
            let mut answer = error(*status, endpoint, marks);
            answer
                .headers
                .extend(retry_after.map(|after| (header::RETRY_AFTER, retry_after_text(after, marks))));
            respond(answer)
        }
        Fault::EmptyMessage { status } => {
            let mut answer = error(*status, endpoint, marks);
            let message = match endpoint.service() {
                Service::Graph => &mut answer.body["error"]["message"],
                Service::SignIn | Service::ManagedIdentity => &mut answer.body["error_description"],
            };
            *message = "".into();
            respond(answer)
        }
        Fault::SignIn { code } => respond(SignInError::new(*code, "simulated").answer(marks)),
        Fault::Dribble(pause) => dribble(honest, *pause),
        Fault::Truncate => truncate(honest),
        Fault::Html => page(StatusCode::OK, whole(PORTAL)),
        Fault::HalfCharacters => half_characters(honest),
        Fault::WrongType => respond(each_entity(honest, |entity| entity["availability"] = json!(3))),
        Fault::UserInstead => respond(each_entity(honest, |entity| {
            *entity = json!({
                "id": entity["id"],
                "displayName": "Somebody",
                "userPrincipalName": "somebody@contoso.example",
            });
        })),
        Fault::Huge => huge(honest),
        Fault::Redirect { location } => {
            let mut response = page(StatusCode::FOUND, whole(""));
            if let Ok(location) = location.parse() {
                response.headers_mut().insert(header::LOCATION, location);
            }
            response
        }
        // These happen before the answer, not to it.
        Fault::Slow(_) | Fault::Hang | Fault::Reset => respond(honest),
    }
}

fn error(status: u16, endpoint: Endpoint, marks: &Marks) -> Answer {
    match endpoint.service() {
        Service::Graph => Refusal::usual(status).answer(marks),
        Service::SignIn => sign_in::outage(status, marks),
        Service::ManagedIdentity => managed_identity::outage(status),
    }
}

fn retry_after_text(after: RetryAfter, marks: &Marks) -> String {
    match after {
        RetryAfter::Seconds(seconds) => seconds.to_string(),
        RetryAfter::Date(ahead) => {
            let then = marks.now.wall.saturating_add(ahead).unwrap_or(marks.now.wall);
            then.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
        }
    }
}

fn page(status: StatusCode, body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    let html = header::HeaderValue::from_static("text/html; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, html);
    response
}

/// Changes the entities of a good answer, be it one or a collection.
fn each_entity(mut answer: Answer, change: impl Fn(&mut Value)) -> Answer {
    if answer.status == 200 {
        match answer.body.get_mut("value").and_then(Value::as_array_mut) {
            Some(entities) => entities.iter_mut().for_each(change),
            None => change(&mut answer.body),
        }
    }
    answer
}

/// Stands for half of a pair until the answer is text: no text of ours can hold one.
const HALF: &str = "\u{fdd0}";

fn half_characters(honest: Answer) -> Response<Body> {
    let spoiled = each_entity(honest, |entity| {
        for member in ["displayName", "userPrincipalName"] {
            if let Some(Value::String(name)) = entity.get_mut(member) {
                name.push_str(HALF);
            }
        }
        for message in ["/statusMessage/message/content", "/outOfOfficeSettings/message"] {
            if let Some(Value::String(text)) = entity.pointer_mut(message) {
                text.push_str(HALF);
            }
        }
        if let Value::Object(members) = entity {
            members.insert("simulated".to_owned(), HALF.into());
        }
    });
    let text = spoiled.text().replace(HALF, r"\ud83d");
    let mut response = respond(spoiled);
    *response.body_mut() = whole(text);
    response
}

fn dribble(honest: Answer, pause: Duration) -> Response<Body> {
    let text = Bytes::from(honest.text());
    let length = text.len();
    let chunks = (0..length).step_by(16).map(move |at| text.slice(at..length.min(at + 16)));
    with_script(honest, length, Script::new(chunks).pause(pause))
}

fn truncate(honest: Answer) -> Response<Body> {
    let text = Bytes::from(honest.text());
    let half = text.slice(..text.len() / 2);
    // An empty answer promises a byte, so that it can be cut as well.
    with_script(honest, text.len().max(1), Script::new(std::iter::once(half)).cut())
}

/// Honest JSON, but with 64 MiB of space in front of it.
fn huge(honest: Answer) -> Response<Body> {
    let text = Bytes::from(honest.text());
    let length = 1024 * BLOCK + text.len();
    let spaces = std::iter::repeat_n(Bytes::from(vec![b' '; BLOCK]), 1024);
    with_script(honest, length, Script::new(spaces.chain([text])))
}

fn with_script(honest: Answer, length: usize, script: Script) -> Response<Body> {
    let mut response = respond(honest);
    *response.body_mut() = Either::Right(script);
    response.headers_mut().insert(header::CONTENT_LENGTH, length.into());
    response
}
