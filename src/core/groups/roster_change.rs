//! The changes of who is followed, as they are handed on.

use super::handing::Handing;
use crate::core::model::account::AccountId;
use crate::core::model::place::{Entry, Place};
use crate::core::model::remembered::Remembered;
use crate::core::model::report::Report;
use crate::core::model::settings::User;

/// One change of who is followed, to be carried out before the next.
#[derive(Debug)]
pub(in crate::core) enum RosterChange {
    /// These leave; they are in order.
    Leave(Vec<Place>),
    /// A member is named, or shown, otherwise.
    Rename { place: Place, user: User },
    /// A member belongs to the group with this index.
    Belong { place: Place, group: usize },
    /// Somebody joins, with what an earlier run said of them.
    Join { user: User, entry: Entry, remembered: Option<Remembered> },
    /// That was all.
    Done {
        /// Whether anybody changed by it.
        is_news: bool,
        /// Whether the group was read to its end.
        is_whole: bool,
    },
}

/// Changes that are still to be carried out. Members join one by one: a whole tenant may join at once, and fits into memory
/// once.
#[derive(Debug)]
pub(super) struct Pending {
    pub group: usize,
    pub discovery: bool,
    /// Who read it.
    pub account: AccountId,
    pub first: Vec<RosterChange>,
    pub joining: std::vec::IntoIter<usize>,
    pub handing: Handing,
    pub report: Option<Report>,
    pub is_news: bool,
    pub is_whole: bool,
}
