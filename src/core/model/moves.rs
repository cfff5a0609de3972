//! What others have to know of who came and went.

use crate::core::model::name::ObjectId;
use crate::core::model::place::Place;

/// What happened at which places, each in their order; one that was left may be somebody else's by now.
#[derive(Debug, Default)]
pub(in crate::core) struct Moves {
    /// Somebody left.
    pub left: Vec<Place>,
    /// Somebody has another name.
    pub renamed: Vec<Place>,
    /// Somebody came.
    pub joined: Vec<Place>,
    /// They are read otherwise than before, or somebody else is.
    pub read_anew: Vec<Place>,
    /// Whoever has this object id is not there any more.
    pub withdrawn: Vec<(Place, ObjectId)>,
}

impl Moves {
    pub(in crate::core) fn is_empty(&self) -> bool {
        let Self { left, renamed, joined, read_anew, withdrawn } = self;
        [left, renamed, joined, read_anew].into_iter().all(Vec::is_empty) && withdrawn.is_empty()
    }
}
