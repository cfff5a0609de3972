//! A page of people, for whoever looks: trouble first, then by name.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use super::Roster;
use super::person::Person;
use crate::core::model::name::ClientId;
use crate::core::model::people_page::{PeopleQuery, Standing, by_name};
use crate::core::model::snapshot::PeoplePage;

/// Somebody in the order of the list.
struct Listed<'a> {
    is_well: bool,
    person: &'a Person,
}

impl Roster {
    /// The people who are wanted. It looks at everybody once, and keeps no more of them than those up to the
    /// end of the page.
    pub(in crate::core) fn page(&self, wanted: &PeopleQuery, bridge: &ClientId) -> PeoplePage {
        let PeopleQuery { search, standing: only, page, size } = wanted;
        if *size == 0 {
            return PeoplePage::default();
        }
        let mut counts = Standing::ALL.map(|standing| (standing, 0));
        let wanted_page = (*page).clamp(1, PeoplePage::MOST);
        let kept = wanted_page.saturating_mul(*size);
        let mut first = BinaryHeap::new();
        let is_found = |person: &&Person| search.finds([person.display_name(), person.name().as_str()]);
        for person in self.iter().map(|(_, person)| person).filter(is_found) {
            let standing = person.standing();
            for (of, count) in &mut counts {
                *count += usize::from(*of == standing);
            }
            if only.is_some_and(|only| only != standing) {
                continue;
            }
            let listed = Listed { is_well: standing != Standing::Trouble, person };
            if first.len() < kept {
                first.push(listed);
            } else if let Some(mut last) = first.peek_mut().filter(|last| listed < **last) {
                *last = listed;
            }
        }
        let found = counts.iter().filter(|(of, _)| only.is_none_or(|only| only == *of)).map(|(_, n)| n).sum();
        let pages = usize::div_ceil(found, *size).clamp(1, PeoplePage::MOST);
        let page = wanted_page.min(pages);
        let listed = first.into_sorted_vec();
        let persons = listed.iter().skip((page - 1) * size).take(*size);
        PeoplePage {
            counts: counts.into_iter().filter(|(_, count)| *count > 0).collect(),
            found,
            page,
            pages,
            persons: persons.map(|listed| listed.person.snapshot(bridge)).collect(),
        }
    }
}

impl Ord for Listed<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        let (one, two) = (self.person, other.person);
        (self.is_well.cmp(&other.is_well))
            .then_with(|| by_name(one.display_name(), two.display_name()))
            .then_with(|| one.name().cmp(two.name()))
    }
}

impl PartialOrd for Listed<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Listed<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Listed<'_> {}
