//! Another configuration while the bridge runs.

use super::*;
use crate::core::event::Access;
use crate::core::event::Event::{Acknowledged, Connected, Woken};

fn configured(settings: Settings) -> Event {
    Event::Configured(Box::new(settings), Access::Same)
}

fn following(users: &[(&str, usize)]) -> Settings {
    let users = users.iter().map(|(name, n)| watched(name, &id(*n).to_string())).collect();
    Settings { users, ..settings() }
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
fn intervals_and_limits_change_and_the_answer_to_an_older_order_counts_for_nothing() {
    let mut bridge = known();
    bridge.on(Woken, at(5.0));
    let slower = Settings { poll_interval: Duration::from_secs(60), request_budget: 1, ..settings() };
    let commands = lines(&bridge.on(configured(slower), at(5.5)));
    assert!(commands.contains(&"presence/bridge/info = {every 1m}".to_owned()), "{commands:?}");
    assert!(
        commands.iter().all(|line| !line.starts_with("read")),
        "the smaller budget is spent: {commands:?}"
    );
    let late = bridge.on(answer(1, vec![reading(1, "Away", "Away")]), at(5.6));
    assert!(late.is_empty(), "{late:?}");
}

#[test]
fn a_bad_configuration_changes_nothing_and_is_said_until_a_good_one_comes() {
    let mut bridge = known();
    let commands = bridge.on(Event::NotConfigured("no such key".into()), at(4.0));
    assert!(lines(&commands)[0].contains("the old one stays: no such key"), "{commands:?}");
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
    assert_eq!(
        commands.last().map(String::as_str),
        Some("report: everything is published; the bridge is online")
    );
}

#[test]
fn another_sign_in_begins_anew_but_keeps_the_values() {
    let mut bridge = known();
    let commands = lines(&bridge.on(Event::Configured(Box::new(settings()), Access::New), at(4.0)));
    assert!(commands.contains(&"presence/bridge/health = {starting}".to_owned()), "{commands:?}");
    assert!(!commands.iter().any(|line| line.contains("alice")), "{commands:?}");
}

#[test]
fn in_the_middle_of_a_full_sending_it_begins_again_with_the_people_of_now() {
    let many: Vec<(String, usize)> = (1..100).map(|n| (format!("u{n}"), n)).collect();
    let many: Vec<(&str, usize)> = many.iter().map(|(name, n)| (name.as_str(), *n)).collect();
    let mut bridge = online(following(&many));
    bridge.on(answer(0, (1..100).map(|n| reading(n, "Busy", "Busy")).collect()), at(0.1));
    for _ in 0..10 {
        bridge.on(Acknowledged(120), at(0.2));
    }
    bridge.on(lost(), at(1.0));
    bridge.on(Woken, at(5.0));
    bridge.on(Connected, at(5.1));
    let mut said = lines(&bridge.on(configured(following(&many[..50])), at(5.2)));
    while !said.iter().any(|line| line == "presence/bridge/state = online") {
        let more = lines(&bridge.on(Acknowledged(120), at(5.3)));
        assert!(!more.is_empty(), "never online");
        said.extend(more);
    }
    for (name, _) in &many[..50] {
        let health = said.iter().filter(|line| **line == format!("presence/{name}/health = ok")).count();
        assert_eq!(health, 1, "{name}");
    }
}
