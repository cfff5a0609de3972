//! Whom a bulk read asked for, and who of them is still missing from its answer.

use crate::core::model::name::ObjectId;
use crate::core::model::place::Place;

/// The people of one request, by their object ids.
///
/// Graph answers in the order in which it was asked, as far as anybody has seen, and nobody promises it: so
/// the next one is looked at first, and found in a few steps if it is another.
pub(super) struct BulkRequest {
    /// In order; several places may have the same id, for two names may mean one person.
    ids: Vec<ObjectId>,
    places: Vec<Place>,
    /// Whether the answer holds whoever is there.
    answered: Vec<bool>,
    next: usize,
}

impl BulkRequest {
    pub(super) fn new(people: impl Iterator<Item = (ObjectId, Place)>) -> Self {
        let mut people: Vec<(ObjectId, Place)> = people.collect();
        people.sort_unstable();
        let answered = vec![false; people.len()];
        let (ids, places) = people.into_iter().unzip();
        Self { ids, places, answered, next: 0 }
    }

    /// The answer holds whoever has this id: the place of their last name, and those of their other names
    /// before. Nothing if nobody was asked for by it, or they were in the answer already.
    pub(super) fn answered(&mut self, id: ObjectId) -> Option<(Place, &[Place])> {
        let first = match self.ids.get(self.next) {
            Some(next) if *next == id => self.next,
            Some(_) | None => self.ids.partition_point(|other| *other < id),
        };
        let same = self.ids.get(first..)?.iter().take_while(|other| **other == id).count();
        self.next = first + same;
        let answered = self.answered.get_mut(first..first + same)?;
        if answered.first().copied().unwrap_or(true) {
            return None;
        }
        answered.fill(true);
        let (place, others) = self.places.get(first..first + same)?.split_last()?;
        Some((*place, others))
    }

    /// Who was not in the answer, in the order of their places.
    pub(super) fn missing(self) -> Vec<Place> {
        let missing = self.places.into_iter().zip(self.answered).filter(|(_, answered)| !answered);
        let mut missing: Vec<Place> = missing.map(|(place, _)| place).collect();
        missing.sort_unstable();
        missing
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn id(n: u8) -> ObjectId {
        uuid::Uuid::from_u128(n.into()).into()
    }

    proptest! {
        #[test]
        fn like_a_list_that_is_searched_from_its_beginning(
            asked in prop::collection::vec(0_u8..20, 0..30),
            answer in prop::collection::vec(0_u8..25, 0..40),
        ) {
            let people: Vec<(ObjectId, Place)> = asked.iter().map(|&n| id(n)).zip((0..).map(Place::new)).collect();
            let mut missing: BTreeSet<Place> = people.iter().map(|&(_, place)| place).collect();
            let mut asked = BulkRequest::new(people.iter().copied());
            for n in answer {
                let expected: Vec<Place> = people
                    .iter()
                    .filter(|(other, place)| *other == id(n) && missing.remove(place))
                    .map(|&(_, place)| place)
                    .collect();
                let found = asked.answered(id(n)).map(|(last, others)| [others, &[last]].concat());
                prop_assert_eq!(found.unwrap_or_default(), expected);
            }
            prop_assert_eq!(asked.missing(), missing.into_iter().collect::<Vec<_>>());
        }
    }
}
