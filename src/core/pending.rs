//! What of a person waits to be sent.

use crate::core::model::topic::Field;

/// Which of the four topics wait to be sent, and the announcement to Home Assistant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Pending(u8);

impl Pending {
    pub(super) const ALL: Self = Self(0b1_1111);
    const ANNOUNCEMENT: u8 = 0b1_0000;

    fn bit(field: Field) -> u8 {
        match field {
            Field::State => 1,
            Field::Activity => 2,
            Field::Availability => 4,
            Field::Health => 8,
        }
    }

    pub(super) fn add(&mut self, field: Field) {
        self.0 |= Self::bit(field);
    }

    pub(super) fn has(self, field: Field) -> bool {
        self.0 & Self::bit(field) != 0
    }

    pub(super) fn add_announcement(&mut self) {
        self.0 |= Self::ANNOUNCEMENT;
    }

    pub(super) fn has_announcement(self) -> bool {
        self.0 & Self::ANNOUNCEMENT != 0
    }

    pub(super) fn is_empty(self) -> bool {
        self.0 == 0
    }
}
