//! The people who are followed: where they stand, what is known of them, and whether it may be believed.
//!
//! A person keeps their place for as long as they are followed. [`Roster`] has everybody and finds them by name and object id
//! (`index`); `answers` is what the end of a request means, `reading` what an answer holds, `judging` what time does, `following` who is followed after
//! a reload, `page` who is shown to whoever looks. Of one `person`, `identity` is who they are, `knowledge` what is known, `out_of_order` which answer is the newer
//! one, and `refusal` when it is believed that they cannot be read. What changes is handed on by [`Roster::next_changed`], and nowhere else.

mod answers;
mod bulk_request;
pub(super) mod following;
mod identity;
mod index;
mod judging;
mod knowledge;
mod out_of_order;
mod page;
pub(super) mod person;
mod reading;
mod refusal;
pub(super) mod terms;

use std::collections::{BTreeSet, VecDeque};

use self::index::{ById, ByName, Index};
use self::person::Person;
use self::terms::{Terms, UnderTerms};
use super::context::Context;
use super::model::account::AccountId;
use super::model::dirty_topics::DirtyTopics;
use super::model::health::Health;
use super::model::name::{ObjectId, TopicLevel};
use super::model::place::{Entry, Place, Who};
use super::model::remembered::Remembered;
use super::model::settings::User;
use super::model::time::Tick;
use super::model::topic::Field;

/// Everybody who is followed.
#[derive(Debug)]
pub(super) struct Roster {
    people: Vec<Option<Person>>,
    /// Places that somebody left.
    vacant: Vec<Place>,
    /// Where those stand who are configured, in the order configured.
    users: Vec<Place>,
    by_id: Index<ById>,
    by_name: Index<ByName>,
    /// What the people of each account have in common.
    accounts: Vec<UnderTerms>,
    /// When the changes of these people will have lasted long enough.
    settling: BTreeSet<(Tick, Place)>,
    /// What changed of whom and was not handed on yet.
    changed: VecDeque<(Place, DirtyTopics)>,
    new_words: BTreeSet<Box<str>>,
}

impl Roster {
    /// Nobody yet, of accounts with these terms.
    pub(super) fn new(terms: impl Iterator<Item = Terms>, now: Tick) -> Self {
        Self {
            people: Vec::new(),
            vacant: Vec::new(),
            users: Vec::new(),
            by_id: Index::default(),
            by_name: Index::default(),
            accounts: terms.map(|terms| UnderTerms::new(terms, now)).collect(),
            settling: BTreeSet::new(),
            changed: VecDeque::new(),
            new_words: BTreeSet::new(),
        }
    }

    /// Somebody is followed from now on. What is retained of them may not be believed until they are read.
    pub(super) fn join(
        &mut self,
        user: User,
        entry: Entry,
        remembered: Option<Remembered>,
        cx: &Context,
    ) -> Place {
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
        self.changed.push_back((place, dirty));
        self.judge_one(place, cx);
        place
    }

    /// Somebody is not followed any more. Returns who that was.
    pub(super) fn leave(&mut self, place: Place) -> Option<Person> {
        let person = self.people.get_mut(place.number())?.take()?;
        self.under_terms(person.account()).discount(person.health());
        if person.entry().as_user().is_some() {
            self.users.retain(|user| *user != place);
        }
        self.vacant.push(place);
        Some(person)
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
    pub(super) fn belongs(&mut self, place: Place, group: usize, discovery: bool, cx: &Context) {
        let account = cx.settings.groups.get(group).map(|group| group.account);
        if let Some(Some(person)) = self.people.get_mut(place.number()) {
            person.set_entry(Entry::member(group));
            let (before, health) = (person.account(), person.health());
            if let Some(account) = account.filter(|account| *account != before) {
                person.set_account(account);
                self.accounts[before.index()].discount(health);
                self.accounts[account.index()].count(health);
            }
            let (name, display_name) = (person.name().clone(), person.display_name().to_owned());
            let dirty = person.rename(name, display_name, discovery, cx.now);
            self.change(place, dirty);
        }
    }

    /// Somebody who is configured turned out to be the member at another place: what is known of that one is theirs.
    pub(super) fn take_over(&mut self, place: Place, member: Place, cx: &Context) {
        let Ok([Some(person), Some(other)]) = self.people.get_disjoint_mut([place.number(), member.number()])
        else {
            return;
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
    }

    /// Whoever is read as the person who signed in to this account is somebody else now, of whom nothing is known yet. Returns who
    /// it was, by place.
    pub(super) fn somebody_else_signed_in(
        &mut self,
        account: AccountId,
        cx: &Context,
    ) -> Vec<(Place, Person)> {
        let mut before = Vec::new();
        for (place, user) in self.users.clone().into_iter().zip(cx.settings.users.clone()) {
            let there = self.people.get_mut(place.number()).and_then(Option::as_mut);
            let Some(there) = there.filter(|person| person.is_me() && person.account() == account) else {
                continue;
            };
            let person = std::mem::replace(there, Person::new(user, there.entry(), cx.now));
            self.under_terms(account).discount(person.health());
            self.under_terms(account).count(Health::Stale);
            self.change(place, Field::Health);
            before.push((place, person));
        }
        before.sort_unstable_by_key(|&(place, _)| place);
        before
    }

    /// Takes what an earlier run left on the broker about somebody, before or after the first answer.
    pub(super) fn remember(&mut self, place: Place, remembered: Option<Remembered>, cx: &Context) {
        self.update(place, |person, dirty| person.remember(remembered, cx.now, dirty));
    }

    /// Takes whether commands can set somebody's presence; `true` if that is news.
    pub(super) fn permit(&mut self, place: Place, settable: bool) -> bool {
        let person = self.people.get_mut(place.number()).and_then(Option::as_mut);
        let is_news = person.is_some_and(|person| person.permit(settable));
        if is_news {
            // With controls, or without.
            self.change(place, DirtyTopics::ANNOUNCEMENT);
        }
        is_news
    }

    /// Whose topics changed, and which; each change once. The one way on which a change reaches the others.
    pub(super) fn next_changed(&mut self) -> Option<(Place, DirtyTopics)> {
        let next = self.changed.pop_front();
        if next.is_none() && self.changed.capacity() > KEPT {
            self.changed = VecDeque::new();
        }
        next
    }

    pub(super) fn get(&self, place: Place) -> Option<&Person> {
        self.people.get(place.number())?.as_ref()
    }

    /// Where somebody stands who has this name.
    pub(super) fn by_name(&self, name: &TopicLevel) -> Option<Place> {
        let has = |place: &Place| self.get(*place).is_some_and(|person| person.name() == name);
        self.by_name.candidates(name, &self.people).find(has)
    }

    /// Where somebody stands who has this name, ignoring case: nobody else may have it.
    pub(super) fn holder(&self, name: &TopicLevel) -> Option<Place> {
        self.by_name.get(name, &self.people)
    }

    /// Where those stand who have this object id: two names may mean one person. In no particular order.
    pub(super) fn by_id<'a>(&'a self, id: &'a ObjectId) -> impl Iterator<Item = Place> + 'a {
        self.by_id.all(id, &self.people)
    }

    /// Everybody, by place.
    pub(super) fn iter(&self) -> impl Iterator<Item = (Place, &Person)> {
        let there = self.people.iter().enumerate();
        there.filter_map(|(number, person)| Some((Place::new(number), person.as_ref()?)))
    }

    /// How many people are followed.
    pub(super) fn count(&self) -> usize {
        self.people.len() - self.vacant.len()
    }

    /// How many of them have this health.
    pub(super) fn count_of(&self, health: Health) -> usize {
        self.accounts.iter().map(|people| people.count_of(health)).sum()
    }

    /// Whether Graph lets nobody of an account be read.
    pub(super) fn is_everybody_forbidden(&self, account: AccountId) -> bool {
        let people = &self.accounts[account.index()];
        people.count_of(Health::Forbidden) == people.all()
    }

    /// What is said of people of an account on `<bridge>/health`. `advice` is what Graph said when it forbade somebody to be read.
    pub(super) fn notices(
        &self,
        account: AccountId,
        advice: Option<&str>,
    ) -> impl Iterator<Item = String> + use<> {
        let people = &self.accounts[account.index()];
        let (forbidden, not_found, all) =
            (people.count_of(Health::Forbidden), people.count_of(Health::NotFound), people.all());
        let forbidden = advice
            .filter(|_| (1..all).contains(&forbidden))
            .map(|advice| format!("{forbidden} of {all} people cannot be read: {advice}"));
        let not_found = (not_found > 0)
            .then(|| format!("{not_found} of {all} people are not in this tenant; check their ids"));
        forbidden.into_iter().chain(not_found)
    }

    /// How the log speaks of somebody.
    pub(super) fn who(&self, place: Place, cx: &Context) -> Who {
        match self.get(place) {
            Some(person) => match (person.entry().as_user(), person.entry().as_member()) {
                (None, Some(group)) => cx.member(person.name(), group),
                (user, _) => Who::User(user.unwrap_or_default()),
            },
            None => Who::User(place.number()),
        }
    }

    fn under_terms(&mut self, account: AccountId) -> &mut UnderTerms {
        &mut self.accounts[account.index()]
    }

    fn change(&mut self, place: Place, dirty: impl Into<DirtyTopics>) {
        let dirty = dirty.into();
        if !dirty.is_empty() {
            self.changed.push_back((place, dirty));
        }
    }

    /// Does something with somebody and keeps what changed by it.
    fn update<T>(
        &mut self,
        place: Place,
        with: impl FnOnce(&mut Person, &mut DirtyTopics) -> T,
    ) -> Option<T> {
        let mut dirty = DirtyTopics::default();
        let person = self.people.get_mut(place.number())?.as_mut()?;
        let result = with(person, &mut dirty);
        self.change(place, dirty);
        Some(result)
    }
}

/// Changes that the queue keeps room for when it is empty.
const KEPT: usize = 4096;
