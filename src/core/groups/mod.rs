//! Groups whose members are followed: what is known of them, and who comes and goes by that.
//!
//! `membership` is all that is known of one group. `pages` is what the end of a request for members means,
//! and `member_pages` puts the pages of one reading together. `difference` is what a complete reading
//! changes; `changes` makes [`roster_change`]s of it and carries them out, one after the other, with
//! `name_conflicts` for who may have which name and `handing` for who joins. `orphans` are what earlier runs
//! left of people who are not known yet, and `deciding` what becomes of them.

mod changes;
mod deciding;
mod difference;
mod handing;
pub(super) mod member_pages;
mod membership;
mod name_conflicts;
mod orphans;
mod pages;
mod roster_change;

use std::collections::BTreeSet;

use self::membership::Membership;
use self::orphans::Orphans;
use self::roster_change::Pending;
use super::model::account::AccountId;
use super::model::name::{ObjectId, TopicLevel};
use super::model::request::ReadMembers;
use super::model::settings::Group;
use super::model::time::Tick;

/// All groups, in the order configured.
#[derive(Debug)]
pub(super) struct Groups {
    list: Vec<Membership>,
    pending: Option<Pending>,
    orphans: Orphans,
}

impl Groups {
    pub(super) fn new(groups: &[Group], now: Tick) -> Self {
        let list = groups.iter().map(|group| Membership::new(group.clone(), true, now)).collect();
        let mut groups = Self { list, pending: None, orphans: Orphans::default() };
        groups.begin_first();
        groups
    }

    /// Other groups are configured: all are read again, and until then the members of those that stay are who
    /// they were.
    pub(super) fn configured(&mut self, groups: &[Group], now: Tick) {
        let mut before = std::mem::take(&mut self.list);
        for group in groups {
            let same = before.iter().position(|known| known.group.id == group.id);
            let known = same.map(|same| before.swap_remove(same));
            self.list.push(Membership::again(group.clone(), known, now));
        }
        self.begin_first();
        self.pending = None;
    }

    /// The first group of each account is read.
    fn begin_first(&mut self) {
        let mut accounts = BTreeSet::new();
        for membership in &mut self.list {
            membership.begun = accounts.insert(membership.group.account);
        }
    }

    /// The next group of the same account, which is read from now on.
    fn begin_next(&mut self, account: AccountId, now: Tick) -> Option<usize> {
        let is_next = |group: &Membership| !group.begun && group.group.account == account;
        let next = self.list.iter().position(is_next)?;
        (self.list[next].begun, self.list[next].due) = (true, now);
        Some(next)
    }

    /// The groups that are read by now, by which account, and when each is due.
    pub(super) fn begun(&self) -> impl Iterator<Item = (usize, AccountId, Tick)> {
        let begun = self.list.iter().enumerate().filter(|(_, membership)| membership.begun);
        begun.map(|(group, membership)| (group, membership.group.account, membership.due))
    }

    /// The page of a group that is to be read, and whether the group was refused for a missing permission,
    /// which newer tokens may have.
    pub(super) fn next_page(&self, group: usize) -> Option<(ReadMembers, bool)> {
        let membership = self.list.get(group)?;
        let page = membership.pages.page().cloned();
        let forbidden = membership.trouble.as_ref().is_some_and(|trouble| trouble.forbidden);
        Some((ReadMembers { group: membership.group.id, page }, forbidden))
    }

    /// The first group that somebody is in.
    pub(super) fn group_of(&self, id: ObjectId) -> Option<usize> {
        self.list.iter().position(|group| group.has(id))
    }

    /// Whether somebody of this name, who is unknown, may still turn out to be a member: a group that may
    /// have them was not read yet.
    pub(super) fn may_come(&self, name: &TopicLevel) -> bool {
        may_come(&self.list, name)
    }

    /// Whether somebody of this name is still expected: a group that may have them was neither read nor
    /// refused, and its account `is_well`.
    pub(super) fn expects(&self, name: &TopicLevel, is_well: impl Fn(AccountId) -> bool) -> bool {
        let has = |group: &Membership| group.at_start && group.group.name.may_make(name);
        self.list.iter().any(|group| has(group) && is_well(group.group.account))
    }

    /// Whether a group is read out of turn when somebody wants everybody to be read: it costs as much as all
    /// its members, so only to see whether it can be.
    pub(super) fn is_worth_a_try(&self, group: usize) -> bool {
        self.list.get(group).is_some_and(|membership| membership.trouble.is_some())
    }

    /// What is said of the groups of an account on `<bridge>/health`.
    pub(super) fn notices(&self, account: AccountId) -> impl Iterator<Item = String> {
        let list = self.list.iter().filter(move |membership| membership.group.account == account);
        list.flat_map(Membership::notices)
    }
}

/// Names that no group gives any more may be of anybody who has another one now.
fn may_come(list: &[Membership], name: &TopicLevel) -> bool {
    let makes = |group: &Membership| group.group.name.may_make(name);
    let mut unread = list.iter().filter(|group| !group.whole).peekable();
    unread.peek().is_some() && (unread.any(makes) || !list.iter().any(makes))
}
