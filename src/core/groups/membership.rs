//! What is known of one group.

use std::time::Duration;

use super::member_pages::MemberPages;
use crate::core::model::backoff::Backoff;
use crate::core::model::name::ObjectId;
use crate::core::model::name_conflict::NameConflict;
use crate::core::model::settings::Group;
use crate::core::model::time::Tick;

/// After so many failures in a row a reading begins again with the first page, and people are told.
const FAILURES_MAX: u32 = 3;

/// A group and its members.
#[derive(Debug)]
pub(super) struct Membership {
    pub group: Group,
    /// Who they are by the last reading, and who joined in the one under way; in order.
    ids: Vec<ObjectId>,
    /// How many joined in the one under way.
    pub joined: usize,
    /// Some reading was complete, so that whoever is not among them is no member.
    pub whole: bool,
    /// Members who could not be read in the last reading.
    unreadable: usize,
    pub pages: MemberPages,
    /// When the next page is to be read.
    pub due: Tick,
    /// It is read: those of one account one after the other at first, since whoever is in several belongs to
    /// the first.
    pub begun: bool,
    failures: u32,
    backoff: Backoff,
    pub trouble: Option<Trouble>,
    /// Neither read nor refused since the start of the run.
    pub at_start: bool,
    /// Who has no place because of their name.
    pub left_out: Vec<NameConflict>,
}

/// Why a group cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Trouble {
    /// Not before a permission is granted.
    pub forbidden: bool,
    /// As a fragment.
    pub why: String,
}

impl Membership {
    pub(super) fn new(group: Group, at_start: bool, now: Tick) -> Self {
        Self {
            group,
            ids: Vec::new(),
            joined: 0,
            whole: false,
            unreadable: 0,
            pages: MemberPages::default(),
            due: now,
            begun: false,
            failures: 0,
            backoff: Backoff::new(Duration::from_secs(1), Duration::from_secs(300)),
            trouble: None,
            at_start,
            left_out: Vec::new(),
        }
    }

    /// The same group after a reload, or another one: it is read again, and until then its members are who
    /// they were.
    pub(super) fn again(group: Group, known: Option<Self>, now: Tick) -> Self {
        let (ids, whole, at_start) =
            known.map_or((Vec::new(), false, false), |known| (known.ids, known.whole, known.at_start));
        Self { ids, whole, ..Self::new(group, at_start, now) }
    }

    /// Whether this person was a member when it was last read.
    pub(super) fn has(&self, id: ObjectId) -> bool {
        self.ids.binary_search(&id).is_ok()
    }

    /// These joined while further pages are to come.
    pub(super) fn some_joined(&mut self, ids: impl Iterator<Item = ObjectId>) {
        let before = self.ids.len();
        self.ids.extend(ids);
        self.joined += self.ids.len() - before;
        // Two that are in order already, one behind the other.
        self.ids.sort();
    }

    /// It was read, but for so many members who cannot be: then those who were there stay. Returns who its
    /// members were before.
    pub(super) fn read(&mut self, mut ids: Vec<ObjectId>, unreadable: usize) -> Vec<ObjectId> {
        self.failures = 0;
        self.backoff.reset();
        self.trouble = None;
        self.unreadable = unreadable;
        let before = std::mem::take(&mut self.ids);
        if unreadable == 0 {
            self.whole = true;
        } else {
            ids.extend(&before);
            ids.sort_unstable();
            ids.dedup();
        }
        self.ids = ids;
        before
    }

    /// It could not be read, which will pass. Returns how long to wait at least.
    pub(super) fn failed(&mut self, why: String, random: &mut fastrand::Rng) -> Duration {
        self.failures = self.failures.saturating_add(1);
        if self.failures.is_multiple_of(FAILURES_MAX) {
            self.pages.begin_again();
            self.at_start = false;
            self.trouble = Some(Trouble { forbidden: false, why });
        }
        self.backoff.failed(random)
    }

    /// Graph answered, and said no.
    pub(super) fn refused(&mut self, forbidden: bool, why: String) {
        self.pages.begin_again();
        self.at_start = false;
        self.trouble = Some(Trouble { forbidden, why });
    }

    pub(super) fn notices(&self) -> impl Iterator<Item = String> {
        let id = self.group.id;
        let trouble = self.trouble.as_ref().map(|trouble| {
            format!(
                "the members of the group {id} cannot be read, so its list of people stays as it is: {}",
                trouble.why
            )
        });
        let unreadable = (self.unreadable > 0).then(|| {
            format!(
                "{} of the members of the group {id} cannot be read, so no member is \
            removed",
                self.unreadable
            )
        });
        let left_out = self.left_out.first().map(|clash| match self.left_out.len() {
            1 => format!("one member of the group {id} is left out: {clash}"),
            many => format!("{many} members of the group {id} are left out; the first: {clash}"),
        });
        trouble.into_iter().chain(unreadable).chain(left_out)
    }
}
