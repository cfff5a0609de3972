//! The requests that set presence (Graph: `presence-setpresence`, `presence-clearpresence`,
//! `presence-setuserpreferredpresence`, `presence-clearuserpreferredpresence`, `presence-setstatusmessage`).

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};

use crate::core::model::presence_change::PresenceChange;
use crate::core::model::request::SetPresence;

/// The last segment of the path, and the JSON body.
pub(super) fn request(set: &SetPresence) -> (&'static str, Value) {
    let session = set.session_id.as_deref();
    match &set.change {
        PresenceChange::Session { pair, lasts } => {
            ("setPresence", with_duration(json!({ "sessionId": session }), *pair, *lasts))
        }
        PresenceChange::EndSession => ("clearPresence", json!({ "sessionId": session })),
        PresenceChange::Prefer { pair, lasts } => {
            ("setUserPreferredPresence", with_duration(json!({}), *pair, *lasts))
        }
        PresenceChange::ClearPreferred => ("clearUserPreferredPresence", json!({})),
        PresenceChange::StatusMessage { text, expires } => {
            ("setStatusMessage", status_message(text, *expires))
        }
    }
}

fn with_duration(body: Value, (availability, activity): (&str, &str), lasts: Option<Duration>) -> Value {
    let mut members = match body {
        Value::Object(members) => members,
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => Map::new(),
    };
    members.insert("availability".to_owned(), availability.into());
    members.insert("activity".to_owned(), activity.into());
    members.extend(lasts.map(|lasts| ("expirationDuration".to_owned(), iso_8601(lasts).into())));
    members.into()
}

fn status_message(text: &str, expires: Option<Timestamp>) -> Value {
    let mut status = json!({ "message": { "content": text, "contentType": "text" } });
    if let Some(expires) = expires {
        let date_time = expires.strftime("%Y-%m-%dT%H:%M:%S").to_string();
        status["expiryDateTime"] = json!({ "dateTime": date_time, "timeZone": "UTC" });
    }
    json!({ "statusMessage": status })
}

/// A duration in hours, minutes and seconds.
fn iso_8601(duration: Duration) -> String {
    SignedDuration::try_from(duration).unwrap_or(SignedDuration::MAX).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::model::request::Whom;

    fn of(change: Option<PresenceChange>) -> (&'static str, Value) {
        let session_id = Some("an-app".into());
        request(&SetPresence { whom: Whom::Me, change: change.unwrap(), session_id })
    }

    #[test]
    fn what_is_asked() {
        let wall: Timestamp = "2026-11-23T23:30:00.5Z".parse().unwrap();
        let presence = |payload: &str| of(PresenceChange::from_presence(payload.as_bytes()).unwrap());
        let message =
            |payload: &str| of(PresenceChange::from_status_message(payload.as_bytes(), wall).unwrap());
        for (request, action, body) in [
            (
                presence(r#"{"availability":"Busy","activity":"InACall","duration":"1h","kind":"session"}"#),
                "setPresence",
                json!({"sessionId":"an-app","availability":"Busy","activity":"InACall","expirationDuration":"PT1H"}),
            ),
            (presence(r#"{"kind":"session","clear":true}"#), "clearPresence", json!({"sessionId":"an-app"})),
            (
                presence("offline"),
                "setUserPreferredPresence",
                json!({"availability":"Offline","activity":"OffWork"}),
            ),
            (presence("auto"), "clearUserPreferredPresence", json!({})),
            (
                message("in the workshop"),
                "setStatusMessage",
                json!({"statusMessage":{"message":{"content":"in the workshop","contentType":"text"}}}),
            ),
            (
                message(r#"{"message":"x","expires_in":"45m"}"#),
                "setStatusMessage",
                json!({"statusMessage":{"message":{"content":"x","contentType":"text"},
                       "expiryDateTime":{"dateTime":"2026-11-24T00:15:00","timeZone":"UTC"}}}),
            ),
        ] {
            assert_eq!(request, (action, body));
        }
    }

    #[test]
    fn durations() {
        for (seconds, text) in [(300, "PT5M"), (14_400, "PT4H"), (5_415, "PT1H30M15S"), (604_800, "PT168H")] {
            assert_eq!(iso_8601(Duration::from_secs(seconds)), text);
        }
    }
}
