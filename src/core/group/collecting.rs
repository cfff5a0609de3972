//! The pages of one reading of a group, put together.

use super::page::{Member, MembersPage, PageLink};
use crate::core::name::{ObjectId, TopicLevel};

/// Pages of one reading, each of up to 999 members; twice what the presence limit lets be followed.
const PAGES: usize = 2_000;

/// A member, as far as it matters here.
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
    /// Everybody, by object id, each once.
    Complete(Vec<Named>),
    /// No reading at all, and why, as a fragment. The next page is the first one.
    Failed(String),
}

/// A reading under way.
#[derive(Debug, Default)]
pub(in crate::core) struct Collecting {
    named: Vec<Named>,
    pages: usize,
    counted: usize,
    next: Option<PageLink>,
    /// How many came, and were counted, in a reading that was refused for it.
    short: Option<(usize, usize)>,
}

impl Collecting {
    /// Which page is to be read; nothing for the first one.
    pub(in crate::core) fn page(&self) -> Option<&PageLink> {
        self.next.as_ref()
    }

    /// Begins again with the first page.
    pub(in crate::core) fn begin_again(&mut self) {
        *self = Self { short: self.short, ..Self::default() };
    }

    /// Takes the page that was to be read.
    pub(in crate::core) fn take(&mut self, page: MembersPage, name: impl Fn(&Member) -> Named) -> Turned {
        let MembersPage { members, counted, next } = page;
        self.pages += 1;
        self.named.extend(members.iter().map(name));
        self.counted = counted.unwrap_or(self.counted);
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

    /// A list that is shorter than Graph itself counted is half a list, and nobody may be missed because of it. Graph counts
    /// somewhat behind the time, though: what comes twice alike is taken.
    fn complete(&mut self) -> Turned {
        let (mut named, counted) = (std::mem::take(&mut self.named), self.counted);
        self.begin_again();
        named.sort_by_key(|named| named.id);
        named.dedup_by_key(|named| named.id);
        let short = (named.len() < counted).then_some((named.len(), counted));
        match (short, std::mem::replace(&mut self.short, short)) {
            (Some((came, counted)), before) if before != short => {
                Turned::Failed(format!("only {came} of {counted} members came"))
            }
            (Some(_) | None, _) => Turned::Complete(named),
        }
    }
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
        MembersPage { members: ids.iter().map(member).collect(), counted, next }
    }

    fn name(member: &Member) -> Named {
        let name = member.id.to_string().parse().unwrap();
        Named { id: member.id, name, display_name: "x".into(), configured: false }
    }

    fn came(turned: Turned) -> usize {
        let Turned::Complete(named) = turned else { panic!("{turned:?}") };
        named.len()
    }

    #[test]
    fn pages_are_put_together_and_each_member_comes_once() {
        let mut collecting = Collecting::default();
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
        let mut collecting = Collecting::default();
        let failed = |turned| matches!(turned, Turned::Failed(_));
        assert!(failed(collecting.take(page(&[], Some(3), None), name)));
        assert!(failed(collecting.take(page(&[1], Some(3), None), name)));
        assert_eq!(came(collecting.take(page(&[2], Some(3), None), name)), 1);
        assert_eq!(came(collecting.take(page(&[1, 2, 3], Some(3), None), name)), 3);
        assert_eq!(came(collecting.take(page(&[1, 2, 3, 4], Some(3), None), name)), 4);
        assert!(failed(collecting.take(page(&[2], Some(3), None), name)));
    }

    #[test]
    fn a_list_without_end_is_none() {
        let mut collecting = Collecting::default();
        assert_eq!(collecting.take(page(&[1], None, Some("?a")), name), Turned::More);
        assert!(matches!(collecting.take(page(&[1], None, Some("?a")), name), Turned::Failed(_)));
        assert_eq!(collecting.page(), None);
        for n in 1..PAGES {
            assert_eq!(collecting.take(page(&[1], None, Some(&format!("?{n}"))), name), Turned::More);
        }
        assert!(matches!(collecting.take(page(&[1], None, Some("?x")), name), Turned::Failed(_)));
    }
}
