//! Another configuration while the bridge runs.

use super::*;
use crate::core::broker::in_flight::WINDOW_MAX;
use crate::core::model::event::Access;
use crate::core::model::event::Event::{Acknowledged, Connected, Woken};
use crate::core::model::presence::Messages;

fn configured(settings: Settings) -> Event {
    Event::Configured(Box::new(settings), vec![Access::Same])
}

/// Alice and Bob are known, and everything is acknowledged.
fn known() -> Bridge {
    let mut bridge = online(settings());
    bridge.on(answer(0, vec![reading(1, "Busy", "Busy"), reading(2, "Away", "Away")]), at(0.1));
    bridge.on(Acknowledged(100), at(0.2));
    bridge.on(Woken, at(3.0));
    bridge
}

#[test]
fn who_joins_is_doubted_until_read_who_leaves_disappears_and_nobody_else_is_touched() {
    let mut bridge = known();
    run(
        &mut bridge,
        vec![
            (
                4.0,
                configured(following(&[("carol", 3), ("alice", 1)])),
                "report: bob is no longer configured and was removed from the broker
                 report: the configuration was read again; people followed now: 2
                 read #1 bulk 1,3
                 presence/bob/health =
                 presence/bob/activity =
                 presence/bob/availability =
                 presence/bob/state =
                 presence/bridge/info = {every 5s}
                 presence/carol/health = stale",
            ),
            (
                4.1,
                answer(1, vec![reading(1, "Busy", "Busy"), reading(3, "Offline", "Offline")]),
                "presence/carol/state = {Offline Offline since 09:00:04}
                 presence/carol/activity = Offline
                 presence/carol/availability = Offline
                 presence/carol/health = ok",
            ),
        ],
    );
}

#[test]
fn another_name_keeps_what_is_known_and_since_when() {
    let mut bridge = known();
    let commands = bridge.on(configured(following(&[("alicia", 1), ("bob", 2)])), at(4.0));
    assert_eq!(
        lines(&commands)[3..],
        [
            "presence/alice/health =",
            "presence/alice/activity =",
            "presence/alice/availability =",
            "presence/alice/state =",
            "presence/bridge/info = {every 5s}",
            "presence/alicia/state = {Busy Busy since 09:00:00}",
            "presence/alicia/activity = Busy",
            "presence/alicia/availability = Busy",
            "presence/alicia/health = ok",
        ]
    );
}

#[test]
fn a_name_that_means_somebody_else_says_nothing_of_whom_it_meant() {
    let mut bridge = known();
    let commands = bridge.on(configured(following(&[("alice", 3), ("bob", 2)])), at(4.0));
    assert_eq!(
        lines(&commands)[2..],
        [
            "presence/alice/health =",
            "presence/alice/activity =",
            "presence/alice/availability =",
            "presence/alice/state =",
            "presence/bridge/info = {every 5s}",
            "presence/alice/health = stale",
        ]
    );
}

#[test]
fn two_who_swap_names_swap_everything() {
    let mut bridge = known();
    let commands = lines(&bridge.on(configured(following(&[("alice", 2), ("bob", 1)])), at(4.0)));
    for expected in ["presence/alice/availability = Away", "presence/bob/availability = Busy"] {
        assert!(commands.iter().any(|line| line == expected), "{commands:?}");
    }
}

#[test]
fn intervals_and_limits_change_and_an_answer_under_way_counts() {
    let mut bridge = known();
    bridge.on(Woken, at(5.0));
    let slower = changed(settings(), |it| {
        (it.accounts[0].reading.poll_interval, it.accounts[0].reading.request_budget) =
            (Duration::from_secs(60), 1);
    });
    let commands = lines(&bridge.on(configured(slower), at(5.5)));
    assert!(commands.contains(&"presence/bridge/info = {every 1m}".to_owned()), "{commands:?}");
    assert!(
        commands.iter().all(|line| !line.starts_with("read")),
        "the smaller budget is spent: {commands:?}"
    );
    let late = lines(&bridge.on(answer(1, vec![reading(1, "Away", "Away")]), at(5.6)));
    assert!(late.contains(&"presence/alice/availability = Away".to_owned()), "{late:?}");
}

#[test]
fn a_bad_configuration_changes_nothing_and_is_said_until_a_good_one_comes() {
    let mut bridge = known();
    let commands = bridge.on(Event::NotConfigured("no such key".into()), at(4.0));
    assert!(lines(&commands)[0].contains("the old one stays in force: no such key"), "{commands:?}");
    let health = format!("{commands:?}");
    assert!(health.contains("configuration not reloaded because no such key"), "{health}");
    let commands = bridge.on(configured(settings()), at(5.0));
    let health = format!("{commands:?}");
    assert!(health.contains("bridge/health") && !health.contains("not reloaded"), "{health}");
}

#[test]
fn who_leaves_while_the_broker_is_away_disappears_when_it_is_back() {
    let mut bridge = known();
    bridge.on(lost(), at(4.0));
    bridge.on(configured(following(&[("alice", 1)])), at(4.1));
    bridge.on(Woken, at(8.0));
    let commands = lines(&bridge.on(Connected, at(8.1)));
    assert!(commands.contains(&"presence/bob/state =".to_owned()), "{commands:?}");
    assert_eq!(commands.last().map(String::as_str), Some("presence/bridge/state = online"));
}

#[test]
fn another_sign_in_begins_anew_but_keeps_the_values() {
    let mut bridge = known();
    let commands = lines(&bridge.on(Event::Configured(Box::new(settings()), vec![Access::New]), at(4.0)));
    assert!(commands.contains(&"presence/bridge/health = {starting}".to_owned()), "{commands:?}");
    let about_alice: Vec<&String> = commands.iter().filter(|line| line.contains("/alice/")).collect();
    assert_eq!(
        about_alice,
        ["presence/alice/health = stale"],
        "kept, but not believed before Graph is asked"
    );
    let mut bridge = known();
    let commands = lines(&bridge.on(Event::Configured(Box::new(settings()), vec![Access::Renewed]), at(4.0)));
    assert!(!commands.iter().any(|line| line.contains("alice")), "{commands:?}");
}

#[test]
fn nobody_is_believed_because_a_refusal_was_of_another_tenant() {
    let mut bridge = known();
    bridge.on(Woken, at(5.0));
    bridge.on(failure(1, ReadFailure::Forbidden { advice: "grant it".into() }), at(5.1));
    bridge.on(Acknowledged(100), at(5.2));
    let commands = lines(&bridge.on(Event::Configured(Box::new(settings()), vec![Access::New]), at(6.0)));
    assert!(commands.contains(&"presence/alice/health = stale".to_owned()), "{commands:?}");
}

#[test]
fn a_shorter_life_of_messages_begins_at_once() {
    let five = |expiry| {
        changed(settings(), |it| (it.mqtt.protocol, it.mqtt.message_expiry) = (Protocol::V5, expiry))
    };
    let mut bridge = online(five(None));
    bridge.on(answer(0, vec![reading(1, "Busy", "Busy"), reading(2, "Away", "Away")]), at(0.1));
    bridge.on(Acknowledged(100), at(0.2));
    let said = lines(&bridge.on(configured(five(Some(Duration::from_secs(60)))), at(1.0)));
    assert!(said.contains(&"presence/alice/availability = Busy".to_owned()), "{said:?}");
    bridge.on(Acknowledged(100), at(1.1));
    assert!(bridge.wake_at(at(30.9).tick).unwrap() <= at(31.0).tick);
    bridge.on(Woken, at(20.0));
    let said = lines(&bridge.on(Woken, at(31.0)));
    assert!(said.contains(&"presence/alice/availability = Busy".to_owned()), "{said:?}");
}

#[test]
fn messages_that_are_not_to_be_published_any_more_are_taken_back_at_once() {
    let mut bridge = online(changed(only_alice(), |it| it.graph.include_messages = true));
    let mut busy = reading(1, "Busy", "Busy");
    busy.presence.as_mut().unwrap().messages = Messages::of(Some("at the sea".into()), None);
    let told = format!("{:?}", bridge.on(answer(0, vec![busy]), at(0.1)));
    assert!(told.contains("at the sea"), "{told}");
    bridge.on(Acknowledged(100), at(0.2));
    let told = format!("{:?}", bridge.on(configured(only_alice()), at(1.0)));
    assert!(told.contains("presence/alice/state") && !told.contains("at the sea"), "{told}");
}

#[test]
fn in_the_middle_of_a_full_sending_it_begins_again_with_the_people_of_now() {
    let many: Vec<(String, usize)> = (1..300).map(|n| (format!("u{n}"), n)).collect();
    let many: Vec<(&str, usize)> = many.iter().map(|(name, n)| (name.as_str(), *n)).collect();
    let mut bridge = online(following(&many));
    bridge.on(answer(0, (1..300).map(|n| reading(n, "Busy", "Busy")).collect()), at(0.1));
    for _ in 0..10 {
        bridge.on(Acknowledged(WINDOW_MAX), at(0.2));
    }
    bridge.on(lost(), at(1.0));
    bridge.on(Woken, at(5.0));
    bridge.on(Connected, at(5.1));
    let mut said = lines(&bridge.on(configured(following(&many[..150])), at(5.2)));
    for second in 6..16 {
        said.extend(lines(&bridge.on(Acknowledged(WINDOW_MAX), at(f64::from(second)))));
    }
    assert!(said.contains(&"presence/bridge/state = online".to_owned()), "never online");
    for (name, _) in &many[..150] {
        let health = said.iter().filter(|line| **line == format!("presence/{name}/health = ok")).count();
        assert_eq!(health, 1, "{name}");
    }
}
