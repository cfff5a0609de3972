//! Who may have which name: names of people differ, ignoring case.

use std::collections::{HashMap, HashSet};
use std::hash::{Hash, Hasher};

use crate::core::bridge::Bridge;
use crate::core::group::collecting::Named;
use crate::core::joining::Change;
use crate::core::model::name::TopicLevel;
use crate::core::model::name_conflict::Clash;
use crate::core::schedule::Place;

/// Who has a name, or will have it.
#[derive(Debug, Clone, Copy)]
enum Holder {
    Person(Place),
    Joining(usize),
}

impl Bridge {
    /// Leaves out whoever would have a name that somebody else has, ignoring case.
    pub(super) fn settle_names(&self, change: &mut Change, named: &[Named]) -> Vec<Clash> {
        let mut clashes = Vec::new();
        if change.renamed.is_empty() && change.joining.is_empty() {
            return clashes;
        }
        let moving: HashSet<Place> =
            change.gone.iter().copied().chain(change.renamed.iter().map(|&(place, _)| place)).collect();
        let people = self.people.iter().enumerate().filter(|(place, _)| !moving.contains(place));
        let mut taken: HashMap<Folded<'_>, Holder> =
            people.map(|(place, person)| (Folded(&person.name), Holder::Person(place))).collect();
        let mut take = |name, who: Holder| {
            let holder = *taken.entry(Folded(name)).or_insert(who);
            let is_free = match (holder, who) {
                (Holder::Person(one), Holder::Person(other)) => one == other,
                (Holder::Joining(one), Holder::Joining(other)) => one == other,
                (Holder::Person(_), Holder::Joining(_)) | (Holder::Joining(_), Holder::Person(_)) => false,
            };
            if is_free { Ok(()) } else { Err(holder) }
        };
        let mut kept = Vec::new();
        change.renamed.retain(|&(place, found)| match take(&named[found].name, Holder::Person(place)) {
            Ok(()) => true,
            Err(holder) => {
                clashes.push(self.clash(&named[found], holder, named));
                kept.push(place);
                false
            }
        });
        // They keep their name, unless somebody else was renamed to it.
        let lost =
            kept.into_iter().filter(|&place| take(&self.people[place].name, Holder::Person(place)).is_err());
        change.gone.extend(lost.collect::<Vec<_>>());
        change.joining.retain(|&found| match take(&named[found].name, Holder::Joining(found)) {
            Ok(()) => true,
            Err(holder) => {
                clashes.push(self.clash(&named[found], holder, named));
                false
            }
        });
        clashes
    }

    fn clash(&self, newcomer: &Named, holder: Holder, named: &[Named]) -> Clash {
        let holder = match holder {
            Holder::Person(place) => {
                let person = &self.people[place];
                Clash::who(person.display_name(), &person.configured)
            }
            Holder::Joining(found) => Clash::who(&named[found].display_name, &named[found].id),
        };
        let newcomer_too = Clash::who(&newcomer.display_name, &newcomer.id);
        Clash { name: newcomer.name.clone(), people: [holder, newcomer_too] }
    }
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

/// Names that differ only in case are one to people.
pub(super) fn fold(name: &TopicLevel) -> String {
    name.as_str().to_ascii_lowercase()
}
