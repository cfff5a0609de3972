//! Turns the body of an answer into presence. Lenient towards Microsoft: members may be missing, null, of
//! another type, new, or in any order. Only a person without a usable availability counts as not read, and an
//! unreadable person does not affect the others.

use super::lenient;
use super::text::readable;
use super::wire::{Body, Member, People, WholeBody};
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

/// The people on one page of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// In the order of the answer.
    pub people: Vec<Reading>,
    /// The link to the next page as Graph gives it, unchecked; nothing on the last one.
    pub next: Option<Box<str>>,
}

/// Reads the answer about one person: the presence itself, or a `value` list around it, which one of
/// Microsoft's pages shows (Graph: `presence-get`, example 3).
///
/// # Errors
///
/// If the body is no JSON object with an `id`, or a list of such.
pub fn single(body: &[u8]) -> Result<Vec<Reading>, NotAnAnswer> {
    let Body { reading, list, .. } = read(body)?;
    list.or(reading.map(|reading| vec![reading])).ok_or(NotAnAnswer::NotPresence)
}

/// Reads the answer of the bulk request, or of a wrapped single one: `{"value":[…]}`. Entries without an id
/// are left out.
///
/// # Errors
///
/// If the body is no JSON object with a `value` list.
pub fn list(body: &[u8]) -> Result<Page, NotAnAnswer> {
    let Body { list, next, .. } = read(body)?;
    list.map(|people| Page { people, next }).ok_or(NotAnAnswer::NotPresence)
}

/// Reads the object id out of a user (Graph: `resources/user`).
///
/// # Errors
///
/// If the body is no JSON object with an `id`.
pub fn user_id(body: &[u8]) -> Result<ObjectId, NotAnAnswer> {
    let text = readable(body);
    let id = lenient::read(&text, Member("id")).map_err(|_| NotAnAnswer::NotJson)?;
    id.and_then(|id| id.parse().ok()).ok_or(NotAnAnswer::NotPresence)
}

fn read(body: &[u8]) -> Result<Body, NotAnAnswer> {
    // Checks the whole body at once, because checking each of its many short texts takes several times as
    // long.
    let at_once = |text| lenient::read(text, WholeBody(People::AtOnce));
    if let Some(whole) = std::str::from_utf8(body).ok().and_then(|text| at_once(text).ok()) {
        return Ok(whole);
    }
    let text = readable(body);
    let each_alone = || lenient::read(&text, WholeBody(People::EachAlone));
    at_once(&text).or_else(|_| each_alone()).map_err(|_| NotAnAnswer::NotJson)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::model::presence::{Messages, Presence, StatusMessage, WorkLocation};
    use crate::core::model::word::LONGEST_WORD;
    use crate::core::model::words::{LONGEST_RAW_WORD, PresenceWords};

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
            words: PresenceWords::from_graph("Busy", Some("InAMeeting")).unwrap(),
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
            assert_eq!(presence, Presence::of(PresenceWords::from_graph("busy", None).unwrap()), "{members}");
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
        let page = list(body.as_bytes()).unwrap();
        assert_eq!(page.people.len(), 1, "an entry without an id is left out");
        assert_eq!(page.next, None);
        assert_eq!(single(body.as_bytes()).unwrap(), page.people);
    }

    #[test]
    fn what_is_wrong_in_one_entry_costs_that_entry_at_most() {
        let other = "02bd9fd6-8f93-4758-87c3-1fb73740a315";
        for (members, is_read) in [
            (r#""availability":"Busy","future":"\ud83d""#, true),
            (r#""availability":"Busy","activity":"\ud83d""#, true),
            (r#""availability":"Busy","statusMessage":{"message":{"content":"a\ud83d"}}"#, true),
            (r#""availability":"Busy","future":{"a":[1e999,-1e999]}"#, true),
            (r#""availability":"Busy","\ude00":1e999"#, true),
            (&format!(r#""availability":"Busy","future":{}{}"#, "[".repeat(500), "]".repeat(500)), true),
            (&format!(r#""availability":"Busy","activity":{}{}"#, "[".repeat(500), "]".repeat(500)), true),
            (r#""availability":"Busy","activity":1e999"#, false),
            (r#""availability":1e999"#, false),
        ] {
            let body = format!(
                r#"{{"value":[{{"id":"{ID}","availability":"Away"}},{{"id":"{other}",{members}}}],"x":"\ud83d"}}"#
            );
            let people = list(body.as_bytes()).expect(members).people;
            assert_eq!(
                people[0].presence,
                Some(Presence::of(PresenceWords::from_graph("Away", None).unwrap()))
            );
            assert_eq!(people.len(), if is_read { 2 } else { 1 }, "{members}");
        }
        let half = usable(r#""availability":"Busy","statusMessage":{"message":{"content":"a\ud83d b"}}"#);
        assert_eq!(&*half.status_message().unwrap().text, "a\u{fffd} b");
        let marked = format!("\u{feff}{{\"id\":\"{ID}\",\"availability\":\"Busy\"}}");
        assert_eq!(single(marked.as_bytes()).unwrap().len(), 1, "a byte order mark");
    }

    #[test]
    fn a_name_that_was_cut_hides_no_id() {
        for more in [r#""displayName":"\ud83d""#, r#""future":1e999"#, r#""id":7,"id":"ID""#] {
            let body = format!(r#"{{"id":"{ID}",{more}}}"#).replace("ID", ID);
            assert_eq!(user_id(body.as_bytes()).unwrap().to_string(), ID, "{more}");
        }
        assert_eq!(user_id(br#"{"id":7}"#), Err(NotAnAnswer::NotPresence));
        assert_eq!(user_id(b"<html>"), Err(NotAnAnswer::NotJson));
    }

    #[test]
    fn the_link_to_the_next_page_is_handed_on() {
        for (link, next) in [(r#""https://x""#, Some("https://x")), ("null", None), ("7", None)] {
            let page = list(format!(r#"{{"value":[],"@odata.nextLink":{link}}}"#).as_bytes()).unwrap();
            assert_eq!(page.next.as_deref(), next);
        }
    }

    #[test]
    fn a_message_that_never_expires_has_no_end() {
        for (given, zone) in [
            ("9999-12-31T23:59:59.9999999", "UTC"),
            ("9999-12-31T23:59:59.9999999", "Pacific Standard Time"),
            ("9999-12-31T00:00:00", ""),
        ] {
            let presence = usable(&format!(
                r#""availability":"Busy","statusMessage":{{"message":{{"content":"x"}},
                   "expiryDateTime":{{"dateTime":"{given}","timeZone":"{zone}"}}}}"#
            ));
            assert_eq!(presence.status_message().unwrap().expires, None, "{given} {zone}");
        }
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
