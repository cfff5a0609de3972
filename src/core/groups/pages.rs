//! What the end of a request for members means.

use std::collections::HashSet;
use std::time::Duration;

use super::Groups;
use super::member_pages::{Named, Turned};
use super::membership::Membership;
use crate::core::accounts::requests::Requests;
use crate::core::accounts::requests::target::Target;
use crate::core::context::Context;
use crate::core::model::account::AccountId;
use crate::core::model::members::{Member, MembersPage};
use crate::core::model::name::{TopicLevel, UserId};
use crate::core::model::name_conflict::NameConflict;
use crate::core::model::request::{DENIED_RETRY, Ended, ReadFailure, ReadMembers};
use crate::core::model::settings::Settings;
use crate::core::people::Roster;

impl Groups {
    /// A page of members was read, or could not be: what was read of the group before is good then, and what
    /// was known of its members stands.
    ///
    /// # Errors
    ///
    /// If two people would have one name, at the start of a run.
    pub(in crate::core) fn members_read(
        &mut self,
        ended: Ended<ReadMembers>,
        people: &Roster,
        requests: &mut Requests,
        cx: &mut Context,
    ) -> Result<(), NameConflict> {
        let Some(job) = requests.page_ended(ended.request) else { return Ok(()) };
        let group = job.target;
        let mut is_over = true;
        let wait = match ended.outcome {
            Ok(page) => {
                requests.answered(cx);
                match self.turn(group, page, people, cx) {
                    Turned::More => {
                        is_over = false;
                        self.some_join(group, people);
                        Duration::ZERO
                    }
                    Turned::Complete { ids, named, unreadable } => {
                        self.complete(group, ids, named, unreadable, people)?;
                        self.list.get(group).map_or(DENIED_RETRY, |known| known.group.refresh_members)
                    }
                    Turned::Failed(why) => self.failed(group, why, requests),
                }
            }
            Err(failure @ ReadFailure::TokenRefused { .. }) => {
                self.not_at_start(group);
                requests.token_refused(job.about(Target::Members), &failure, cx);
                return Ok(());
            }
            Err(failure) => self.page_failed(group, &failure, people, requests, cx),
        };
        if let Some(membership) = self.list.get_mut(group) {
            membership.due = cx.now + wait;
        }
        requests.done_for(job.about(Target::Members), wait, cx.now);
        // One after the other, whatever comes of the one before.
        let is_last_begun =
            || !self.list.iter().skip(group + 1).any(|later| is_begun(later, requests.account()));
        if is_over
            && is_last_begun()
            && let Some(next) = self.begin_next(requests.account(), cx.now)
        {
            requests.watch_group(next, cx.now);
        }
        Ok(())
    }

    fn turn(&mut self, group: usize, page: MembersPage, people: &Roster, cx: &Context) -> Turned {
        let Some(membership) = self.list.get_mut(group) else {
            return Turned::Failed("it is not configured any more".to_owned());
        };
        let principals = principals(membership.group.account, &cx.settings);
        let pattern = &membership.group.name;
        membership.pages.take(page, |member| {
            let name = pattern.name(&member, &cx.settings.mqtt.bridge_name);
            news_about(member, name, &principals, people)
        })
    }

    /// Returns how long the group is left alone.
    fn page_failed(
        &mut self,
        group: usize,
        failure: &ReadFailure,
        people: &Roster,
        requests: &mut Requests,
        cx: &mut Context,
    ) -> Duration {
        let (forbidden, why) = match failure {
            ReadFailure::Forbidden { advice } => (true, advice.to_string()),
            ReadFailure::NotFound => {
                (false, "it is not in this tenant; check its id under [[groups]]".to_owned())
            }
            ReadFailure::Refused { .. } => (false, failure.to_string()),
            ReadFailure::Passing { why, .. } => {
                let own = self.failed(group, why.to_string(), requests);
                return own.max(requests.failed(failure, cx));
            }
            ReadFailure::TokenRefused { .. } | ReadFailure::SignInRequired { .. } => {
                self.not_at_start(group);
                return requests.failed(failure, cx);
            }
            ReadFailure::Throttled { .. } => return requests.failed(failure, cx),
        };
        if let Some(membership) = self.list.get_mut(group) {
            membership.refused(forbidden, why);
        }
        // If nobody else is read either, Graph lets nobody be read.
        let everybody = forbidden && people.is_everybody_forbidden(requests.account());
        requests.reached(everybody.then_some(failure), cx);
        DENIED_RETRY
    }

    /// It may take days until it is read. The people of other accounts are followed by then, and nothing that
    /// comes of it may end the run.
    fn not_at_start(&mut self, group: usize) {
        if let Some(membership) = self.list.get_mut(group) {
            membership.at_start = false;
        }
    }

    fn failed(&mut self, group: usize, why: String, requests: &mut Requests) -> Duration {
        let membership = self.list.get_mut(group);
        membership.map_or(DENIED_RETRY, |membership| membership.failed(why, requests.random()))
    }
}

fn is_begun(membership: &Membership, account: AccountId) -> bool {
    membership.begun && membership.group.account == account
}

/// The user principal names that people of this account are configured by, which go before a membership.
fn principals(account: AccountId, settings: &Settings) -> HashSet<String> {
    let principal = |id: &UserId| match id {
        UserId::Principal(name) => Some(name.as_str().to_lowercase()),
        UserId::Me | UserId::Object(_) => None,
    };
    let users = settings.users.iter().filter(|user| user.account == account);
    users.filter_map(|user| principal(&user.id)).collect()
}

/// A member as they are to be followed, if they are not followed like that already.
fn news_about(
    member: Member,
    name: TopicLevel,
    principals: &HashSet<String>,
    people: &Roster,
) -> Option<Named> {
    let Member { id, principal_name, display_name } = member;
    let display_name = display_name.unwrap_or_else(|| name.as_str().into());
    let principal_name = principal_name.as_deref().unwrap_or_default().to_lowercase();
    let configured = principals.contains(&principal_name);
    // Whoever is configured goes before.
    let mut known = people.by_id(&id).filter_map(|place| people.get(place));
    let known = known.by_ref().min_by_key(|person| person.entry().as_member().is_some());
    let is_news = configured
        || known.is_none_or(|person| {
            let is_member = person.entry().as_member().is_some();
            is_member && (*person.name() != name || *person.display_name() != *display_name)
        });
    is_news.then_some(Named { id, name, display_name, configured })
}
