//! Who may have which name: names of people differ, ignoring case.

use std::collections::{HashMap, HashSet};

use super::difference::Difference;
use super::member_pages::Named;
use crate::core::model::name::{Folded, TopicLevel};
use crate::core::model::name_conflict::NameConflict;
use crate::core::model::place::Place;
use crate::core::people::Roster;

/// Who has a name, or will have it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Holder {
    Person(Place),
    Joining(usize),
}

/// Leaves out whoever would have a name that somebody else has, ignoring case.
pub(super) fn settle<'a>(
    difference: &mut Difference,
    named: &'a [Named],
    people: &'a Roster,
) -> Vec<NameConflict> {
    let mut conflicts = Vec::new();
    if difference.renamed.is_empty() && difference.joining.is_empty() {
        return conflicts;
    }
    let renamed = difference.renamed.iter().map(|&(place, _)| place);
    let moving: HashSet<Place> = difference.gone.iter().copied().chain(renamed).collect();
    let staying = |name| people.holder(name).filter(|place| !moving.contains(place)).map(Holder::Person);
    let mut taken: HashMap<Folded<'_>, Holder> = HashMap::new();
    let mut take = |name: &'a TopicLevel, who: Holder| {
        let holder = *taken.entry(Folded(name)).or_insert_with(|| staying(name).unwrap_or(who));
        if holder == who { Ok(()) } else { Err(holder) }
    };
    let mut kept = Vec::new();
    difference.renamed.retain(|&(place, found)| match take(&named[found].name, Holder::Person(place)) {
        Ok(()) => true,
        Err(holder) => {
            conflicts.push(conflict(&named[found], holder, named, people));
            kept.push(place);
            false
        }
    });
    // They keep their name, unless somebody else was renamed to it.
    let has_lost = |place: &Place| {
        people.get(*place).is_some_and(|person| take(person.name(), Holder::Person(*place)).is_err())
    };
    let lost: Vec<Place> = kept.into_iter().filter(has_lost).collect();
    difference.gone.extend(lost);
    difference.joining.retain(|&found| match take(&named[found].name, Holder::Joining(found)) {
        Ok(()) => true,
        Err(holder) => {
            conflicts.push(conflict(&named[found], holder, named, people));
            false
        }
    });
    conflicts
}

fn conflict(newcomer: &Named, holder: Holder, named: &[Named], people: &Roster) -> NameConflict {
    let holder = match holder {
        Holder::Person(place) => people
            .get(place)
            .map_or(String::new(), |person| NameConflict::who(person.display_name(), &person.user_id())),
        Holder::Joining(found) => NameConflict::who(&named[found].display_name, &named[found].id),
    };
    let newcomer_too = NameConflict::who(&newcomer.display_name, &newcomer.id);
    NameConflict { name: newcomer.name.clone(), people: [holder, newcomer_too] }
}
