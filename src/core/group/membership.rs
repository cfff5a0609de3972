//! What is known of one group, and of all.

use std::time::Duration;

use super::collecting::Collecting;
use super::left_behind::LeftBehind;
use crate::core::model::backoff::Backoff;
use crate::core::model::name::ObjectId;
use crate::core::model::name_conflict::Clash;
use crate::core::model::settings::Group;
use crate::core::model::time::Tick;
use crate::core::schedule::{Place, Target};

/// After so many failures in a row a reading begins again with the first page, and people are told.
const PATIENCE: u32 = 3;

/// A group and its members.
#[derive(Debug)]
pub(in crate::core) struct Membership {
    pub group: Group,
    /// Who they are by the last complete reading, in order; nothing before the first.
    ids: Option<Vec<ObjectId>>,
    pub collecting: Collecting,
    /// When the next page is to be read.
    pub due: Tick,
    failures: u32,
    backoff: Backoff,
    pub trouble: Option<Trouble>,
    /// Neither read nor refused since the start of the run.
    pub at_start: bool,
    /// Who has no place because of their name.
    pub left_out: Vec<Clash>,
}

/// Why a group cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::core) struct Trouble {
    /// Not before a permission is granted.
    pub forbidden: bool,
    /// As a fragment.
    pub why: String,
}

/// All groups, in the order configured.
#[derive(Debug)]
pub(in crate::core) struct Groups {
    pub list: Vec<Membership>,
    /// How many of them are read: at the start one after the other, since whoever is in several belongs to the first.
    pub begun: usize,
    /// Configured people who turned out to be somebody, who may be known as a member.
    pub claims: Vec<Place>,
    pub left: LeftBehind,
}

impl Membership {
    fn new(group: Group, at_start: bool, now: Tick) -> Self {
        Self {
            group,
            ids: None,
            collecting: Collecting::default(),
            due: now,
            failures: 0,
            backoff: Backoff::new(Duration::from_secs(1), Duration::from_secs(300)),
            trouble: None,
            at_start,
            left_out: Vec::new(),
        }
    }

    /// Whether this person was a member when it was last read.
    fn has(&self, id: ObjectId) -> bool {
        self.ids.as_ref().is_some_and(|ids| ids.binary_search(&id).is_ok())
    }

    /// It was read completely. Returns who its members were before.
    pub(in crate::core) fn read(&mut self, ids: Vec<ObjectId>) -> Vec<ObjectId> {
        self.failures = 0;
        self.backoff.reset();
        self.trouble = None;
        self.ids.replace(ids).unwrap_or_default()
    }

    /// It could not be read, which will pass. Returns how long to wait at least.
    pub(in crate::core) fn failed(&mut self, why: String, random: &mut fastrand::Rng) -> Duration {
        self.failures = self.failures.saturating_add(1);
        if self.failures.is_multiple_of(PATIENCE) {
            self.collecting.begin_again();
            self.trouble = Some(Trouble { forbidden: false, why });
        }
        self.backoff.failed(random)
    }

    /// Graph answered, and said no.
    pub(in crate::core) fn refused(&mut self, forbidden: bool, why: String) {
        self.collecting.begin_again();
        self.at_start = false;
        self.trouble = Some(Trouble { forbidden, why });
    }

    fn notices(&self) -> impl Iterator<Item = String> {
        let id = self.group.id;
        let trouble = self.trouble.as_ref().map(|trouble| {
            format!(
                "the members of the group {id} cannot be read, so nobody joins or leaves: {}",
                trouble.why
            )
        });
        let left_out = self.left_out.first().map(|clash| match self.left_out.len() {
            1 => format!("one member of the group {id} is left out: {clash}"),
            many => format!("{many} members of the group {id} are left out; the first: {clash}"),
        });
        trouble.into_iter().chain(left_out)
    }
}

impl Groups {
    pub(in crate::core) fn new(groups: Vec<Group>, now: Tick) -> Self {
        let list: Vec<Membership> =
            groups.into_iter().map(|group| Membership::new(group, true, now)).collect();
        Self { begun: list.len().min(1), list, claims: Vec::new(), left: LeftBehind::default() }
    }

    /// Other groups are configured: all are read again, and until then the members of those that stay are who they were.
    pub(in crate::core) fn configured(&mut self, groups: Vec<Group>, now: Tick) {
        let mut before = std::mem::take(&mut self.list);
        for group in groups {
            let same = before.iter().position(|known| known.group.id == group.id);
            let known = same.map(|same| before.swap_remove(same));
            let (ids, at_start) = known.map_or((None, false), |known| (known.ids, known.at_start));
            self.list.push(Membership { ids, ..Membership::new(group, at_start, now) });
        }
        self.begun = self.list.len().min(1);
        self.claims.clear();
    }

    /// The first group that somebody is in.
    pub(in crate::core) fn of(&self, id: ObjectId) -> Option<usize> {
        self.list.iter().position(|group| group.has(id))
    }

    /// Not every group was read yet, so that whoever is unknown may still turn out to be a member.
    pub(in crate::core) fn are_undecided(&self) -> bool {
        self.list.iter().any(|group| group.ids.is_none())
    }

    /// The members of a group are still expected, as it was neither read nor refused.
    pub(in crate::core) fn are_expected(&self) -> bool {
        self.list.iter().any(|group| group.at_start)
    }

    /// Whether a read is worth its cost when somebody asks for everybody: of groups only if there is trouble.
    pub(in crate::core) fn is_to_be_tried(&self, target: &Target) -> bool {
        match target {
            Target::Members(group) => {
                self.list.get(*group).is_some_and(|membership| membership.trouble.is_some())
            }
            Target::Me(_)
            | Target::User(_)
            | Target::Communications(_)
            | Target::Bulk(_)
            | Target::Resolve(_) => true,
        }
    }

    /// What is said of groups on `<bridge>/health`.
    pub(in crate::core) fn notices(&self) -> impl Iterator<Item = String> {
        self.list.iter().flat_map(Membership::notices)
    }
}
