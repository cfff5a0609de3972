//! The status message that an app wrote: read from a request, shown until its time is over.
//!
//! Graph's pages: `presenceStatusMessage`, `dateTimeTimeZone` and `presence: setStatusMessage`.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde::Deserialize;
use serde_json::{Value, json};

/// Some of the Windows names that `timeZone` may have besides those of the IANA.
const WINDOWS_ZONES: &[(&str, &str)] = &[
    ("UTC", "Etc/UTC"),
    ("Pacific Standard Time", "America/Los_Angeles"),
    ("Central Standard Time", "America/Chicago"),
    ("Eastern Standard Time", "America/New_York"),
    ("GMT Standard Time", "Europe/London"),
    ("W. Europe Standard Time", "Europe/Berlin"),
    ("Central Europe Standard Time", "Europe/Budapest"),
    ("Romance Standard Time", "Europe/Paris"),
    ("India Standard Time", "Asia/Kolkata"),
    ("Tokyo Standard Time", "Asia/Tokyo"),
];

/// A status message with text.
#[derive(Debug)]
pub(super) struct StatusMessage {
    entity: Value,
    expires: Option<Timestamp>,
}

/// The part of a status message that Graph cannot take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Invalid(pub(super) &'static str);

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Written {
    message: Option<ItemBody>,
    expiry_date_time: Option<DateTimeTimeZone>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ItemBody {
    content: Option<String>,
    content_type: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct DateTimeTimeZone {
    date_time: String,
    time_zone: Option<String>,
}

impl StatusMessage {
    /// Reads what was asked to be shown; none if that has no text, which removes the message there is.
    pub(super) fn read(asked: &Value) -> Result<Option<Self>, Invalid> {
        let written = Option::<Written>::deserialize(asked).map_err(|_| Invalid("StatusMessage"))?;
        let Some(Written { message: Some(message), expiry_date_time: expiry }) = written else {
            return Ok(None);
        };
        if message.content_type.is_some_and(|kind| kind != "text") {
            return Err(Invalid("ContentType"));
        }
        let expires = expiry.as_ref().map(DateTimeTimeZone::moment).transpose()?;
        let Some(content) = message.content.filter(|content| !content.is_empty()) else {
            return Ok(None);
        };
        let mut entity = json!({"message": {"content": content, "contentType": "text"}});
        if expires.is_some() {
            entity["expiryDateTime"] = asked["expiryDateTime"].clone();
        }
        Ok(Some(Self { entity, expires }))
    }

    /// The `presenceStatusMessage`, until it expires.
    pub(super) fn at(&self, now: Timestamp) -> Option<&Value> {
        let shown = self.expires.is_none_or(|end| now < end);
        shown.then_some(&self.entity)
    }
}

impl DateTimeTimeZone {
    fn moment(&self) -> Result<Timestamp, Invalid> {
        let invalid = Invalid("ExpiryDateTime");
        let civil: DateTime = self.date_time.parse().map_err(|_| invalid)?;
        let zone = match self.time_zone.as_deref() {
            None | Some("UTC") => TimeZone::UTC,
            Some(name) => {
                let known = WINDOWS_ZONES.iter().find(|(windows, _)| windows.eq_ignore_ascii_case(name));
                TimeZone::get(known.map_or(name, |(_, iana)| iana)).map_err(|_| invalid)?
            }
        };
        civil.to_zoned(zone).map(|zoned| zoned.timestamp()).map_err(|_| invalid)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(content: &str) -> Value {
        json!({"content": content, "contentType": "text"})
    }

    #[test]
    fn a_message_is_shown_until_its_moment_in_its_zone() {
        for (zone, end) in [
            (json!("UTC"), "2026-09-01T08:00:00Z"),
            (Value::Null, "2026-09-01T08:00:00Z"),
            (json!("Pacific Standard Time"), "2026-09-01T15:00:00Z"),
            (json!("Europe/Berlin"), "2026-09-01T06:00:00Z"),
        ] {
            let expiry = json!({"dateTime": "2026-09-01T08:00:00.0000000", "timeZone": zone});
            let asked = json!({"message": text("In the workshop"), "expiryDateTime": expiry});
            let message = StatusMessage::read(&asked).unwrap().unwrap();
            let end: Timestamp = end.parse().unwrap();
            assert_eq!(message.at(end - jiff::Span::new().seconds(1)), Some(&asked), "{zone}");
            assert_eq!(message.at(end), None, "{zone}");
        }
        let asked = json!({"message": {"content": "For ever"}});
        let message = StatusMessage::read(&asked).unwrap().unwrap();
        assert_eq!(message.at(Timestamp::MAX), Some(&json!({"message": text("For ever")})));
    }

    #[test]
    fn a_message_without_text_is_none() {
        for asked in [
            Value::Null,
            json!({}),
            json!({"message": null}),
            json!({"message": {"content": null}}),
            json!({"message": text("")}),
        ] {
            assert!(StatusMessage::read(&asked).unwrap().is_none(), "{asked}");
        }
    }

    #[test]
    fn what_cannot_be_taken_is_named() {
        let expiry = |time, zone| json!({"message": text("x"), "expiryDateTime": {"dateTime": time, "timeZone": zone}});
        for (asked, part) in [
            (json!("x"), "StatusMessage"),
            (json!({"message": "x"}), "StatusMessage"),
            (json!({"message": {"content": "x", "contentType": "html"}}), "ContentType"),
            (expiry("tomorrow", "UTC"), "ExpiryDateTime"),
            (expiry("2026-09-01T08:00:00Z", "UTC"), "ExpiryDateTime"),
            (expiry("2026-09-01T08:00:00", "Middle Earth Standard Time"), "ExpiryDateTime"),
        ] {
            assert_eq!(StatusMessage::read(&asked).unwrap_err(), Invalid(part), "{asked}");
        }
    }
}
