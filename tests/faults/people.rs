//! The people of the tenant, and a diary of what was true of each of them, and when.

use std::ops::Range;
use std::sync::Mutex;
use std::time::{Duration, Instant};

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

/// For how much of a time the words that were believed all along had not been true for longer than `lives`.
pub(crate) fn overdue(
    diary: &[Told],
    are: impl Fn(Published) -> bool,
    believed: Range<Instant>,
    lives: Duration,
) -> Duration {
    let mut covered = believed.start;
    for told in diary.iter().filter(|told| are(told.words) && told.from <= believed.end) {
        if told.from <= covered {
            covered = told.until.map_or(believed.end, |ended| covered.max(ended + lives));
        }
    }
    believed.end.saturating_duration_since(covered)
}

#[test]
fn words_are_overdue_when_they_have_not_been_true_for_too_long() {
    let start = Instant::now();
    let at = |seconds| start + Duration::from_secs(seconds);
    let (busy, away) = (("Busy", "Busy"), ("Away", "Away"));
    let told = |words, from, until: Option<u64>| Told { words, from: at(from), until: until.map(at) };
    let diary = [told(busy, 0, Some(5)), told(away, 5, Some(8)), told(busy, 8, None)];
    let overdue = |words, from, until, lives| {
        overdue(&diary, |w| w == words, at(from)..at(until), Duration::from_secs(lives)).as_secs()
    };
    assert_eq!(overdue(busy, 1, 30, 3), 0);
    assert_eq!(overdue(busy, 1, 30, 2), 23);
    assert_eq!(overdue(away, 6, 12, 3), 1);
    assert_eq!(overdue(away, 6, 10, 3), 0);
    assert_eq!(overdue(away, 4, 10, 3), 6);
}
