//! What Graph tells of a group's members, page by page.

use crate::core::model::name::ObjectId;

/// One page of the members of a group (Graph: `group-list-transitivemembers`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MembersPage {
    /// Who is on it; a member may be on several.
    pub members: Vec<Member>,
    /// How many members there are on all pages, if Graph counted them.
    pub counted: Option<usize>,
    /// Entries that cannot be read: who else is a member is not known, so nobody may be missed.
    pub unreadable: usize,
    /// Where the next page is; nothing on the last one.
    pub next: Option<PageLink>,
}

/// Somebody in a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// The immutable object id.
    pub id: ObjectId,
    /// The user principal name, at most 320 characters.
    pub principal_name: Option<Box<str>>,
    /// The name to show, 1 to 128 characters, no control characters.
    pub display_name: Option<Box<str>>,
}

/// What has to follow the address of a group's first page to ask for another one.
///
/// Opaque to the core. It names no host, so that it cannot lead a token anywhere; the edge makes it of a link
/// that it has checked, and takes it back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageLink(pub Box<str>);
