//! What somebody who comes late must find when nothing is broken any more.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use presence2mqtt::config::Config;
use presence2mqtt::core::model::name::UserId;
use presence2mqtt::simulate::Truth;
use serde_json::{Value, json};

use crate::people::People;
use crate::words::published;

/// Everything that is retained under the base topic.
pub(crate) type Retained = BTreeMap<String, String>;

const FIELDS: [&str; 4] = ["availability", "activity", "health", "state"];

/// In which place of the tenant's a configured user is.
pub(crate) fn place(people: &People, id: &UserId) -> usize {
    let is = |place: &usize| match id {
        UserId::Object(id) => people.person(*place).id == *id,
        UserId::Principal(name) => people.person(*place).principal_name == name.as_str(),
        UserId::Me => false,
    };
    (0..people.count()).find(is).unwrap()
}

/// How what is retained differs from the truth: nothing if it is the truth, and nothing but the truth.
pub(crate) fn differences(found: &Retained, people: &People, config: &Config) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut expect = |topic: String, expected: &str| {
        let held = found.get(&topic).map(String::as_str);
        if held != Some(expected) {
            wrong.push(format!("{topic}: {held:?} instead of {expected:?}"));
        }
    };
    for user in config.users.iter() {
        let truth = people.tenant.presence(people.person(place(people, &user.id)).id).unwrap();
        let (availability, activity) = published(&truth);
        expect(format!("presence/{}/availability", user.name), availability);
        expect(format!("presence/{}/activity", user.name), activity);
        expect(format!("presence/{}/health", user.name), "ok");
    }
    expect("presence/bridge/state".to_owned(), "online");
    // The rest is JSON, which is worth reading only when the words are right.
    if wrong.is_empty() {
        wrong = details(found, people, config);
    }
    wrong
}

fn details(found: &Retained, people: &People, config: &Config) -> Vec<String> {
    let mut wrong = Vec::new();
    for user in config.users.iter() {
        let truth = people.tenant.presence(people.person(place(people, &user.id)).id).unwrap();
        let topic = format!("presence/{}/state", user.name);
        let state = parse(found, &topic);
        for (member, expected) in state_members(&truth, config.graph.include_messages) {
            if state[member] != expected {
                wrong.push(format!("{topic}: {member} is {} instead of {expected}", state[member]));
            }
        }
        // Whole seconds are rounded down, so that "now" is never in the future.
        let since: Option<Timestamp> = state["since"].as_str().and_then(|since| since.parse().ok());
        if since.is_none_or(|since| since > Timestamp::now()) {
            wrong.push(format!("{topic}: since is {}", state["since"]));
        }
    }
    let health = parse(found, "presence/bridge/health");
    if (&health["graph"], &health["detail"], &health["notices"]) != (&json!("ok"), &Value::Null, &json!([])) {
        wrong.push(format!("presence/bridge/health: {health}"));
    }
    let info = parse(found, "presence/bridge/info");
    if (&info["bridge"], &info["users"]) != (&json!("presence2mqtt"), &json!(config.users.len())) {
        wrong.push(format!("presence/bridge/info: {info}"));
    }
    let mut known: BTreeSet<String> =
        ["state", "info", "health"].map(|field| format!("presence/bridge/{field}")).into();
    let of_user = |name| FIELDS.map(|field| format!("presence/{name}/{field}"));
    known.extend(config.users.iter().flat_map(|user| of_user(&user.name)));
    wrong.extend(
        found.keys().filter(|topic| !known.contains(*topic)).map(|topic| format!("{topic}: is there")),
    );
    wrong
}

fn parse(found: &Retained, topic: &str) -> Value {
    found.get(topic).and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default()
}

fn state_members(truth: &Truth, messages: bool) -> [(&'static str, Value); 9] {
    let (availability, activity) = published(truth);
    let entity = &truth.entity;
    let written = |value: &Value| if messages { value.clone() } else { Value::Null };
    let location = match entity["workLocation"]["workLocationType"].as_str() {
        Some("timeOff") => json!("time_off"),
        Some(word @ ("office" | "remote")) => json!(word),
        Some(_) | None => Value::Null,
    };
    [
        ("availability", json!(availability)),
        ("activity", json!(activity)),
        ("raw_availability", json!(truth.availability)),
        ("raw_activity", json!(truth.activity)),
        ("user_id", entity["id"].clone()),
        ("bridge", json!("presence2mqtt")),
        ("out_of_office_message", written(&entity["outOfOfficeSettings"]["message"])),
        ("status_message", written(&entity["statusMessage"]["message"]["content"])),
        ("work_location", location),
    ]
}
