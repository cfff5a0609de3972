//! What a complete reading of a group changes: who joins, who leaves, and who has another name.
//!
//! Somebody who is configured and a member is configured, and whoever is in several groups belongs to the
//! first.

use super::difference::Difference;
use super::member_pages::Named;
use super::roster_change::{CarriedOut, Change, Pending};
use super::{Groups, name_conflicts};
use crate::core::context::Context;
use crate::core::model::account::AccountId;
use crate::core::model::name::{ObjectId, UserId};
use crate::core::model::name_conflict::NameConflict;
use crate::core::model::place::Entry;
use crate::core::model::report::Report;
use crate::core::model::settings::User;
use crate::core::people::Roster;

impl Groups {
    /// Of a group that is read for the first time so many are known that they join while its other pages are
    /// still to come: reading and publishing a whole tenant takes as long as its pages do. Where two would
    /// have one name they wait for the last page: who has the name may be renamed by it.
    pub(super) fn some_join(&mut self, group: usize, people: &Roster) {
        let Some(membership) = self.list.get_mut(group).filter(|membership| membership.at_start) else {
            return;
        };
        let is_new = |named: &Named| !named.configured && people.by_id(&named.id).next().is_none();
        let Some(named) = membership.pages.portion(is_new) else { return };
        let mut joining = Difference { joining: (0..named.len()).collect(), ..Difference::default() };
        if !name_conflicts::settle(&mut joining, &named, people).is_empty() {
            return membership.pages.put_back(named);
        }
        membership.some_joined(named.iter().map(|named| named.id));
        let joining = joining.joining.into_iter();
        self.pending = Some(Pending { joining, ..Pending::new(group, &membership.group, named) });
    }

    /// A group was read to its end: who is in it, and about whom there is news, both in the order of object
    /// ids. Where some of its members are `unreadable`, whoever was a member stays one.
    ///
    /// # Errors
    ///
    /// If two would have one name, at the start of a run.
    pub(super) fn complete(
        &mut self,
        group: usize,
        ids: Vec<ObjectId>,
        named: Vec<Named>,
        unreadable: usize,
        people: &Roster,
    ) -> Result<(), NameConflict> {
        let Some(membership) = self.list.get_mut(group) else { return Ok(()) };
        let members = ids.len();
        let before = membership.read(ids, unreadable);
        let at_start = std::mem::take(&mut membership.at_start);
        let already = std::mem::take(&mut membership.joined);
        let (discovery, account) = (membership.group.discovery, membership.group.account);
        let mut difference = self.compare(group, &named, &before, people);
        let mut conflicts = name_conflicts::settle(&mut difference, &named, people);
        if at_start && !conflicts.is_empty() {
            return Err(conflicts.swap_remove(0));
        }
        let Difference { gone, renamed, shown_otherwise, joining, belonging } = difference;
        let (joined, left) = (already + joining.len(), gone.len());
        let leaving = (!gone.is_empty()).then_some(Change::Leave(gone));
        let renamed = renamed.into_iter().chain(shown_otherwise).filter_map(|(place, found)| {
            let user = user(named.get(found)?.clone(), discovery, account);
            Some(Change::Rename(place, user))
        });
        let belonging = belonging.into_iter().map(|(place, group)| Change::Belong(place, group));
        let mut first: Vec<Change> = belonging.chain(renamed).chain(leaving).collect();
        let is_news = joined > 0 || !first.is_empty();
        // The next one is the last.
        first.reverse();
        let is_reported = at_start || joined + left > 0;
        if let Some(membership) = self.list.get_mut(group) {
            self.pending = Some(Pending {
                first,
                joining: joining.into_iter(),
                report: is_reported.then_some(Report::Members { members, joined, left }),
                is_news,
                is_whole: true,
                ..Pending::new(group, &membership.group, named)
            });
            membership.left_out = conflicts;
        }
        Ok(())
    }

    /// Carries out the next change of who is followed, if there is one.
    pub(in crate::core) fn carry_out_next(
        &mut self,
        people: &mut Roster,
        cx: &mut Context,
    ) -> Option<CarriedOut> {
        let pending = self.pending.as_mut()?;
        match pending.first.pop() {
            Some(Change::Leave(places)) => places.into_iter().for_each(|place| people.leave_group(place)),
            Some(Change::Rename(place, user)) => people.rename_member(place, user, cx),
            Some(Change::Belong(place, group)) => people.belongs(place, group, cx),
            None => {
                let joining = pending.joining.by_ref().find_map(|found| pending.handing.take(found));
                let Some(joining) = joining else {
                    cx.report_of(pending.account, pending.report.take());
                    let (is_news, is_whole) = (pending.is_news, pending.is_whole);
                    self.pending = None;
                    return Some(CarriedOut { is_news, is_whole });
                };
                let remembered = self.orphans.take(&joining.name);
                let user = user(joining, pending.discovery, pending.account);
                people.join(user, Entry::member(pending.group), remembered, cx);
            }
        }
        Some(CarriedOut { is_news: false, is_whole: false })
    }
}

fn user(named: Named, discovery: bool, account: AccountId) -> User {
    let Named { id, name, display_name, .. } = named;
    User { name, id: UserId::Object(id), display_name: String::from(display_name), discovery, account }
}
