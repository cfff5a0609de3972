//! What a read is about, before names are filled in, and what is under way.

use std::collections::BTreeMap;

use crate::core::model::place::Place;
use crate::core::model::request::{ReadMembers, ReadPresence, RequestId, ResolveName};

/// What a read is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::core) enum Target {
    /// Somebody's presence.
    Read(ReadTarget),
    /// The object id of somebody who is configured by their user principal name.
    Resolve(Place),
    /// The next page of the members of the group with this index.
    Members(usize),
}

/// Whose presence is read, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::core) enum ReadTarget {
    Me(Place),
    User(Place),
    Communications(Place),
    Bulk(Vec<Place>),
}

/// Names a round for as long as it exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::core) struct RoundId {
    pub(super) slot: usize,
    pub(super) birth: u64,
}

/// One read to be done now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::core) struct Job<T> {
    pub target: T,
    pub round: Option<RoundId>,
    /// How often Graph refused the token of it: it is repeated with the same one, and with a new one.
    pub refusals: u8,
}

/// All reads under way, each by the id that its end will carry.
#[derive(Debug, Default)]
pub(super) struct InFlight {
    pub reads: BTreeMap<RequestId<ReadPresence>, Job<ReadTarget>>,
    pub names: BTreeMap<RequestId<ResolveName>, Job<Place>>,
    pub pages: BTreeMap<RequestId<ReadMembers>, Job<usize>>,
}

impl<T> Job<T> {
    /// The same job about something else.
    pub(in crate::core) fn about<U>(self, target: impl FnOnce(T) -> U) -> Job<U> {
        Job { target: target(self.target), round: self.round, refusals: self.refusals }
    }
}

impl Target {
    /// The people the read is about.
    pub(in crate::core) fn places(&self) -> &[Place] {
        match self {
            Self::Read(target) => target.places(),
            Self::Resolve(place) => std::slice::from_ref(place),
            Self::Members(_) => &[],
        }
    }

    /// Whether it is read every interval: names are resolved once, and groups read rarely.
    pub(super) fn repeats(&self) -> bool {
        matches!(self, Self::Read(_))
    }

    /// Forgets people who left; `gone` is in order. `true` if it is about nobody any more.
    pub(super) fn forget(&mut self, gone: &[Place]) -> bool {
        match self {
            Self::Read(target) => target.forget(gone),
            Self::Resolve(place) => gone.binary_search(place).is_ok(),
            Self::Members(_) => false,
        }
    }
}

impl ReadTarget {
    /// The people the read is about.
    pub(in crate::core) fn places(&self) -> &[Place] {
        match self {
            Self::Me(place) | Self::User(place) | Self::Communications(place) => std::slice::from_ref(place),
            Self::Bulk(places) => places,
        }
    }

    /// Forgets people who left; `gone` is in order. `true` if it is about nobody any more.
    pub(super) fn forget(&mut self, gone: &[Place]) -> bool {
        match self {
            Self::Me(place) | Self::User(place) | Self::Communications(place) => {
                gone.binary_search(place).is_ok()
            }
            Self::Bulk(places) => {
                places.retain(|place| gone.binary_search(place).is_err());
                places.is_empty()
            }
        }
    }
}

impl InFlight {
    pub(super) fn count(&self) -> usize {
        self.reads.len() + self.names.len() + self.pages.len()
    }

    /// Forgets people who left, who are in order: the answers about everybody else still count. The answer to
    /// a request about somebody alone who left means nobody.
    pub(super) fn forget(&mut self, gone: &[Place]) {
        self.reads.retain(|_, job| {
            let is_over = job.target.forget(gone);
            // The round of a bulk read may have other parts.
            !is_over || matches!(job.target, ReadTarget::Bulk(_))
        });
        self.names.retain(|_, job| gone.binary_search(&job.target).is_err());
    }

    /// Nothing of it will be answered any more; what it was, in the order asked by kind.
    pub(super) fn take_all(&mut self) -> Vec<Job<Target>> {
        let Self { reads, names, pages } = std::mem::take(self);
        let reads = reads.into_values().map(|job| job.about(Target::Read));
        let names = names.into_values().map(|job| job.about(Target::Resolve));
        let pages = pages.into_values().map(|job| job.about(Target::Members));
        reads.chain(names).chain(pages).collect()
    }
}
