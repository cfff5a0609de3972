//! Graph's answers about people, from the body to what is published.

use presence2mqtt::core::event::{Answer, Event, Incoming, Reading};
use presence2mqtt::core::presence::{Presence, WorkLocation};
use presence2mqtt::core::word::{Activity, Availability};
use presence2mqtt::graph::answer;
use serde_json::{Value, json};

use super::world::{World, alice};

/// `input` is a body.
pub(super) fn check(input: &[u8]) {
    if let Ok(id) = answer::user_id(input) {
        assert_eq!(id.to_string().parse(), Ok(id));
    }
    let (single, list) = (answer::single(input), answer::list(input));
    if let Ok(list) = &list {
        assert_eq!(single.as_ref(), Ok(list), "a list around a single presence is the same list");
    }
    let people = single.or(list).unwrap_or_default();
    for presence in people.iter().filter_map(|reading| reading.presence.as_ref()) {
        normal(presence);
    }
    for reading in people.into_iter().take(3) {
        published(reading.presence);
    }
}

fn normal(presence: &Presence) {
    let word = presence.availability.as_str();
    assert_eq!(Availability::from_graph(word), Some(presence.availability));
    assert_eq!(Activity::from_graph(Some(presence.activity.as_str())), presence.activity);
    let raw = [Some(&presence.raw_availability), presence.raw_activity.as_ref()];
    let words = raw.into_iter().chain([presence.sequence_number.as_ref()]).flatten();
    let expires = presence.status_message.as_ref().and_then(|message| message.expires.as_ref());
    for text in words.chain(expires) {
        assert!(text.chars().count() <= 256, "{text:?}");
    }
    let message = presence.status_message.as_ref().map(|message| &message.text);
    for text in [message, presence.out_of_office_message.as_ref()].into_iter().flatten() {
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
    let message =
        presence.status_message.as_ref().map(|message| json!({"message": {"content": message.text}}));
    json!({
        "id": alice(),
        "availability": presence.raw_availability,
        "activity": presence.raw_activity,
        "outOfOfficeSettings": {
            "message": presence.out_of_office_message,
            "isOutOfOffice": presence.out_of_office,
        },
        "statusMessage": message,
        "workLocation": {"workLocationType": place},
        "sequenceNumber": presence.sequence_number,
    })
}

fn without_end(mut presence: Presence) -> Presence {
    if let Some(message) = &mut presence.status_message {
        message.expires = None;
    }
    presence
}

/// Publishes it, and again in a later run that finds what the first one left.
fn published(presence: Option<Presence>) {
    let people = |presence| Ok(Answer::People(vec![Reading { id: alice(), presence }]));
    let mut first = World::online();
    first.answer(people(presence.clone()));
    let Some(expected) = &presence else {
        assert!(!first.retained.contains_key("presence/alice/state"), "a guess");
        assert_eq!(first.retained["presence/alice/health"], "stale");
        return;
    };
    assert_eq!(first.retained["presence/alice/availability"], expected.availability.as_str());
    assert_eq!(first.retained["presence/alice/activity"], expected.activity.as_str());
    assert_eq!(first.retained["presence/alice/health"], "ok");
    let state: Value = serde_json::from_str(&first.retained["presence/alice/state"]).unwrap();
    assert_eq!(state["raw_availability"], *expected.raw_availability);
    assert_eq!(state["out_of_office"], json!(expected.out_of_office));
    assert_eq!(state["out_of_office_message"], json!(expected.out_of_office_message));
    let message = expected.status_message.as_ref();
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
