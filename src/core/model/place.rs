//! Where people stand, and how the log speaks of them.

use std::fmt;
use std::num::NonZeroU32;

use super::name::{ObjectId, TopicLevel};

/// A person's place among all people. It stays the same for as long as they are followed; later it may be
/// another person's.
///
/// In four bytes, also where there may be none: whole tenants stand in several lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place(NonZeroU32);

impl Place {
    /// The place with this number, from 0. More people than fit into 32 bits fit no machine.
    #[must_use]
    pub fn new(number: usize) -> Self {
        let number = u32::try_from(number).unwrap_or(u32::MAX);
        Self(NonZeroU32::MIN.saturating_add(number))
    }

    /// Its number.
    #[must_use]
    pub fn number(self) -> usize {
        self.0.get() as usize - 1
    }
}

/// Why somebody is followed, in four bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::core) struct Entry(u32);

/// The highest bit tells members from configured people.
const MEMBER: u32 = 1 << 31;

fn in_31_bits(index: usize) -> u32 {
    u32::try_from(index).map_or(!MEMBER, |index| index.min(!MEMBER))
}

impl Entry {
    /// They are configured, with this index under `[[users]]`.
    pub(in crate::core) fn user(index: usize) -> Self {
        Self(in_31_bits(index))
    }

    /// They are a member of the group with this index under `[[groups]]`.
    pub(in crate::core) fn member(group: usize) -> Self {
        Self(in_31_bits(group) | MEMBER)
    }

    /// The index under `[[users]]`, of somebody who is configured.
    pub(in crate::core) fn as_user(self) -> Option<usize> {
        (self.0 & MEMBER == 0).then_some(self.0 as usize)
    }

    /// The index under `[[groups]]`, of a member.
    pub(in crate::core) fn as_member(self) -> Option<usize> {
        (self.0 & MEMBER != 0).then_some((self.0 & !MEMBER) as usize)
    }
}

/// A person in a line of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Who {
    /// The one with this index under `[[users]]`.
    User(usize),
    /// A member of a group.
    Member {
        /// Their topic level, which only lines for debugging show (docs/PRIVACY.md).
        name: TopicLevel,
        /// The group's object id.
        group: Option<ObjectId>,
    },
}

impl Who {
    /// With the name of a member, for debugging.
    #[must_use]
    pub fn by_name(&self) -> impl fmt::Display {
        match self {
            Self::User(_) => self.to_string(),
            Self::Member { name, .. } => format!("{name}, {self}"),
        }
    }
}

/// Without a name.
impl fmt::Display for Who {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User(index) => write!(f, "users[{index}]"),
            Self::Member { group: Some(group), .. } => write!(f, "a member of the group {group}"),
            Self::Member { group: None, .. } => f.write_str("a member of a group"),
        }
    }
}
