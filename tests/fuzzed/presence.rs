//! Graph's answers about people, from the body to what is published.

use std::collections::BTreeMap;

use presence2mqtt::core::model::event::{Event, Incoming};
use presence2mqtt::core::model::presence::{Messages, Presence, StatusMessage, WorkLocation};
use presence2mqtt::core::model::request::Reading;
use presence2mqtt::core::model::word::{Activity, Availability};
use presence2mqtt::core::model::words::{PresenceWords, at_most};
use presence2mqtt::graph::answer::{self, NotAnAnswer};
use serde::de::IgnoredAny;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::world::{World, alice};

/// The member by which serde_json knows an object that is a text to be read as JSON.
const RAW_MEMBER: &str = "$serde_json::private::RawValue";

/// `input` is a body.
pub(super) fn check(input: &[u8]) {
    if let Ok(id) = answer::user_id(input) {
        assert_eq!(id.to_string().parse(), Ok(id));
    }
    let (single, list) = (answer::single(input), answer::list(input).map(|page| page.people));
    if let Ok(list) = &list {
        assert_eq!(single.as_ref(), Ok(list), "a list around a single presence is the same list");
    }
    read_like_a_document(input, &single, &list);
    let people = single.or(list).unwrap_or_default();
    for presence in people.iter().filter_map(|reading| reading.presence.as_ref()) {
        normal(presence);
    }
    for reading in people.into_iter().take(3) {
        published(reading.presence);
    }
}

/// Answers are read in one pass, without a document being built. What comes of them is what a document says:
/// whatever is no JSON is refused, and of a member that comes twice the last one counts. Where no document
/// can be built, as for half a character or a number without end, whoever can be read alone is in the list.
fn read_like_a_document(
    input: &[u8],
    single: &Result<Vec<Reading>, NotAnAnswer>,
    list: &Result<Vec<Reading>, NotAnAnswer>,
) {
    // serde_json takes an object with such a member for something else than an object.
    if input.windows(RAW_MEMBER.len()).any(|bytes| bytes == RAW_MEMBER.as_bytes()) {
        return;
    }
    let text = String::from_utf8_lossy(input.strip_prefix("\u{feff}".as_bytes()).unwrap_or(input));
    if serde_json::from_str::<IgnoredAny>(&text).is_err() {
        assert_eq!((single, list), (&Err(NotAnAnswer::NotJson), &Err(NotAnAnswer::NotJson)));
        return;
    }
    let Ok(document) = serde_json::from_str::<Value>(&text) else { return each_alone(&text, list) };
    let people = document.get("value").and_then(Value::as_array);
    let expected_list: Option<Vec<Reading>> = people.map(|people| people.iter().filter_map(person).collect());
    let expected_single = expected_list.clone().or(person(&document).map(|person| vec![person]));
    assert_eq!(without_ends(list), expected_list.ok_or(NotAnAnswer::NotPresence));
    assert_eq!(without_ends(single), expected_single.ok_or(NotAnAnswer::NotPresence));
}

fn each_alone(text: &str, list: &Result<Vec<Reading>, NotAnAnswer>) {
    let members = serde_json::from_str::<BTreeMap<String, &RawValue>>(text).unwrap_or_default();
    let Some(entries) = members.get("value").and_then(|value| serde_json::from_str(value.get()).ok()) else {
        return;
    };
    let entries: Vec<&RawValue> = entries;
    let documents = entries.iter().filter_map(|entry| serde_json::from_str::<Value>(entry.get()).ok());
    let mut read = without_ends(list).expect("there is a list").into_iter();
    for expected in documents.filter_map(|document| person(&document)) {
        assert!(read.any(|reading| reading == expected), "{expected:?} is missing");
    }
}

/// When a message ends is in another form already.
fn without_ends(people: &Result<Vec<Reading>, NotAnAnswer>) -> Result<Vec<Reading>, NotAnAnswer> {
    let people = people.clone()?.into_iter();
    Ok(people.map(|Reading { id, presence }| Reading { id, presence: presence.map(without_end) }).collect())
}

/// One person of a document.
fn person(document: &Value) -> Option<Reading> {
    let text = |at: &str| document.pointer(at).and_then(Value::as_str);
    let id = document.as_object()?.get("id")?.as_str()?.parse().ok()?;
    let message = |text: &str| (!text.is_empty()).then(|| at_most(text, 4096).into());
    let status = text("/statusMessage/message/content")
        .and_then(message)
        .map(|text| StatusMessage { text, expires: None });
    let place = text("/workLocation/workLocationType").map(str::to_ascii_lowercase);
    let presence = PresenceWords::from_graph(text("/availability").unwrap_or_default(), text("/activity"));
    let presence = presence.map(|words| Presence {
        words,
        out_of_office: document.pointer("/outOfOfficeSettings/isOutOfOffice").and_then(Value::as_bool),
        work_location: match place.as_deref() {
            Some("office") => Some(WorkLocation::Office),
            Some("remote") => Some(WorkLocation::Remote),
            Some("timeoff") => Some(WorkLocation::TimeOff),
            _ => None,
        },
        sequence_number: text("/sequenceNumber").map(Into::into),
        messages: Messages::of(text("/outOfOfficeSettings/message").and_then(message), status),
    });
    Some(Reading { id, presence })
}

fn normal(presence: &Presence) {
    let word = presence.availability().as_str();
    assert_eq!(Availability::from_graph(word), Some(presence.availability()));
    assert_eq!(Activity::from_graph(Some(presence.words.activity_word())), presence.activity());
    let raw = [Some(presence.words.raw_availability()), presence.words.raw_activity()];
    let words = raw.into_iter().chain([presence.sequence_number.as_ref().map(|number| number.as_str())]);
    let expires = presence.status_message().and_then(|message| message.expires.as_deref());
    for text in words.flatten().chain(expires) {
        assert!(text.chars().count() <= 256, "{text:?}");
    }
    let message = presence.status_message().map(|message| &*message.text);
    for text in [message, presence.out_of_office_message()].into_iter().flatten() {
        assert!((1..=4096).contains(&text.chars().count()), "{text:?}");
    }
    // A raw word that was cut no longer tells what its rest did.
    if raw.iter().flatten().all(|text| text.chars().count() < 256) {
        let again = answer::single(of_graph(presence).to_string().as_bytes()).unwrap().remove(0);
        assert_eq!(again, Reading { id: alice(), presence: Some(without_end(presence.clone())) });
    }
}

/// What Graph would say to mean this, but for the end of a message, which is in another form already.
fn of_graph(presence: &Presence) -> Value {
    let place = presence.work_location.map(|place| match place {
        WorkLocation::Office => "office",
        WorkLocation::Remote => "remote",
        WorkLocation::TimeOff => "timeOff",
    });
    let message = presence.status_message().map(|message| json!({"message": {"content": message.text}}));
    json!({
        "id": alice(),
        "availability": presence.words.raw_availability(),
        "activity": presence.words.raw_activity(),
        "outOfOfficeSettings": {
            "message": presence.out_of_office_message(),
            "isOutOfOffice": presence.out_of_office,
        },
        "statusMessage": message,
        "workLocation": {"workLocationType": place},
        "sequenceNumber": presence.sequence_number.as_ref().map(|number| number.as_str()),
    })
}

fn without_end(mut presence: Presence) -> Presence {
    if let Some(message) = presence.messages.as_mut().and_then(|messages| messages.status.as_mut()) {
        message.expires = None;
    }
    presence
}

/// Publishes it, and again in a later run that finds what the first one left.
fn published(presence: Option<Presence>) {
    let people = |presence| Ok(vec![Reading { id: alice(), presence }]);
    let mut first = World::online();
    first.answer(people(presence.clone()));
    let Some(expected) = &presence else {
        assert!(!first.retained.contains_key("presence/alice/state"), "a guess");
        assert_eq!(first.retained["presence/alice/health"], "stale");
        return;
    };
    assert_eq!(first.retained["presence/alice/availability"], expected.availability().as_str());
    assert_eq!(first.retained["presence/alice/activity"], expected.words.activity_word());
    assert_eq!(first.retained["presence/alice/health"], "ok");
    let state: Value = serde_json::from_str(&first.retained["presence/alice/state"]).unwrap();
    assert_eq!(state["raw_availability"], *expected.words.raw_availability());
    assert_eq!(state["out_of_office"], json!(expected.out_of_office));
    assert_eq!(state["out_of_office_message"], json!(expected.out_of_office_message()));
    let message = expected.status_message();
    assert_eq!(state["status_message"], json!(message.map(|message| &message.text)));

    let mut second = World::reading_back();
    for (topic, payload) in &first.retained {
        let (topic, payload) = (topic.clone(), payload.clone().into_bytes());
        second.tell(Event::Message(Incoming { topic, payload, retained: true, reply_to: None }));
    }
    second.read_back();
    second.answer(people(presence));
    assert_eq!(second.retained["presence/alice/state"], first.retained["presence/alice/state"]);
}
