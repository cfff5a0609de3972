//! From an answer that is not 200 to what it means, and what a person can do about it.

use std::time::Duration;

use reqwest::StatusCode;
use serde::Deserialize;

use crate::core::command::What;
use crate::core::event::ReadFailure;

/// Graph's error body (Graph: `errors`): the code is the contract, the message may be empty.
#[derive(Debug, Deserialize)]
struct WireError {
    error: WireErrorBody,
}

#[derive(Debug, Deserialize)]
struct WireErrorBody {
    #[serde(default)]
    code: String,
    #[serde(default)]
    message: String,
}

/// What an answer other than 2xx to `what` means.
///
/// An error status whose body is not Graph's comes from something between here and Graph, and passes.
pub(super) fn of_status(
    status: StatusCode,
    retry_after: Option<Duration>,
    body: &[u8],
    what: &What,
) -> ReadFailure {
    let said = serde_json::from_slice::<WireError>(body).ok().map(|wire| fragment(&wire.error));
    match (status, said) {
        (StatusCode::TOO_MANY_REQUESTS, _) => ReadFailure::Throttled { retry_after },
        (StatusCode::UNAUTHORIZED, Some(why)) => ReadFailure::TokenRefused { why: of_token(&why) },
        (StatusCode::FORBIDDEN, Some(why)) => ReadFailure::Forbidden { advice: of_permission(what, &why) },
        (StatusCode::NOT_FOUND, Some(_)) => ReadFailure::NotFound,
        (StatusCode::BAD_REQUEST, Some(why)) => ReadFailure::Refused { why },
        (status, said) => {
            let by = if said.is_some() { "Graph" } else { "something between here and Graph" };
            let reason = said.map_or(String::new(), |why| format!(": {why}"));
            ReadFailure::Passing { why: format!("{by} answered {status}{reason}"), retry_after }
        }
    }
}

/// An answer that sends us to another host.
pub(super) fn of_redirect(location: Option<&str>) -> ReadFailure {
    let host =
        location.and_then(|to| url::Url::parse(to).ok()).and_then(|url| url.host_str().map(str::to_owned));
    let to = host.map_or(String::new(), |host| format!(" to {host}"));
    ReadFailure::Passing {
        why: format!(
            "the answer redirects{to}, and tokens are never sent elsewhere; is there a sign-in page of the network in between?"
        ),
        retry_after: None,
    }
}

fn fragment(error: &WireErrorBody) -> String {
    match (error.code.as_str(), error.message.as_str()) {
        ("", "") => "no reason given".to_owned(),
        (code, "") => code.to_owned(),
        ("", message) => message.to_owned(),
        (code, message) => format!("{code}: {message}"),
    }
}

fn of_token(why: &str) -> String {
    format!("{why}; check that graph.cloud and graph.tenant_id are those of the tenant")
}

/// Which permission the call needs (Graph: `presence-get`, `cloudcommunications-getpresencesbyuserid`,
/// `user-get`), least first.
fn of_permission(what: &What, why: &str) -> String {
    let permission = match what {
        What::Me => "the delegated permission Presence.Read",
        What::User(_) | What::Communications(_) | What::Bulk(_) => {
            "the application permission Presence.Read.All"
        }
        What::Resolve(_) => {
            "the application permission User.ReadBasic.All (or use object ids instead of names)"
        }
    };
    format!(
        "Graph refuses this with {why}; in the Entra admin center, under App registrations > API permissions, \
         add {permission} for Microsoft Graph and grant admin consent"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(status: u16, body: &str) -> ReadFailure {
        of_status(StatusCode::from_u16(status).unwrap(), None, body.as_bytes(), &What::Me)
    }

    #[test]
    fn each_status_has_its_meaning() {
        let error =
            |code: &str| format!(r#"{{"error":{{"code":"{code}","message":"words","innerError":{{}}}}}}"#);
        assert_eq!(of(404, &error("NotFound")), ReadFailure::NotFound);
        assert_eq!(of(400, &error("BadRequest")), ReadFailure::Refused { why: "BadRequest: words".into() });
        assert!(matches!(of(401, &error("InvalidAuthenticationToken")), ReadFailure::TokenRefused { .. }));
        assert!(
            matches!(of(403, &error("Forbidden")), ReadFailure::Forbidden { advice } if advice.contains("Presence.Read"))
        );
        assert_eq!(of(429, ""), ReadFailure::Throttled { retry_after: None });
        for status in [500, 502, 503, 504, 507, 509, 302, 418] {
            assert!(matches!(of(status, &error("x")), ReadFailure::Passing { .. }), "{status}");
        }
    }

    #[test]
    fn a_refusal_that_is_not_graphs_passes() {
        for status in [400, 401, 403, 404] {
            for body in ["", "<html>proxy</html>", "{}", r#"{"error":"x"}"#] {
                assert!(matches!(of(status, body), ReadFailure::Passing { .. }), "{status} {body}");
            }
        }
        let bare = of(404, r#"{"error":{"code":"","message":""}}"#);
        assert_eq!(bare, ReadFailure::NotFound, "an empty code is still Graph's answer");
    }
}
