//! Answers of Graph that are errors, and redirections.

use std::time::Duration;

use presence2mqtt::core::model::request::{ReadFailure, ReadPresence};
use presence2mqtt::graph::caller::Caller;
use presence2mqtt::graph::refusal::{Needs, of_redirect, of_status};
use reqwest::StatusCode;
use serde::de::IgnoredAny;
use serde_json::Value;

use super::said::{self, MARKER};
use super::world::{World, alice};

/// `input` is a line with the status, and a body. The body is taken for a `Location`, too.
pub(super) fn check(input: &[u8]) {
    let Some((status, body)) = said::with_status(input) else { return };
    let status = StatusCode::from_u16(status).unwrap();
    let hint = Some(Duration::from_secs(7));
    for needs in [
        Needs::to_read(&ReadPresence::Me),
        Needs::to_read(&ReadPresence::User(alice())),
        Needs::to_read(&ReadPresence::Communications(alice())),
        Needs::to_read(&ReadPresence::Bulk(vec![alice()])),
        Needs::TO_RESOLVE,
        Needs::TO_READ_MEMBERS,
    ] {
        for caller in [Caller::App, Caller::ManagedIdentity, Caller::Person] {
            let failure = of_status(status, hint, body, &needs, caller);
            said::sentence(&failure.to_string());
            judged(status, body, &failure, hint);
            assert_eq!(of_status(status, hint, body, &needs, caller), failure);
            if let Some(planted) = planted(body) {
                let failure = of_status(status, hint, planted.to_string().as_bytes(), &needs, caller);
                assert!(!format!("{failure:?}{failure}").contains(MARKER), "{failure:?}");
            }
        }
    }
    let needs = Needs::to_read(&ReadPresence::User(alice()));
    let failure = of_status(status, hint, body, &needs, Caller::App);
    let mut world = World::online();
    world.answer(Err(failure.clone()));
    world.until_next_read();
    world.answer(Err(failure));
    redirected(body);
}

/// What the kind of a failure makes of a status.
fn judged(status: StatusCode, body: &[u8], failure: &ReadFailure, hint: Option<Duration>) {
    let text = String::from_utf8_lossy(body.strip_prefix("\u{feff}".as_bytes()).unwrap_or(body));
    let of_graph = match serde_json::from_str::<Value>(&text) {
        Ok(body) => body["error"].is_object(),
        // Half a character or a number without end hides no error of Graph's.
        Err(_) => serde_json::from_str::<IgnoredAny>(&text).is_ok() && text.contains("error"),
    };
    match failure {
        ReadFailure::Passing { retry_after, .. } => assert_eq!(*retry_after, hint),
        ReadFailure::Throttled { retry_after } => {
            assert_eq!((*retry_after, status), (hint, StatusCode::TOO_MANY_REQUESTS));
        }
        ReadFailure::TokenRefused { .. } => assert_eq!((status.as_u16(), of_graph), (401, true)),
        ReadFailure::Forbidden { .. } => {
            assert!([400, 403].contains(&status.as_u16()) && of_graph, "{status}");
        }
        ReadFailure::NotFound => assert_eq!((status.as_u16(), of_graph), (404, true)),
        ReadFailure::Refused { .. } => assert_eq!((status.as_u16(), of_graph), (400, true)),
        ReadFailure::SignInRequired { .. } => panic!("Graph does not sign people in"),
    }
}

/// The body with the marker everywhere but in the code and the message.
fn planted(body: &[u8]) -> Option<Value> {
    let mut planted = said::planted(body, &["error"], &["access_token", "request"])?;
    let error = planted.get("error")?.to_string();
    if let Some(error) = said::planted(error.as_bytes(), &["code", "message"], &["innerError", "details"]) {
        planted["error"] = error;
    }
    Some(planted).filter(|_| !String::from_utf8_lossy(body).contains(MARKER))
}

fn redirected(location: &[u8]) {
    let text = std::str::from_utf8(location).ok();
    said::sentence(&of_redirect(text).to_string());
    let Some(mut url) = text.and_then(with_host) else { return };
    let host = url.host_str().unwrap_or_default().to_owned();
    // An address that can have no names in it keeps what it has.
    let _ = url.set_username(MARKER).and_then(|()| url.set_password(Some(MARKER)));
    url.set_path(MARKER);
    url.set_query(Some(MARKER));
    url.set_fragment(Some(MARKER));
    let sentence = of_redirect(Some(url.as_str())).to_string();
    assert!(host.contains(MARKER) || !sentence.contains(MARKER), "{sentence}");
}

fn with_host(text: &str) -> Option<reqwest::Url> {
    text.parse().ok().filter(|url: &reqwest::Url| url.has_host())
}
