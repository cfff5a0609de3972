//! The people of the tenant, and a diary of what was true of each of them, and when.

use std::sync::Mutex;
use std::time::Instant;

use presence2mqtt::simulate::{Person, Tenant};
use serde_json::json;

use crate::words::{Published, UNKNOWN, WORDS, published};

/// Something that was true for a while.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Told {
    pub(crate) words: Published,
    pub(crate) from: Instant,
    /// Nothing while it still is.
    pub(crate) until: Option<Instant>,
}

/// Everybody, by place.
pub(crate) struct People {
    pub(crate) tenant: Tenant,
    persons: Vec<Person>,
    diary: Vec<Mutex<Vec<Told>>>,
}

impl People {
    /// Everybody in the tenant, each as the randomness puts them.
    pub(crate) fn new(tenant: Tenant, random: &mut fastrand::Rng) -> Self {
        let persons = tenant.people();
        let diary = persons.iter().map(|_| Mutex::new(Vec::new())).collect();
        let people = Self { tenant, persons, diary };
        for place in 0..people.count() {
            people.move_on(place, random);
        }
        people
    }

    pub(crate) fn count(&self) -> usize {
        self.persons.len()
    }

    pub(crate) fn person(&self, place: usize) -> &Person {
        &self.persons[place]
    }

    /// Everything that was ever true of somebody, in order.
    pub(crate) fn diary(&self, place: usize) -> Vec<Told> {
        self.diary[place].lock().unwrap().clone()
    }

    /// Somebody becomes something else; nothing happens to whoever is not in the tenant.
    pub(crate) fn move_on(&self, place: usize, random: &mut fastrand::Rng) {
        let ((availability, activity), words) = *random.choice(&WORDS).unwrap();
        self.change(place, words, |person| self.tenant.set_presence(person.id, availability, activity));
    }

    /// Somebody becomes something else and writes why.
    pub(crate) fn move_on_with_message(&self, place: usize, random: &mut fastrand::Rng) {
        let ((availability, activity), words) = *random.choice(&WORDS).unwrap();
        let number = random.u32(..);
        self.change(place, words, |person| {
            let entity = json!({
                "id": person.id, "availability": availability, "activity": activity,
                "statusMessage": {"message": {"content": format!("back at {number}"), "contentType": "text"}},
                "outOfOfficeSettings": {"message": format!("away until {number}"), "isOutOfOffice": true},
                "workLocation": {"workLocationType": "timeOff", "source": "manual"},
                "sequenceNumber": format!("A{number:010}"),
            });
            self.tenant.set_presence_json(person.id, entity)
        });
    }

    /// A server of Graph's that is behind the others answers: other words, and a sequence number of the past.
    pub(crate) fn fall_behind(&self, place: usize, random: &mut fastrand::Rng) {
        let ((availability, activity), words) = *random.choice(&WORDS).unwrap();
        self.change(place, words, |person| {
            let Some(mut entity) = self.tenant.presence(person.id).map(|truth| truth.entity) else {
                return false;
            };
            entity["availability"] = availability.into();
            entity["activity"] = activity.into();
            entity["sequenceNumber"] = "A0000000007".into();
            self.tenant.set_presence_json(person.id, entity)
        });
    }

    /// Somebody leaves the tenant. What Graph may say of them from now on is that nothing is known.
    pub(crate) fn leave(&self, place: usize) {
        self.change(place, UNKNOWN, |person| self.tenant.remove(person.id));
    }

    /// Somebody who left is there again.
    pub(crate) fn come_back(&self, place: usize, random: &mut fastrand::Rng) {
        let from = Instant::now();
        self.tenant.add(self.persons[place].clone());
        let truth = self.tenant.presence(self.persons[place].id).unwrap();
        self.note(place, published(&truth), from);
        self.move_on(place, random);
    }

    fn change(&self, place: usize, words: Published, change: impl FnOnce(&Person) -> bool) {
        // Noted as true a moment before it is, since nobody can hear of it earlier.
        let from = Instant::now();
        if change(&self.persons[place]) {
            self.note(place, words, from);
        }
    }

    fn note(&self, place: usize, words: Published, from: Instant) {
        let mut diary = self.diary[place].lock().unwrap();
        if let Some(before) = diary.last_mut() {
            before.until = Some(Instant::now());
        }
        diary.push(Told { words, from, until: None });
    }
}
