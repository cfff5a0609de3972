//! What the sign-in service says: a token, or a reason with its number.
//!
//! The shapes are those of the v2.0 token endpoint (Microsoft identity platform: `v2-oauth2-client-creds-grant-flow`,
//! `reference-error-codes`). A network error, a timeout, 429 or 5xx is never a bad sign-in.

use std::time::Duration;

use reqwest::StatusCode;
use secrecy::SecretString;
use serde::Deserialize;

use crate::core::event::ReadFailure;

/// A token as issued.
pub(super) struct Issued {
    pub token: SecretString,
    pub lives: Duration,
}

#[derive(Deserialize)]
struct WireToken {
    access_token: SecretString,
    expires_in: u64,
}

#[derive(Deserialize)]
struct WireRefusal {
    error: String,
    #[serde(default)]
    error_codes: Vec<u32>,
    #[serde(default)]
    trace_id: Option<String>,
    #[serde(default)]
    correlation_id: Option<String>,
}

/// AADSTS numbers that pass by themselves (Microsoft identity platform: `reference-error-codes`).
const TRANSIENT: [u32; 8] = [50033, 50087, 90006, 90012, 90024, 90033, 90055, 90090];

/// Sentences for what people can repair, by AADSTS number.
const ADVICE: [(u32, &str); 9] = [
    (
        7000215,
        "the client secret is wrong: copy the secret's value, not its id, from App registrations > Certificates & secrets",
    ),
    (
        7000222,
        "the client secret has expired: make a new one under App registrations > Certificates & secrets",
    ),
    (
        700016,
        "this tenant does not know graph.client_id: check it, and that graph.tenant_id is the app's tenant",
    ),
    (90002, "graph.tenant_id is no tenant: check it under Entra admin center > Overview"),
    (90038, "this tenant is in another cloud: set graph.cloud"),
    (
        7000112,
        "the app is disabled: an administrator must enable it under Enterprise applications > Properties",
    ),
    (70001, "the app is disabled or not installed in this tenant: ask an administrator"),
    (500011, "the app may not use Microsoft Graph in this cloud: check graph.cloud and graph.graph_url"),
    (70011, "the requested scope is not valid in this cloud: check graph.cloud and graph.graph_url"),
];

/// Reads an answer of the token endpoint.
pub(super) fn issued(
    status: StatusCode,
    retry_after: Option<Duration>,
    body: &[u8],
) -> Result<Issued, ReadFailure> {
    if status.is_success() {
        return match serde_json::from_slice::<WireToken>(body) {
            Ok(wire) => Ok(Issued { token: wire.access_token, lives: Duration::from_secs(wire.expires_in) }),
            Err(_) => Err(passing("the answer of the sign-in service is not a token", retry_after)),
        };
    }
    let refusal = serde_json::from_slice::<WireRefusal>(body).ok();
    match refusal {
        Some(refusal) if status.is_client_error() && status != StatusCode::TOO_MANY_REQUESTS => {
            if refusal.error == "temporarily_unavailable"
                || refusal.error_codes.iter().any(|c| TRANSIENT.contains(c))
            {
                let why = format!("the sign-in service has a passing problem ({})", refusal.numbers());
                return Err(passing(&why, retry_after));
            }
            Err(ReadFailure::SignInRequired { advice: refusal.advice() })
        }
        Some(_) | None => Err(passing(&format!("the sign-in service answered {status}"), retry_after)),
    }
}

fn passing(why: &str, retry_after: Option<Duration>) -> ReadFailure {
    ReadFailure::Passing { why: why.to_owned(), retry_after }
}

impl WireRefusal {
    fn advice(&self) -> String {
        let known = self.error_codes.iter().find_map(|code| ADVICE.iter().find(|(number, _)| number == code));
        let sentence = match known {
            Some((_, sentence)) => (*sentence).to_owned(),
            None => format!("the sign-in service refuses this app ({})", self.error),
        };
        format!("{sentence} ({})", self.numbers())
    }

    /// What support asks for.
    fn numbers(&self) -> String {
        let mut parts: Vec<String> = self.error_codes.iter().map(|code| format!("AADSTS{code}")).collect();
        parts.extend(self.trace_id.iter().map(|id| format!("trace {id}")));
        parts.extend(self.correlation_id.iter().map(|id| format!("correlation {id}")));
        if parts.is_empty() { self.error.clone() } else { parts.join(", ") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use secrecy::ExposeSecret;

    fn of(status: u16, body: &str) -> Result<Issued, ReadFailure> {
        issued(StatusCode::from_u16(status).unwrap(), None, body.as_bytes())
    }

    #[test]
    fn a_token() {
        let issued =
            of(200, r#"{"token_type":"Bearer","expires_in":3599,"ext_expires_in":1,"access_token":"t"}"#)
                .unwrap();
        assert_eq!((issued.token.expose_secret(), issued.lives.as_secs()), ("t", 3599));
    }

    #[test]
    fn what_people_can_repair_is_a_sentence_with_the_numbers() {
        for (code, sentence) in ADVICE {
            let body = format!(
                r#"{{"error":"invalid_client","error_description":"AADSTS{code}: secret words","error_codes":[{code}],"trace_id":"t1","correlation_id":"c1"}}"#
            );
            let Err(ReadFailure::SignInRequired { advice }) = of(401, &body) else { panic!("{code}") };
            assert!(
                advice.starts_with(sentence)
                    && advice.ends_with(&format!("(AADSTS{code}, trace t1, correlation c1)"))
            );
            assert!(!advice.contains("secret words"));
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
            assert!(matches!(of(status, body), Err(ReadFailure::Passing { .. })), "{status} {body}");
        }
    }
}
