//! Who is followed after the configuration was read again: who leaves, who stays and as whom, and who joins.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::Roster;
use super::person::Person;
use super::under_terms::UnderTerms;
use crate::core::context::Context;
use crate::core::model::account::AccountId;
use crate::core::model::dirty_topics::DirtyTopics;
use crate::core::model::event::Access;
use crate::core::model::name::{ObjectId, TopicLevel, UserId};
use crate::core::model::place::{Entry, Place};
use crate::core::model::report::Report;
use crate::core::model::settings::User;
use crate::core::model::successors::Successors;
use crate::core::model::terms::Terms;

/// What another configuration changes. Who was followed before, be it under another name, keeps what is
/// known.
#[derive(Debug, Default)]
struct Following {
    leaving: Vec<Place>,
    /// Configured now, with this index under `[[users]]`.
    users: Vec<(Place, usize)>,
    /// Members of the group with this index and nothing else.
    members: Vec<(Place, usize)>,
    /// Configured now and unknown so far, by index.
    joining: Vec<usize>,
}

impl Roster {
    /// Follows whoever is configured now, and whoever was known as a member of the groups that are:
    /// `group_of` is the group that somebody is in.
    pub(in crate::core) fn follow(
        &mut self,
        accounts: &Successors,
        terms: impl Iterator<Item = Terms>,
        group_of: impl Fn(ObjectId) -> Option<usize>,
        cx: &Context,
    ) {
        let users = &cx.settings.users;
        let reads = |group: usize| cx.settings.groups.get(group).map(|group| group.account);
        let following =
            self.compare(users, accounts, |id| group_of(id).and_then(|group| Some((group, reads(group)?))));
        let meant = self.names_given_up(&following, users);
        for place in following.leaving {
            self.leave(place);
        }
        self.begin_with(accounts, terms, cx);
        for (place, index) in following.users {
            self.configure(place, index, users[index].clone(), cx);
        }
        for (place, group) in following.members {
            self.demote(place, group, cx);
        }
        for index in following.joining {
            self.join(users[index].clone(), Entry::user(index), None, cx);
        }
        self.reconsider(accounts, cx);
        for (name, (configured, id)) in meant {
            let means = self.by_name(&name).and_then(|place| self.get(place));
            let is_same =
                |person: &Person| person.user_id() == configured || (id.is_some() && person.id() == id);
            if !means.is_some_and(is_same) {
                let report = means.is_none().then(|| Report::Removed(name.clone()));
                self.emptied.push((name, report));
            }
        }
    }

    /// The names of those who leave or get another one, and who was meant by them.
    fn names_given_up(
        &self,
        following: &Following,
        users: &[User],
    ) -> BTreeMap<TopicLevel, (UserId, Option<ObjectId>)> {
        let is_renamed = |(place, index): &(Place, usize)| {
            self.get(*place).is_some_and(|person| *person.name() != users[*index].name)
        };
        let renamed = following.users.iter().copied().filter(is_renamed).map(|(place, _)| place);
        let unnamed = following.leaving.iter().copied().chain(renamed).filter_map(|place| self.get(place));
        unnamed.map(|person| (person.name().clone(), (person.user_id(), person.id()))).collect()
    }

    /// Compares who is followed with who is configured now. `group_of` is the group that somebody is in, and
    /// the account that reads it.
    fn compare(
        &self,
        users: &[User],
        accounts: &Successors,
        group_of: impl Fn(ObjectId) -> Option<(usize, AccountId)>,
    ) -> Following {
        let mut following = Following::default();
        let (mut same, mut renamed) = self.match_users(users, accounts);
        for (index, user) in users.iter().enumerate() {
            let renamed = || renamed.remove(&(user.account, user.id.clone()));
            match same.remove(&user.name).or_else(renamed) {
                Some(place) => following.users.push((place, index)),
                None => following.joining.push(index),
            }
        }
        let configured: HashSet<Place> = following.users.iter().map(|&(place, _)| place).collect();
        let known = configured.iter().filter_map(|place| self.get(*place)?.id());
        let joining = following.joining.iter().filter_map(|&index| match users[index].id {
            UserId::Object(id) => Some(id),
            UserId::Me | UserId::Principal(_) => None,
        });
        let ids: HashSet<ObjectId> = known.chain(joining).collect();
        let names: HashSet<String> = users.iter().map(|user| user.name.folded()).collect();
        for (place, person) in self.iter().filter(|(place, _)| !configured.contains(place)) {
            let account = kept_by(person, accounts);
            let id = person.id().filter(|id| account.is_some() && !ids.contains(id));
            let group = id.and_then(&group_of).filter(|_| !names.contains(&person.name().folded()));
            match group.filter(|(_, reads)| Some(*reads) == account) {
                Some((group, _)) => following.members.push((place, group)),
                None => following.leaving.push(place),
            }
        }
        following
    }

    /// Who is meant under the same name as before, and who is meant at all.
    fn match_users(
        &self,
        users: &[User],
        accounts: &Successors,
    ) -> (HashMap<TopicLevel, Place>, HashMap<(AccountId, UserId), Place>) {
        let ids: HashMap<&TopicLevel, (AccountId, &UserId)> =
            users.iter().map(|user| (&user.name, (user.account, &user.id))).collect();
        let meant: HashSet<(AccountId, &UserId)> =
            users.iter().map(|user| (user.account, &user.id)).collect();
        let (mut same, mut renamed) = (HashMap::new(), HashMap::new());
        for (place, person) in self.iter() {
            let Some(account) = kept_by(person, accounts) else { continue };
            let configured = person.user_id();
            if ids.get(person.name()) == Some(&(account, &configured)) {
                same.insert(person.name().clone(), place);
            } else if meant.contains(&(account, &configured)) {
                renamed.insert((account, configured), place);
            }
        }
        (same, renamed)
    }

    /// Whoever stays is read by the account that theirs has become.
    fn begin_with(&mut self, accounts: &Successors, terms: impl Iterator<Item = Terms>, cx: &Context) {
        self.accounts = terms.map(|terms| UnderTerms::new(terms, cx.now)).collect();
        for person in self.people.iter_mut().flatten() {
            accounts.now(person.account()).into_iter().for_each(|account| person.set_account(account));
            self.accounts[person.account().index()].count(person.health());
        }
    }

    /// Somebody who was followed is configured now, with this index.
    fn configure(&mut self, place: Place, index: usize, user: User, cx: &Context) {
        let User { name, id, display_name, discovery, account: _ } = user;
        let renamed = self.rename(place, name, display_name, discovery, cx);
        if renamed.is_some()
            && let Some(Some(person)) = self.people.get_mut(place.number())
        {
            person.meant_by(id);
            person.set_entry(Entry::user(index));
        }
    }

    /// Somebody is followed as a member of this group only. Who was configured is read by their object id
    /// now, however they were read before.
    fn demote(&mut self, place: Place, group: usize, cx: &Context) {
        if let Some(Some(person)) = self.people.get_mut(place.number())
            && let Some(id) = person.id()
        {
            person.meant_by(UserId::Object(id));
            self.moves.read_anew.extend(person.entry().as_user().map(|_| place));
        }
        self.belongs(place, group, cx);
    }

    /// Everybody's settings may be others.
    fn reconsider(&mut self, accounts: &Successors, cx: &Context) {
        self.settling.clear();
        for number in 0..self.people.len() {
            self.update(Place::new(number), |person, dirty| {
                person.forget_candidate();
                if accounts.access(person.account()) == Access::New {
                    person.doubt();
                }
                if !cx.settings.graph.include_messages {
                    person.forget_messages(cx.now, dirty);
                }
                if cx.settings.discovery.is_some() {
                    dirty.add(DirtyTopics::ANNOUNCEMENT);
                }
            });
        }
        self.order_users();
    }

    fn order_users(&mut self) {
        let entry = |(place, person): (Place, &Person)| Some((person.entry().as_user()?, place));
        let mut users: Vec<(usize, Place)> = self.iter().filter_map(entry).collect();
        users.sort_unstable();
        self.users = users.into_iter().map(|(_, place)| place).collect();
    }
}

/// The account that reads somebody now, if it is the same: who `me` or a user principal name is depends on
/// the tenant, or on who signed in.
fn kept_by(person: &Person, accounts: &Successors) -> Option<AccountId> {
    let account = accounts.now(person.account())?;
    let is_kept = accounts.access(account) != Access::New || matches!(person.user_id(), UserId::Object(_));
    is_kept.then_some(account)
}
