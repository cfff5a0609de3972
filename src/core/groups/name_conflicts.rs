//! Who may have which name: names of people differ, ignoring case.

use std::collections::{HashMap, HashSet};
use std::hash::{Hash, Hasher};

use super::difference::Difference;
use super::member_pages::Named;
use crate::core::model::name::TopicLevel;
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
pub(super) fn settle(difference: &mut Difference, named: &[Named], people: &Roster) -> Vec<NameConflict> {
    let mut conflicts = Vec::new();
    if difference.renamed.is_empty() && difference.joining.is_empty() {
        return conflicts;
    }
    let renamed = difference.renamed.iter().map(|&(place, _)| place);
    let moving: HashSet<Place> = difference.gone.iter().copied().chain(renamed).collect();
    let staying = people.iter().filter(|(place, _)| !moving.contains(place));
    let mut taken: HashMap<Folded<'_>, Holder> =
        staying.map(|(place, person)| (Folded(person.name()), Holder::Person(place))).collect();
    let mut take = |name, who: Holder| {
        let holder = *taken.entry(Folded(name)).or_insert(who);
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

/// A name as people compare it. Of a whole tenant no second copy is made to compare them.
#[derive(Clone, Copy)]
struct Folded<'a>(&'a TopicLevel);

impl PartialEq for Folded<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.0.as_str().eq_ignore_ascii_case(other.0.as_str())
    }
}

impl Eq for Folded<'_> {}

impl Hash for Folded<'_> {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        self.0.as_str().bytes().for_each(|byte| hasher.write_u8(byte.to_ascii_lowercase()));
    }
}
