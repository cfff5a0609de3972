//! Reading the members of groups, page by page, and what the end of such a read means.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::core::bridge::{Bridge, GENTLE};
use crate::core::group::collecting::{Named, Turned};
use crate::core::model::effect::Effect;
use crate::core::model::members::{Member, MembersPage};
use crate::core::model::name::UserId;
use crate::core::model::request::{ReadFailure, ReadMembers};
use crate::core::model::time::{Now, Tick};
use crate::core::person::Health;
use crate::core::schedule::{Again, Job, Target};

impl Bridge {
    /// Plans to read the groups that are to be read.
    pub(super) fn begin_groups(&mut self) {
        for (group, membership) in self.groups.list.iter().enumerate().take(self.groups.begun) {
            self.schedule.begin(Target::Members(group), membership.due);
        }
    }

    /// The page of a group that is to be read.
    pub(super) fn page_of(&self, group: usize) -> Option<ReadMembers> {
        let membership = self.groups.list.get(group)?;
        Some(ReadMembers { group: membership.group.id, page: membership.collecting.page().cloned() })
    }

    /// Whether a group was refused because a permission is missing, which newer tokens may have.
    pub(super) fn is_forbidden_group(&self, target: &Target) -> bool {
        let Target::Members(group) = target else { return false };
        let trouble = self.groups.list.get(*group).and_then(|membership| membership.trouble.as_ref());
        trouble.is_some_and(|trouble| trouble.forbidden)
    }

    /// A page has come.
    pub(super) fn page_came(&mut self, job: &Job, group: usize, page: MembersPage, now: Now) {
        let principals: BTreeSet<String> = self
            .settings
            .users
            .iter()
            .filter_map(|user| match &user.id {
                UserId::Principal(name) => Some(name.as_str().to_lowercase()),
                UserId::Me | UserId::Object(_) => None,
            })
            .collect();
        let bridge = &self.settings.bridge_name;
        let (people, by_id, first) = (&self.people, &self.by_id, self.settings.users.len());
        let Some(membership) = self.groups.list.get_mut(group) else { return };
        let pattern = &membership.group.name;
        let turned = membership.collecting.take(page, |member| {
            let name = pattern.name(&member, bridge);
            let Member { id, principal_name, display_name } = member;
            let display_name = display_name.unwrap_or_else(|| name.as_str().into());
            let principal_name = principal_name.as_deref().unwrap_or_default().to_lowercase();
            let configured = principals.contains(&principal_name);
            // Whoever is configured stands first.
            let place = by_id.all(&id, people).min();
            let is_news = configured
                || place.is_none_or(|place| {
                    let person = &people[place];
                    place >= first && (person.name != name || *person.display_name() != *display_name)
                });
            is_news.then_some(Named { id, name, display_name, configured })
        });
        match turned {
            Turned::More => self.members_again(job, group, Duration::ZERO, now.tick),
            Turned::Complete(ids, named) => {
                let refresh = membership.group.refresh_members;
                self.members_again(job, group, refresh, now.tick);
                self.begin_next_group(group, now.tick);
                self.members_known(group, ids, named, now);
            }
            Turned::Failed(why) => {
                let wait = membership.failed(why, &mut self.random);
                self.members_again(job, group, wait, now.tick);
                self.begin_next_group(group, now.tick);
            }
        }
    }

    /// A page cannot be read. What was read of the group before is good, and what was known of its members stands.
    pub(super) fn page_failed(&mut self, job: &Job, group: usize, failure: &ReadFailure, now: Now) {
        let Some(membership) = self.groups.list.get_mut(group) else { return };
        let wait = match failure {
            ReadFailure::Forbidden { advice } => {
                membership.refused(true, advice.clone());
                // If nobody else is read either, Graph lets nobody be read.
                let forbidden = self.census.get(&Health::Forbidden).copied().unwrap_or_default();
                let everybody = forbidden == self.people.len();
                self.group_refused(everybody.then_some(failure), now)
            }
            ReadFailure::NotFound => {
                let why = "it is not in this tenant; check its id under [[groups]]";
                membership.refused(false, why.to_owned());
                self.group_refused(None, now)
            }
            ReadFailure::Refused { .. } => {
                membership.refused(false, failure.to_string());
                self.group_refused(None, now)
            }
            ReadFailure::Passing { why, .. } => {
                let own = membership.failed(why.clone(), &mut self.random);
                own.max(self.source_failed(failure, now))
            }
            ReadFailure::Throttled { .. }
            | ReadFailure::TokenRefused { .. }
            | ReadFailure::SignInRequired { .. } => self.source_failed(failure, now),
        };
        self.members_again(job, group, wait, now.tick);
        self.begin_next_group(group, now.tick);
    }

    /// Graph answered; it is the group that cannot be read.
    fn group_refused(&mut self, everybody: Option<&ReadFailure>, now: Now) -> Duration {
        let report = self.source.reached(everybody, now);
        self.commands.extend(report.map(Effect::Report));
        self.seat_lights();
        GENTLE
    }

    fn source_failed(&mut self, failure: &ReadFailure, now: Now) -> Duration {
        let (wait, report) = self.source.failed(failure, now, &mut self.random);
        self.commands.extend(report.map(Effect::Report));
        wait
    }

    fn members_again(&mut self, job: &Job, group: usize, wait: Duration, now: Tick) {
        if let Some(membership) = self.groups.list.get_mut(group) {
            membership.due = now + wait;
        }
        if let Some(round) = job.round {
            self.schedule.done(round, now, Again::After(wait));
        }
    }

    /// One group after the other is read for the first time, whatever comes of the one before.
    fn begin_next_group(&mut self, group: usize, now: Tick) {
        let next = self.groups.begun;
        if next == group + 1
            && let Some(membership) = self.groups.list.get_mut(next)
        {
            membership.due = now;
            self.groups.begun += 1;
            self.schedule.begin(Target::Members(next), now);
        }
    }
}
