//! The changes of who is followed, as they are carried out.

use super::handing::Handing;
use super::member_pages::Named;
use crate::core::model::account::AccountId;
use crate::core::model::place::Place;
use crate::core::model::report::Report;
use crate::core::model::settings::{Group, User};

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

/// A change was carried out, or the last of them.
#[derive(Debug, Clone, Copy)]
pub(in crate::core) struct CarriedOut {
    /// All of them were, and somebody changed by it.
    pub is_news: bool,
    /// All of them were, and the group was read to its end.
    pub is_whole: bool,
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

impl Pending {
    /// Nobody joins yet of these, who were `named` in a reading.
    pub(super) fn new(group: usize, settings: &Group, named: Vec<Named>) -> Self {
        Self {
            group,
            discovery: settings.discovery,
            account: settings.account,
            first: Vec::new(),
            joining: Vec::new().into_iter(),
            handing: Handing::new(named),
            report: None,
            is_news: true,
            is_whole: false,
        }
    }
}
