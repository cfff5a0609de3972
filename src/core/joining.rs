//! What a complete reading of a group changes: who joins, who leaves, and who has another name.
//!
//! Configured people stand first among all, in their order; behind them stand members. Somebody who is both is configured,
//! and whoever is in several groups belongs to the first.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::bridge::Bridge;
use super::command::Ending;
use super::group::clash::Clash;
use super::group::collecting::Named;
use super::name::{ObjectId, TopicLevel, UserId};
use super::person::Person;
use super::report::Report;
use super::schedule::Place;
use super::settings::Watched;
use super::time::{Now, Tick};
use super::topic::Field;

/// What becomes of people; members that were read are named by their index.
#[derive(Debug, Default)]
struct Change {
    gone: Vec<Place>,
    renamed: Vec<(Place, usize)>,
    /// Only what Home Assistant shows is another name.
    shown_otherwise: Vec<(Place, usize)>,
    joining: Vec<usize>,
    /// Whether Home Assistant is told of somebody changed.
    told_otherwise: bool,
}

/// Who has a name, or will have it.
#[derive(Debug, Clone, Copy)]
enum Holder {
    Person(Place),
    Joining(usize),
}

impl Bridge {
    /// A group was read completely; `named` is in the order of object ids.
    pub(super) fn members_known(&mut self, group: usize, named: &[Named], now: Now) {
        let Some(membership) = self.groups.list.get_mut(group) else { return };
        let before = membership.read(named.iter().map(|named| named.id).collect());
        let at_start = std::mem::take(&mut membership.at_start);
        let mut change = self.compare(group, named, &before);
        let clashes = self.settle_names(&mut change, named);
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
            self.report(Report::Members { members: named.len(), joined, left });
        }
        self.decide_left_behind();
    }

    /// What is different from what was known; names are not looked at.
    fn compare(&mut self, group: usize, named: &[Named], before: &[ObjectId]) -> Change {
        let mut change = Change::default();
        let configured = self.settings.users.len();
        let mut is_new: Vec<bool> = named.iter().map(|named| !named.configured).collect();
        let find = |id: ObjectId| named.binary_search_by_key(&id, |named| named.id);
        let of_users = self.people.iter().take(configured).filter_map(|person| person.id);
        of_users.filter_map(|id| find(id).ok()).for_each(|found| is_new[found] = false);
        for (place, person) in self.people.iter_mut().enumerate().skip(configured) {
            let Some(id) = person.id else { continue };
            let owner = match find(id) {
                Ok(found) => {
                    is_new[found] = false;
                    let owner = self.groups.of(id);
                    if named[found].configured {
                        change.gone.push(place);
                    } else if owner != Some(group) {
                        continue;
                    } else if named[found].name != person.name {
                        change.renamed.push((place, found));
                    } else if *named[found].display_name != *person.display_name {
                        change.shown_otherwise.push((place, found));
                    }
                    owner
                }
                Err(_) if before.binary_search(&id).is_ok() => self.groups.of(id),
                Err(_) => continue,
            };
            match owner.and_then(|owner| self.groups.list.get(owner)) {
                // Another group's name for them is known when that one is read again.
                Some(membership) => {
                    let told = std::mem::replace(&mut person.discovery, membership.group.discovery);
                    change.told_otherwise |= told != person.discovery;
                }
                None => change.gone.push(place),
            }
        }
        change.joining = (0..named.len()).filter(|&found| is_new[found]).collect();
        change
    }

    /// Leaves out whoever would have a name that somebody else has, ignoring case.
    fn settle_names(&self, change: &mut Change, named: &[Named]) -> Vec<Clash> {
        let mut clashes = Vec::new();
        if change.renamed.is_empty() && change.joining.is_empty() {
            return clashes;
        }
        let moving: HashSet<Place> =
            change.gone.iter().copied().chain(change.renamed.iter().map(|&(place, _)| place)).collect();
        let people = self.people.iter().enumerate().filter(|(place, _)| !moving.contains(place));
        let mut taken: HashMap<String, Holder> =
            people.map(|(place, person)| (fold(&person.name), Holder::Person(place))).collect();
        let mut take = |name: &TopicLevel, who: Holder| {
            let holder = *taken.entry(fold(name)).or_insert(who);
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
                Clash::who(&person.display_name, &person.configured)
            }
            Holder::Joining(found) => Clash::who(&named[found].display_name, &named[found].id),
        };
        let newcomer_too = Clash::who(&newcomer.display_name, &newcomer.id);
        Clash { name: newcomer.name.clone(), people: [holder, newcomer_too] }
    }

    /// Follows the members that there are now.
    fn follow_members(&mut self, group: usize, change: Change, named: &[Named], now: Tick) {
        let Change { mut gone, renamed, shown_otherwise, joining, told_otherwise } = change;
        let Some(discovery) = self.groups.list.get(group).map(|membership| membership.group.discovery) else {
            return;
        };
        let nothing =
            gone.is_empty() && renamed.is_empty() && shown_otherwise.is_empty() && joining.is_empty();
        if nothing && !told_otherwise {
            return;
        }
        let watched = |found: usize| Watched {
            name: named[found].name.clone(),
            id: UserId::Object(named[found].id),
            display_name: named[found].display_name.to_string(),
            discovery,
        };
        let mut emptied: Vec<TopicLevel> = Vec::new();
        for &(place, found) in renamed.iter().chain(&shown_otherwise) {
            let old = self.people[place].name.clone();
            self.people[place].configured(watched(found), now);
            if old != self.people[place].name {
                self.by_name.remove(&old);
                emptied.push(old);
            }
        }
        let joining: Vec<Person> =
            joining.into_iter().map(|found| self.joining(watched(found), now)).collect();
        gone.sort_unstable();
        if gone.is_empty() && !told_otherwise {
            for &(place, _) in renamed.iter().chain(&shown_otherwise) {
                self.by_name.insert(self.people[place].name.clone(), place);
                self.announce(place);
                self.queue(place);
            }
            for person in joining {
                self.people.push(person);
                self.seat(self.people.len() - 1, now);
            }
        } else {
            let interrupted = self.leave_seats(now);
            emptied.extend(self.dismiss(&gone));
            self.people.extend(joining);
            self.take_seats(interrupted, now);
            self.commands_follow();
        }
        for name in &emptied {
            self.remove_user(name);
        }
        self.seat_lights();
        self.judge_at = now;
        self.say_info_if_up();
    }

    /// Takes people out, whose places are in order, and returns their names.
    fn dismiss(&mut self, gone: &[Place]) -> Vec<TopicLevel> {
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

    /// Configured people whose object id has become known take the places of members who are the same, and what is known
    /// of them.
    pub(super) fn settle_claims(&mut self, now: Tick) {
        let claims = std::mem::take(&mut self.groups.claims);
        let configured = self.settings.users.len();
        let claimed: BTreeMap<Place, Place> = claims
            .into_iter()
            .filter_map(|place| {
                let same = self.by_id.get(&self.people.get(place)?.id?)?;
                Some((*same.iter().find(|&&member| member >= configured)?, place))
            })
            .collect();
        if claimed.is_empty() {
            return;
        }
        let interrupted = self.leave_seats(now);
        for (&member, &place) in &claimed {
            let (name, watched) = (self.people[member].name.clone(), self.settings.users[place].clone());
            self.people.swap(place, member);
            self.people[place].configured = watched.id.clone();
            self.people[place].configured(watched, now);
            self.people[member].name = name;
        }
        let gone: Vec<Place> = claimed.into_keys().collect();
        let emptied = self.dismiss(&gone);
        self.take_seats(interrupted, now);
        self.commands_follow();
        for name in &emptied {
            self.remove_user(name);
        }
        self.seat_lights();
        self.judge_at = now;
        self.say_info_if_up();
    }

    /// Once every group was read, nobody else will come: what earlier runs left of others is removed.
    pub(super) fn decide_left_behind(&mut self) {
        if self.groups.are_undecided() {
            return;
        }
        let (states, healths) = self.groups.left.take_all();
        let is_gone = |name: &TopicLevel| !self.by_name.contains_key(name);
        let states: Vec<TopicLevel> = states.into_iter().filter(is_gone).collect();
        let healths: Vec<TopicLevel> = healths.into_iter().filter(is_gone).collect();
        // First of all, so that Home Assistant hears of nobody whose topics are emptied.
        self.take_back();
        for name in states {
            self.remove_user(&name);
            self.report(Report::Removed(name));
        }
        for name in healths {
            self.outbox.remove(self.topics.of_user(&name, Field::Health));
            self.report(Report::Removed(name));
        }
    }
}

/// Names that differ only in case are one to people.
pub(super) fn fold(name: &TopicLevel) -> String {
    name.as_str().to_ascii_lowercase()
}
