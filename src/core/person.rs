//! One person: what is known, since when, and whether it may be believed.

use std::time::Duration;

use jiff::Timestamp;

use crate::core::bridge::GENTLE;
use crate::core::knowledge::{Candidate, Knowledge, Known, Remembered};
use crate::core::lights::look::Shown;
use crate::core::model::name::{ClientId, ObjectId, TopicLevel, UserId};
use crate::core::model::payload::{State, json};
use crate::core::model::presence::Presence;
use crate::core::model::settings::Watched;
use crate::core::model::time::{Now, Stamp, Tick, WholeSeconds};
use crate::core::model::topic::Field;
use crate::core::model::word::{Availability, KnownActivity};
use crate::core::pending::Pending;
use crate::core::sequence::{Order, OutOfOrder, is_older};

/// The words of `<base>/<user>/health`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Health {
    /// What is published is what Graph says.
    Ok,
    /// It is old, or nothing is known yet.
    Stale,
    /// Nobody is signed in who may read it.
    SignInRequired,
    /// This person may not be read.
    Forbidden,
    /// There is no such person.
    NotFound,
}

/// Graph answered, but not with this person's presence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Denied {
    Forbidden,
    NotFound,
}

/// What a change of presence must last, and what becomes of values nobody confirms.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rules {
    pub debounce: Duration,
    pub unknown_when_stale: bool,
}

/// A person who is watched.
///
/// A whole tenant of them has to fit into a small machine, so what few people have lies apart, and nothing is kept twice.
#[derive(Debug)]
pub(super) struct Person {
    pub name: TopicLevel,
    pub configured: UserId,
    /// The object id, where the configuration does not say it.
    found: Option<Box<ObjectId>>,
    /// What Home Assistant shows, if that is not the name.
    display_name: Option<Box<str>>,
    knowledge: Knowledge,
    confirmed: Stamp,
    /// When something to be published last changed: newer changes are sent first after a connect.
    changed: Stamp,
    rare: Option<Box<Rare>>,
    /// The last full sending that included this person.
    pub sent_in: u32,
    pub pending: Pending,
    /// Whether Home Assistant is to be told.
    pub discovery: bool,
    /// Waits in the outbox's queue of fresh changes.
    pub queued: bool,
    pub denied: Option<Denied>,
    /// Commands can set their presence.
    pub settable: bool,
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
    /// Someone denied is asked for alone again at a gentle pace.
    look_again: Tick,
    candidate: Option<Candidate>,
    out_of_order: OutOfOrder,
}

impl Health {
    pub(super) const ALL: [Self; 5] =
        [Self::Ok, Self::Stale, Self::SignInRequired, Self::Forbidden, Self::NotFound];

    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Stale => "stale",
            Self::SignInRequired => "sign_in_required",
            Self::Forbidden => "forbidden",
            Self::NotFound => "not_found",
        }
    }
}

impl Person {
    pub(super) fn new(watched: Watched, now: Tick) -> Self {
        let Watched { name, id: configured, display_name, discovery } = watched;
        Self {
            display_name: other_than(&name, display_name),
            name,
            configured,
            found: None,
            knowledge: Knowledge::Nothing,
            confirmed: now.into(),
            changed: now.into(),
            rare: None,
            sent_in: 0,
            pending: Pending::default(),
            discovery,
            queued: false,
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

    /// A person who joins while the bridge runs: nobody may believe what is retained.
    pub(super) fn joining(watched: Watched, now: Tick) -> Self {
        let mut person = Self::new(watched, now);
        person.touch(Field::Health, now);
        person
    }

    /// The same person as they are configured now: under another name nothing was said of them yet.
    pub(super) fn configured(&mut self, watched: Watched, now: Tick) {
        let Watched { name, id: _, display_name, discovery } = watched;
        self.display_name = other_than(&name, display_name);
        if self.name != name {
            self.name = name;
            self.pending = Pending::ALL;
            self.changed = now.into();
        }
        self.discovery = discovery;
    }

    /// The object id, as soon as it is known.
    pub(super) fn id(&self) -> Option<ObjectId> {
        match &self.configured {
            UserId::Object(id) => Some(*id),
            UserId::Me | UserId::Principal(_) => self.found.as_deref().copied(),
        }
    }

    /// The configuration says otherwise who this is; the object id stays what it is.
    pub(super) fn meant_by(&mut self, configured: UserId) {
        self.found = self.id().map(Box::new);
        self.configured = configured;
    }

    /// Takes the object id, where the configuration does not say it.
    pub(super) fn found(&mut self, id: ObjectId) {
        self.found = Some(Box::new(id));
    }

    /// What Home Assistant shows.
    pub(super) fn display_name(&self) -> &str {
        self.display_name.as_deref().unwrap_or(self.name.as_str())
    }

    /// When something to be published last changed.
    pub(super) fn changed(&self) -> Stamp {
        self.changed
    }

    /// Takes an answer without a usable presence, which confirms nothing; `true` if that is news.
    pub(super) fn unusable(&mut self) -> bool {
        !std::mem::replace(&mut self.unusable, true)
    }

    /// Whether the newest answer said or held nothing usable.
    pub(super) fn is_unreadable(&self) -> bool {
        self.denied.is_some() || self.unusable
    }

    /// Whether an answer is newer than what is known, which it should be.
    pub(super) fn order(&mut self, presence: &Presence, now: Tick) -> Order {
        let candidate = self.rare.as_ref().and_then(|rare| rare.candidate.as_ref());
        let newest = candidate.map(|candidate| &candidate.presence).or(self.knowledge.presence());
        let known = newest.and_then(|newest| newest.sequence_number.as_ref());
        let older = is_older(presence.sequence_number.as_ref(), known);
        match &mut self.rare {
            None if !older => Order::Newer,
            rare => rare.get_or_insert_default().out_of_order.judge(older, now),
        }
    }

    /// Takes a usable answer. Returns when a change that must last first will have lasted.
    pub(super) fn read(&mut self, presence: Presence, now: Now, rules: Rules) -> Option<Tick> {
        self.confirmed = now.tick.into();
        self.answered = true;
        self.doubted = false;
        self.denied = None;
        self.unusable = false;
        let known = match &mut self.knowledge {
            Knowledge::Known(known) => known,
            Knowledge::Nothing | Knowledge::Remembered(_) => {
                let since = self.knowledge.since_of_first(&presence, now.wall.into());
                self.publish(presence, since, now.tick);
                return None;
            }
        };
        if known.presence.same_as(&presence) {
            known.presence.sequence_number = presence.sequence_number;
            self.forget_candidate();
            return None;
        }
        if rules.debounce.is_zero() {
            self.publish(presence, now.wall.into(), now.tick);
            return None;
        }
        match &mut self.rare.get_or_insert_default().candidate {
            // The words are what has to last; what people write meanwhile does not begin it again.
            Some(candidate) if candidate.presence.same_words(&presence) => candidate.presence = presence,
            candidate => {
                *candidate = Some(Candidate { presence, since: now.wall.into(), first_seen: now.tick });
            }
        }
        self.settle(now.tick, rules)
    }

    /// Graph answered that this person cannot be read; `true` if that is news.
    pub(super) fn deny(&mut self, denied: Denied, now: Tick) -> bool {
        self.rare.get_or_insert_default().look_again = now + GENTLE;
        self.denied.replace(denied) != Some(denied)
    }

    /// Whether somebody missing from an answer should be read alone now, to learn why.
    pub(super) fn may_look_again(&self, now: Tick) -> bool {
        self.denied.is_none() || self.rare.as_ref().is_none_or(|rare| now >= rare.look_again)
    }

    /// What is known was told by somebody else than will be asked from now on.
    pub(super) fn doubt(&mut self) {
        self.denied = None;
        self.doubted = true;
    }

    /// Forgets what this person wrote: it is not to be published any more.
    pub(super) fn forget_messages(&mut self, now: Tick) {
        if let Knowledge::Known(known) = &mut self.knowledge
            && known.presence.messages.take().is_some()
        {
            self.touch(Field::State, now);
        }
    }

    /// Gives up a change that should have lasted: nobody looked meanwhile.
    pub(super) fn forget_candidate(&mut self) {
        if let Some(rare) = &mut self.rare {
            rare.candidate = None;
            // Somebody denied is looked at again in time, and nothing is out of order: there is nothing to keep.
            if self.denied.is_none() && rare.out_of_order.is_over() {
                self.rare = None;
            }
        }
    }

    /// Publishes a change that has lasted; returns when it will have, if it has not.
    pub(super) fn settle(&mut self, now: Tick, rules: Rules) -> Option<Tick> {
        let candidate = &mut self.rare.as_mut()?.candidate;
        let lasts_from = candidate.as_ref()?.first_seen;
        if now < lasts_from + rules.debounce {
            return Some(lasts_from + rules.debounce);
        }
        if let Some(candidate) = candidate.take() {
            self.publish(candidate.presence, candidate.since, now);
        }
        None
    }

    /// Takes what an earlier run left on the broker, before or after the first answer.
    pub(super) fn remember(&mut self, remembered: impl Into<Option<Remembered>>, now: Tick) {
        if self.knowledge.remember(remembered.into()) {
            self.touch(Field::State, now);
        }
    }

    /// Brings health, and with it faded values, up to date. Returns when time alone will change them.
    pub(super) fn judge(
        &mut self,
        sign_in_required: bool,
        stale_after: Duration,
        rules: Rules,
        now: Tick,
    ) -> Option<Tick> {
        let stale_at = Tick::from(self.confirmed) + stale_after;
        let fresh = now < stale_at;
        let health = match (sign_in_required, self.denied) {
            (true, _) => Health::SignInRequired,
            (false, Some(Denied::Forbidden)) => Health::Forbidden,
            (false, Some(Denied::NotFound)) => Health::NotFound,
            (false, None) if self.answered && fresh && !self.doubted => Health::Ok,
            (false, None) => Health::Stale,
        };
        self.awaited = !self.answered && fresh && health == Health::Stale;
        if self.health != health {
            self.health = health;
            self.touch(Field::Health, now);
        }
        // Before the first answer the retained words of an earlier run stand: nothing is guessed.
        let faded = rules.unknown_when_stale && self.answered && !fresh;
        if self.faded != faded {
            self.faded = faded;
            self.touch(Field::Activity, now);
            self.touch(Field::Availability, now);
        }
        fresh.then_some(stale_at)
    }

    /// What may be shown of this person.
    pub(super) fn shown(&self) -> Option<Shown> {
        let presence = self.knowledge.presence().filter(|_| self.is_believed())?;
        Some(Shown {
            user: self.name.clone(),
            availability: presence.availability(),
            activity: presence.activity(),
        })
    }

    /// Whether the first answer is still to come.
    pub(super) fn is_awaited(&self) -> bool {
        self.awaited
    }

    /// Whether people may believe the values.
    pub(super) fn is_believed(&self) -> bool {
        self.health == Health::Ok
    }

    /// Of the last judgement.
    pub(super) fn health(&self) -> Health {
        self.health
    }

    /// The topics in the order in which they are published now: bad news about health goes first.
    pub(super) fn fields(&self) -> [Field; 4] {
        if self.health == Health::Ok { Field::IN_ORDER } else { Field::HEALTH_FIRST }
    }

    /// Since when the words that are known have been the same.
    pub(super) fn since(&self) -> Option<Timestamp> {
        self.knowledge.known().map(|known| known.since.into())
    }

    /// What a topic should hold; nothing where there is nothing to say yet.
    pub(super) fn wanted(&self, field: Field, bridge: &ClientId) -> Option<String> {
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

    /// Makes `presence` what is known; `since` holds if the two words are new.
    fn publish(&mut self, presence: Presence, since: WholeSeconds, now: Tick) {
        self.forget_candidate();
        let before = self.knowledge.known();
        let new_availability =
            before.is_none_or(|before| before.presence.availability() != presence.availability());
        let new_activity = before.is_none_or(|before| !before.presence.words.same_activity(&presence.words));
        let (since, from_start) = match before {
            Some(before) if !new_availability && !new_activity => (before.since, before.from_start),
            Some(_) => (since, false),
            None => (since, true),
        };
        self.knowledge = Knowledge::Known(Known { presence, since, from_start });
        self.touch(Field::State, now);
        if new_activity {
            self.touch(Field::Activity, now);
        }
        if new_availability {
            self.touch(Field::Availability, now);
        }
    }

    fn touch(&mut self, field: Field, now: Tick) {
        self.pending.add(field);
        self.changed = now.into();
    }
}

/// Whether a payload is what `<base>/<user>/health` holds of somebody who was never read, of whom there is no `state`.
#[must_use]
pub fn is_lone_health(payload: &[u8]) -> bool {
    Health::ALL.iter().any(|health| *health != Health::Ok && health.as_str().as_bytes() == payload)
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
        assert!(size_of::<Person>() <= 168, "{} bytes", size_of::<Person>());
    }
}
