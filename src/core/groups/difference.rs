//! What is different between a complete reading of a group and what was known.

use super::Groups;
use super::member_pages::Named;
use crate::core::model::name::ObjectId;
use crate::core::model::place::Place;
use crate::core::people::Roster;

/// What becomes of people; members about whom there is news are named by their index.
#[derive(Debug, Default)]
pub(super) struct Difference {
    pub gone: Vec<Place>,
    pub renamed: Vec<(Place, usize)>,
    /// Only what Home Assistant shows is another name.
    pub shown_otherwise: Vec<(Place, usize)>,
    pub joining: Vec<usize>,
    /// They belong to this group now, or whether Home Assistant is told of them changed.
    pub belonging: Vec<(Place, usize)>,
}

impl Groups {
    /// What is different from what was known; names are not looked at.
    pub(super) fn compare(
        &self,
        group: usize,
        named: &[Named],
        before: &[ObjectId],
        people: &Roster,
    ) -> Difference {
        let mut difference = Difference::default();
        let mut is_new: Vec<bool> = named.iter().map(|named| !named.configured).collect();
        let find = |id: ObjectId| named.binary_search_by_key(&id, |named| named.id);
        for (place, person) in people.iter() {
            let Some(id) = person.id() else { continue };
            let found = find(id).ok();
            found.into_iter().for_each(|found| is_new[found] = false);
            let Some(belongs_to) = person.entry().as_member() else { continue };
            let owner = self.group_of(id);
            if let Some(found) = found {
                if named[found].configured {
                    difference.gone.push(place);
                    continue;
                }
                if owner == Some(group) && named[found].name != *person.name() {
                    difference.renamed.push((place, found));
                } else if owner == Some(group) && *named[found].display_name != *person.display_name() {
                    difference.shown_otherwise.push((place, found));
                }
            }
            match owner.and_then(|owner| self.list.get(owner).map(|membership| (owner, membership))) {
                // Another group's name for them is known when that one is read again.
                Some((owner, membership))
                    if owner != belongs_to || membership.group.discovery != person.discovery() =>
                {
                    difference.belonging.push((place, owner));
                }
                Some(_) => {}
                None if before.binary_search(&id).is_ok() => difference.gone.push(place),
                None => {}
            }
        }
        difference.joining = (0..named.len()).filter(|&found| is_new[found]).collect();
        difference
    }
}
