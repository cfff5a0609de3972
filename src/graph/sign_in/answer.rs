//! Reads an answer of the sign-in service: a token, or why there is none.
//!
//! A network error, a timeout, 429 or 5xx never counts as a rejected sign-in.

use std::fmt;
use std::time::Duration;

use reqwest::StatusCode;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Deserializer};

use super::advice::Verdict;
use super::refusal::Refusal;
use crate::core::model::request::ReadFailure;
use crate::graph::caller::Caller;
use crate::graph::lenient::Object;
use crate::graph::text::readable;

/// An access token as issued (Microsoft identity platform: `v2-oauth2-client-creds-grant-flow`).
#[derive(Debug)]
pub struct Issued {
    /// The token for Graph.
    pub token: SecretString,
    /// How long it is valid.
    pub lives: Duration,
    /// The refresh token and the rest, if a person signed in.
    pub delegated: Delegated,
}

/// What comes with an access token of a person (Microsoft identity platform: `v2-oauth2-auth-code-flow`).
#[derive(Debug, Default)]
pub struct Delegated {
    /// The refresh token, for the next access token.
    pub refresh_token: Option<SecretString>,
    /// The permissions that the person consented to.
    pub scopes: Option<String>,
    /// The id token, a JWT that says who signed in.
    pub id_token: Option<SecretString>,
}

impl Issued {
    /// A token that is valid for this many seconds.
    pub(super) fn new(token: SecretString, seconds: u64) -> Self {
        Self { token, lives: Duration::from_secs(seconds).min(LONGEST_LIFE), delegated: Delegated::default() }
    }
}

/// Why the service issued no token.
#[derive(Debug)]
pub enum NotIssued {
    /// The service cannot be reached, or has a fault.
    Passing {
        /// What happened, as a sentence fragment.
        why: String,
        /// How long it asks to wait.
        retry_after: Option<Duration>,
    },
    /// The service refused.
    Refused(Refusal),
}

/// Microsoft issues no token with a longer life (Microsoft identity platform: `access-tokens`, continuous
/// access evaluation).
const LONGEST_LIFE: Duration = Duration::from_secs(28 * 60 * 60);

/// An answer of the sign-in service, as it came.
pub struct Answer {
    /// The HTTP status.
    pub status: StatusCode,
    /// How long it asks to wait.
    pub retry_after: Option<Duration>,
    /// The body, which may hold a token.
    pub body: Vec<u8>,
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { status, retry_after, body } = self;
        let body = format_args!("{} bytes", body.len());
        f.debug_struct("Answer")
            .field("status", status)
            .field("retry_after", retry_after)
            .field("body", &body)
            .finish()
    }
}

/// Reads the answer of a token endpoint.
///
/// # Errors
///
/// If it is no token. The kind says whether this is temporary.
pub fn issued(answer: &Answer) -> Result<Issued, NotIssued> {
    if !answer.status.is_success() {
        return Err(not_issued(answer));
    }
    token(&readable(&answer.body))
        .ok_or_else(|| passing("the answer of the sign-in service is not a token", answer.retry_after))
}

fn token(body: &str) -> Option<Issued> {
    let body = Object::of(body)?;
    let Sendable(token) = body.get("access_token")?;
    let delegated = Delegated {
        refresh_token: body.get("refresh_token"),
        scopes: body.get("scope"),
        id_token: body.get("id_token"),
    };
    Some(Issued { delegated, ..Issued::new(token, body.get("expires_in")?) })
}

/// Reads an answer that is not 200.
#[must_use]
pub fn not_issued(answer: &Answer) -> NotIssued {
    let Answer { status, retry_after, body } = answer;
    let refusal = Refusal::of_body(&readable(body));
    match refusal {
        Some(refusal) if status.is_client_error() && *status != StatusCode::TOO_MANY_REQUESTS => {
            judge(refusal, *retry_after)
        }
        Some(refusal) => {
            let why = format!("the sign-in service answered {status} ({})", refusal.details());
            passing(&why, *retry_after)
        }
        None => passing(&format!("the sign-in service answered {status}"), *retry_after),
    }
}

/// Whether this is temporary or a refusal.
fn judge(refusal: Refusal, retry_after: Option<Duration>) -> NotIssued {
    let retry_after = match refusal.verdict() {
        Some(Verdict::Passes) => retry_after,
        Some(Verdict::PassesAfter(wait)) => Some(retry_after.unwrap_or_default().max(wait)),
        Some(Verdict::Act(_)) | None => return NotIssued::Refused(refusal),
    };
    passing(&format!("the sign-in service has a passing problem ({})", refusal.details()), retry_after)
}

#[derive(Deserialize)]
struct Sendable(#[serde(deserialize_with = "sendable")] SecretString);

/// A token that can be sent in a header: one or more visible characters (RFC 6749, appendix A.12).
pub(super) fn sendable<'de, D: Deserializer<'de>>(deserializer: D) -> Result<SecretString, D::Error> {
    let token = SecretString::deserialize(deserializer)?;
    let text = token.expose_secret();
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(serde::de::Error::custom("a token of visible characters is expected"));
    }
    Ok(token)
}

fn passing(why: &str, retry_after: Option<Duration>) -> NotIssued {
    NotIssued::Passing { why: why.to_owned(), retry_after }
}

impl NotIssued {
    /// The meaning for this caller.
    #[must_use]
    pub fn failure(self, caller: Caller) -> ReadFailure {
        match self {
            Self::Passing { why, retry_after } => ReadFailure::Passing { why: why.into(), retry_after },
            Self::Refused(refusal) => ReadFailure::SignInRequired { advice: refusal.advice(caller) },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(status: u16, body: &str) -> Result<Issued, NotIssued> {
        let status = StatusCode::from_u16(status).unwrap();
        issued(&Answer { status, retry_after: None, body: body.as_bytes().to_vec() })
    }

    #[test]
    fn a_token() {
        let body = r#"{"token_type":"Bearer","expires_in":3599,"ext_expires_in":1,"access_token":"t"}"#;
        let issued = of(200, body).unwrap();
        assert_eq!((issued.token.expose_secret(), issued.lives.as_secs()), ("t", 3599));
        let body = format!(r#"{{"expires_in":{},"access_token":"t"}}"#, u64::MAX);
        assert_eq!(of(200, &body).unwrap().lives, LONGEST_LIFE);
    }

    #[test]
    fn a_no_is_a_sentence_with_the_numbers_and_the_services_own_words() {
        let body = r#"{"error":"invalid_client","error_description":"AADSTS7000215: \"own\" words",
                       "error_codes":[7000215],"trace_id":"t1","correlation_id":"c1"}"#;
        let Err(NotIssued::Refused(refusal)) = of(401, body) else { panic!("a token?") };
        let advice = refusal.advice(Caller::App);
        assert!(advice.starts_with("the client secret is wrong: "), "{advice}");
        let details = r#"(AADSTS7000215, trace t1, correlation c1; Microsoft says "'own' words")"#;
        assert!(advice.ends_with(details), "{advice}");
        let Err(NotIssued::Passing { why, .. }) = of(503, body) else { panic!("a no?") };
        assert!(why.ends_with(details), "{why}");
        let Err(NotIssued::Refused(refusal)) = of(400, r#"{"error":"invalid_new_thing"}"#) else { panic!() };
        assert!(refusal.advice(Caller::Person).contains("invalid_new_thing"));
    }

    #[test]
    fn members_of_other_types_do_not_turn_a_no_into_something_that_passes() {
        for more in [
            r#""error_codes":null"#,
            r#""error_codes":["7000215"],"trace_id":7"#,
            r#""error_codes":[-1],"correlation_id":{}"#,
            r#""error_codes":{},"trace_id":null"#,
        ] {
            let Err(NotIssued::Refused(refusal)) =
                of(401, &format!(r#"{{"error":"invalid_client",{more}}}"#))
            else {
                panic!("{more}")
            };
            let advice = refusal.advice(Caller::App);
            assert!(advice.ends_with("(invalid_client)"), "{advice}");
        }
    }

    #[test]
    fn what_the_service_writes_stays_on_one_line_and_ends() {
        let long = "x".repeat(100_000);
        let codes = vec!["1"; 10_000].join(",");
        let body = format!(
            r#"{{"error":"a\nb{long}","error_codes":[{codes}],"error_description":"{long}","trace_id":"\u001b{long}","correlation_id":"\u0000{long}"}}"#
        );
        let Err(NotIssued::Refused(refusal)) = of(400, &body) else { panic!("passes") };
        let advice = refusal.advice(Caller::Person);
        assert!(advice.contains("\"a bxxx"), "{advice}");
        assert!(advice.chars().count() < 1500 && !advice.contains(char::is_control), "{advice}");
    }

    #[test]
    fn odd_members_cost_themselves() {
        let body = r#"{"token_type":"\ud83d","expires_in":3599,"access_token":"t","refresh_token":7,"scope":1e999,
                       "id_token":"i","more":1e999}"#;
        let issued = of(200, body).unwrap();
        assert_eq!(issued.token.expose_secret(), "t");
        let Delegated { refresh_token, scopes, id_token } = issued.delegated;
        assert!(refresh_token.is_none() && scopes.is_none());
        assert_eq!(id_token.unwrap().expose_secret(), "i");
    }

    #[test]
    fn what_cannot_be_sent_is_no_token() {
        for token in ["", " ", r"a\nb", r"\u0000", "ä", "a b"] {
            let body = format!(r#"{{"expires_in":3599,"access_token":"{token}"}}"#);
            assert!(matches!(of(200, &body), Err(NotIssued::Passing { .. })), "{token:?}");
        }
    }

    #[test]
    fn a_body_stays_out_of_what_is_printed() {
        let answer = Answer { status: StatusCode::OK, retry_after: None, body: b"s3cr3t".to_vec() };
        let printed = format!("{answer:?}");
        assert!(printed.contains("6 bytes") && !printed.contains("115"), "{printed}");
    }

    #[test]
    fn too_many_equal_requests_are_waited_out_for_minutes() {
        let body = br#"{"error":"invalid_grant","error_codes":[50196]}"#;
        for (hint, waits) in [(None, 300), (Some(9), 300), (Some(900), 900)] {
            let retry_after = hint.map(Duration::from_secs);
            let answer = Answer { status: StatusCode::BAD_REQUEST, retry_after, body: body.to_vec() };
            let NotIssued::Passing { retry_after, .. } = not_issued(&answer) else { panic!("{answer:?}") };
            assert_eq!(retry_after, Some(Duration::from_secs(waits)));
        }
    }

    #[test]
    fn nothing_else_is_a_bad_sign_in() {
        let transient = r#"{"error":"invalid_request","error_codes":[90033]}"#;
        let unavailable = r#"{"error":"temporarily_unavailable"}"#;
        let refused = r#"{"error":"invalid_client","error_codes":[7000215]}"#;
        for (status, body) in [
            (400, transient),
            (400, unavailable),
            (429, refused),
            (500, refused),
            (503, ""),
            (403, "<html>proxy</html>"),
            (200, "<html>captive portal</html>"),
            (200, r#"{"access_token":"t"}"#),
            (302, ""),
        ] {
            assert!(matches!(of(status, body), Err(NotIssued::Passing { .. })), "{status} {body}");
        }
    }
}
