//! The changes of who is followed, as they are carried out.

use super::handing::Handing;
use crate::core::model::account::AccountId;
use crate::core::model::place::Place;
use crate::core::model::report::Report;
use crate::core::model::settings::User;

/// One change of who is followed as a member.
#[derive(Debug)]
pub(super) enum Change {
    /// These leave.
    Leave(Vec<Place>),
    /// A member is named, or shown, otherwise.
    Rename(Place, User),
    /// A member belongs to the group with this index, which may be another one or be announced otherwise.
    Belong(Place, usize),
}

/// What was carried out.
#[derive(Debug, Clone, Copy)]
pub(in crate::core) enum CarriedOut {
    /// One change, to be handed on before the next.
    One,
    /// All of them.
    All {
        /// Whether anybody changed by it.
        is_news: bool,
        /// Whether the group was read to its end.
        is_whole: bool,
    },
}

/// Changes that are still to be carried out. Members join one by one: a whole tenant may join at once, and
/// fits into memory once.
#[derive(Debug)]
pub(super) struct Pending {
    pub group: usize,
    pub discovery: bool,
    /// Who read it.
    pub account: AccountId,
    pub first: Vec<Change>,
    pub joining: std::vec::IntoIter<usize>,
    pub handing: Handing,
    pub report: Option<Report>,
    pub is_news: bool,
    pub is_whole: bool,
}
