//! Finding people by their topic level or their object id.
//!
//! Both are with the people already, and a second copy for a whole tenant would be a good part of all memory.
//! So an index holds places only, in a table with open addressing, and looks at the people themselves.
//! Somebody who leaves or gets another name is not found under the old one any more, without being taken out.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::marker::PhantomData;

use super::person::Person;
use crate::core::model::name::{Folded, ObjectId, TopicLevel};
use crate::core::model::place::Place;

/// The smallest table.
const SMALLEST: usize = 16;

/// What people are found by.
pub(super) trait Key {
    type Wanted;

    fn hash(wanted: &Self::Wanted) -> u64;

    /// The same of what somebody has, if they have any.
    fn hash_of(person: &Person) -> Option<u64>;

    fn is_of(person: &Person, wanted: &Self::Wanted) -> bool;
}

/// The topic level, which nobody shares, ignoring case.
#[derive(Debug)]
pub(super) enum ByName {}

/// The object id: two names may mean one person.
#[derive(Debug)]
pub(super) enum ById {}

impl Key for ByName {
    type Wanted = TopicLevel;

    fn hash(wanted: &TopicLevel) -> u64 {
        hash(&Folded(wanted))
    }

    fn hash_of(person: &Person) -> Option<u64> {
        Some(Self::hash(person.name()))
    }

    fn is_of(person: &Person, wanted: &TopicLevel) -> bool {
        Folded(person.name()) == Folded(wanted)
    }
}

impl Key for ById {
    type Wanted = ObjectId;

    fn hash(wanted: &ObjectId) -> u64 {
        hash(wanted)
    }

    fn hash_of(person: &Person) -> Option<u64> {
        person.id().as_ref().map(Self::hash)
    }

    fn is_of(person: &Person, wanted: &ObjectId) -> bool {
        person.id().as_ref() == Some(wanted)
    }
}

/// The places of people by one key.
#[derive(Debug)]
pub(super) struct Index<K> {
    /// As many as a power of two, at most three quarters of them in use.
    slots: Vec<Option<Place>>,
    used: usize,
    key: PhantomData<K>,
}

impl<K> Default for Index<K> {
    fn default() -> Self {
        Self { slots: Vec::new(), used: 0, key: PhantomData }
    }
}

impl<K: Key> Index<K> {
    /// Where somebody is of whom this is true.
    pub(super) fn get(&self, wanted: &K::Wanted, people: &[Option<Person>]) -> Option<Place> {
        self.candidates(wanted, people).next()
    }

    /// Where all of them are, in no particular order.
    pub(super) fn all<'a>(
        &'a self,
        wanted: &'a K::Wanted,
        people: &'a [Option<Person>],
    ) -> impl Iterator<Item = Place> + 'a {
        let mut seen = Vec::new();
        self.candidates(wanted, people).filter(move |place| {
            let is_new = !seen.contains(place);
            seen.push(*place);
            is_new
        })
    }

    /// The same; whoever has a place that had been somebody else's may come twice.
    pub(super) fn candidates<'a>(
        &'a self,
        wanted: &'a K::Wanted,
        people: &'a [Option<Person>],
    ) -> impl Iterator<Item = Place> + 'a {
        let is_it = move |place: &Place| {
            let person = people.get(place.number()).and_then(Option::as_ref);
            person.is_some_and(|person| K::is_of(person, wanted))
        };
        let chain = self.chain(K::hash(wanted)).map_while(|slot| self.slots.get(slot).copied().flatten());
        chain.filter(is_it)
    }

    /// Takes whoever has just got this place, or another key there.
    pub(super) fn insert(&mut self, place: Place, people: &[Option<Person>]) {
        if (self.used + 1) * 4 > self.slots.len() * 3 {
            self.rebuild(people);
        }
        if let Some(Some(person)) = people.get(place.number()) {
            self.put(place, person);
        }
    }

    /// Leaves out what points to nobody any more. The table gets larger unless that gave much room.
    fn rebuild(&mut self, people: &[Option<Person>]) {
        let found = self.slots.iter().flatten().filter(|place| {
            let person = people.get(place.number()).and_then(Option::as_ref);
            person.is_some_and(|person| K::hash_of(person).is_some())
        });
        let grows = found.count() * 2 >= self.used;
        let size = self.slots.len() << usize::from(grows);
        let before = std::mem::replace(&mut self.slots, vec![None; size.max(SMALLEST)]);
        self.used = 0;
        for place in before.into_iter().flatten() {
            if let Some(Some(person)) = people.get(place.number()) {
                self.put(place, person);
            }
        }
    }

    fn put(&mut self, place: Place, person: &Person) {
        let Some(hash) = K::hash_of(person) else { return };
        let is_free = |slot: &usize| self.slots[*slot].is_none_or(|there| there == place);
        let free = self.chain(hash).find(is_free);
        if let Some(slot) = free.and_then(|slot| self.slots.get_mut(slot)) {
            self.used += usize::from(slot.is_none());
            *slot = Some(place);
        }
    }

    /// The slots in which something with this hash may be, up to the first that is empty.
    fn chain(&self, hash: u64) -> impl Iterator<Item = usize> + use<K> {
        let count = self.slots.len();
        let mask = count.wrapping_sub(1);
        (0..count).map(move |step| (hash as usize).wrapping_add(step) & mask)
    }
}

fn hash(key: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    key.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;
    use crate::core::model::account::AccountId;
    use crate::core::model::place::Entry;
    use crate::core::model::settings::User;
    use crate::core::model::time::Tick;

    fn user(name: &str, id: u8) -> User {
        let id = uuid::Uuid::from_u128(id.into()).to_string();
        let (name, display_name) = (name.parse().unwrap(), name.to_owned());
        User { name, id: id.parse().unwrap(), display_name, discovery: true, account: AccountId::FIRST }
    }

    proptest! {
        #[test]
        fn finds_whom_a_search_through_everybody_finds(
            joining in prop::collection::vec(("[a-c]{1,3}", 0_u8..20), 0..80),
            renamed in prop::collection::vec((any::<prop::sample::Index>(), "[a-c]{1,4}"), 0..20),
            leaving in prop::collection::vec(any::<prop::sample::Index>(), 0..40),
            later in prop::collection::vec(("[a-c]{1,3}", 0_u8..20), 0..80),
        ) {
            let (mut people, mut names) = (Vec::new(), BTreeSet::new());
            let (mut by_name, mut by_id) = (Index::<ByName>::default(), Index::<ById>::default());
            let person = |name: &str, id| Some(Person::new(user(name, id), Entry::user(0), Tick::default()));
            for (name, id) in joining {
                if names.insert(name.clone()) {
                    people.push(person(&name, id));
                    by_name.insert(Place::new(people.len() - 1), &people);
                    by_id.insert(Place::new(people.len() - 1), &people);
                }
            }
            for (place, name) in renamed {
                if !people.is_empty() && names.insert(name.clone()) {
                    let place = place.index(people.len());
                    let renamed = people[place].as_mut().unwrap();
                    renamed.rename(name.parse().unwrap(), name, true, Tick::default());
                    by_name.insert(Place::new(place), &people);
                }
            }
            for place in leaving {
                if !people.is_empty() {
                    let place = place.index(people.len());
                    people[place] = None;
                }
            }
            // Whoever comes later gets places that others have left.
            for (name, id) in later {
                let taken = people.iter().flatten().any(|person| person.name().as_str() == name);
                if let Some(place) = people.iter().position(Option::is_none).filter(|_| !taken) {
                    names.insert(name.clone());
                    people[place] = person(&name, id);
                    by_name.insert(Place::new(place), &people);
                    by_id.insert(Place::new(place), &people);
                }
            }
            for name in &names {
                let name = name.parse().unwrap();
                let is_it = |person: &Option<Person>| person.as_ref().is_some_and(|person| *person.name() == name);
                prop_assert_eq!(by_name.get(&name, &people), people.iter().position(is_it).map(Place::new));
            }
            for id in 0..20 {
                let id = uuid::Uuid::from_u128(id).into();
                let is_it = |person: &Option<Person>| person.as_ref().and_then(Person::id) == Some(id);
                let expected: BTreeSet<Place> =
                    people.iter().enumerate().filter(|(_, person)| is_it(person)).map(|(n, _)| Place::new(n)).collect();
                let mut found: Vec<Place> = by_id.all(&id, &people).collect();
                found.sort_unstable();
                prop_assert_eq!(found, expected.into_iter().collect::<Vec<_>>());
            }
        }
    }

    #[test]
    fn nobody_is_in_an_empty_index() {
        let name = "alice".parse().unwrap();
        assert_eq!(Index::<ByName>::default().get(&name, &[]), None);
    }
}
