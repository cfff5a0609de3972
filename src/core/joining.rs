//! What a complete reading of a group changes: who joins, who leaves, and who has another name.
//!
//! Configured people stand first among all, in their order; behind them stand members. Somebody who is both is configured,
//! and whoever is in several groups belongs to the first.

use crate::core::bridge::Bridge;
use crate::core::group::collecting::Named;
use crate::core::group::handing::Handing;
use crate::core::model::effect::Ending;
use crate::core::model::name::{ObjectId, TopicLevel, UserId};
use crate::core::model::report::Report;
use crate::core::model::settings::Watched;
use crate::core::model::time::{Now, Tick};
use crate::core::person::Person;
use crate::core::schedule::Place;

/// What becomes of people; members about whom there is news are named by their index.
#[derive(Debug, Default)]
pub(super) struct Change {
    pub gone: Vec<Place>,
    pub renamed: Vec<(Place, usize)>,
    /// Only what Home Assistant shows is another name.
    shown_otherwise: Vec<(Place, usize)>,
    pub joining: Vec<usize>,
    /// Whether Home Assistant is told of somebody changed.
    told_otherwise: bool,
}

impl Bridge {
    /// A group was read completely: who is in it, and about whom there is news, both in the order of object ids.
    pub(super) fn members_known(&mut self, group: usize, ids: Vec<ObjectId>, named: Vec<Named>, now: Now) {
        let Some(membership) = self.groups.list.get_mut(group) else { return };
        let members = ids.len();
        let before = membership.read(ids);
        let at_start = std::mem::take(&mut membership.at_start);
        let mut change = self.compare(group, &named, &before);
        let clashes = self.settle_names(&mut change, &named);
        if let Some(clash) = clashes.first().filter(|_| at_start) {
            self.stop(Ending::Conflict(clash.to_string()), now.tick);
            return;
        }
        if let Some(membership) = self.groups.list.get_mut(group) {
            membership.left_out = clashes;
        }
        let (joined, left) = (change.joining.len(), change.gone.len());
        self.follow_members(group, change, named, now.tick);
        if at_start || joined + left > 0 {
            self.report(Report::Members { members, joined, left });
        }
        self.decide_left_behind();
    }

    /// What is different from what was known; names are not looked at.
    fn compare(&mut self, group: usize, named: &[Named], before: &[ObjectId]) -> Change {
        let mut change = Change::default();
        let configured = self.settings.users.len();
        let mut is_new: Vec<bool> = named.iter().map(|named| !named.configured).collect();
        let find = |id: ObjectId| named.binary_search_by_key(&id, |named| named.id);
        let of_users = self.people.iter().take(configured).filter_map(Person::id);
        of_users.filter_map(|id| find(id).ok()).for_each(|found| is_new[found] = false);
        for (place, person) in self.people.iter_mut().enumerate().skip(configured) {
            let Some(id) = person.id() else { continue };
            let owner = self.groups.of(id);
            if let Ok(found) = find(id) {
                is_new[found] = false;
                if named[found].configured {
                    change.gone.push(place);
                    continue;
                }
                if owner == Some(group) && named[found].name != person.name {
                    change.renamed.push((place, found));
                } else if owner == Some(group) && *named[found].display_name != *person.display_name() {
                    change.shown_otherwise.push((place, found));
                }
            }
            match owner.and_then(|owner| self.groups.list.get(owner)) {
                // Another group's name for them is known when that one is read again.
                Some(membership) => {
                    let told = std::mem::replace(&mut person.discovery, membership.group.discovery);
                    change.told_otherwise |= told != person.discovery;
                }
                None if before.binary_search(&id).is_ok() => change.gone.push(place),
                None => {}
            }
        }
        change.joining = (0..named.len()).filter(|&found| is_new[found]).collect();
        change
    }

    /// Follows the members that there are now.
    fn follow_members(&mut self, group: usize, change: Change, named: Vec<Named>, now: Tick) {
        let Change { mut gone, renamed, shown_otherwise, joining, told_otherwise } = change;
        let Some(discovery) = self.groups.list.get(group).map(|membership| membership.group.discovery) else {
            return;
        };
        let nothing =
            gone.is_empty() && renamed.is_empty() && shown_otherwise.is_empty() && joining.is_empty();
        if nothing && !told_otherwise {
            return;
        }
        let watched = |Named { id, name, display_name, .. }| Watched {
            name,
            id: UserId::Object(id),
            display_name: String::from(display_name),
            discovery,
        };
        let mut emptied: Vec<TopicLevel> = Vec::new();
        for &(place, found) in renamed.iter().chain(&shown_otherwise) {
            let Some(watched) = named.get(found).cloned().map(watched) else { continue };
            let old = self.people[place].name.clone();
            self.people[place].configured(watched, now);
            if old != self.people[place].name {
                emptied.push(old);
            }
        }
        let mut handing = Handing::new(named);
        let joining = joining.into_iter().filter_map(|found| handing.take(found)).map(watched);
        gone.sort_unstable();
        if gone.is_empty() && !told_otherwise {
            for &(place, _) in renamed.iter().chain(&shown_otherwise) {
                self.by_name.insert(place, &self.people);
                self.announce(place);
                self.queue(place);
            }
            // One by one: a whole tenant may join at once, and fits into memory once.
            for watched in joining {
                let person = self.joining(watched, now);
                self.people.push(person);
                self.seat(self.people.len() - 1, now);
            }
        } else {
            let joining: Vec<Person> = joining.map(|watched| self.joining(watched, now)).collect();
            let change = |bridge: &mut Self| {
                emptied.extend(bridge.dismiss(&gone));
                bridge.people.extend(joining);
            };
            self.move_people(change, now);
        }
        for name in &emptied {
            self.remove_user(name);
        }
        self.seat_lights();
        self.judge_at = now;
        self.say_info_if_up();
    }

    /// Lets people have other places. Whoever is believed is read when they would have been.
    pub(super) fn move_people(&mut self, change: impl FnOnce(&mut Self), now: Tick) {
        let interrupted = self.leave_seats(self.schedule.emptied());
        change(self);
        self.take_seats(interrupted, now);
        self.schedule.spread(now, |place| self.people[place].is_believed());
        self.commands_follow();
    }

    /// Takes people out, whose places are in order, and returns their names.
    pub(super) fn dismiss(&mut self, gone: &[Place]) -> Vec<TopicLevel> {
        let mut place = 0;
        let mut names = Vec::with_capacity(gone.len());
        self.people.retain(|person| {
            let leaves = gone.binary_search(&place).is_ok();
            if leaves {
                names.push(person.name.clone());
            }
            place += 1;
            !leaves
        });
        for name in &names {
            self.report(Report::Left(name.clone()));
        }
        names
    }

    /// Somebody who joins, with what an earlier run said of them.
    fn joining(&mut self, watched: Watched, now: Tick) -> Person {
        let mut person = Person::joining(watched, now);
        if let Some(remembered) = self.groups.left.take(&person.name) {
            person.remember(remembered, now);
        }
        person
    }
}
