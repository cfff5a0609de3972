//! Answers of the sign-in service's token endpoint, good and bad.

use std::time::Duration;

use presence2mqtt::core::model::request::ReadFailure;
use presence2mqtt::graph::caller::Caller;
use presence2mqtt::graph::sign_in::answer::{Answer, Issued, NotIssued, issued};
use presence2mqtt::graph::sign_in::identity::{self, NotUsable};
use reqwest::StatusCode;
use secrecy::{ExposeSecret, SecretString};

use super::said::{self, MARKER};

/// `input` is a line with the status, and a body. The body is taken for an id token, too.
pub(super) fn check(input: &[u8]) {
    let Some((status, body)) = said::with_status(input) else { return };
    let status = StatusCode::from_u16(status).unwrap();
    outcome(status, body);
    unsaid(status, body);
    if let Ok(text) = std::str::from_utf8(body) {
        who(&text.trim().to_owned().into());
    }
}

fn answer(status: StatusCode, body: &[u8]) -> Answer {
    Answer { status, retry_after: Some(Duration::from_secs(7)), body: body.to_vec() }
}

fn outcome(status: StatusCode, body: &[u8]) {
    match issued(&answer(status, body)) {
        Ok(issued) => {
            assert!(status.is_success());
            usable(&issued);
        }
        Err(reason) => {
            let refused = matches!(reason, NotIssued::Refused(_));
            // A network error, a timeout, 429 or 5xx is never a bad sign-in.
            assert!(!refused || (status.is_client_error() && status != StatusCode::TOO_MANY_REQUESTS));
            match reason.failure(Caller::App) {
                ReadFailure::Passing { why, retry_after } => {
                    said::sentence(&why);
                    assert!(!refused && retry_after >= Some(Duration::from_secs(7)), "{retry_after:?}");
                }
                ReadFailure::SignInRequired { advice } => {
                    said::sentence(&advice);
                    assert!(refused, "{advice}");
                }
                failure @ (ReadFailure::Throttled { .. }
                | ReadFailure::TokenRefused { .. }
                | ReadFailure::Forbidden { .. }
                | ReadFailure::NotFound
                | ReadFailure::Refused { .. }) => panic!("not of the sign-in service: {failure:?}"),
            }
        }
    }
}

fn usable(issued: &Issued) {
    assert!(issued.lives <= Duration::from_secs(28 * 60 * 60));
    let header = format!("Bearer {}", issued.token.expose_secret());
    assert!(reqwest::header::HeaderValue::from_str(&header).is_ok() && header.len() > 7, "cannot be sent");
    if let Some(token) = &issued.delegated.id_token {
        who(token);
    }
}

/// Whose id token it is, in words that can be shown.
fn who(token: &SecretString) {
    match identity::account(Some(token)) {
        Ok(account) => {
            let name = &account.username;
            assert!(name.chars().count() <= 320 && !name.contains(char::is_control), "{name:?}");
        }
        Err(reason @ (NotUsable::Nobody | NotUsable::Personal(_) | NotUsable::AnotherTenant(..))) => {
            said::sentence(&reason.to_string())
        }
    }
}

/// Nothing is said but the members for which this is promised, and tokens are in no `Debug`.
fn unsaid(status: StatusCode, body: &[u8]) {
    if String::from_utf8_lossy(body).contains(MARKER) {
        return;
    }
    let said =
        ["error", "error_description", "error_codes", "trace_id", "correlation_id", "expires_in", "scope"];
    let secrets = ["access_token", "refresh_token", "id_token", "error_uri", "claims"];
    let Some(planted) = said::planted(body, &said, &secrets) else { return };
    let answer = answer(status, planted.to_string().as_bytes());
    let outcome = issued(&answer);
    assert!(!format!("{answer:?}{outcome:?}").contains(MARKER), "{answer:?} {outcome:?}");
    if let Err(reason) = outcome {
        let failure = reason.failure(Caller::Person);
        assert!(!format!("{failure:?}{failure}").contains(MARKER), "{failure:?}");
    }
}
