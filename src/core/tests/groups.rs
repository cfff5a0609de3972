//! Members of groups: who joins, who leaves, and who stays because nobody knows better.

use super::*;
use crate::core::context::Context;
use crate::core::groups::member_pages::PORTION;
use crate::core::model::effect::Ending;
use crate::core::model::event::Access;
use crate::core::model::event::Event::{Acknowledged, Connected, Woken};
use crate::core::model::members::{Member, MembersPage, PageLink};
use crate::core::model::settings::Group;
use crate::core::model::terms::Terms;
use crate::core::people::Roster;

pub(super) fn group(n: usize, name: &str) -> Group {
    Group {
        id: id(n),
        name: name.parse().unwrap(),
        refresh_members: Duration::from_secs(3600),
        discovery: false,
        account: AccountId::FIRST,
    }
}

/// The group 100 under the names before the @, and nobody else.
fn one_group() -> Settings {
    Settings { users: [].into(), groups: vec![group(100, "{upn_local}")], ..settings() }
}

pub(super) fn member(n: usize, name: &str) -> Member {
    Member {
        id: id(n),
        principal_name: Some(format!("{name}@contoso.example").into()),
        display_name: Some(format!("{name} of Contoso").into()),
    }
}

pub(super) fn members(request: u64, members: &[(usize, &str)], next: Option<&str>) -> Event {
    let page = MembersPage {
        members: members.iter().map(|&(n, name)| member(n, name)).collect(),
        counted: None,
        unreadable: 0,
        next: next.map(|next| PageLink(next.into())),
    };
    super::page(request, Ok(page))
}

/// Alice and Bob are members, known and published; the group was read at 0.1 s.
fn known() -> Bridge {
    let mut bridge = online(one_group());
    bridge.on(members(0, &[(1, "alice"), (2, "bob")], None), at(0.1));
    bridge.on(answer(1, vec![reading(1, "Busy", "Busy"), reading(2, "Away", "Away")]), at(0.2));
    bridge.on(Acknowledged(100), at(0.3));
    bridge.on(Woken, at(2.3));
    bridge
}

/// Goes on with whatever was ordered: reads of people are answered, with `Busy`, and messages acknowledged.
/// Returns the reads of groups.
fn go_on(bridge: &mut Bridge, commands: Vec<Effect>, now: f64) -> Vec<(u64, usize, bool)> {
    let (mut commands, mut found) = (std::collections::VecDeque::from(commands), Vec::new());
    while let Some(command) = commands.pop_front() {
        let event = match command {
            Effect::Graph(
                _,
                GraphOrder::ReadMembers(Request { id, operation: ReadMembers { group, page }, .. }),
            ) => {
                found.push((id.number(), number(group) as usize, page.is_some()));
                continue;
            }
            Effect::Graph(_, GraphOrder::Read(Request { id, operation: ReadPresence::Bulk(ids), .. })) => {
                let people = ids.iter().map(|&id| reading(number(id) as usize, "Busy", "Busy")).collect();
                answer(id.number(), people)
            }
            Effect::Broker(BrokerOrder::Publish(messages)) => Acknowledged(messages.len()),
            Effect::Graph(_, _)
            | Effect::SignIn(_, _)
            | Effect::Broker(_)
            | Effect::Answer(..)
            | Effect::Report(_)
            | Effect::Finish(_) => continue,
        };
        commands.extend(bridge.on(event, at(now)));
    }
    found
}

/// Goes on from `now` until a group is read; with which request, whether it is another page, and when.
fn next_reading(bridge: &mut Bridge, now: f64) -> (u64, bool, f64) {
    let (found, now) = next_readings(bridge, now);
    (found[0].0, found[0].2, now)
}

fn next_readings(bridge: &mut Bridge, mut now: f64) -> (Vec<(u64, usize, bool)>, f64) {
    loop {
        now += 1.0;
        assert!(now < 20_000.0, "no group is read again");
        let commands = bridge.on(Woken, at(now));
        let found = go_on(bridge, commands, now);
        if !found.is_empty() {
            return (found, now);
        }
    }
}

fn health(commands: &[Effect]) -> String {
    let said = format!("{commands:?}");
    let from = said.find("presence/bridge/health").unwrap_or_else(|| panic!("no health in {said}"));
    said[from..].to_owned()
}

#[test]
fn whoever_was_me_and_is_only_a_member_now_is_read_by_object_id() {
    let groups = || vec![group(100, "{upn_local}")];
    let mut bridge =
        online(Settings { users: vec![watched("me", "me")].into(), groups: groups(), ..settings() });
    bridge.on(answer(0, vec![reading(1, "Busy", "Busy")]), at(0.1));
    bridge.on(members(1, &[(1, "alice")], None), at(0.2));
    bridge.on(Acknowledged(100), at(0.3));
    let without = Settings { users: [].into(), groups: groups(), ..settings() };
    let mut said = lines(&bridge.on(Event::Configured(Box::new(without), vec![Access::Same]), at(1.0)));
    said.extend(lines(&bridge.on(Woken, at(10.0))));
    let of_me = said.iter().any(|line| line.ends_with(" me"));
    assert!(!of_me && said.iter().any(|line| line.ends_with("bulk 1")), "{said:?}");
}

#[test]
fn a_change_that_should_last_goes_on_when_a_member_turns_out_to_be_configured() {
    let lasting = |users: Vec<_>| {
        let settings = Settings { users: users.into(), ..one_group() };
        changed(settings, |it| it.graph.debounce = Duration::from_secs(60))
    };
    let mut bridge = online(lasting(Vec::new()));
    bridge.on(members(0, &[(1, "alice")], None), at(0.1));
    bridge.on(answer(1, vec![reading(1, "Busy", "Busy")]), at(0.2));
    bridge.on(Acknowledged(100), at(0.3));
    let boss = vec![watched("boss", "alice@contoso.example")];
    let said = lines(&bridge.on(Event::Configured(Box::new(lasting(boss)), vec![Access::Same]), at(4.0)));
    assert!(said.contains(&"read #3 bulk 1".to_owned()), "{said:?}");
    bridge.on(answer(3, vec![reading(1, "Away", "Away")]), at(10.0));
    bridge.on(resolved(4, Ok(id(1))), at(11.0));
    bridge.on(Acknowledged(100), at(11.1));
    let said = lines(&bridge.on(Woken, at(70.1)));
    assert!(said.contains(&"presence/boss/availability = Away".to_owned()), "{said:?}");
}

#[test]
fn a_shorter_time_before_values_are_stale_counts_at_once() {
    let mut cx = Context::new(only_alice(), 1, at(0.0));
    let terms = |seconds| {
        std::iter::once(Terms { sign_in_required: false, stale_after: Duration::from_secs(seconds) })
    };
    let mut people = Roster::new(terms(300), &cx);
    cx.at(at(1.0));
    people.judge(terms(300), &cx);
    assert_eq!(people.wake_at(), Some(at(300.0).tick));
    cx.at(at(2.0));
    people.judge(terms(120), &cx);
    assert!(people.wake_at().unwrap() <= at(120.0).tick, "{:?}", people.wake_at());
}

#[test]
fn a_member_who_cannot_be_read_takes_nobody_off() {
    let mut bridge = known();
    let (request, _, now) = next_reading(&mut bridge, 2.3);
    let page = MembersPage {
        members: vec![member(1, "alice"), member(3, "carol")],
        counted: Some(3),
        unreadable: 1,
        next: None,
    };
    let said = bridge.on(super::page(request, Ok(page)), at(now));
    let all = lines(&said);
    assert!(all.contains(&"presence/carol/health = stale".to_owned()), "carol joins: {all:?}");
    assert!(!all.iter().any(|line| line.starts_with("presence/bob")), "bob may be the one: {all:?}");
    assert!(health(&said).contains("1 of the members of the group"), "{said:?}");
    go_on(&mut bridge, said, now);
    let (request, _, now) = next_reading(&mut bridge, now);
    let all = lines(&bridge.on(members(request, &[(1, "alice"), (3, "carol")], None), at(now)));
    assert!(
        all.contains(&"presence/bob/state =".to_owned()),
        "who is missing from a whole list left: {all:?}"
    );
}

#[test]
fn members_appear_when_their_group_was_read_to_its_end() {
    check(
        one_group(),
        vec![
            (0.0, Event::Started, "read #0 members 100\nconnect"),
            (
                0.0,
                Connected,
                "report: connected to the broker
                 subscribe presence/+/state presence/+/health presence/+/info presence/bridge/sign_in presence/bridge/light/+/+
                 subscribe presence/bridge/refresh presence/bridge/state presence/bridge/standby/ping",
            ),
            (0.0, subscribed(), ""),
            (0.0, subscribed(), ""),
            (
                0.04,
                Woken,
                "presence/bridge/health = {starting}
                 presence/bridge/info = {every 5s}
                 presence/bridge/state = online",
            ),
            (0.1, members(0, &[(1, "alice")], Some("?more")), "report: Graph answers\nread #1 members 100 ?more\npresence/bridge/health = {ok}"),
            (
                0.2,
                members(1, &[(2, "bob.b"), (1, "alice")], None),
                "report: a group was read: 2 members, 2 joined, 0 left
                 read #2 bulk 1,2
                 presence/bridge/info = {every 5s}
                 presence/alice/health = stale
                 presence/bob_b/health = stale",
            ),
            (
                0.3,
                answer(2, vec![reading(1, "Busy", "Busy"), reading(2, "Away", "Away")]),
                "presence/alice/state = {Busy Busy since 09:00:00}
                 presence/alice/activity = Busy
                 presence/alice/availability = Busy
                 presence/alice/health = ok
                 presence/bob_b/state = {Away Away since 09:00:00}
                 presence/bob_b/activity = Away
                 presence/bob_b/availability = Away
                 presence/bob_b/health = ok",
            ),
        ],
    );
}

/// A page with the members of these numbers, who are named by them.
fn many(request: u64, numbers: std::ops::Range<usize>, next: Option<&str>) -> Event {
    let names: Vec<(usize, String)> = numbers.map(|n| (n, format!("m{n}"))).collect();
    let named: Vec<(usize, &str)> = names.iter().map(|(n, name)| (*n, name.as_str())).collect();
    members(request, &named, next)
}

fn reads(said: &[String]) -> usize {
    said.iter().filter(|line| line.starts_with("read") && line.contains("bulk")).count()
}

#[test]
fn of_a_large_group_some_join_while_its_other_pages_are_still_to_come() {
    let mut bridge = online(one_group());
    let said = lines(&bridge.on(many(0, 1..PORTION, Some("?1")), at(0.1)));
    assert_eq!(reads(&said), 0, "not enough yet");
    let mut said = lines(&bridge.on(many(1, PORTION..PORTION + 3, Some("?2")), at(0.2)));
    // At the budget's pace.
    (0..20).for_each(|n| said.extend(lines(&bridge.on(Woken, at(0.2 + f64::from(n) * 0.05)))));
    assert_eq!(reads(&said), 16, "each request is full");
    assert!(said.contains(&"read #2 members 100 ?2".to_owned()), "{said:?}");
    assert!(!said.iter().any(|line| line.starts_with("report")), "it is not read to its end: {said:?}");
    bridge.on(Acknowledged(100), at(2.0));
    let last = lines(&bridge.on(many(2, PORTION..PORTION + 9, None), at(2.1)));
    let report = format!("report: a group was read: {0} members, {0} joined, 0 left", PORTION + 8);
    assert!(last.contains(&report), "{last:?}");
    assert_eq!(reads(&last), 1, "the others are being read: {last:?}");
}

#[test]
fn whoever_joined_before_the_last_page_leaves_if_a_whole_reading_is_without_them() {
    let mut bridge = online(one_group());
    bridge.on(many(0, 1..PORTION + 1, Some("?1")), at(0.1));
    let without = Settings { discovery: None, ..one_group() };
    let said = lines(&bridge.on(Event::Configured(Box::new(without), vec![Access::Same]), at(0.2)));
    assert!(!said.iter().any(|line| line.contains("no longer")), "{said:?}");
    bridge.on(Acknowledged(100), at(0.25));
    let found = said.iter().find(|line| line.contains("members 100")).unwrap();
    let request = found.split(['#', ' ']).nth(2).unwrap().parse().unwrap();
    let said = lines(&bridge.on(many(request, 2..PORTION + 1, None), at(0.3)));
    let left = "report: m1 is no longer in a group and was removed from the broker".to_owned();
    assert!(said.contains(&left), "{said:?}");
}

#[test]
fn a_collision_at_start_ends_the_run_on_whichever_page_it_shows() {
    let mut bridge = online(one_group());
    bridge.on(many(0, 1..PORTION + 1, Some("?1")), at(0.1));
    bridge.on(Acknowledged(100_000), at(0.2));
    bridge.on(members(1, &[(PORTION + 1, "M7")], None), at(0.3));
    bridge.on(Acknowledged(100_000), at(0.4));
    let commands = bridge.on(Event::Disconnected(LinkFailure::Closed), at(0.5));
    assert!(matches!(commands.last(), Some(Effect::Finish(Ending::Conflict(_)))), "{commands:?}");
}

#[test]
fn a_name_that_the_last_page_frees_is_no_collision_before_it() {
    let mut bridge = online(one_group());
    bridge.on(many(0, 1..PORTION + 1, Some("?1")), at(0.1));
    let without = Settings { discovery: None, ..one_group() };
    let said = lines(&bridge.on(Event::Configured(Box::new(without), vec![Access::Same]), at(0.2)));
    let again = said.iter().find(|line| line.contains("members 100")).unwrap();
    let again = again.split(['#', ' ']).nth(2).unwrap().parse().unwrap();
    // Somebody new has the name of the first member, who has another one now.
    let mut names: Vec<(usize, String)> =
        (PORTION + 1..2 * PORTION + 1).map(|n| (n, format!("m{n}"))).collect();
    names[0].1 = "m1".to_owned();
    let named: Vec<(usize, &str)> = names.iter().map(|(n, name)| (*n, name.as_str())).collect();
    let mut said = lines(&bridge.on(members(again, &named, Some("?1")), at(0.3)));
    // At the budget's pace.
    (0..20).for_each(|n| said.extend(lines(&bridge.on(Woken, at(0.3 + f64::from(n) * 0.05)))));
    let next = said.iter().find(|line| line.contains("members 100 ?1")).unwrap();
    let next = next.split(['#', ' ']).nth(2).unwrap().parse().unwrap();
    let mut rest: Vec<(usize, String)> = (2..PORTION + 1).map(|n| (n, format!("m{n}"))).collect();
    rest.push((1, "first".to_owned()));
    let rest: Vec<(usize, &str)> = rest.iter().map(|(n, name)| (*n, name.as_str())).collect();
    said.extend(lines(&bridge.on(members(next, &rest, None), at(2.0))));
    assert!(
        said.contains(&format!(
            "report: a group was read: {0} members, {1} joined, 0 left",
            2 * PORTION,
            PORTION
        )),
        "{:?}",
        said.last()
    );
    assert!(!said.iter().any(|line| line.starts_with("finish")), "the run goes on");
}

#[test]
fn who_joins_appears_who_leaves_disappears_and_nobody_else_is_touched() {
    let mut bridge = known();
    let (request, _, now) = next_reading(&mut bridge, 2.0);
    assert!(now > 3600.0, "too soon: {now}");
    let said = lines(&bridge.on(members(request, &[(1, "alice"), (3, "carol")], None), at(now)));
    let about: Vec<&String> =
        said.iter().filter(|line| !line.starts_with("read") && !line.contains("bridge")).collect();
    assert_eq!(
        about,
        [
            "report: bob is no longer in a group and was removed from the broker",
            "report: a group was read: 2 members, 1 joined, 1 left",
            "presence/bob/health =",
            "presence/bob/activity =",
            "presence/bob/availability =",
            "presence/bob/state =",
            "presence/carol/health = stale",
        ]
        .iter()
        .collect::<Vec<_>>()
        .as_slice(),
        "{said:?}"
    );
}

#[test]
fn a_reading_that_says_nothing_new_says_nothing() {
    let mut bridge = known();
    let (request, _, now) = next_reading(&mut bridge, 2.0);
    let said = lines(&bridge.on(members(request, &[(2, "bob"), (1, "alice")], None), at(now)));
    let is_news = |line: &&String| !line.starts_with("read") && !line.contains("bridge/health");
    assert_eq!(said.iter().find(is_news), None, "{said:?}");
}

#[test]
fn a_failed_or_half_reading_changes_nothing() {
    for broken in [
        passing(),
        ReadFailure::Throttled { retry_after: Some(Duration::from_secs(7)) },
        ReadFailure::SignInRequired { advice: "sign in".into() },
        ReadFailure::Forbidden { advice: "grant it".into() },
        ReadFailure::NotFound,
        ReadFailure::Refused { why: "the token to go on is too old".into() },
    ] {
        let mut bridge = known();
        let (request, _, now) = next_reading(&mut bridge, 2.0);
        let commands = bridge.on(members(request, &[(3, "carol")], Some("?more")), at(now));
        let mut said = lines(&commands);
        let (request, _, _) = go_on(&mut bridge, commands, now)[0];
        said.extend(lines(&bridge.on(super::page(request, Err(broken.clone())), at(now + 0.1))));
        assert!(
            !said.iter().any(|line| line.contains("carol") || line.ends_with(" =")),
            "{broken:?}: {said:?}"
        );
        // It is read again, and then it counts.
        let (request, resumed, later) = next_reading(&mut bridge, now);
        assert!(later < now + 400.0, "{broken:?}: {later}");
        let refused = matches!(
            broken,
            ReadFailure::Forbidden { .. } | ReadFailure::NotFound | ReadFailure::Refused { .. }
        );
        assert_eq!(resumed, !refused, "{broken:?}");
        if matches!(broken, ReadFailure::Throttled { .. }) {
            assert!((7.0..9.0).contains(&(later - now)), "{}", later - now);
        }
        let request = if resumed {
            request
        } else {
            let commands = bridge.on(members(request, &[(3, "carol")], Some("?more")), at(later));
            go_on(&mut bridge, commands, later)[0].0
        };
        let said = lines(&bridge.on(members(request, &[(1, "alice")], None), at(later)));
        let left = said.iter().any(|line| line.starts_with("report: bob is no longer in a group"));
        let joined = said.iter().any(|line| line.contains("2 members, 1 joined, 1 left"));
        assert!(left && joined, "{broken:?}: {said:?}");
    }
}

#[test]
fn a_group_that_is_refused_is_a_notice_that_goes_when_it_can_be_read() {
    for (refused, words) in [
        (
            ReadFailure::NotFound,
            "00000000-0000-4000-8000-000000000100 cannot be read, so its list of people stays as it is: it \
            is not in this tenant; check its id under [[groups]]",
        ),
        (ReadFailure::Forbidden { advice: "grant it".into() }, "its list of people stays as it is: grant it"),
    ] {
        let mut bridge = online(Settings { groups: vec![group(100, "{id}")], ..settings() });
        let readings = vec![reading(1, "Busy", "Busy"), reading(2, "Away", "Away")];
        bridge.on(answer(0, readings.clone()), at(0.1));
        let said = health(&bridge.on(super::page(1, Err(refused.clone())), at(0.2)));
        assert!(said.contains(words) && said.contains("\\\"graph\\\":\\\"ok\\\""), "{said}");
        let (request, _, now) = next_reading(&mut bridge, 2.0);
        assert!((300.0..310.0).contains(&now), "{now}");
        let said = health(&bridge.on(members(request, &[], None), at(now)));
        assert!(!said.contains("stays as it is"), "{said}");
    }
}

#[test]
fn whoever_asks_for_everybody_has_a_group_read_only_if_it_could_not_be() {
    let refresh = || {
        let (topic, payload) = ("presence/bridge/refresh".to_owned(), Vec::new());
        Event::Message(Incoming { topic, payload, retained: false, reply_to: None })
    };
    let mut bridge = known();
    let commands = bridge.on(refresh(), at(2.4));
    assert!(go_on(&mut bridge, commands, 2.4).is_empty(), "it was read a moment ago");
    let mut bridge = online(one_group());
    bridge.on(super::page(0, Err(ReadFailure::NotFound)), at(0.1));
    let commands = bridge.on(refresh(), at(0.2));
    assert_eq!(go_on(&mut bridge, commands, 0.2), [(1, 100, false)]);
}

#[test]
fn where_nobody_but_a_forbidden_group_is_read_graph_is_forbidden() {
    let mut bridge = online(one_group());
    let said = health(
        &bridge.on(super::page(0, Err(ReadFailure::Forbidden { advice: "grant it".into() })), at(0.1)),
    );
    assert!(
        said.contains("\\\"graph\\\":\\\"forbidden\\\",") && said.contains("\\\"detail\\\":\\\"grant it"),
        "{said}"
    );
    bridge.on(Acknowledged(100), at(0.2));
    let said = lines(&bridge.on(Woken, at(300.2)));
    assert!(said.contains(&"read #1 members 100 with a fresh token".to_owned()), "{said:?}");
}

#[test]
fn a_collision_at_start_ends_the_run_with_both_named() {
    let mut bridge = online(one_group());
    let commands = bridge.on(members(0, &[(1, "Alice"), (2, "alice")], None), at(0.1));
    let said = lines(&commands);
    assert!(said.contains(&"presence/bridge/state = offline".to_owned()), "{said:?}");
    bridge.on(Acknowledged(100), at(0.2));
    let commands = bridge.on(Event::Disconnected(LinkFailure::Closed), at(0.3));
    let Some(Effect::Finish(Ending::Conflict(sentence))) = commands.last() else { panic!("{commands:?}") };
    assert_eq!(
        sentence,
        "Alice of Contoso (00000000-0000-4000-8000-000000000001) and alice of Contoso \
         (00000000-0000-4000-8000-000000000002) would both be named \"alice\"; list one of them under [[users]] with \
         another name, or give the group's name another pattern, such as \"{id}\""
    );
}

#[test]
fn the_name_of_somebody_configured_is_taken_at_start() {
    let mut bridge = online(Settings { groups: vec![group(100, "{upn_local}")], ..settings() });
    bridge.on(answer(0, vec![reading(1, "Busy", "Busy")]), at(0.1));
    bridge.on(members(1, &[(3, "alice")], None), at(0.2));
    bridge.on(Acknowledged(100), at(0.3));
    let commands = bridge.on(Event::Disconnected(LinkFailure::Closed), at(0.4));
    assert!(matches!(commands.last(), Some(Effect::Finish(Ending::Conflict(_)))), "{commands:?}");
}

#[test]
fn a_later_collision_leaves_the_newcomer_out_until_the_name_is_free() {
    let mut bridge = known();
    let (request, _, now) = next_reading(&mut bridge, 2.0);
    let all = [(1, "alice"), (2, "bob"), (3, "Bob"), (4, "ALICE")];
    let commands = bridge.on(members(request, &all, None), at(now));
    let said = lines(&commands);
    assert!(!said.iter().any(|line| line.contains("/Bob/") || line.contains("/ALICE/")), "{said:?}");
    let notice = health(&commands);
    assert!(notice.contains("2 members of the group") && notice.contains("would both be named"), "{notice}");
    bridge.on(Acknowledged(100), at(now));
    let (request, _, now) = next_reading(&mut bridge, now);
    let commands = bridge.on(members(request, &[(1, "alice"), (3, "Bob")], None), at(now));
    let said = lines(&commands);
    assert!(said.contains(&"presence/Bob/health = stale".to_owned()), "{said:?}");
    assert!(said.contains(&"presence/bob/state =".to_owned()), "{said:?}");
    assert!(!health(&commands).contains("left out"), "{commands:?}");
}

#[test]
fn another_name_in_the_directory_keeps_the_person() {
    let mut bridge = known();
    let (request, _, now) = next_reading(&mut bridge, 2.0);
    let said = lines(&bridge.on(members(request, &[(1, "bob"), (2, "alice")], None), at(now)));
    let at_last = |topic: &str| said.iter().rfind(|line| line.starts_with(topic)).cloned();
    assert_eq!(at_last("presence/bob/state").unwrap(), "presence/bob/state = {Busy Busy since 09:00:00}");
    assert!(at_last("presence/alice/state").unwrap().starts_with("presence/alice/state = {"), "{said:?}");
    assert_eq!(at_last("presence/alice/health").unwrap(), "presence/alice/health = ok");
    assert!(!said.iter().any(|line| line.starts_with("report")), "nobody joined or left: {said:?}");
    let (request, _, now) = next_reading(&mut bridge, now);
    let said = lines(&bridge.on(members(request, &[(1, "robert"), (2, "alice")], None), at(now)));
    assert!(said.contains(&"presence/bob/state =".to_owned()), "{said:?}");
    assert!(said.contains(&"presence/robert/state = {Busy Busy since 09:00:00}".to_owned()), "{said:?}");
}

#[test]
fn whoever_is_configured_is_no_member() {
    let users = vec![watched("boss", &id(1).to_string()), watched("chief", "bob@contoso.example")];
    let mut bridge =
        online(Settings { users: users.into(), groups: vec![group(100, "{upn_local}")], ..settings() });
    let said = lines(&bridge.on(answer(0, vec![reading(1, "Busy", "Busy")]), at(0.1)));
    assert!(said.contains(&"read #1 resolve bob@contoso.example".to_owned()), "{said:?}");
    // The group comes first; Bob's object id is not known yet.
    let said = lines(&bridge.on(members(2, &[(1, "alice"), (2, "Bob"), (3, "carol")], None), at(0.2)));
    assert!(said.contains(&"report: a group was read: 3 members, 1 joined, 0 left".to_owned()), "{said:?}");
    assert!(!said.iter().any(|line| line.contains("/alice/") || line.contains("/Bob/")), "{said:?}");
}

#[test]
fn whoever_turns_out_to_be_a_member_takes_what_is_known_of_them_along() {
    let users = vec![watched("chief", "robert@contoso.example")];
    let mut bridge =
        online(Settings { users: users.into(), groups: vec![group(100, "{upn_local}")], ..settings() });
    let commands = bridge.on(resolved(0, Err(passing())), at(0.1));
    let (group, _, _) = go_on(&mut bridge, commands, 0.1)[0];
    let commands = bridge.on(members(group, &[(2, "bob")], None), at(0.2));
    go_on(&mut bridge, commands, 0.2);
    let mut now = 0.2;
    let resolve = loop {
        now += 0.5;
        let commands = bridge.on(Woken, at(now));
        let resolves = |command: &Effect| match line(command).strip_prefix("read #") {
            Some(read) if read.contains("resolve") => read.split(' ').next().unwrap().parse().ok(),
            Some(_) | None => None,
        };
        let resolve = commands.iter().find_map(resolves);
        go_on(&mut bridge, commands, now);
        if let Some(resolve) = resolve {
            break resolve;
        }
    };
    let said = lines(&bridge.on(resolved(resolve, Ok(id(2))), at(now + 0.1)));
    assert!(said.contains(&"presence/bob/state =".to_owned()), "{said:?}");
    assert!(said.contains(&"presence/chief/availability = Busy".to_owned()), "{said:?}");
    assert!(said.contains(&"presence/chief/health = ok".to_owned()), "{said:?}");
}

#[test]
fn who_is_in_two_groups_appears_once_and_stays_as_long_as_in_one() {
    let groups = vec![group(100, "a-{upn_local}"), group(200, "b-{upn_local}")];
    let mut bridge = online(Settings { users: [].into(), groups, ..settings() });
    let commands = bridge.on(members(0, &[(1, "alice"), (2, "bob")], None), at(0.1));
    assert!(lines(&commands).contains(&"presence/a-bob/health = stale".to_owned()), "{commands:?}");
    let (request, second, _) = go_on(&mut bridge, commands, 0.1)[0];
    assert_eq!(second, 200, "one after the other");
    let commands = bridge.on(members(request, &[(2, "bob"), (3, "carol")], None), at(0.2));
    let said = lines(&commands);
    assert!(said.contains(&"presence/b-carol/health = stale".to_owned()), "{said:?}");
    assert!(!said.iter().any(|line| line.contains("bob")), "{said:?}");
    go_on(&mut bridge, commands, 0.2);
    // Bob leaves the first, and is named by the second when that is read.
    let (found, now) = next_readings(&mut bridge, 0.2);
    let [(first, 100, false), (second, 200, false)] = found[..] else { panic!("{found:?}") };
    let commands = bridge.on(members(first, &[(1, "alice")], None), at(now));
    assert!(!lines(&commands).iter().any(|line| line.contains("bob")), "{commands:?}");
    go_on(&mut bridge, commands, now);
    let said = lines(&bridge.on(members(second, &[(2, "bob"), (3, "carol")], None), at(now + 5.0)));
    assert!(said.contains(&"presence/a-bob/state =".to_owned()), "{said:?}");
    assert!(said.contains(&"presence/b-bob/availability = Busy".to_owned()), "{said:?}");
}

/// Something of an earlier run, which followed Alice and Bob.
fn state(user: &str) -> Event {
    retained(
        &format!("presence/{user}/state"),
        r#"{"availability":"Busy","activity":"Busy","since":"2026-11-23T08:00:00Z","bridge":"presence2mqtt"}"#,
    )
}

#[test]
fn after_a_restart_nobody_is_removed_before_every_group_was_read() {
    let groups = vec![group(100, "{upn_local}"), group(200, "{upn_local}")];
    let mut bridge = claimed(Settings { users: [].into(), groups, ..settings() }, 1, at(0.0));
    bridge.on(Event::Started, at(0.0));
    bridge.on(Connected, at(0.0));
    for left in [state("alice"), state("bob"), retained("presence/carol/health", "stale")] {
        bridge.on(left, at(0.0));
    }
    bridge.on(subscribed(), at(0.0));
    bridge.on(subscribed(), at(0.0));
    let said = lines(&bridge.on(Woken, at(0.04)));
    let people: Vec<&String> = said.iter().filter(|line| !line.contains("bridge")).collect();
    assert_eq!(
        people,
        ["presence/bob/health = stale", "presence/alice/health = stale"],
        "doubted, and no more"
    );
    assert_eq!(said[said.len() - 1], "presence/bridge/state = online");
    bridge.on(Acknowledged(10), at(0.05));
    let said = lines(&bridge.on(members(0, &[(1, "alice")], None), at(0.1)));
    assert!(!said.iter().any(|line| line.ends_with(" =")), "{said:?}");
    let second = said.iter().position(|line| line.contains("members 200")).unwrap();
    let bulk = said.iter().find(|line| line.contains("bulk 1")).unwrap();
    let request = |line: &str| line.split(['#', ' ']).nth(2).unwrap().parse::<u64>().unwrap();
    let (second, bulk) = (request(&said[second]), request(bulk));
    let said = lines(&bridge.on(answer(bulk, vec![reading(1, "Busy", "Busy")]), at(0.2)));
    assert!(said.contains(&"presence/alice/state = {Busy Busy since 08:00:00}".to_owned()), "{said:?}");
    bridge.on(Acknowledged(100), at(0.25));
    let said = lines(&bridge.on(members(second, &[], None), at(0.3)));
    assert_eq!(
        said.iter().filter(|line| line.ends_with(" =")).collect::<Vec<_>>(),
        [
            "presence/bob/health =",
            "presence/bob/activity =",
            "presence/bob/availability =",
            "presence/bob/state =",
            "presence/carol/health =",
        ]
    );
}

#[test]
fn a_light_follows_a_member_as_soon_as_there_is_one() {
    let light = crate::core::tests::lighting::light("door", &["bob"]);
    let mut bridge = online(Settings { lights: vec![light], ..one_group() });
    let said = lines(&bridge.on(members(0, &[(2, "bob")], None), at(0.1)));
    assert!(!said.iter().any(|line| line.starts_with("wled/")), "nothing is guessed: {said:?}");
    let said = lines(&bridge.on(answer(1, vec![reading(2, "Busy", "Busy")]), at(0.2)));
    assert!(said.iter().any(|line| line.starts_with("wled/")), "{said:?}");
}

#[test]
fn another_configuration_keeps_the_members_of_groups_that_stay() {
    let mut bridge = known();
    let mut settings = one_group();
    settings.groups = vec![group(200, "{upn_local}"), group(100, "m-{upn_local}")];
    settings.users = [watched("chief", &id(2).to_string())].into();
    let said = lines(&bridge.on(Event::Configured(Box::new(settings), vec![Access::Same]), at(4.0)));
    assert!(said.contains(&"presence/chief/availability = Away".to_owned()), "Bob is who he was: {said:?}");
    assert!(said.contains(&"presence/bob/state =".to_owned()), "{said:?}");
    assert!(!said.iter().any(|line| line.contains("alice")), "{said:?}");
    let request = |said: &[String], what: &str| {
        let line = said
            .iter()
            .find(|line| line.starts_with("read") && line.contains(what))
            .unwrap_or_else(|| panic!("{said:?}"));
        line.split(['#', ' ']).nth(2).unwrap().parse::<u64>().unwrap()
    };
    bridge.on(Acknowledged(100), at(4.1));
    let said = lines(&bridge.on(members(request(&said, "members 200"), &[], None), at(4.2)));
    let said =
        lines(&bridge.on(members(request(&said, "members 100"), &[(1, "alice"), (2, "bob")], None), at(4.3)));
    assert!(said.contains(&"presence/alice/state =".to_owned()), "{said:?}");
    assert!(said.contains(&"presence/m-alice/availability = Busy".to_owned()), "{said:?}");
    bridge.on(Acknowledged(100), at(4.4));
    // Without the group its members leave at once.
    let nobody =
        Settings { users: vec![watched("chief", &id(2).to_string())].into(), ..settings_of_nobody() };
    let said = lines(&bridge.on(Event::Configured(Box::new(nobody), vec![Access::Same]), at(5.0)));
    assert!(said.contains(&"presence/m-alice/state =".to_owned()), "{said:?}");
    assert!(!said.iter().any(|line| line.contains("members")), "{said:?}");
}

fn settings_of_nobody() -> Settings {
    Settings { users: [].into(), ..settings() }
}

#[test]
fn whoever_is_no_longer_configured_stays_as_a_member() {
    let mut bridge = online(Settings { groups: vec![group(100, "{upn_local}")], ..settings() });
    bridge.on(answer(0, vec![reading(1, "Busy", "Busy"), reading(2, "Away", "Away")]), at(0.1));
    bridge.on(members(1, &[(1, "alice"), (2, "robert")], None), at(0.2));
    bridge.on(Acknowledged(100), at(0.3));
    let commands = bridge.on(Event::Configured(Box::new(one_group()), vec![Access::New]), at(4.0));
    let said = lines(&commands);
    assert!(!said.iter().any(|line| line.ends_with(" =")), "{said:?}");
    assert!(said.contains(&"presence/bob/health = stale".to_owned()), "with another sign-in: {said:?}");
    let (request, _, _) = go_on(&mut bridge, commands, 4.1)[0];
    let said = lines(&bridge.on(members(request, &[(1, "alice"), (2, "robert")], None), at(4.2)));
    assert!(said.contains(&"presence/robert/availability = Busy".to_owned()), "{said:?}");
    assert!(said.contains(&"presence/bob/state =".to_owned()), "{said:?}");
}

#[test]
fn an_announcement_of_a_member_waits_for_the_group_and_is_taken_back_when_they_leave() {
    let discovery = Some(crate::core::model::settings::Discovery {
        prefix: "homeassistant".parse().unwrap(),
        birth_topic: "homeassistant/status".into(),
    });
    let groups = vec![Group { discovery: true, ..group(100, "{upn_local}") }];
    let mut bridge = claimed(Settings { discovery, groups, ..one_group() }, 1, at(0.0));
    let mut first = online_with(&mut bridge, Vec::new());
    first.extend(lines(&bridge.on(members(0, &[(1, "alice"), (2, "bob")], None), at(0.1))));
    let config = |said: &[String], name: &str| {
        said.iter().find(|line| line.contains(&format!("{{{name} of"))).cloned()
    };
    assert!(config(&first, "alice").is_some() && config(&first, "bob").is_some(), "{first:?}");
    bridge.on(Acknowledged(100), at(0.2));
    let (request, _, now) = next_reading(&mut bridge, 2.0);
    let said = lines(&bridge.on(members(request, &[(1, "alice")], None), at(now)));
    let removed: Vec<&String> = said.iter().filter(|line| line.ends_with(" =")).collect();
    assert!(removed[0].starts_with("homeassistant/device/"), "first of all: {removed:?}");
    assert_eq!(removed.len(), 5, "{removed:?}");
    assert!(config(&said, "alice").is_none(), "{said:?}");
}

fn online_with(bridge: &mut Bridge, left: Vec<Event>) -> Vec<String> {
    bridge.on(Event::Started, at(0.0));
    bridge.on(Connected, at(0.0));
    for event in left {
        bridge.on(event, at(0.0));
    }
    bridge.on(subscribed(), at(0.0));
    bridge.on(subscribed(), at(0.0));
    let said = lines(&bridge.on(Woken, at(0.04)));
    bridge.on(Acknowledged(100), at(0.05));
    said
}
