//! From the body of an answer to presence. Lenient towards Microsoft: members may be missing, null, of another
//! type, new, or in any order; only a person without a usable availability is no reading.

use serde::de::DeserializeSeed;
use serde_json::{Deserializer, Value};

use super::lenient::Read;
use super::wire::{Body, WholeBody};
use crate::core::model::name::ObjectId;
use crate::core::model::request::Reading;

/// Why a body is not an answer about people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotAnAnswer {
    /// Not JSON: a captive portal, a proxy, or a body that was cut.
    #[error("the answer is not JSON, so it is not from Graph, or was cut on the way")]
    NotJson,
    /// JSON, but not a presence.
    #[error("the answer is JSON, but not a presence")]
    NotPresence,
}

/// Reads the answer about one person: the presence itself, or a `value` list around it, which one of Microsoft's
/// pages shows (Graph: `presence-get`, example 3).
///
/// # Errors
///
/// If the body is no JSON object with an `id`, or a list of such.
pub fn single(body: &[u8]) -> Result<Vec<Reading>, NotAnAnswer> {
    let Body { reading, list } = read(body)?;
    list.or(reading.map(|reading| vec![reading])).ok_or(NotAnAnswer::NotPresence)
}

/// Reads the answer of the bulk request, or of a wrapped single one: `{"value":[…]}`. Entries without an id
/// are left out.
///
/// # Errors
///
/// If the body is no JSON object with a `value` list.
pub fn list(body: &[u8]) -> Result<Vec<Reading>, NotAnAnswer> {
    read(body)?.list.ok_or(NotAnAnswer::NotPresence)
}

/// Reads the object id out of a user (Graph: `resources/user`).
///
/// # Errors
///
/// If the body is no JSON object with an `id`.
pub fn user_id(body: &[u8]) -> Result<ObjectId, NotAnAnswer> {
    let value: Value = serde_json::from_slice(body).map_err(|_| NotAnAnswer::NotJson)?;
    let id = value.get("id").and_then(Value::as_str).and_then(|id| id.parse().ok());
    id.ok_or(NotAnAnswer::NotPresence)
}

fn read(body: &[u8]) -> Result<Body, NotAnAnswer> {
    // At once for the whole body: for each of its many short texts it takes several times as long.
    let text = std::str::from_utf8(body).map_err(|_| NotAnAnswer::NotJson)?;
    let mut json = Deserializer::from_str(text);
    let whole = Read(WholeBody).deserialize(&mut json);
    whole.and_then(|whole| json.end().map(|()| whole)).map_err(|_| NotAnAnswer::NotJson)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::model::presence::{Messages, Presence, StatusMessage, WorkLocation};
    use crate::core::model::word::LONGEST_WORD;
    use crate::core::model::words::{LONGEST_RAW_WORD, Words};

    const ID: &str = "66825e03-7ef5-42da-9069-724602c31f6b";

    fn one(members: &str) -> Result<Vec<Reading>, NotAnAnswer> {
        single(format!(r#"{{"id":"{ID}",{members}}}"#).as_bytes())
    }

    fn usable(members: &str) -> Presence {
        one(members).unwrap().remove(0).presence.unwrap()
    }

    #[test]
    fn a_full_presence() {
        let presence = usable(
            r#""@odata.context":"x","availability":"Busy","activity":"InAMeeting","future":[1],
            "outOfOfficeSettings":{"message":"Back on Monday","isOutOfOffice":true},
            "statusMessage":{"message":{"content":"In the workshop","contentType":"text"},
              "expiryDateTime":{"dateTime":"2026-11-23T18:00:00.0000000","timeZone":"UTC"}},
            "workLocation":{"placeId":null,"source":"manual","workLocationType":"timeOff"},
            "sequenceNumber":"A0129311063""#,
        );
        let status =
            StatusMessage { text: "In the workshop".into(), expires: Some("2026-11-23T18:00:00Z".into()) };
        let expected = Presence {
            words: Words::from_graph("Busy", Some("InAMeeting")).unwrap(),
            out_of_office: Some(true),
            work_location: Some(WorkLocation::TimeOff),
            sequence_number: Some("A0129311063".into()),
            messages: Messages::of(Some("Back on Monday".into()), Some(status)),
        };
        assert_eq!(presence, expected);
    }

    #[test]
    fn what_is_missing_null_or_of_another_type_is_not_known() {
        for members in [
            r#""availability":"busy""#,
            r#""availability":"busy","activity":null,"outOfOfficeSettings":null,"statusMessage":null,"workLocation":null,"sequenceNumber":null"#,
            r#""availability":"busy","activity":7,"outOfOfficeSettings":[],"statusMessage":"x","workLocation":{"workLocationType":"unspecified"},"sequenceNumber":{}"#,
            r#""availability":"busy","outOfOfficeSettings":{"isOutOfOffice":"yes","message":""},"statusMessage":{"message":{"content":""}}"#,
        ] {
            let presence = usable(members);
            assert_eq!(presence, Presence::of(Words::from_graph("busy", None).unwrap()), "{members}");
            assert_eq!(presence.words.activity_word(), "PresenceUnknown");
        }
    }

    #[test]
    fn without_a_usable_availability_there_is_no_presence() {
        for members in [
            r#""activity":"Busy""#,
            r#""availability":null"#,
            r#""availability":3"#,
            r#""availability":"""#,
            r#""displayName":"Alice","userPrincipalName":"alice@contoso.example""#,
        ] {
            assert_eq!(one(members).unwrap()[0].presence, None, "{members}");
        }
    }

    #[test]
    fn a_body_that_is_not_a_presence_is_an_error() {
        for (body, error) in [
            ("<html>Sign in to the network</html>", NotAnAnswer::NotJson),
            (r#"{"id":"66825e03-7ef5"#, NotAnAnswer::NotJson),
            ("", NotAnAnswer::NotJson),
            ("null", NotAnAnswer::NotPresence),
            ("[]", NotAnAnswer::NotPresence),
            (r#"["66825e03-7ef5-42da-9069-724602c31f6b","Busy"]"#, NotAnAnswer::NotPresence),
            (r#"{"availability":"Busy"}"#, NotAnAnswer::NotPresence),
            (r#"{"id":"not a guid","availability":"Busy"}"#, NotAnAnswer::NotPresence),
        ] {
            assert_eq!(single(body.as_bytes()), Err(error), "{body}");
        }
        assert_eq!(list(br#"{"value":{}}"#), Err(NotAnAnswer::NotPresence));
        assert_eq!(list(br"{}"), Err(NotAnAnswer::NotPresence));
    }

    #[test]
    fn a_list_and_a_wrapped_single_presence() {
        let body = format!(
            r#"{{"value":[{{"id":"{ID}","availability":"Away","activity":"Away"}},{{"availability":"Busy"}},7]}}"#
        );
        let people = list(body.as_bytes()).unwrap();
        assert_eq!(people.len(), 1, "an entry without an id is left out");
        assert_eq!(single(body.as_bytes()).unwrap(), people);
    }

    #[test]
    fn expiry_in_known_and_unknown_zones() {
        for (zone, expected) in [
            ("UTC", "2026-09-01T08:00:00Z"),
            ("utc", "2026-09-01T08:00:00Z"),
            ("Pacific Standard Time", "2026-09-01T08:00:00.0000000 Pacific Standard Time"),
        ] {
            let presence = usable(&format!(
                r#""availability":"Busy","statusMessage":{{"message":{{"content":"x"}},
                   "expiryDateTime":{{"dateTime":"2026-09-01T08:00:00.0000000","timeZone":"{zone}"}}}}"#
            ));
            assert_eq!(presence.status_message().unwrap().expires.as_deref(), Some(expected));
        }
    }

    #[test]
    fn words_without_end_are_cut() {
        let long = "ä".repeat(100_000);
        let presence = usable(&format!(r#""availability":"{long}","activity":"{long}""#));
        assert_eq!(presence.words.raw_availability().chars().count(), LONGEST_RAW_WORD);
        assert_eq!(presence.words.activity_word().chars().count(), LONGEST_WORD);
    }
}
