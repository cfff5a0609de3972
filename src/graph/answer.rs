//! From the body of an answer to presence. Lenient towards Microsoft: members may be missing, null, of another
//! type, new, or in any order; only a person without a usable availability is no reading.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde::Deserialize;
use serde_json::Value;

use super::lenient::lenient;
use crate::core::event::Reading;
use crate::core::name::ObjectId;
use crate::core::presence::{Presence, StatusMessage, WorkLocation};
use crate::core::word::{Activity, Availability};

/// Characters of a raw word that are kept.
const LONGEST_RAW_WORD: usize = 256;

/// Characters of a message that are kept: Graph allows 280 in a status message, more in an automatic reply.
const LONGEST_MESSAGE: usize = 4096;

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
    let value: Value = serde_json::from_slice(body).map_err(|_| NotAnAnswer::NotJson)?;
    if value.get("value").is_some_and(Value::is_array) {
        return list_of(value);
    }
    reading(value).map(|reading| vec![reading]).ok_or(NotAnAnswer::NotPresence)
}

/// Reads the answer of the bulk request, or of a wrapped single one: `{"value":[…]}`. Entries without an id
/// are left out.
///
/// # Errors
///
/// If the body is no JSON object with a `value` list.
pub fn list(body: &[u8]) -> Result<Vec<Reading>, NotAnAnswer> {
    list_of(serde_json::from_slice(body).map_err(|_| NotAnAnswer::NotJson)?)
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

fn list_of(mut value: Value) -> Result<Vec<Reading>, NotAnAnswer> {
    match value.get_mut("value").map(Value::take) {
        Some(Value::Array(people)) => Ok(people.into_iter().filter_map(reading).collect()),
        Some(_) | None => Err(NotAnAnswer::NotPresence),
    }
}

fn reading(value: Value) -> Option<Reading> {
    // A list would be taken for the members in their order.
    let wire = WirePresence::deserialize(Some(value).filter(Value::is_object)?).ok()?;
    Some(Reading { id: wire.id?, presence: wire.into_presence() })
}

/// A presence as Graph sends it (Graph: `resources/presence`, v1.0).
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WirePresence {
    #[serde(default, deserialize_with = "lenient")]
    id: Option<ObjectId>,
    #[serde(default, deserialize_with = "lenient")]
    availability: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    activity: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    out_of_office_settings: Option<WireOutOfOffice>,
    #[serde(default, deserialize_with = "lenient")]
    status_message: Option<WireStatusMessage>,
    #[serde(default, deserialize_with = "lenient")]
    work_location: Option<WireWorkLocation>,
    #[serde(default, deserialize_with = "lenient")]
    sequence_number: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireOutOfOffice {
    #[serde(default, deserialize_with = "lenient")]
    message: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    is_out_of_office: Option<bool>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireStatusMessage {
    #[serde(default, deserialize_with = "lenient")]
    message: Option<WireText>,
    #[serde(default, deserialize_with = "lenient")]
    expiry_date_time: Option<WireDateTime>,
}

#[derive(Deserialize)]
struct WireText {
    #[serde(default, deserialize_with = "lenient")]
    content: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireDateTime {
    #[serde(default, deserialize_with = "lenient")]
    date_time: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    time_zone: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireWorkLocation {
    #[serde(default, deserialize_with = "lenient")]
    work_location_type: Option<String>,
}

impl WirePresence {
    fn into_presence(self) -> Option<Presence> {
        let raw = self.availability?;
        let availability = Availability::from_graph(&raw)?;
        let (out_of_office, message) = match self.out_of_office_settings {
            Some(settings) => (settings.is_out_of_office, settings.message),
            None => (None, None),
        };
        Some(Presence {
            availability,
            activity: Activity::from_graph(self.activity.as_deref()),
            raw_availability: at_most(&raw, LONGEST_RAW_WORD),
            raw_activity: self.activity.map(|raw| at_most(&raw, LONGEST_RAW_WORD)),
            out_of_office,
            out_of_office_message: message.as_deref().and_then(message_text),
            status_message: self.status_message.and_then(WireStatusMessage::into_message),
            work_location: self.work_location.and_then(WireWorkLocation::into_location),
            sequence_number: self.sequence_number.map(|number| at_most(&number, LONGEST_RAW_WORD)),
        })
    }
}

impl WireStatusMessage {
    fn into_message(self) -> Option<StatusMessage> {
        let text = message_text(&self.message?.content?)?;
        Some(StatusMessage { text, expires: self.expiry_date_time.and_then(WireDateTime::into_text) })
    }
}

impl WireDateTime {
    /// UTC where the zone is known; a Windows zone, which is no name of a time zone anywhere else, as given.
    fn into_text(self) -> Option<Box<str>> {
        let given = self.date_time?;
        let zone = self.time_zone.unwrap_or_default();
        let utc = given.parse::<DateTime>().ok().and_then(|civil| {
            let zone =
                if zone.eq_ignore_ascii_case("utc") { TimeZone::UTC } else { TimeZone::get(&zone).ok()? };
            let instant = zone.to_timestamp(civil).ok()?;
            Some(crate::core::time::whole_seconds(instant).to_string())
        });
        let text = utc.unwrap_or_else(|| format!("{given} {zone}"));
        Some(at_most(text.trim(), LONGEST_RAW_WORD))
    }
}

impl WireWorkLocation {
    fn into_location(self) -> Option<WorkLocation> {
        match self.work_location_type?.to_ascii_lowercase().as_str() {
            "office" => Some(WorkLocation::Office),
            "remote" => Some(WorkLocation::Remote),
            "timeoff" => Some(WorkLocation::TimeOff),
            _ => None,
        }
    }
}

fn message_text(text: &str) -> Option<Box<str>> {
    (!text.is_empty()).then(|| at_most(text, LONGEST_MESSAGE))
}

fn at_most(text: &str, characters: usize) -> Box<str> {
    match text.char_indices().nth(characters) {
        Some((end, _)) => text[..end].into(),
        None => text.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
        let expected = Presence {
            availability: Availability::Busy,
            activity: Activity::from_graph(Some("InAMeeting")),
            raw_availability: "Busy".into(),
            raw_activity: Some("InAMeeting".into()),
            out_of_office: Some(true),
            out_of_office_message: Some("Back on Monday".into()),
            status_message: Some(StatusMessage {
                text: "In the workshop".into(),
                expires: Some("2026-11-23T18:00:00Z".into()),
            }),
            work_location: Some(WorkLocation::TimeOff),
            sequence_number: Some("A0129311063".into()),
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
            assert_eq!(presence.availability, Availability::Busy);
            assert_eq!(presence.activity.as_str(), "PresenceUnknown");
            let nothing = (None, None, None, None, None, None);
            let got = (
                presence.raw_activity,
                presence.out_of_office,
                presence.out_of_office_message,
                presence.status_message,
                presence.work_location,
                presence.sequence_number,
            );
            assert_eq!(got, nothing, "{members}");
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
            assert_eq!(presence.status_message.unwrap().expires.as_deref(), Some(expected));
        }
    }

    #[test]
    fn words_without_end_are_cut() {
        let long = "ä".repeat(100_000);
        let presence = usable(&format!(r#""availability":"{long}","activity":"{long}""#));
        assert_eq!(presence.raw_availability.chars().count(), LONGEST_RAW_WORD);
        assert_eq!(presence.activity.as_str().chars().count(), crate::core::word::LONGEST_WORD);
    }
}
