//! What somebody who listens on the broker sees, as a table or as lines.

use std::collections::BTreeMap;

use comfy_table::Table;
use comfy_table::presets::NOTHING;
use serde::Deserialize;

use crate::core::event::Incoming;

/// The picture made of the messages so far.
#[derive(Debug, Default)]
pub struct View {
    base: String,
    people: BTreeMap<String, Person>,
}

#[derive(Debug, Default)]
struct Person {
    availability: String,
    activity: String,
    since: String,
    health: String,
}

#[derive(Deserialize)]
struct Code {
    verification_uri: String,
    user_code: String,
}

impl Code {
    fn line(&self) -> String {
        format!("somebody has to sign in at {} with the code {}", self.verification_uri, self.user_code)
    }
}

#[derive(Deserialize)]
struct State {
    availability: String,
    activity: String,
    since: String,
}

impl View {
    /// Nothing seen yet under `base`.
    #[must_use]
    pub fn new(base: &str) -> Self {
        Self { base: base.to_owned(), people: BTreeMap::new() }
    }

    /// Takes a message. Returns a line about it, where it tells a whole piece of news.
    pub fn take(&mut self, message: &Incoming) -> Option<String> {
        let (user, field) = message.topic.strip_prefix(&self.base)?.strip_prefix('/')?.split_once('/')?;
        let payload = String::from_utf8_lossy(&message.payload).into_owned();
        if user == "bridge" {
            return match field {
                "state" => Some(format!("the bridge is {payload}")),
                "sign_in" => serde_json::from_str::<Code>(&payload).ok().map(|code| code.line()),
                _ => None,
            };
        }
        let person = self.people.entry(user.to_owned()).or_default();
        match field {
            "availability" => {
                person.availability = payload;
                None
            }
            "activity" => {
                person.activity = payload;
                None
            }
            "state" => {
                let state: State = serde_json::from_str(&payload).ok()?;
                let line = format!("{user}: {}, {}", state.availability, state.activity);
                person.since = state.since;
                Some(line)
            }
            "health" => {
                person.health = payload;
                Some(format!("{user}: health is {}", person.health))
            }
            _ => None,
        }
    }

    /// Everybody, one line each.
    #[must_use]
    pub fn table(&self) -> String {
        let mut table = Table::new();
        table.load_style(NOTHING).set_header(["USER", "AVAILABILITY", "ACTIVITY", "SINCE (UTC)", "HEALTH"]);
        for (user, person) in &self.people {
            let clock = person.since.get(11..19).unwrap_or("");
            table.add_row([user, &person.availability, &person.activity, clock, &person.health]);
        }
        table.trim_fmt()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(topic: &str, payload: &str) -> Incoming {
        Incoming {
            topic: format!("presence/{topic}"),
            payload: payload.into(),
            retained: false,
            reply_to: None,
        }
    }

    #[test]
    fn a_table_of_what_was_heard() {
        let mut view = View::new("presence");
        let lines: Vec<String> = [
            ("bridge/state", "online"),
            ("bridge/health", "{}"),
            ("alice/health", "stale"),
            (
                "alice/state",
                r#"{"availability":"Busy","activity":"InACall","since":"2026-11-23T09:14:22Z","more":1}"#,
            ),
            ("alice/activity", "InACall"),
            ("alice/availability", "Busy"),
            ("alice/health", "ok"),
            ("alice/state", "not json"),
        ]
        .iter()
        .filter_map(|(topic, payload)| view.take(&message(topic, payload)))
        .collect();
        assert_eq!(
            lines,
            ["the bridge is online", "alice: health is stale", "alice: Busy, InACall", "alice: health is ok",]
        );
        let table = view.table();
        let words: Vec<&str> = table.lines().last().unwrap().split_whitespace().collect();
        assert_eq!(words, ["alice", "Busy", "InACall", "09:14:22", "ok"]);
    }
}
