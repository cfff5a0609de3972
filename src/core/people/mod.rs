//! The people who are followed: where they stand, what is known of them, and whether it may be believed.
//!
//! A person keeps their place for as long as they are followed. [`Roster`] has everybody and finds them by
//! name and object id (`index`); `moves` is who comes and goes, `answers` what the end of a request means,
//! `judging` what time does, with `under_terms` for what an account's people share, `following` who is
//! followed after a reload, `page` who is shown to whoever looks. Of one `person`, `identity` is who they
//! are, `knowledge` what is known, and which answer is newer, and `refusal` when it is believed that they
//! cannot be read. What changes is handed on by [`Roster::next_changed`], and nowhere else.

mod answers;
mod bulk_request;
mod following;
mod identity;
mod index;
mod judging;
mod knowledge;
mod moves;
mod page;
pub(super) mod person;
mod refusal;
mod under_terms;

use std::collections::{BTreeSet, VecDeque};

use self::index::{ById, ByName, Index};
use self::person::Person;
use self::under_terms::UnderTerms;
use super::context::Context;
use super::model::account::AccountId;
use super::model::dirty_topics::DirtyTopics;
use super::model::health::Health;
use super::model::moves::Moves;
use super::model::name::{ObjectId, TopicLevel};
use super::model::place::{Entry, Place, Who};
use super::model::remembered::Remembered;
use super::model::report::Report;
use super::model::terms::Terms;
use super::model::time::Tick;

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
    /// Who came and went, and which names mean nobody any more, likewise.
    moves: Moves,
    emptied: Vec<(TopicLevel, Option<Report>)>,
    new_words: BTreeSet<Box<str>>,
}

impl Roster {
    /// Everybody who is configured, of whom nothing is known yet, of accounts with these terms.
    pub(super) fn new(terms: impl Iterator<Item = Terms>, cx: &Context) -> Self {
        let mut roster = Self {
            // A vector that grows leaves blocks that the C library keeps.
            people: Vec::with_capacity(cx.settings.users.len()),
            vacant: Vec::new(),
            users: Vec::new(),
            by_id: Index::default(),
            by_name: Index::default(),
            accounts: terms.map(|terms| UnderTerms::new(terms, cx.now)).collect(),
            settling: BTreeSet::new(),
            changed: VecDeque::new(),
            moves: Moves::default(),
            emptied: Vec::new(),
            new_words: BTreeSet::new(),
        };
        for (index, user) in cx.settings.users.iter().enumerate() {
            roster.join(user.clone(), Entry::user(index), None, cx);
        }
        roster
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

    /// What is said of people of an account on `<bridge>/health`. `advice` is what Graph said when it forbade
    /// somebody to be read.
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
        let not_found = (not_found > 0).then(|| {
            format!("{not_found} of {all} people are not in this tenant (health not_found); check their ids")
        });
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
