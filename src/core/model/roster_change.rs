//! The changes of who is followed as a member of a group, as they are handed on.

use super::place::{Entry, Place};
use super::remembered::Remembered;
use super::settings::User;

/// One change of who is followed, to be carried out before the next.
#[derive(Debug)]
pub(in crate::core) enum RosterChange {
    /// These leave.
    Leave(Vec<Place>),
    /// A member is named, or shown, otherwise.
    Rename { place: Place, user: User },
    /// A member belongs to the group with this index, which may be another one or be announced otherwise.
    Belong { place: Place, group: usize },
    /// Somebody joins, with what an earlier run said of them.
    Join { user: User, entry: Entry, remembered: Option<Remembered> },
    /// That was all.
    Done {
        /// Whether anybody changed by it.
        is_news: bool,
    },
}
