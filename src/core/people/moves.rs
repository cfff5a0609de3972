//! Who comes, goes, has another name or turns out to be somebody else.

use super::Roster;
use super::person::Person;
use crate::core::context::Context;
use crate::core::model::account::AccountId;
use crate::core::model::dirty_topics::DirtyTopics;
use crate::core::model::health::Health;
use crate::core::model::moves::Moves;
use crate::core::model::name::TopicLevel;
use crate::core::model::place::{Entry, Place};
use crate::core::model::remembered::Remembered;
use crate::core::model::report::Report;
use crate::core::model::settings::User;
use crate::core::model::topic::Field;

impl Roster {
    /// What happened since this was asked last.
    pub(in crate::core) fn take_moves(&mut self) -> Option<Moves> {
        let mut moves = (!self.moves.is_empty()).then(|| std::mem::take(&mut self.moves))?;
        moves.left.sort_unstable();
        moves.read_anew.sort_unstable();
        Some(moves)
    }

    /// The names that mean nobody any more, or somebody else, since this was asked last, and what is to be
    /// reported of each.
    pub(in crate::core) fn take_emptied(&mut self) -> Vec<(TopicLevel, Option<Report>)> {
        std::mem::take(&mut self.emptied)
    }

    /// Somebody is followed from now on. What is retained of them may not be believed until they are read.
    pub(in crate::core) fn join(
        &mut self,
        user: User,
        entry: Entry,
        remembered: Option<Remembered>,
        cx: &Context,
    ) {
        let mut person = Person::new(user, entry, cx.now);
        let mut dirty = DirtyTopics::from(Field::Health);
        dirty.add(DirtyTopics::ANNOUNCEMENT);
        person.remember(remembered, cx.now, &mut dirty);
        self.under_terms(person.account()).count(person.health());
        let place = self.vacant.pop().unwrap_or(Place::new(self.people.len()));
        match self.people.get_mut(place.number()) {
            Some(there) => *there = Some(person),
            None => self.people.push(Some(person)),
        }
        if entry.as_user().is_some() {
            self.users.push(place);
        }
        self.by_name.insert(place, &self.people);
        self.by_id.insert(place, &self.people);
        self.moves.joined.push(place);
        self.change(place, dirty);
        self.judge_one(place, cx);
    }

    /// Somebody left their group, or is configured now.
    pub(in crate::core) fn leave_group(&mut self, place: Place) {
        let gone = self.leave(place).map(|person| person.name().clone());
        self.emptied.extend(gone.map(|name| (name.clone(), Some(Report::Left(name)))));
    }

    /// Somebody is not followed any more. Returns who that was.
    pub(super) fn leave(&mut self, place: Place) -> Option<Person> {
        let person = self.people.get_mut(place.number())?.take()?;
        self.under_terms(person.account()).discount(person.health());
        if person.entry().as_user().is_some() {
            self.users.retain(|user| *user != place);
        }
        self.vacant.push(place);
        self.moves.left.push(place);
        self.moves.withdrawn.extend(person.id().map(|id| (place, id)));
        Some(person)
    }

    /// A member is named, or shown, otherwise.
    pub(in crate::core) fn rename_member(&mut self, place: Place, user: User, cx: &Context) {
        let User { name, display_name, discovery, .. } = user;
        let before = self.rename(place, name.clone(), display_name, discovery, cx);
        if let Some(before) = before.filter(|before| *before != name) {
            self.moves.renamed.push(place);
            self.emptied.push((before, None));
        }
    }

    /// Somebody is followed under another name, or shown by another. Returns the name that they had.
    pub(super) fn rename(
        &mut self,
        place: Place,
        name: TopicLevel,
        display_name: String,
        discovery: bool,
        cx: &Context,
    ) -> Option<TopicLevel> {
        let person = self.people.get_mut(place.number())?.as_mut()?;
        let before = person.name().clone();
        let dirty = person.rename(name, display_name, discovery, cx.now);
        self.by_name.insert(place, &self.people);
        self.change(place, dirty);
        Some(before)
    }

    /// The group that a member belongs to is another one, or its announcements are.
    pub(in crate::core) fn belongs(&mut self, place: Place, group: usize, cx: &Context) {
        let Some(settings) = cx.settings.groups.get(group) else { return };
        let Some(Some(person)) = self.people.get_mut(place.number()) else { return };
        person.set_entry(Entry::member(group));
        let (before, health) = (person.account(), person.health());
        if settings.account != before {
            person.set_account(settings.account);
            self.accounts[before.index()].discount(health);
            self.accounts[settings.account.index()].count(health);
            self.moves.read_anew.push(place);
        }
        let (name, display_name) = (person.name().clone(), person.display_name().to_owned());
        let dirty = person.rename(name, display_name, settings.discovery, cx.now);
        self.change(place, dirty);
    }

    /// If somebody who is configured turned out to be a member at another place, what is known of that one is
    /// theirs, and the member leaves. `true` if that is so.
    pub(in crate::core) fn take_over_member(&mut self, place: Place, cx: &Context) -> bool {
        let is_member =
            |place: &Place| self.get(*place).is_some_and(|person| person.entry().as_member().is_some());
        let user = self.get(place).filter(|person| person.entry().as_user().is_some());
        let id = user.and_then(Person::id);
        let Some(member) = id.and_then(|id| self.by_id(&id).find(is_member)) else { return false };
        let Ok([Some(person), Some(other)]) = self.people.get_disjoint_mut([place.number(), member.number()])
        else {
            return false;
        };
        for person in [&*person, &*other] {
            self.accounts[person.account().index()].discount(person.health());
        }
        let dirty = person.take_over(other);
        for person in [&*person, &*other] {
            self.accounts[person.account().index()].count(person.health());
        }
        self.change(place, dirty);
        self.settle_one(place, cx);
        self.leave_group(member);
        true
    }

    /// Whoever is read as the person who signed in to this account is somebody else now, of whom nothing is
    /// known yet.
    pub(in crate::core) fn somebody_else_signed_in(&mut self, account: AccountId, cx: &Context) {
        for (place, user) in self.users.clone().into_iter().zip(cx.settings.users.iter()) {
            let there = self.people.get_mut(place.number()).and_then(Option::as_mut);
            let Some(there) = there.filter(|person| person.is_me() && person.account() == account) else {
                continue;
            };
            let before = std::mem::replace(there, Person::new(user.clone(), there.entry(), cx.now));
            self.under_terms(account).discount(before.health());
            self.under_terms(account).count(Health::Stale);
            self.change(place, Field::Health);
            self.moves.read_anew.push(place);
            self.moves.withdrawn.extend(before.id().map(|id| (place, id)));
            self.emptied.push((before.name().clone(), None));
        }
    }
}
