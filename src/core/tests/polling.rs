//! Which requests are made, and when.

use super::*;
use crate::core::model::event::Event::{Started, Woken};
use crate::core::model::presence::Messages;

fn reads(bridge: &mut Bridge, event: Event, seconds: f64) -> Vec<String> {
    let commands = bridge.on(event, at(seconds));
    commands.iter().map(line).filter(|line| line.starts_with("read")).collect()
}

#[test]
fn the_endpoint_decides_the_request() {
    for (endpoint, users, expected) in [
        (Endpoint::Auto, vec![watched("me", "me")], "read #0 me"),
        (Endpoint::Me, vec![watched("me", "me")], "read #0 me"),
        (Endpoint::Auto, vec![watched("a", &id(1).to_string())], "read #0 bulk 1"),
        (Endpoint::Bulk, vec![watched("a", &id(1).to_string())], "read #0 bulk 1"),
        (Endpoint::Users, vec![watched("a", &id(1).to_string())], "read #0 user 1"),
        (Endpoint::Communications, vec![watched("a", &id(1).to_string())], "read #0 communications 1"),
        (Endpoint::Users, vec![watched("a", "a@contoso.example")], "read #0 resolve a@contoso.example"),
    ] {
        let settings = changed(Settings { users: users.into(), ..settings() }, |it| {
            it.accounts[0].reading.endpoint = endpoint
        });
        let mut bridge = claimed(settings, 1, at(0.0));
        assert_eq!(reads(&mut bridge, Started, 0.0), [expected], "{endpoint:?}");
    }
}

#[test]
fn a_principal_name_is_resolved_once() {
    let users = vec![watched("alice", "alice@contoso.example"), watched("bob", &id(2).to_string())];
    let mut bridge = claimed(Settings { users: users.into(), ..settings() }, 1, at(0.0));
    assert_eq!(reads(&mut bridge, Started, 0.0), ["read #0 resolve alice@contoso.example"]);
    assert_eq!(reads(&mut bridge, resolved(0, Ok(id(1))), 0.1), ["read #1 bulk 1,2"]);
    reads(&mut bridge, answer(1, vec![reading(1, "Busy", "Busy"), reading(2, "Busy", "Busy")]), 0.2);
    let next = bridge.wake_at(at(0.2).tick).unwrap().0.as_secs_f64();
    assert_eq!(reads(&mut bridge, Woken, next), ["read #2 bulk 1,2"]);
}

#[test]
fn a_principal_name_that_nobody_has_is_not_found_and_looked_for_gently() {
    let users = vec![watched("alice", "alice@contoso.example")];
    let mut bridge = online(Settings { users: users.into(), ..settings() });
    run(
        &mut bridge,
        vec![(
            0.1,
            resolved(0, Err(ReadFailure::NotFound)),
            "report: users[0] cannot be read: not found in this tenant; check the id under [[users]], and that the account uses Teams
             presence/bridge/health = {ok}
             presence/alice/health = not_found",
        )],
    );
    let mut now = 0.1;
    let waits: Vec<u64> = (1..=10)
        .map(|request| {
            let before = now;
            while reads(&mut bridge, Woken, now).is_empty() {
                now = bridge.wake_at(at(now).tick).unwrap().0.as_secs_f64();
            }
            bridge.on(resolved(request, Err(ReadFailure::NotFound)), at(now));
            (now - before).round() as u64
        })
        .collect();
    assert_eq!(waits, [2, 4, 8, 16, 32, 64, 128, 256, 300, 300]);
}

#[test]
fn more_than_650_people_take_more_requests_spread_over_the_interval() {
    let users = (0..1400).map(|n| watched(&format!("u{n}"), &id(n).to_string())).collect();
    let mut bridge = claimed(Settings { users, ..settings() }, 1, at(0.0));
    let first = reads(&mut bridge, Started, 0.0);
    assert_eq!(first.len(), 1, "one probe until Graph has answered");
    let rest = reads(&mut bridge, answer(0, (0..650).map(|n| reading(n, "Busy", "Busy")).collect()), 0.1);
    assert_eq!(rest.len(), 2);
    bridge.on(answer(1, (650..1300).map(|n| reading(n, "Busy", "Busy")).collect()), at(0.2));
    bridge.on(answer(2, (1300..1400).map(|n| reading(n, "Busy", "Busy")).collect()), at(0.2));
    let mut places = Vec::new();
    let mut now = 0.2;
    for _ in 0..3 {
        now = bridge.wake_at(at(now).tick).unwrap().0.as_secs_f64();
        places.extend(reads(&mut bridge, Woken, now).iter().map(|_| (now * 10.0).round() / 10.0));
    }
    assert_eq!(places, [1.7, 3.3, 5.0]);
}

#[test]
fn many_missing_people_do_not_hold_up_the_others() {
    let users = (0..1300).map(|n| watched(&format!("u{n}"), &id(n).to_string())).collect();
    let mut bridge = claimed(Settings { users, ..settings() }, 1, at(0.0));
    reads(&mut bridge, Started, 0.0);
    let next = reads(&mut bridge, answer(0, vec![]), 0.1);
    assert!(next.iter().any(|line| line.contains("bulk")), "{next:?}");
    assert!(next.iter().any(|line| line.contains("user")), "{next:?}");
}

#[test]
fn the_interval_stretches_and_says_so() {
    let users = (0..100).map(|n| watched(&format!("u{n}"), &id(n).to_string())).collect();
    let settings = changed(Settings { users, ..settings() }, |it| {
        (it.accounts[0].reading.endpoint, it.accounts[0].reading.request_budget) = (Endpoint::Users, 100);
    });
    let mut bridge = claimed(settings, 1, at(0.0));
    bridge.on(Started, at(0.0));
    bridge.on(Event::Connected, at(0.0));
    bridge.on(subscribed(), at(0.0));
    bridge.on(subscribed(), at(0.0));
    let commands = format!("{:?}", bridge.on(Woken, at(0.04)));
    assert!(commands.contains(r#"\"achieved_interval\":\"30s 612ms\""#), "{commands}");
    assert!(commands.contains("the poll interval is 30s 612ms instead of 5s"), "{commands}");
}

#[test]
fn a_change_must_last_when_debounced() {
    let settings = changed(only_alice(), |it| it.graph.debounce = Duration::from_secs(7));
    let mut bridge = online(settings);
    bridge.on(answer(0, vec![reading(1, "Available", "Available")]), at(0.0));
    let mut publishes = Vec::new();
    let words = [(5.0, "Away"), (10.0, "Available"), (15.0, "Busy"), (20.0, "Busy"), (25.0, "Busy")];
    for (request, (seconds, word)) in (1..).zip(words) {
        let mut commands = bridge.on(Event::Acknowledged(10), at(seconds));
        commands.extend(bridge.on(answer(request, vec![reading(1, word, word)]), at(seconds)));
        let lines = lines(&commands).into_iter().filter(|line| line.starts_with("presence/alice"));
        publishes.extend(lines.map(|line| format!("{seconds} {line}")));
    }
    assert_eq!(
        publishes,
        [
            "25 presence/alice/state = {Busy Busy since 09:00:15}",
            "25 presence/alice/activity = Busy",
            "25 presence/alice/availability = Busy",
        ]
    );
}

#[test]
fn a_debounced_change_is_published_when_it_has_lasted_even_between_two_reads() {
    let settings = changed(only_alice(), |it| it.graph.debounce = Duration::from_secs(2));
    let mut bridge = online(settings);
    bridge.on(answer(0, vec![reading(1, "Available", "Available")]), at(0.0));
    bridge.on(Woken, at(5.0));
    assert!(bridge.on(answer(1, vec![reading(1, "Busy", "Busy")]), at(5.1)).is_empty());
    run(
        &mut bridge,
        vec![(
            7.1,
            Woken,
            "presence/alice/state = {Busy Busy since 09:00:05}
             presence/alice/activity = Busy
             presence/alice/availability = Busy",
        )],
    );
}

#[test]
fn a_refresh_reads_at_once_and_sends_everything_once_per_interval() {
    let refresh = |retained| {
        Event::Message(Incoming {
            topic: "presence/bridge/refresh".into(),
            payload: Vec::new(),
            retained,
            reply_to: None,
        })
    };
    let mut bridge = online(only_alice());
    bridge.on(answer(0, vec![reading(1, "Busy", "Busy")]), at(0.1));
    run(
        &mut bridge,
        vec![
            (1.0, refresh(true), ""),
            (
                1.0,
                refresh(false),
                "read #1 bulk 1
                 presence/bridge/health = {ok}
                 presence/bridge/info = {every 5s}
                 presence/alice/state = {Busy Busy since 09:00:00}
                 presence/alice/activity = Busy
                 presence/alice/availability = Busy
                 presence/alice/health = ok
                 presence/bridge/state = online",
            ),
            (1.1, answer(1, vec![reading(1, "Busy", "Busy")]), ""),
            (1.2, refresh(false), ""),
        ],
    );
}

#[test]
fn names_to_be_resolved_are_not_an_overload() {
    let users = (0..300).map(|n| watched(&format!("u{n}"), &format!("u{n}@contoso.example"))).collect();
    let mut bridge = claimed(Settings { users, ..settings() }, 1, at(0.0));
    let mut said = lines(&bridge.on(Started, at(0.0)));
    for request in 0..300 {
        let now = 0.1 + request as f64 * 0.03;
        said.extend(lines(&bridge.on(resolved(request, Ok(id(request as usize))), at(now))));
    }
    assert!(!said.iter().any(|line| line.contains("budget")), "{said:?}");
}

#[test]
fn one_person_under_two_names_is_asked_for_once() {
    let users = vec![watched("a", &id(1).to_string()), watched("b", &id(1).to_string())];
    let mut bridge = claimed(Settings { users: users.into(), ..settings() }, 1, at(0.0));
    assert_eq!(reads(&mut bridge, Started, 0.0), ["read #0 bulk 1"]);
}

#[test]
fn what_somebody_writes_does_not_begin_the_debounce_again() {
    let settings = changed(only_alice(), |it| {
        (it.graph.debounce, it.graph.include_messages) = (Duration::from_secs(7), true);
    });
    let mut bridge = online(settings);
    bridge.on(answer(0, vec![reading(1, "Available", "Available")]), at(0.0));
    for (request, seconds) in [(1, 5.0), (2, 10.0)] {
        bridge.on(Woken, at(seconds));
        let mut busy = reading(1, "Busy", "Busy");
        let text = format!("text {request}");
        busy.presence.as_mut().unwrap().messages = Messages::of(Some(text.into()), None);
        bridge.on(answer(request, vec![busy]), at(seconds));
    }
    let said = lines(&bridge.on(Woken, at(12.0)));
    assert!(said.contains(&"presence/alice/state = {Busy Busy since 09:00:05}".to_owned()), "{said:?}");
}

#[test]
fn the_further_pages_of_an_answer_count_in_the_budget() {
    let mut bridge = online(settings());
    let outcome = Ok(vec![reading(1, "Busy", "Busy"), reading(2, "Away", "Away")]);
    let ended = Ended { request: RequestId::new(0), further: 2, outcome };
    bridge.on(Event::Presence(AccountId::FIRST, PresenceEvent::Read(ended)), at(0.1));
    assert_eq!(bridge.snapshot(&PeopleQuery::nobody(), at(0.2)).accounts[0].graph.budget_used, 3);
}
