//! One person: who they are, what is known, since when, and whether it may be believed. `news` is what
//! changes that.

mod news;

use std::time::Duration;

use jiff::Timestamp;

use super::identity::Identity;
use super::knowledge::{Candidate, Knowledge, Known, OutOfOrder};
use super::refusal::{Denied, Refusal};
use crate::core::model::account::AccountId;
use crate::core::model::dirty_topics::DirtyTopics;
use crate::core::model::health::Health;
use crate::core::model::name::{ClientId, ObjectId, PrincipalName, TopicLevel, UserId};
use crate::core::model::payload::{State, json};
use crate::core::model::people_page::Standing;
use crate::core::model::place::Entry;
use crate::core::model::presence::Shown;
use crate::core::model::settings::{OnStale, Settings, User};
use crate::core::model::snapshot::PersonSnapshot;
use crate::core::model::time::{Stamp, Tick};
use crate::core::model::topic::Field;
use crate::core::model::word::{Availability, KnownActivity};

/// What a change of presence must last, and what becomes of values nobody confirms.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rules {
    debounce: Duration,
    unknown_when_stale: bool,
}

/// A person who is watched.
///
/// A whole tenant of them has to fit into a small machine, so what few people have lies apart, and nothing is
/// kept twice.
#[derive(Debug)]
pub(in crate::core) struct Person {
    name: TopicLevel,
    identity: Identity,
    /// What Home Assistant shows, if that is not the name.
    display_name: Option<Box<str>>,
    knowledge: Knowledge,
    confirmed: Stamp,
    /// When something to be published last changed: newer changes are sent first after a connect.
    changed: Stamp,
    rare: Option<Box<Rare>>,
    entry: Entry,
    account: AccountId,
    /// Whether Home Assistant is to be told.
    discovery: bool,
    denied: Option<Denied>,
    /// Commands can set their presence.
    settable: bool,
    answered: bool,
    /// The first answer is still to come, and not late.
    awaited: bool,
    /// Graph is another than the one that confirmed the values.
    doubted: bool,
    /// The newest answer held nothing usable about this person.
    unusable: bool,
    health: Health,
    faded: bool,
}

/// What few people have at any time.
#[derive(Debug, Default)]
struct Rare {
    /// Graph refuses to read them.
    refusal: Option<Refusal>,
    candidate: Option<Candidate>,
    out_of_order: OutOfOrder,
}

impl Rules {
    pub(super) fn from_settings(settings: &Settings) -> Self {
        Self {
            debounce: settings.graph.debounce,
            unknown_when_stale: settings.graph.on_stale == OnStale::Unknown,
        }
    }
}

impl Person {
    pub(super) fn new(user: User, entry: Entry, now: Tick) -> Self {
        let User { name, id, display_name, discovery, account } = user;
        Self {
            display_name: other_than(&name, display_name),
            name,
            identity: id.into(),
            knowledge: Knowledge::Nothing,
            confirmed: now.into(),
            changed: now.into(),
            rare: None,
            entry,
            account,
            discovery,
            denied: None,
            settable: false,
            answered: false,
            awaited: true,
            doubted: false,
            unusable: false,
            health: Health::Stale,
            faded: false,
        }
    }

    /// The same person as they are followed now: under another name nothing was published about them yet.
    pub(super) fn rename(
        &mut self,
        name: TopicLevel,
        display_name: String,
        discovery: bool,
        now: Tick,
    ) -> DirtyTopics {
        let mut dirty = DirtyTopics::default();
        let display_name = other_than(&name, display_name);
        if self.display_name != display_name || self.discovery != discovery {
            dirty.add(DirtyTopics::ANNOUNCEMENT);
        }
        (self.display_name, self.discovery) = (display_name, discovery);
        if self.name != name {
            self.name = name;
            self.changed = now.into();
            dirty.add(DirtyTopics::ALL);
        }
        dirty
    }

    /// Everything that is known of `member` is known of this person, who turned out to be the same.
    pub(super) fn take_over(&mut self, member: &mut Self) -> DirtyTopics {
        std::mem::swap(self, member);
        std::mem::swap(&mut self.name, &mut member.name);
        std::mem::swap(&mut self.identity, &mut member.identity);
        std::mem::swap(&mut self.display_name, &mut member.display_name);
        std::mem::swap(&mut self.entry, &mut member.entry);
        std::mem::swap(&mut self.account, &mut member.account);
        std::mem::swap(&mut self.discovery, &mut member.discovery);
        DirtyTopics::ALL
    }

    pub(in crate::core) fn name(&self) -> &TopicLevel {
        &self.name
    }

    /// The object id, as soon as it is known.
    pub(in crate::core) fn id(&self) -> Option<ObjectId> {
        self.identity.id()
    }

    /// Whoever is signed in is followed, whoever that is.
    pub(in crate::core) fn is_me(&self) -> bool {
        self.identity.is_me()
    }

    /// The user principal name, of somebody who is configured by it.
    pub(in crate::core) fn principal_name(&self) -> Option<&PrincipalName> {
        self.identity.principal_name()
    }

    /// How the configuration says who this is.
    pub(in crate::core) fn user_id(&self) -> UserId {
        self.identity.user_id()
    }

    /// The configuration says otherwise who this is; the object id stays what it is.
    pub(super) fn meant_by(&mut self, configured: UserId) {
        self.identity = Identity::new(configured, self.id());
    }

    /// Takes the object id, where the configuration does not say it.
    pub(super) fn found(&mut self, id: ObjectId) -> DirtyTopics {
        self.identity.found(id);
        DirtyTopics::ANNOUNCEMENT
    }

    /// Why they are followed.
    pub(in crate::core) fn entry(&self) -> Entry {
        self.entry
    }

    pub(super) fn set_entry(&mut self, entry: Entry) {
        self.entry = entry;
    }

    /// Who reads them.
    pub(in crate::core) fn account(&self) -> AccountId {
        self.account
    }

    pub(super) fn set_account(&mut self, account: AccountId) {
        self.account = account;
    }

    /// What Home Assistant shows.
    pub(in crate::core) fn display_name(&self) -> &str {
        self.display_name.as_deref().unwrap_or(self.name.as_str())
    }

    /// Whether Home Assistant is to be told.
    pub(in crate::core) fn discovery(&self) -> bool {
        self.discovery
    }

    /// Whether commands can set their presence.
    pub(in crate::core) fn settable(&self) -> bool {
        self.settable
    }

    /// Takes whether commands can set their presence; `true` if that is news.
    pub(super) fn permit(&mut self, settable: bool) -> bool {
        std::mem::replace(&mut self.settable, settable) != settable
    }

    /// When something to be published last changed.
    pub(in crate::core) fn changed(&self) -> Stamp {
        self.changed
    }

    /// Takes an answer without a usable presence, which confirms nothing; `true` if that is news.
    pub(super) fn unusable(&mut self) -> bool {
        !std::mem::replace(&mut self.unusable, true)
    }

    /// Why Graph does not let them be read, if it does not.
    pub(super) fn denied(&self) -> Option<Denied> {
        self.denied
    }

    /// What Graph refused, it does not refuse any more.
    pub(super) fn allow(&mut self) {
        self.denied = None;
        if let Some(rare) = &mut self.rare {
            rare.refusal = None;
        }
    }

    /// Whether the newest answer said or held nothing usable.
    pub(super) fn is_unreadable(&self) -> bool {
        self.denied.is_some() || self.unusable
    }

    /// What may be shown of this person.
    pub(in crate::core) fn shown(&self) -> Option<Shown> {
        let presence = self.knowledge.presence().filter(|_| self.is_believed())?;
        Some(Shown {
            user: self.name.clone(),
            availability: presence.availability(),
            activity: presence.activity(),
        })
    }

    /// Whether the first answer is still to come.
    pub(in crate::core) fn is_awaited(&self) -> bool {
        self.awaited
    }

    /// Whether people may believe the values.
    pub(in crate::core) fn is_believed(&self) -> bool {
        self.health == Health::Ok
    }

    /// Of the last judgement.
    pub(in crate::core) fn health(&self) -> Health {
        self.health
    }

    /// The topics in the order in which they are published now: bad news about health goes first.
    pub(in crate::core) fn fields(&self) -> [Field; 4] {
        if self.health == Health::Ok { Field::IN_ORDER } else { Field::HEALTH_FIRST }
    }

    /// Since when the words that are known have been the same.
    pub(in crate::core) fn since(&self) -> Option<Timestamp> {
        self.knowledge.known().map(|known| known.since.into())
    }

    /// What a topic should hold; nothing where there is nothing to say yet.
    pub(in crate::core) fn wanted(&self, field: Field, bridge: &ClientId) -> Option<String> {
        match field {
            Field::Health => Some(self.health.as_str().to_owned()),
            Field::Availability if self.faded => Some(Availability::PresenceUnknown.to_string()),
            Field::Activity if self.faded => Some(KnownActivity::PresenceUnknown.to_string()),
            Field::Availability => Some(self.knowledge.presence()?.availability().to_string()),
            Field::Activity => Some(self.knowledge.presence()?.words.activity_word().to_owned()),
            Field::State => {
                let Known { presence, since, .. } = self.knowledge.known()?;
                Some(json(&State::new(presence, (*since).into(), self.id(), bridge)))
            }
        }
    }

    /// How they are, in one word.
    pub(super) fn standing(&self) -> Standing {
        match (self.health, self.awaited) {
            (Health::Ok, _) => {
                self.knowledge.presence().map_or(Standing::Unknown, |presence| presence.availability().into())
            }
            (Health::Stale, true) => Standing::Waiting,
            (Health::Stale | Health::SignInRequired | Health::Forbidden | Health::NotFound, _) => {
                Standing::Trouble
            }
        }
    }

    /// How they are shown now.
    pub(in crate::core) fn snapshot(&self, bridge: &ClientId) -> PersonSnapshot {
        let word = |field| self.wanted(field, bridge);
        PersonSnapshot {
            name: self.name.clone(),
            display_name: self.display_name().to_owned(),
            words: word(Field::Availability).zip(word(Field::Activity)),
            since: self.since(),
            health: self.health,
            is_awaited: self.awaited,
            is_out_of_office: self.knowledge.presence().is_some_and(|it| it.out_of_office == Some(true)),
            is_settable: self.settable,
        }
    }
}

/// A name to show that says more than the name.
fn other_than(name: &TopicLevel, display_name: String) -> Option<Box<str>> {
    (display_name != name.as_str()).then(|| display_name.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_million_people_fit_into_a_small_machine() {
        assert!(size_of::<Person>() <= 160, "{} bytes", size_of::<Person>());
        assert_eq!(size_of::<Option<Person>>(), size_of::<Person>(), "an empty place costs nothing more");
    }
}
