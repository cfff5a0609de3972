//! Requests under way, each by the id that its end will carry.

use std::collections::BTreeMap;

use super::target::{Job, ReadTarget, Target};
use crate::core::model::place::Place;
use crate::core::model::request::{ReadMembers, ReadPresence, RequestId, ResolveName};

/// All reads under way.
#[derive(Debug, Default)]
pub(super) struct InFlight {
    pub(super) reads: BTreeMap<RequestId<ReadPresence>, Job<ReadTarget>>,
    pub(super) names: BTreeMap<RequestId<ResolveName>, Job<Place>>,
    pub(super) pages: BTreeMap<RequestId<ReadMembers>, Job<usize>>,
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
