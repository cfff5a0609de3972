//! Who is on which page of many people, in which order, and how many there are of each kind.

use super::*;
use crate::core::model::event::Access;

/// Name, name to show, and the availability that was read last; nothing if the first answer is still to come,
/// `old` if the newest one did not come in time.
const PEOPLE: [(&str, &str, &str); 9] = [
    ("zoe", "Zoë Abel", "Available"),
    ("u2", "bruno Abel", "BusyIdle"),
    ("u3", "Änne Abel", "DoNotDisturb"),
    ("u4", "Carla Old", "old"),
    ("u5", "Anton Old", "old"),
    ("anna_b", "anna_b", "BeRightBack"),
    ("u7", "Bruno Abel", "AvailableIdle"),
    ("u8", "Dora New", ""),
    ("u9", "Émile", "PresenceUnknown"),
];

/// A bridge that follows them. Those whose news are old were there before the others came.
fn bridge() -> Bridge {
    let is_old: fn(&str) -> bool = |what| what == "old";
    let following = |is_followed: fn(&str) -> bool| {
        let followed = PEOPLE.iter().enumerate().filter(|(_, (_, _, what))| is_followed(what));
        let users = followed.map(|(n, (name, display_name, _))| User {
            display_name: (*display_name).to_owned(),
            ..watched(name, &id(n).to_string())
        });
        changed(settings(), |it| {
            it.users = users.collect();
            it.graph.stale_after = Some(Duration::from_secs(60));
        })
    };
    let told = |is_told: fn(&str) -> bool| {
        let told = PEOPLE.iter().enumerate().filter(|(_, (_, _, what))| is_told(what));
        let availability = |what: &'static str| if is_old(what) { "Busy" } else { what };
        told.map(|(n, (_, _, what))| reading(n, availability(what), availability(what))).collect()
    };
    let mut bridge = claimed(following(is_old), 1, at(0.0));
    bridge.on(Event::Started, at(0.0));
    bridge.on(answer(0, told(is_old)), at(1.0));
    bridge.on(Event::Configured(Box::new(following(|_| true)), vec![Access::Same]), at(58.0));
    bridge.on(answer(1, told(|what| !what.is_empty() && what != "old")), at(59.0));
    bridge.on(Event::Woken, at(62.0));
    bridge
}

fn query(search: &str, standing: Option<Standing>, page: usize, size: usize) -> PeopleQuery {
    PeopleQuery { search: Search::new(search), standing, page, size }
}

/// The names of a page, and of how many people it is which page.
fn listed(page: &PeoplePage) -> String {
    let names: Vec<&str> = page.persons.iter().map(|person| person.name.as_str()).collect();
    format!("{} ({} found, page {} of {})", names.join(" "), page.found, page.page, page.pages)
}

#[test]
fn trouble_is_first_and_everybody_is_by_name() {
    let bridge = bridge();
    for (search, standing, page, size, expected) in [
        ("", None, 1, 100, "u5 u4 anna_b u2 u7 u8 zoe u3 u9 (9 found, page 1 of 1)"),
        // Each of them is on one page.
        ("", None, 1, 4, "u5 u4 anna_b u2 (9 found, page 1 of 3)"),
        ("", None, 2, 4, "u7 u8 zoe u3 (9 found, page 2 of 3)"),
        ("", None, 3, 4, "u9 (9 found, page 3 of 3)"),
        ("", None, 9, 1, "u9 (9 found, page 9 of 9)"),
        // What is not there is the nearest that is.
        ("", None, 0, 4, "u5 u4 anna_b u2 (9 found, page 1 of 3)"),
        ("", None, 4, 4, "u9 (9 found, page 3 of 3)"),
        ("", None, usize::MAX, 4, "u9 (9 found, page 3 of 3)"),
        ("", Some(Standing::Trouble), 1, 100, "u5 u4 (2 found, page 1 of 1)"),
        ("", Some(Standing::Busy), 1, 100, "u2 (1 found, page 1 of 1)"),
        ("", Some(Standing::Offline), 7, 100, " (0 found, page 1 of 1)"),
        // In the name to show or in the name, ignoring case, words in any order.
        ("aBEL", None, 1, 100, "u2 u7 zoe u3 (4 found, page 1 of 1)"),
        ("abel  bru ", None, 1, 100, "u2 u7 (2 found, page 1 of 1)"),
        ("ZOË", None, 1, 100, "zoe (1 found, page 1 of 1)"),
        ("zoe", None, 1, 100, "zoe (1 found, page 1 of 1)"),
        ("ä", None, 1, 100, "u3 (1 found, page 1 of 1)"),
        ("éMILE", None, 1, 100, "u9 (1 found, page 1 of 1)"),
        ("ANNA_B", None, 1, 100, "anna_b (1 found, page 1 of 1)"),
        ("abel", Some(Standing::Available), 1, 1, "u7 (2 found, page 1 of 2)"),
        ("nobody", None, 3, 100, " (0 found, page 1 of 1)"),
    ] {
        let snapshot = bridge.snapshot(&query(search, standing, page, size), at(62.0));
        assert_eq!(listed(&snapshot.people_page), expected, "{search:?} {standing:?} {page} of {size}");
    }
    // A search longer than any name finds nobody, rather than whoever has the first part of it.
    let long = "a".repeat(200);
    let nobody = bridge.snapshot(&query(&long, None, 1, 100), at(62.0)).people_page;
    assert_eq!((nobody.found, nobody.counts.len()), (0, 0));
}

#[test]
fn everybody_who_is_searched_for_is_counted_once_whatever_is_shown() {
    let bridge = bridge();
    let counted = |search: &str, standing| {
        let page = bridge.snapshot(&query(search, standing, 2, 3), at(62.0)).people_page;
        let words = page.counts.iter().map(|(standing, count)| format!("{} {count}", standing.as_str()));
        words.collect::<Vec<_>>().join(", ")
    };
    let all = "trouble 2, available 2, busy 1, do_not_disturb 1, away 1, unknown 1, waiting 1";
    for (search, standing, expected) in [
        ("", None, all),
        ("", Some(Standing::Busy), all),
        ("abel", None, "available 2, busy 1, do_not_disturb 1"),
        ("abel", Some(Standing::Trouble), "available 2, busy 1, do_not_disturb 1"),
        ("nobody", None, ""),
    ] {
        assert_eq!(counted(search, standing), expected, "{search:?} {standing:?}");
    }
    assert!(bridge.snapshot(&PeopleQuery::nobody(), at(62.0)).people_page.counts.is_empty());
}

#[test]
fn nobody_pages_through_a_whole_tenant() {
    let user = |n: usize| watched(&format!("u{n:03}"), &id(n).to_string());
    let bridge = claimed(changed(settings(), |it| it.users = (1..=250).map(user).collect()), 1, at(0.0));
    let page = bridge.snapshot(&query("", None, 1000, 2), at(0.0)).people_page;
    assert_eq!(listed(&page), "u199 u200 (250 found, page 100 of 100)");
    let page = bridge.snapshot(&query("u25", None, 1, 2), at(0.0)).people_page;
    assert_eq!(listed(&page), "u250 (1 found, page 1 of 1)", "but a search finds everybody");
}

#[test]
fn whoever_is_out_of_office_is_shown_so() {
    let mut bridge = claimed(only_alice(), 1, at(0.0));
    bridge.on(Event::Started, at(0.0));
    for (request, told, expected) in [(0, Some(true), true), (1, Some(false), false), (2, None, false)] {
        let now = at(5.0 * request as f64 + 0.5);
        bridge.on(Event::Woken, at(5.0 * request as f64));
        let presence = Some(Presence { out_of_office: told, ..presence("Away", "Away") });
        bridge.on(answer(request, vec![Reading { id: id(1), presence }]), now);
        let persons = bridge.snapshot(&PeopleQuery::first(1), now).people_page.persons;
        assert_eq!(persons[0].is_out_of_office, expected, "{told:?}");
    }
}

#[test]
fn every_kind_has_a_word_of_its_own() {
    for standing in Standing::ALL {
        assert_eq!(Standing::from_word(standing.as_str()), Some(standing));
    }
    for word in ["", "Busy", "busy ", "ok"] {
        assert_eq!(Standing::from_word(word), None, "{word:?}");
    }
}
