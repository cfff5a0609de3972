//! One person: what is known, since when, and whether it may be believed.

use std::time::Duration;

use jiff::Timestamp;

use super::bridge::GENTLE;
use super::light::look::Shown;
use super::name::{ClientId, ObjectId, TopicLevel, UserId};
use super::payload::{RememberedState, State, json};
use super::pending::Pending;
use super::presence::Presence;
use super::sequence::{Order, OutOfOrder};
use super::settings::Watched;
use super::time::{Now, Tick, whole_seconds};
use super::topic::Field;
use super::word::{Availability, KnownActivity};

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

#[derive(Debug)]
struct Known {
    presence: Presence,
    since: Timestamp,
    /// The words have been the same since the first answer of this run, so an earlier run may know since when.
    from_start: bool,
}

/// A change that has not lasted long enough yet.
#[derive(Debug)]
struct Candidate {
    presence: Presence,
    since: Timestamp,
    first_seen: Tick,
}

/// What a change of presence must last, and what becomes of values nobody confirms.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rules {
    pub debounce: Duration,
    pub unknown_when_stale: bool,
}

/// A person who is watched.
#[derive(Debug)]
pub(super) struct Person {
    pub name: TopicLevel,
    pub configured: UserId,
    pub id: Option<ObjectId>,
    /// What Home Assistant shows.
    pub display_name: String,
    /// Whether Home Assistant is to be told.
    pub discovery: bool,
    pub pending: Pending,
    /// Waits in the outbox's queue of fresh changes.
    pub queued: bool,
    /// The last full sending that included this person.
    pub sent_in: u32,
    /// When something to be published last changed: newer changes are sent first after a connect.
    pub changed: Tick,
    pub denied: Option<Denied>,
    /// Commands can set their presence.
    pub settable: bool,
    /// Someone denied is asked for alone again at a gentle pace.
    look_again: Tick,
    known: Option<Known>,
    candidate: Option<Box<Candidate>>,
    out_of_order: OutOfOrder,
    remembered: Option<Box<RememberedState>>,
    confirmed: Tick,
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
        let id = match &configured {
            UserId::Object(id) => Some(*id),
            UserId::Me | UserId::Principal(_) => None,
        };
        Self {
            name,
            configured,
            id,
            display_name,
            discovery,
            pending: Pending::default(),
            queued: false,
            sent_in: 0,
            changed: now,
            denied: None,
            settable: false,
            look_again: now,
            known: None,
            candidate: None,
            out_of_order: OutOfOrder::default(),
            remembered: None,
            confirmed: now,
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
        if self.name != name {
            self.name = name;
            self.pending = Pending::ALL;
            self.changed = now;
        }
        self.display_name = display_name;
        self.discovery = discovery;
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
        let candidate = self.candidate.as_ref().map(|candidate| &candidate.presence);
        let newest = candidate.or(self.known.as_ref().map(|known| &known.presence));
        let known = newest.and_then(|newest| newest.sequence_number.as_deref());
        self.out_of_order.judge(known, presence.sequence_number.as_deref(), now)
    }

    /// Takes a usable answer. Returns when a change that must last first will have lasted.
    pub(super) fn read(&mut self, presence: Presence, now: Now, rules: Rules) -> Option<Tick> {
        self.confirmed = now.tick;
        self.answered = true;
        self.doubted = false;
        self.denied = None;
        self.unusable = false;
        let Some(known) = &mut self.known else {
            let since = self.since_of_first(&presence, now);
            self.publish(presence, since, now.tick);
            return None;
        };
        if known.presence.same_as(&presence) {
            known.presence = presence;
            self.candidate = None;
            return None;
        }
        if rules.debounce.is_zero() {
            let since = whole_seconds(now.wall);
            self.publish(presence, since, now.tick);
            return None;
        }
        match &mut self.candidate {
            // The words are what has to last; what people write meanwhile does not begin it again.
            Some(candidate) if candidate.presence.same_words(&presence) => candidate.presence = presence,
            Some(_) | None => {
                self.candidate = Some(Box::new(Candidate {
                    presence,
                    since: whole_seconds(now.wall),
                    first_seen: now.tick,
                }));
            }
        }
        self.settle(now.tick, rules)
    }

    /// Graph answered that this person cannot be read; `true` if that is news.
    pub(super) fn deny(&mut self, denied: Denied, now: Tick) -> bool {
        self.look_again = now + GENTLE;
        self.denied.replace(denied) != Some(denied)
    }

    /// Whether somebody missing from an answer should be read alone now, to learn why.
    pub(super) fn may_look_again(&self, now: Tick) -> bool {
        self.denied.is_none() || now >= self.look_again
    }

    /// What is known was told by somebody else than will be asked from now on.
    pub(super) fn doubt(&mut self) {
        self.denied = None;
        self.doubted = true;
    }

    /// Forgets what this person wrote: it is not to be published any more.
    pub(super) fn forget_messages(&mut self, now: Tick) {
        if let Some(known) = self.known.take() {
            let presence = known.presence.clone().without_messages();
            let told = !presence.same_as(&known.presence);
            self.known = Some(Known { presence, ..known });
            if told {
                self.touch(Field::State, now);
            }
        }
    }

    /// Gives up a change that should have lasted: nobody looked meanwhile.
    pub(super) fn forget_candidate(&mut self) {
        self.candidate = None;
    }

    /// Publishes a change that has lasted; returns when it will have, if it has not.
    pub(super) fn settle(&mut self, now: Tick, rules: Rules) -> Option<Tick> {
        let lasts_from = self.candidate.as_ref()?.first_seen;
        if now < lasts_from + rules.debounce {
            return Some(lasts_from + rules.debounce);
        }
        if let Some(candidate) = self.candidate.take() {
            self.publish(candidate.presence, candidate.since, now);
        }
        None
    }

    /// Takes what an earlier run left on the broker, before or after the first answer.
    pub(super) fn remember(&mut self, remembered: RememberedState, now: Tick) {
        let Some(known) = &mut self.known else {
            self.remembered = Some(Box::new(remembered));
            return;
        };
        let earlier = known.from_start && remembered.since < known.since;
        if earlier && remembered_matches(&remembered, &known.presence) {
            known.since = whole_seconds(remembered.since);
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
        let fresh = now < self.confirmed + stale_after;
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
        fresh.then_some(self.confirmed + stale_after)
    }

    /// What may be shown of this person.
    pub(super) fn shown(&self) -> Option<Shown> {
        let known = self.known.as_ref().filter(|_| self.is_believed())?;
        Some(Shown {
            user: self.name.clone(),
            availability: known.presence.availability,
            activity: known.presence.activity.clone(),
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
        self.known.as_ref().map(|known| known.since)
    }

    /// What a topic should hold; nothing where there is nothing to say yet.
    pub(super) fn wanted(&self, field: Field, bridge: &ClientId) -> Option<String> {
        let known = self.known.as_ref();
        match field {
            Field::Health => Some(self.health.as_str().to_owned()),
            Field::Availability if self.faded => Some(Availability::PresenceUnknown.to_string()),
            Field::Activity if self.faded => Some(KnownActivity::PresenceUnknown.to_string()),
            Field::Availability => known.map(|known| known.presence.availability.to_string()),
            Field::Activity => known.map(|known| known.presence.activity.to_string()),
            Field::State => {
                known.map(|known| json(&State::new(&known.presence, known.since, self.id, bridge)))
            }
        }
    }

    fn since_of_first(&mut self, presence: &Presence, now: Now) -> Timestamp {
        match self.remembered.take() {
            Some(remembered) if remembered_matches(&remembered, presence) => {
                whole_seconds(remembered.since.min(now.wall))
            }
            Some(_) | None => whole_seconds(now.wall),
        }
    }

    /// Makes `presence` what is known; `since` holds if the two words are new.
    fn publish(&mut self, presence: Presence, since: Timestamp, now: Tick) {
        self.candidate = None;
        let before = self.known.take();
        let new_availability =
            before.as_ref().is_none_or(|b| b.presence.availability != presence.availability);
        let new_activity = before.as_ref().is_none_or(|b| b.presence.activity != presence.activity);
        let (since, from_start) = match before {
            Some(before) if !new_availability && !new_activity => (before.since, before.from_start),
            Some(_) => (since, false),
            None => (since, true),
        };
        self.known = Some(Known { presence, since, from_start });
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
        self.changed = now;
    }
}

/// Whether a payload is what `<base>/<user>/health` holds of somebody who was never read, of whom there is no `state`.
#[must_use]
pub fn is_lone_health(payload: &[u8]) -> bool {
    Health::ALL.iter().any(|health| *health != Health::Ok && health.as_str().as_bytes() == payload)
}

fn remembered_matches(remembered: &RememberedState, presence: &Presence) -> bool {
    remembered.availability == presence.availability.as_str()
        && remembered.activity == presence.activity.as_str()
}
