//! The people whose presence is carried, and what must be found of it.

use std::collections::BTreeMap;
use std::time::Duration;

use presence2mqtt::simulate::{Person, Settings};
use serde_json::Value;
use tokio::time::timeout;

use crate::harness::{Configuration, Heard, Listener, Source};

pub(crate) const PEOPLE: usize = 50;

/// The bridge's own state.
pub(crate) const STATE: &str = "presence/bridge/state";

pub(crate) const HEALTH: &str = "presence/bridge/health";

/// People to whom nothing happens by itself.
pub(crate) struct Office {
    pub(crate) source: Source,
    names: Vec<String>,
}

impl Office {
    pub(crate) async fn new() -> Self {
        let source = Source::lively(Settings { users: PEOPLE, speed: 0.0, ..Settings::default() }).await;
        let name = |person: Person| person.principal_name.split('@').next().unwrap().to_owned();
        let names = source.tenant.people().into_iter().map(name).collect();
        Self { source, names }
    }

    /// Somebody is no longer configured from now on.
    pub(crate) fn somebody_leaves(&mut self) -> String {
        self.names.pop().unwrap()
    }

    pub(crate) fn configuration(&self, url: &str) -> Configuration {
        let names: Vec<&str> = self.names.iter().map(String::as_str).collect();
        Configuration::new(&self.source, url).users(&self.source, &names)
    }

    /// Every topic below the base topic, one by one.
    pub(crate) fn topics(&self) -> Vec<String> {
        let fields = ["activity", "availability", "health", "state"];
        let of_people =
            self.names.iter().flat_map(|name| fields.map(|field| format!("presence/{name}/{field}")));
        of_people.chain(["health", "info", "state"].map(|field| format!("presence/bridge/{field}"))).collect()
    }

    /// Waits until somebody who comes now finds what is true.
    pub(crate) async fn right_within(&self, limit: Duration, port: u16) -> Listener {
        match self.found_within(limit, port).await {
            Ok(listener) => listener,
            Err(wrong) => panic!("not within {limit:?}: {wrong:?}"),
        }
    }

    /// The same, or which topics are wrong.
    pub(crate) async fn found_within(&self, limit: Duration, port: u16) -> Result<Listener, Vec<String>> {
        let listener = Listener::each(port, self.topics()).await;
        let right =
            listener.until_within(2 * limit, "everything to be right", |heard| self.wrong(heard).is_empty());
        match timeout(limit, right).await {
            Ok(()) => Ok(listener),
            Err(_) => Err(self.wrong(&listener.heard())),
        }
    }

    /// The topics on which something else was heard last than what is true.
    fn wrong(&self, heard: &[Heard]) -> Vec<String> {
        let newest: BTreeMap<&str, &str> =
            heard.iter().map(|heard| (heard.topic.as_str(), heard.payload.as_str())).collect();
        let truth = self.source.truth();
        let is_right = |topic: &String| {
            let found = newest.get(topic.as_str()).copied().unwrap_or_default();
            match truth.get(topic) {
                Some(truth) => found == truth,
                None if topic == STATE => found == "online",
                None if topic == HEALTH => found.contains(r#""graph":"ok""#),
                // What is there besides: the bridge's `info`, and everybody's `state`, which has the same
                // word.
                None => {
                    let word = truth.get(&topic.replace("/state", "/availability"));
                    !found.is_empty()
                        && word.is_none_or(|word| found.contains(&format!("\"availability\":\"{word}\"")))
                }
            }
        };
        self.topics().into_iter().filter(|topic| !is_right(topic)).collect()
    }

    /// Since when the first person is what they are, for somebody who comes now.
    pub(crate) async fn since(&self, port: u16) -> Value {
        value(port, &format!("presence/{}/state", self.names[0])).await["since"].take()
    }
}

/// What is on a topic, for somebody who comes now.
pub(crate) async fn value(port: u16, topic: &str) -> Value {
    let listener = Listener::only(port, topic).await;
    listener.until(topic, |heard| !heard.is_empty()).await;
    serde_json::from_str(&listener.newest(topic).unwrap()).unwrap()
}
