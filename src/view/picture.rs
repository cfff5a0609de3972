//! Everything that was heard below one base topic.

use std::collections::BTreeMap;
use std::fmt;

use super::bridge::Bridge;
use super::person::Person;
use crate::core::model::event::Incoming;
use crate::core::model::foreign::Legible;
use crate::core::model::name::{BaseTopic, TopicLevel};
use crate::core::model::topic::{BridgeField, Field, OFFLINE, ONLINE};

/// People that are kept at most: whoever may publish must not fill the memory of whoever watches.
const MOST_PEOPLE: usize = 200_000;

/// Bridges that are kept at most. Each has lines of its own, and everybody's is looked for among them.
const MOST_BRIDGES: usize = 100;

/// Bytes of a payload that is looked at.
const LARGEST: usize = 64 * 1024;

/// What somebody who listens knows. The same messages in another order make the same picture.
#[derive(Debug, Clone)]
pub struct Picture {
    base: BaseTopic,
    /// The level of the bridge that is configured; there may be others.
    bridge: TopicLevel,
    people: BTreeMap<TopicLevel, Person>,
    bridges: BTreeMap<TopicLevel, Bridge>,
}

/// Why somebody's values do not count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Doubt {
    /// Who listens is cut off.
    NoConnection,
    /// Nothing is known of the bridge that published them.
    NoBridge,
    /// It is not online.
    BridgeOffline,
    /// There is no health.
    NoHealth,
    /// The health is another word than `ok`.
    Health(Legible),
}

impl fmt::Display for Doubt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoConnection => "no connection",
            Self::NoBridge => "no bridge",
            Self::BridgeOffline => "bridge offline",
            Self::NoHealth => "no health",
            Self::Health(word) => word,
        })
    }
}

impl Picture {
    /// Nothing heard yet.
    #[must_use]
    pub fn new(base: &BaseTopic, bridge: &TopicLevel) -> Self {
        Self { base: base.clone(), bridge: bridge.clone(), people: BTreeMap::new(), bridges: BTreeMap::new() }
    }

    /// Nothing heard yet, in the same place.
    #[must_use]
    pub fn afresh(&self) -> Self {
        Self::new(&self.base, &self.bridge)
    }

    /// Takes a message. Returns what is new by it, a line each.
    pub fn take(&mut self, message: &Incoming) -> Vec<String> {
        let Some((name, field)) = self.place(&message.topic) else { return Vec::new() };
        if message.payload.len() > LARGEST {
            return Vec::new();
        }
        let text = String::from_utf8_lossy(&message.payload);
        // People and bridges share a level of the topic, and are told apart by what comes.
        let is_json = text.starts_with('{');
        match field {
            "availability" => self.of_person(name, Field::Availability, &text),
            "activity" => self.of_person(name, Field::Activity, &text),
            "state" if is_json => self.of_person(name, Field::State, &text),
            "state" if text == ONLINE || text == OFFLINE => self.of_bridge(name, BridgeField::State, &text),
            "health" if is_json => self.of_bridge(name, BridgeField::Health, &text),
            "health" if !text.is_empty() => self.of_person(name, Field::Health, &text),
            "info" => self.of_bridge(name, BridgeField::Info, &text),
            "sign_in" => self.of_bridge(name, BridgeField::SignIn, &text),
            "state" if text.is_empty() => self.emptied(name, Field::State, BridgeField::State),
            "health" => self.emptied(name, Field::Health, BridgeField::Health),
            _ => Vec::new(),
        }
    }

    /// What is new in this picture since `before`, a line each.
    #[must_use]
    pub fn news(&self, before: &Self) -> Vec<String> {
        let (nobody, no_bridge) = (Person::default(), Bridge::default());
        let mut lines = Vec::new();
        for (name, bridge) in both(&self.bridges, &before.bridges, &no_bridge) {
            lines.extend(bridge.1.news(&self.called(name), bridge.0));
        }
        for (name, person) in both(&self.people, &before.people, &nobody) {
            lines.extend(person.1.news(name.as_str(), person.0));
        }
        lines
    }

    pub(super) fn people(&self) -> impl ExactSizeIterator<Item = (&TopicLevel, &Person)> {
        self.people.iter()
    }

    /// The configured bridge first, also if nothing was heard of it, then the others.
    pub(super) fn bridges(&self) -> impl Iterator<Item = (String, Option<&Bridge>)> {
        let own = (self.called(&self.bridge), self.bridges.get(&self.bridge));
        let others = self.bridges.iter().filter(|(name, _)| **name != self.bridge);
        std::iter::once(own).chain(others.map(|(name, bridge)| (self.called(name), Some(bridge))))
    }

    /// Values count while their bridge is online and the person's health is `ok`.
    pub(super) fn doubt(&self, person: &Person) -> Option<Doubt> {
        let named = person.bridge().filter(|id| !id.is_empty());
        let theirs = self.bridges.values().find(|bridge| named.is_some() && bridge.id.as_deref() == named);
        match theirs.or_else(|| self.bridges.get(&self.bridge)) {
            None => Some(Doubt::NoBridge),
            Some(bridge) if bridge.state().is_none() => Some(Doubt::NoBridge),
            Some(bridge) if !bridge.is_online() => Some(Doubt::BridgeOffline),
            Some(_) if person.health.is_empty() => Some(Doubt::NoHealth),
            Some(_) if person.health != "ok" => Some(Doubt::Health(person.health.clone())),
            Some(_) => None,
        }
    }

    fn place<'t>(&self, topic: &'t str) -> Option<(TopicLevel, &'t str)> {
        let rest = topic.strip_prefix(self.base.as_str())?.strip_prefix('/')?;
        let (name, field) = rest.split_once('/')?;
        Some((name.parse().ok()?, field))
    }

    fn of_person(&mut self, name: TopicLevel, field: Field, text: &str) -> Vec<String> {
        if !self.people.contains_key(&name) && (text.is_empty() || self.people.len() >= MOST_PEOPLE) {
            return Vec::new();
        }
        let person = self.people.entry(name.clone()).or_default();
        let before = person.clone();
        person.take(field, text);
        let news = person.news(name.as_str(), &before);
        if person.is_gone() {
            self.people.remove(&name);
        }
        news
    }

    fn of_bridge(&mut self, name: TopicLevel, field: BridgeField, text: &str) -> Vec<String> {
        let is_full = self.bridges.len() >= MOST_BRIDGES && name != self.bridge;
        if !self.bridges.contains_key(&name) && (text.is_empty() || is_full) {
            return Vec::new();
        }
        let called = self.called(&name);
        let bridge = self.bridges.entry(name.clone()).or_default();
        let before = bridge.clone();
        bridge.take(field, text);
        let news = bridge.news(&called, &before);
        if bridge.is_gone() {
            self.bridges.remove(&name);
        }
        news
    }

    /// An empty payload does not say whose topic it was.
    fn emptied(&mut self, name: TopicLevel, of_person: Field, of_bridge: BridgeField) -> Vec<String> {
        let mut news = self.of_person(name.clone(), of_person, "");
        news.extend(self.of_bridge(name, of_bridge, ""));
        news
    }

    fn called(&self, bridge: &TopicLevel) -> String {
        if *bridge == self.bridge { "the bridge".to_owned() } else { format!("the bridge {bridge}") }
    }
}

/// Whatever is in either map: before and now.
fn both<'m, T>(
    now: &'m BTreeMap<TopicLevel, T>,
    before: &'m BTreeMap<TopicLevel, T>,
    nothing: &'m T,
) -> impl Iterator<Item = (&'m TopicLevel, (&'m T, &'m T))> {
    let gone = before.iter().filter(|(name, _)| !now.contains_key(*name));
    let gone = gone.map(move |(name, before)| (name, (before, nothing)));
    let here = now.iter().map(move |(name, now)| (name, (before.get(name).unwrap_or(nothing), now)));
    gone.chain(here)
}
