//! Groups of people.

use std::collections::BTreeMap;

use crate::core::model::name::ObjectId;

/// The id of the group of all people, if it is switched on; in further tenants it has another id.
pub const EVERYBODY: uuid::Uuid = uuid::uuid!("02bd9fd6-8f93-4758-87c3-1fb73740a315");

/// The members of each group, in the order in which they were added.
#[derive(Debug, Default)]
pub(super) struct Groups(BTreeMap<ObjectId, Vec<ObjectId>>);

impl Groups {
    pub(super) fn set(&mut self, group: ObjectId, members: Vec<ObjectId>) {
        self.0.insert(group, members);
    }

    pub(super) fn remove(&mut self, group: ObjectId) -> bool {
        self.0.remove(&group).is_some()
    }

    pub(super) fn members(&mut self, group: ObjectId) -> Option<&mut Vec<ObjectId>> {
        self.0.get_mut(&group)
    }
}
