//! The pages of one reading of a group, put together.

use crate::core::model::members::{Member, MembersPage, PageLink};
use crate::core::model::name::{ObjectId, TopicLevel};
use crate::core::model::request::BULK_LIMIT;

/// Pages of one reading, each of up to 999 members; twice what the presence limit lets be followed.
const PAGES: usize = 2_000;

/// New members who are handed out while later pages are still to come. They fill their requests, so that each
/// is read once.
pub(in crate::core) const PORTION: usize = 16 * BULK_LIMIT;

/// A member who is new, or about whom something is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::core) struct Named {
    pub id: ObjectId,
    pub name: TopicLevel,
    /// What Home Assistant shows.
    pub display_name: Box<str>,
    /// They are configured by their principal name, which goes before.
    pub configured: bool,
}

/// What a page brought.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::core) enum Turned {
    /// Another page is to be read.
    More,
    /// Everybody, and whom there is news about; both by object id, each once.
    /// Whoever is missing may be one of those who are `unreadable`.
    Complete { ids: Vec<ObjectId>, named: Vec<Named>, unreadable: usize },
    /// No reading at all, and why, as a fragment. The next page is the first one.
    Failed(String),
}

/// A reading under way. Of members about whom there is no news only the id is kept: there may be very many.
#[derive(Debug, Default)]
pub(in crate::core) struct MemberPages {
    ids: Vec<ObjectId>,
    named: Vec<Named>,
    pages: usize,
    counted: usize,
    unreadable: usize,
    next: Option<PageLink>,
    /// How many came, and were counted, in a reading that was refused for it.
    short: Option<(usize, usize)>,
}

impl MemberPages {
    /// Which page is to be read; nothing for the first one.
    pub(in crate::core) fn page(&self) -> Option<&PageLink> {
        self.next.as_ref()
    }

    /// Begins again with the first page.
    pub(in crate::core) fn begin_again(&mut self) {
        *self = Self { short: self.short, ..Self::default() };
    }

    /// Takes the page that was to be read; `name` says what is news about a member.
    pub(in crate::core) fn take(
        &mut self,
        page: MembersPage,
        name: impl Fn(Member) -> Option<Named>,
    ) -> Turned {
        let MembersPage { members, counted, unreadable, next } = page;
        self.pages += 1;
        self.ids.extend(members.iter().map(|member| member.id));
        self.named.extend(members.into_iter().filter_map(name));
        self.counted = counted.unwrap_or(self.counted);
        self.unreadable += unreadable;
        if next.is_none() {
            return self.complete();
        }
        let endless = self.pages == PAGES || next == self.next;
        self.next = next;
        if endless {
            self.begin_again();
            return Turned::Failed("the list of members does not end".to_owned());
        }
        Turned::More
    }

    /// Hands out those who are new, by object id and each once, when there are enough of them.
    pub(in crate::core) fn portion(&mut self, is_new: impl Fn(&Named) -> bool) -> Option<Vec<Named>> {
        if self.named.len() < PORTION || self.named.iter().filter(|named| is_new(named)).count() < PORTION {
            return None;
        }
        Some(each_once(self.named.extract_if(.., |named| is_new(named)).take(PORTION).collect()))
    }

    /// Takes back who was handed out and did not join.
    pub(super) fn put_back(&mut self, named: Vec<Named>) {
        self.named.extend(named);
    }

    /// A list that is shorter than Graph itself counted is half a list, and nobody may be missed because of
    /// it. Graph counts somewhat behind the time, though: what comes twice alike is taken.
    fn complete(&mut self) -> Turned {
        let (mut ids, named) = (std::mem::take(&mut self.ids), each_once(std::mem::take(&mut self.named)));
        let (counted, unreadable) = (self.counted, self.unreadable);
        self.begin_again();
        ids.sort_unstable();
        ids.dedup();
        if unreadable > 0 {
            return Turned::Complete { ids, named, unreadable };
        }
        let short = (ids.len() < counted).then_some((ids.len(), counted));
        match (short, std::mem::replace(&mut self.short, short)) {
            (Some((came, counted)), before) if before != short => {
                Turned::Failed(format!("Graph returned only {came} of {counted} members"))
            }
            (Some(_) | None, _) => Turned::Complete { ids, named, unreadable },
        }
    }
}

/// By object id. In place: a whole tenant has to fit into memory once. Whoever comes twice nearly always
/// comes alike.
fn each_once(mut named: Vec<Named>) -> Vec<Named> {
    named.sort_unstable_by(|one, other| (one.id, &one.name).cmp(&(other.id, &other.name)));
    named.dedup_by_key(|named| named.id);
    named
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(ids: &[u8], counted: Option<usize>, next: Option<&str>) -> MembersPage {
        let member = |id: &u8| Member {
            id: uuid::Uuid::from_bytes([*id; 16]).into(),
            principal_name: None,
            display_name: None,
        };
        let next = next.map(|next| PageLink(next.into()));
        MembersPage { members: ids.iter().map(member).collect(), counted, unreadable: 0, next }
    }

    /// There is news about the first three.
    fn name(member: Member) -> Option<Named> {
        let name = member.id.to_string();
        let named =
            Named { id: member.id, name: name.parse().unwrap(), display_name: "x".into(), configured: false };
        Some(named).filter(|_| name.as_str() < "04")
    }

    fn came(turned: Turned) -> usize {
        let Turned::Complete { ids, named, .. } = turned else { panic!("{turned:?}") };
        assert_eq!(named.len(), ids.len().min(3), "{ids:?}");
        ids.len()
    }

    #[test]
    fn pages_are_put_together_and_each_member_comes_once() {
        let mut collecting = MemberPages::default();
        assert_eq!(collecting.page(), None);
        assert_eq!(collecting.take(page(&[3, 1], Some(3), Some("?a")), name), Turned::More);
        assert_eq!(collecting.page(), Some(&PageLink("?a".into())));
        assert_eq!(collecting.take(page(&[], None, Some("?b")), name), Turned::More);
        assert_eq!(came(collecting.take(page(&[1, 2], None, None), name)), 3);
        assert_eq!(collecting.page(), None);
        assert_eq!(came(collecting.take(page(&[], None, None), name)), 0, "an empty group");
    }

    #[test]
    fn a_list_shorter_than_counted_must_come_twice_alike() {
        let mut collecting = MemberPages::default();
        let failed = |turned| matches!(turned, Turned::Failed(_));
        assert!(failed(collecting.take(page(&[], Some(3), None), name)));
        assert!(failed(collecting.take(page(&[1], Some(3), None), name)));
        assert_eq!(came(collecting.take(page(&[2], Some(3), None), name)), 1);
        assert_eq!(came(collecting.take(page(&[1, 2, 3], Some(3), None), name)), 3);
        assert_eq!(came(collecting.take(page(&[1, 2, 3, 4], Some(3), None), name)), 4);
        assert!(failed(collecting.take(page(&[2], Some(3), None), name)));
    }

    #[test]
    fn a_list_with_entries_that_cannot_be_read_is_known_as_that() {
        let mut collecting = MemberPages::default();
        let first = MembersPage { unreadable: 2, ..page(&[1], Some(9), Some("?a")) };
        assert_eq!(collecting.take(first, name), Turned::More);
        let partial = collecting.take(page(&[2], None, None), name);
        assert!(matches!(partial, Turned::Complete { unreadable: 2, .. }), "{partial:?}");
        assert_eq!(came(partial), 2);
        assert_eq!(came(collecting.take(page(&[1], None, None), name)), 1, "the next one is whole");
    }

    #[test]
    fn a_list_without_end_is_none() {
        let mut collecting = MemberPages::default();
        assert_eq!(collecting.take(page(&[1], None, Some("?a")), name), Turned::More);
        assert!(matches!(collecting.take(page(&[1], None, Some("?a")), name), Turned::Failed(_)));
        assert_eq!(collecting.page(), None);
        for n in 1..PAGES {
            assert_eq!(collecting.take(page(&[1], None, Some(&format!("?{n}"))), name), Turned::More);
        }
        assert!(matches!(collecting.take(page(&[1], None, Some("?x")), name), Turned::Failed(_)));
    }
}
