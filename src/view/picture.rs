//! Everything that was heard below one base topic.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::bridge::Bridge;
use super::person::Person;
use crate::core::model::event::Incoming;
use crate::core::model::foreign::Legible;
use crate::core::model::heard::Heard;
use crate::core::model::name::{BaseTopic, TopicLevel};
use crate::core::model::topic::{BridgeField, Field, OFFLINE, ONLINE, Topics};

/// People that are kept at most: whoever may publish must not fill the memory of whoever watches.
const MOST_PEOPLE: usize = 200_000;

/// Bridges that are kept at most. Each has lines of its own, and everybody's is looked for among them.
const MOST_BRIDGES: usize = 100;

/// Bytes of a payload that is looked at.
const LARGEST: usize = 64 * 1024;

/// What somebody who listens knows. The same messages in another order make the same picture.
#[derive(Debug, Clone)]
pub struct Picture {
    /// Of the bridge that is configured; there may be others.
    topics: Topics,
    /// Who is looked at; everybody where nobody is named.
    only: BTreeSet<TopicLevel>,
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
        Self::below(Topics::new(base.clone(), bridge.clone()), BTreeSet::new())
    }

    /// Nothing heard yet, in the same place.
    #[must_use]
    pub fn afresh(&self) -> Self {
        Self::below(self.topics.clone(), self.only.clone())
    }

    /// Of these people only, unless there are none.
    #[must_use]
    pub fn of(self, only: BTreeSet<TopicLevel>) -> Self {
        Self { only, ..self }
    }

    fn below(topics: Topics, only: BTreeSet<TopicLevel>) -> Self {
        Self { topics, only, people: BTreeMap::new(), bridges: BTreeMap::new() }
    }

    /// Whether nothing was heard.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.people.is_empty() && self.bridges.is_empty()
    }

    /// Takes a message. Returns what is new by it, a line each.
    pub fn take(&mut self, message: &Incoming) -> Vec<String> {
        if message.payload.len() > LARGEST {
            return Vec::new();
        }
        let text = String::from_utf8_lossy(&message.payload);
        match Heard::from_topic(&message.topic, &self.topics) {
            Heard::Person(name, field) => self.of_either(name, field, &text),
            Heard::Own(BridgeField::State) if !is_state(&text) && !text.is_empty() => Vec::new(),
            Heard::Own(field) => self.of_bridge(self.topics.bridge().clone(), field, &text),
            Heard::OtherBridge(name, field) => self.of_bridge(name, field, &text),
            Heard::Asked(_)
            | Heard::Pong
            | Heard::Standby(_)
            | Heard::Account(..)
            | Heard::Light(..)
            | Heard::Device
            | Heard::Elsewhere => Vec::new(),
        }
    }

    /// People and other bridges share a level of the topic, and are told apart by what comes.
    fn of_either(&mut self, name: TopicLevel, field: Field, text: &str) -> Vec<String> {
        let is_json = text.starts_with('{');
        match field {
            Field::State if is_state(text) => self.of_bridge(name, BridgeField::State, text),
            Field::State if text.is_empty() => self.emptied(name, field, BridgeField::State),
            Field::State if !is_json => Vec::new(),
            Field::Health if is_json => self.of_bridge(name, BridgeField::Health, text),
            Field::Health if text.is_empty() => self.emptied(name, field, BridgeField::Health),
            Field::State | Field::Health | Field::Availability | Field::Activity => {
                self.of_person(name, field, text)
            }
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

    /// Who is looked at, and is not there.
    pub(super) fn missing(&self) -> impl Iterator<Item = &TopicLevel> {
        self.only.iter().filter(|name| !self.people.contains_key(*name))
    }

    /// The configured bridge first, also if nothing was heard of it, then the others.
    pub(super) fn bridges(&self) -> impl Iterator<Item = (String, Option<&Bridge>)> {
        let own = (self.called(self.topics.bridge()), self.bridges.get(self.topics.bridge()));
        let others = self.bridges.iter().filter(|(name, _)| *name != self.topics.bridge());
        std::iter::once(own).chain(others.map(|(name, bridge)| (self.called(name), Some(bridge))))
    }

    /// Values count while their bridge is online and the person's health is `ok`.
    pub(super) fn doubt(&self, person: &Person) -> Option<Doubt> {
        let named = person.bridge().filter(|id| !id.is_empty());
        let theirs = self.bridges.values().find(|bridge| named.is_some() && bridge.id.as_deref() == named);
        match theirs.or_else(|| self.bridges.get(self.topics.bridge())) {
            None => Some(Doubt::NoBridge),
            Some(bridge) if bridge.state().is_none() => Some(Doubt::NoBridge),
            Some(bridge) if !bridge.is_online() => Some(Doubt::BridgeOffline),
            Some(_) if person.health.is_empty() => Some(Doubt::NoHealth),
            Some(_) if person.health != "ok" => Some(Doubt::Health(person.health.clone())),
            Some(_) => None,
        }
    }

    fn of_person(&mut self, name: TopicLevel, field: Field, text: &str) -> Vec<String> {
        if !self.only.is_empty() && !self.only.contains(&name) {
            return Vec::new();
        }
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
        let is_full = self.bridges.len() >= MOST_BRIDGES && name != *self.topics.bridge();
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
        if bridge == self.topics.bridge() { "the bridge".to_owned() } else { format!("the bridge {bridge}") }
    }
}

/// A word that only a bridge's `state` holds.
fn is_state(text: &str) -> bool {
    text == ONLINE || text == OFFLINE
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
