//! Everything the tenant knows: no sockets, and time only as it is told.

use std::collections::{BTreeMap, VecDeque};
use std::ops::Range;
use std::time::Duration;

use serde_json::Value;

use crate::core::model::name::ObjectId;

use super::clock::{Clock, Now};
use super::fault::{Fault, Faults};
use super::groups::Groups;
use super::ledger::{self, Requests, Written};
use super::message::Asked;
use super::pages::Pages;
use super::person::{self, Person, random_guid};
use super::resident::{Own, Resident};
use super::route::Endpoint;
use super::settings::Settings;
use super::sign_in;
use super::switches::Switches;
use super::token::{Caller, Grant, Tokens};
use super::window::Window;
use super::wire::{self, Marks};

/// The sequence number before anything happened; Microsoft's examples are near it.
const FIRST_SEQUENCE: u64 = 129_311_063;

/// Somebody's presence as Graph would tell it at this moment.
#[derive(Debug, Clone, PartialEq)]
pub struct Truth {
    /// The availability; empty if the entity has none that is text.
    pub availability: String,
    /// The activity; empty if the entity has none that is text.
    pub activity: String,
    /// The whole entity.
    pub entity: Value,
}

#[derive(Debug)]
pub(super) struct State {
    pub(super) settings: Settings,
    pub(super) switches: Switches,
    pub(super) clock: Clock,
    /// The moment the state was last locked; everything during one lock happens at once.
    pub(super) now: Now,
    pub(super) random: fastrand::Rng,
    pub(super) tokens: Tokens,
    pub(super) sign_in: sign_in::Memory,
    pub(super) window: Window,
    pub(super) faults: Faults,
    pub(super) requests: Requests,
    /// The newest accepted writes, oldest first.
    pub(super) written: VecDeque<Written>,
    residents: BTreeMap<ObjectId, Resident>,
    pub(super) groups: Groups,
    pub(super) pages: Pages,
    /// How many people were ever added.
    added: u64,
    sequence: u64,
}

impl State {
    pub(super) fn new(settings: Settings) -> Self {
        let clock = Clock::start();
        let mut state = Self {
            switches: Switches::default(),
            now: clock.now(),
            clock,
            random: fastrand::Rng::with_seed(settings.seed),
            tokens: Tokens::default(),
            sign_in: sign_in::Memory::default(),
            window: Window::new(settings.request_limit, settings.window),
            faults: Faults::default(),
            requests: Requests::default(),
            written: VecDeque::new(),
            residents: BTreeMap::new(),
            groups: Groups::default(),
            pages: Pages::default(),
            added: 0,
            sequence: FIRST_SEQUENCE,
            settings,
        };
        for person in person::invent(&state.settings) {
            state.add(person);
        }
        if state.settings.groups {
            let everybody = state.people().iter().map(|person| person.id).collect();
            state.groups.set(state.settings.everybody().into(), everybody);
        }
        state
    }

    /// Everybody, in the order in which they were added.
    pub(super) fn people(&self) -> Vec<Person> {
        let mut residents: Vec<_> = self.residents.values().collect();
        residents.sort_by_key(|resident| resident.place);
        residents.iter().map(|r| r.person.clone()).collect()
    }

    pub(super) fn person(&self, id: ObjectId) -> Option<&Person> {
        self.residents.get(&id).map(|resident| &resident.person)
    }

    /// The person with this object id or principal name, ignoring case.
    pub(super) fn person_named(&self, name: &str) -> Option<&Person> {
        let found = match name.parse::<ObjectId>() {
            Ok(id) => self.residents.get(&id),
            Err(_) => self.residents.values().find(|r| r.person.principal_name.eq_ignore_ascii_case(name)),
        };
        found.map(|resident| &resident.person)
    }

    /// Adds somebody, or replaces whoever has the same id.
    pub(super) fn add(&mut self, person: Person) {
        let resident = Resident::new(person, self.added);
        self.added += 1;
        self.residents.insert(resident.person.id, resident);
    }

    pub(super) fn remove(&mut self, id: ObjectId) -> bool {
        self.residents.remove(&id).is_some()
    }

    pub(super) fn pin(&mut self, id: ObjectId, availability: &str, activity: &str) -> bool {
        self.set(id, Own::Pinned { availability: availability.to_owned(), activity: activity.to_owned() })
    }

    pub(super) fn pin_json(&mut self, id: ObjectId, entity: Value) -> bool {
        self.set(id, Own::Raw(entity))
    }

    pub(super) fn live(&mut self, id: ObjectId) -> bool {
        self.set(id, Own::Living)
    }

    fn set(&mut self, id: ObjectId, own: Own) -> bool {
        let resident = self.resident(id);
        resident.map(|resident| resident.set_own(own)).is_some()
    }

    pub(super) fn resident(&mut self, id: ObjectId) -> Option<&mut Resident> {
        self.residents.get_mut(&id)
    }

    /// The presence entity of somebody at this moment. A new sequence number tells a change.
    pub(super) fn entity(&mut self, id: ObjectId) -> Option<Value> {
        let day = self.time_of_simulation();
        let resident = self.residents.get_mut(&id)?;
        if let Some(entity) = resident.raw() {
            return Some(entity.clone());
        }
        let mut shown = resident.shown(&self.settings, day, self.now);
        let sequence = resident.sequence(&shown, &mut self.sequence);
        if self.switches.camel_case {
            for word in [&mut shown.availability, &mut shown.activity] {
                *word = wire::camel_case(word);
            }
        }
        Some(wire::presence(id, &shown, sequence, self.settings.cloud))
    }

    /// Remembers a write that was accepted.
    pub(super) fn remember(&mut self, written: Written) {
        if self.written.len() == ledger::REMEMBERED {
            self.written.pop_front();
        }
        self.written.push_back(written);
    }

    pub(super) fn truth(&mut self, id: ObjectId) -> Option<Truth> {
        let entity = self.entity(id)?;
        let text = |name: &str| entity[name].as_str().unwrap_or_default().to_owned();
        Some(Truth { availability: text("availability"), activity: text("activity"), entity })
    }

    /// What the clock on the tenant's wall shows, counted from a Monday's midnight.
    fn time_of_simulation(&self) -> Duration {
        let seconds = self.now.up.as_secs_f64() * self.settings.speed;
        // A speed that is no positive number makes the day stand still.
        let passed = Duration::try_from_secs_f64(seconds).unwrap_or_default();
        self.settings.day_starts.saturating_add(passed)
    }

    pub(super) fn issue(&mut self, grant: Grant) -> (String, Duration) {
        let lifetime = lifetime(&mut self.random, &self.settings.token_lifetime);
        let entropy = self.random.u128(..);
        let token = self.tokens.issue(grant, self.now.up + lifetime, entropy);
        self.sign_in.secrets.remember(&token);
        (token, lifetime)
    }

    /// A new secret that says what it is for, remembered for tests that look for it.
    pub(super) fn secret(&mut self, kind: &str) -> String {
        let secret = format!("simulated-{kind}.{:032x}", self.random.u128(..));
        self.sign_in.secrets.remember(&secret);
        secret
    }

    pub(super) fn marks(&mut self, client_request_id: Option<&str>) -> Marks {
        let request_id = random_guid(&mut self.random).to_string();
        Marks {
            client_request_id: client_request_id.unwrap_or(&request_id).to_owned(),
            request_id,
            now: self.now,
        }
    }

    /// The fault that a request of this caller to this endpoint runs into, if any.
    pub(super) fn take_fault(
        &mut self,
        caller: Option<Caller>,
        endpoint: Endpoint,
        asked: &Asked,
    ) -> Option<Fault> {
        let Self { faults, residents, random, .. } = self;
        faults.take(endpoint, random, |id| {
            let name = residents.get(&id).map(|r| &r.person.principal_name);
            caller == Some(Caller::Delegated(id))
                || asked.mentions(&id.to_string())
                || name.is_some_and(|name| asked.mentions(name))
        })
    }
}

/// A random life between the two ends of the setting, in whole seconds because that is what the answer can
/// say.
fn lifetime(random: &mut fastrand::Rng, range: &Range<Duration>) -> Duration {
    let (from, to) = (range.start.as_secs(), range.end.as_secs());
    Duration::from_secs(if from < to { random.u64(from..to) } else { from })
}
