//! What of a person has changed.

use super::topic::Field;

/// Which of the four topics changed, and whether what Home Assistant is told about them did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(in crate::core) struct DirtyTopics(u8);

impl DirtyTopics {
    /// All that is published.
    pub(in crate::core) const ALL: Self = Self(0b1_1111);
    pub(in crate::core) const ANNOUNCEMENT: Self = Self(0b1_0000);
    /// Nothing that is published, but whether the first answer is still awaited: lights ask for that.
    pub(in crate::core) const AWAITED: Self = Self(0b10_0000);

    pub(in crate::core) fn has(self, field: Field) -> bool {
        self.0 & Self::from(field).0 != 0
    }

    pub(in crate::core) fn has_announcement(self) -> bool {
        self.0 & Self::ANNOUNCEMENT.0 != 0
    }

    pub(in crate::core) fn is_empty(self) -> bool {
        self.0 == 0
    }

    pub(in crate::core) fn add(&mut self, other: impl Into<Self>) {
        self.0 |= other.into().0;
    }

    /// Only the four topics.
    pub(in crate::core) fn topics(self) -> Self {
        Self(self.0 & 0b1111)
    }
}

impl From<Field> for DirtyTopics {
    fn from(field: Field) -> Self {
        Self(match field {
            Field::State => 1,
            Field::Activity => 2,
            Field::Availability => 4,
            Field::Health => 8,
        })
    }
}
