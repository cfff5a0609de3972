//! A person keeps their place: what happens to one touches nobody else.

use super::groups::{group, members};
use super::*;
use crate::core::model::event::Access;
use crate::core::model::event::Event::{Acknowledged, Woken};
use crate::core::model::settings::Group;

/// Members with these numbers.
fn crowd(numbers: std::ops::RangeInclusive<usize>) -> Vec<(usize, String)> {
    numbers.map(|n| (n, format!("m{n}"))).collect()
}

fn came(request: u64, crowd: &[(usize, String)]) -> Event {
    let named: Vec<(usize, &str)> = crowd.iter().map(|(n, name)| (*n, name.as_str())).collect();
    members(request, &named, None)
}

/// The number of the request in these lines that reads `what`.
fn request(lines: &[String], what: &str) -> u64 {
    let line = lines.iter().find(|line| line.starts_with("read") && line.contains(what));
    line.unwrap_or_else(|| panic!("no {what} in {lines:?}"))
        .split(['#', ' '])
        .nth(2)
        .unwrap()
        .parse()
        .unwrap()
}

fn told(lines: &[String], end: &str) -> usize {
    lines.iter().filter(|line| line.ends_with(end)).count()
}

#[test]
fn of_six_hundred_members_one_leaves_and_the_answers_about_all_others_are_used() {
    let hourly = |n, name: &str| Group { refresh_members: Duration::from_secs(60), ..group(n, name) };
    let groups = vec![hourly(100, "{upn_local}"), hourly(200, "{upn_local}")];
    let mut bridge = online(Settings { users: [].into(), groups, ..settings() });
    let first = crowd(1..=300);
    let said = lines(&bridge.on(came(0, &first), at(0.1)));
    // Three hundred are being read when the other three hundred join.
    let (second, under_way) = (request(&said, "members 200"), request(&said, "bulk 1,2,3"));
    bridge.on(came(second, &crowd(301..=600)), at(0.2));
    (0..10).for_each(|_| drop(bridge.on(Acknowledged(1000), at(0.3))));

    let said = lines(&bridge.on(Woken, at(60.2)));
    let again = request(&said, "members 100");
    let said = lines(&bridge.on(came(again, &first[1..]), at(60.3)));
    assert!(said.contains(&"report: m1 is no longer in a group and was removed from the broker".to_owned()));
    let mut said = lines(
        &bridge.on(answer(under_way, (1..=300).map(|n| reading(n, "Busy", "Busy")).collect()), at(60.4)),
    );
    for second in 61..70 {
        said.extend(lines(&bridge.on(Acknowledged(1000), at(f64::from(second)))));
    }
    assert_eq!(told(&said, "/availability = Busy"), 299);
    assert_eq!(told(&said, "/health = ok"), 299);
    assert!(!said.iter().any(|line| line.contains("/m1/")), "who left is not published");
}

#[test]
fn a_place_that_somebody_left_is_the_next_ones_and_no_answer_is_taken_for_theirs() {
    let mut bridge =
        online(Settings { users: [].into(), groups: vec![group(100, "{upn_local}")], ..settings() });
    let said = lines(&bridge.on(members(0, &[(1, "alice"), (2, "bob")], None), at(0.1)));
    let under_way = request(&said, "bulk 1,2");
    let said = lines(&bridge.on(Woken, at(3600.2)));
    let again = request(&said, "members 100");
    bridge.on(Acknowledged(100), at(3600.2));
    let said = lines(&bridge.on(members(again, &[(2, "bob"), (3, "carol")], None), at(3600.3)));
    assert!(said.contains(&"presence/carol/health = stale".to_owned()), "{said:?}");
    bridge.on(Acknowledged(100), at(3600.3));
    let said = lines(
        &bridge
            .on(answer(under_way, vec![reading(1, "Busy", "Busy"), reading(2, "Away", "Away")]), at(3600.4)),
    );
    assert!(said.contains(&"presence/bob/availability = Away".to_owned()), "{said:?}");
    assert!(!said.iter().any(|line| line.contains("carol")), "{said:?}");
}

#[test]
fn only_configured_people_are_named_by_their_entry() {
    let groups = vec![group(100, "{upn_local}")];
    let mut bridge = online(Settings { groups, ..settings() });
    bridge.on(answer(0, vec![reading(1, "Busy", "Busy"), reading(2, "Away", "Away")]), at(0.1));
    let said = lines(&bridge.on(members(1, &[(1, "alice"), (2, "bob"), (3, "carol")], None), at(0.2)));
    bridge.on(Acknowledged(100), at(0.3));
    let unusable = |n| Reading { id: id(n), presence: None };
    let read = request(&said, "bulk 1,2,3");
    let said = lines(&bridge.on(answer(read, vec![unusable(1), unusable(2), unusable(3)]), at(0.4)));
    let reports: Vec<&String> = said.iter().filter(|line| line.contains("cannot be read")).collect();
    let member = "a member of the group 00000000-0000-4000-8000-000000000100";
    assert_eq!(
        reports,
        [
            "report: users[0] cannot be read: the answer holds no presence",
            "report: users[1] cannot be read: the answer holds no presence",
            &format!("report: {member} cannot be read: the answer holds no presence"),
        ]
    );
    // Who is left is still the one with that entry.
    let only_bob = Settings {
        users: vec![watched("bob", &id(2).to_string())].into(),
        groups: vec![group(100, "{upn_local}")],
        ..settings()
    };
    let said = lines(&bridge.on(Event::Configured(Box::new(only_bob), vec![Access::Same]), at(6.0)));
    let read = request(&said, "bulk");
    bridge.on(Acknowledged(100), at(6.1));
    let said = lines(&bridge.on(answer(read, vec![reading(2, "Away", "Away")]), at(6.2)));
    assert!(said.contains(&"report: users[0] can be read again".to_owned()), "{said:?}");
}
