//! Finding people by their topic level.
//!
//! The names are with the people already, and a whole tenant of them would be a good part of all memory. So this holds
//! places only, in a table with open addressing, and looks the names up where they are.

use std::hash::{DefaultHasher, Hash, Hasher};

use super::name::TopicLevel;
use super::person::Person;
use super::schedule::Place;

/// The smallest table.
const SMALLEST: usize = 16;

/// No place.
const EMPTY: u32 = u32::MAX;

/// The places of people whose names all differ.
#[derive(Debug, Default)]
pub(super) struct ByName {
    /// As many as a power of two, at most three quarters of them in use.
    slots: Vec<u32>,
    used: usize,
}

impl ByName {
    /// Where the person of this name is.
    pub(super) fn get(&self, name: &TopicLevel, people: &[Person]) -> Option<Place> {
        let place = *self.slots.get(self.slot(name, people)?)?;
        (place != EMPTY).then_some(place as Place)
    }

    /// Takes somebody who has just got this place.
    pub(super) fn insert(&mut self, place: Place, people: &[Person]) {
        // More people than that fit no machine.
        let (Ok(small), Some(person)) = (u32::try_from(place), people.get(place)) else { return };
        if (self.used + 1) * 4 > self.slots.len() * 3 {
            self.grow(people);
        }
        let Some(slot) = self.slot(&person.name, people).and_then(|slot| self.slots.get_mut(slot)) else {
            return;
        };
        self.used += usize::from(*slot == EMPTY);
        *slot = small;
    }

    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    fn grow(&mut self, people: &[Person]) {
        let larger = vec![EMPTY; (self.slots.len() * 2).max(SMALLEST)];
        let before = std::mem::replace(&mut self.slots, larger);
        for place in before.into_iter().filter(|&place| place != EMPTY) {
            let slot = people.get(place as Place).and_then(|person| self.slot(&person.name, people));
            if let Some(slot) = slot.and_then(|slot| self.slots.get_mut(slot)) {
                *slot = place;
            }
        }
    }

    /// The slot of this name, or the one that it would take; nothing in an empty table.
    fn slot(&self, name: &TopicLevel, people: &[Person]) -> Option<usize> {
        let mask = self.slots.len().checked_sub(1)?;
        let mut hasher = DefaultHasher::new();
        name.hash(&mut hasher);
        let begin = hasher.finish() as usize;
        (0..=mask).map(|step| begin.wrapping_add(step) & mask).find(|&slot| {
            let place = self.slots[slot];
            place == EMPTY || people.get(place as Place).is_some_and(|person| person.name == *name)
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::*;

    use super::*;
    use crate::core::settings::Watched;
    use crate::core::time::Tick;

    fn person(name: &str) -> Person {
        let watched = Watched {
            name: name.parse().unwrap(),
            id: "me".parse().unwrap(),
            display_name: name.to_owned(),
            discovery: true,
        };
        Person::new(watched, Tick::default())
    }

    proptest! {
        #[test]
        fn finds_what_a_map_of_names_would(names in prop::collection::hash_set("[a-c]{1,4}", 0..100), other in "[a-c]{1,4}") {
            let mut people = Vec::new();
            let (mut found, mut map) = (ByName::default(), HashMap::new());
            for name in names {
                people.push(person(&name));
                found.insert(people.len() - 1, &people);
                map.insert(name, people.len() - 1);
            }
            for name in map.keys().chain([&other]) {
                prop_assert_eq!(found.get(&name.parse().unwrap(), &people), map.get(name).copied());
            }
            found.clear();
            prop_assert_eq!(found.get(&other.parse().unwrap(), &people), None);
        }
    }
}
