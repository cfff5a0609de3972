//! What reaches the broker, and in which order.

use super::*;
use crate::core::broker::in_flight::WINDOW_MAX;
use crate::core::model::event::Event::{Acknowledged, Connected, Started, Woken};
use crate::core::model::sign_in::SignInEvent;

#[test]
fn the_first_connect_reads_back_then_says_stale_then_online() {
    check(
        settings(),
        vec![
            (0.0, Started, "read #0 bulk 1,2\n connect"),
            (
                0.01,
                Connected,
                "report: connected to the broker
                 subscribe presence/+/state presence/+/health presence/+/info presence/bridge/sign_in presence/bridge/light/+/+
                 subscribe presence/bridge/refresh presence/bridge/state presence/bridge/standby/ping",
            ),
            (0.02, subscribed(), ""),
            (0.03, subscribed(), ""),
            (
                0.07,
                Woken,
                "presence/bridge/health = {starting}
                 presence/bridge/info = {every 5s}
                 presence/bob/health = stale
                 presence/alice/health = stale
                 presence/bridge/state = online",
            ),
            (
                0.08,
                answer(0, vec![reading(2, "Available", "Available"), reading(1, "Busy", "InAMeeting")]),
                "report: Graph answers
                 presence/bridge/health = {ok}
                 presence/bob/state = {Available Available since 09:00:00}
                 presence/bob/activity = Available
                 presence/bob/availability = Available
                 presence/bob/health = ok
                 presence/alice/state = {Busy InAMeeting since 09:00:00}
                 presence/alice/activity = InAMeeting
                 presence/alice/availability = Busy
                 presence/alice/health = ok",
            ),
            (
                5.0,
                Woken,
                "read #1 bulk 1,2\nunsubscribe presence/+/state presence/+/health presence/+/info presence/bridge/sign_in presence/bridge/light/+/+",
            ),
            (
                5.01,
                answer(1, vec![reading(1, "Busy", "InAMeeting"), reading(2, "Available", "Available")]),
                "",
            ),
            (10.0, Woken, "read #2 bulk 1,2"),
            (
                10.1,
                answer(2, vec![reading(1, "Busy", "InACall"), reading(2, "Available", "Available")]),
                "presence/alice/state = {Busy InACall since 09:00:10}
                 presence/alice/activity = InACall",
            ),
        ],
    );
}

#[test]
fn a_new_sequence_number_alone_is_not_a_change() {
    let mut bridge = online(only_alice());
    let with_number = |number: &str| {
        let mut newer = reading(1, "Busy", "Busy");
        newer.presence.as_mut().unwrap().sequence_number = Some(number.into());
        newer
    };
    bridge.on(answer(0, vec![with_number("A1")]), at(0.1));
    run(
        &mut bridge,
        vec![(
            5.0,
            Woken,
            "read #1 bulk 1\nunsubscribe presence/+/state presence/+/health presence/+/info presence/bridge/sign_in presence/bridge/light/+/+",
        )],
    );
    run(&mut bridge, vec![(5.1, answer(1, vec![with_number("A2")]), "")]);
}

#[test]
fn since_survives_a_restart_when_the_words_are_the_same() {
    let state = |availability: &str, bridge: &str| {
        format!(
            r#"{{"availability":"{availability}","activity":"Busy","since":"2026-11-23T08:30:00Z","bridge":"{bridge}","x":1}}"#
        )
    };
    for (remembered, expected) in [
        (state("Busy", "presence2mqtt"), "08:30:00"),
        (state("Away", "presence2mqtt"), "09:00:00"),
        (state("Busy", "another"), "09:00:00"),
        ("not json".into(), "09:00:00"),
    ] {
        // Before the first answer, and, from a broker that is slow with retained messages, after it.
        for late in [false, true] {
            let mut bridge = claimed(only_alice(), 1, at(0.0));
            bridge.on(Started, at(0.0));
            bridge.on(Connected, at(0.0));
            if !late {
                bridge.on(retained("presence/alice/state", &remembered), at(0.0));
            }
            bridge.on(subscribed(), at(0.0));
            bridge.on(subscribed(), at(0.0));
            bridge.on(Woken, at(0.04));
            let mut published = bridge.on(answer(0, vec![reading(1, "Busy", "Busy")]), at(0.1));
            if late {
                published.extend(bridge.on(retained("presence/alice/state", &remembered), at(0.2)));
            }
            let lines = lines(&published);
            let last = lines.iter().rfind(|line| line.starts_with("presence/alice/state")).unwrap();
            assert_eq!(
                *last,
                format!("presence/alice/state = {{Busy Busy since {expected}}}"),
                "late: {late}"
            );
        }
    }
}

#[test]
fn a_user_no_longer_configured_disappears() {
    let gone = |bridge: &str| {
        format!(
            r#"{{"availability":"Away","activity":"Away","since":"2026-11-23T08:30:00Z","bridge":"{bridge}"}}"#
        )
    };
    check(
        only_alice(),
        vec![
            (0.0, Started, "read #0 bulk 1\n connect"),
            (
                0.0,
                Connected,
                "report: connected to the broker
                 subscribe presence/+/state presence/+/health presence/+/info presence/bridge/sign_in presence/bridge/light/+/+
                 subscribe presence/bridge/refresh presence/bridge/state presence/bridge/standby/ping",
            ),
            (0.0, retained("presence/carol/state", &gone("somebody-else")), ""),
            (
                0.0,
                retained("presence/dave/state", &gone("presence2mqtt")),
                "report: dave is no longer configured and was removed from the broker",
            ),
            (0.0, retained("presence/bridge/state", "offline"), ""),
            (0.0, subscribed(), ""),
            (0.0, subscribed(), ""),
            (
                0.04,
                Woken,
                "presence/dave/health =
                 presence/dave/activity =
                 presence/dave/availability =
                 presence/dave/state =
                 presence/bridge/health = {starting}
                 presence/bridge/info = {every 5s}
                 presence/alice/health = stale
                 presence/bridge/state = online",
            ),
        ],
    );
}

#[test]
fn after_a_reconnect_everything_is_sent_again_newest_change_first() {
    let mut bridge = online(settings());
    bridge.on(answer(0, vec![reading(1, "Busy", "Busy"), reading(2, "Away", "Away")]), at(0.1));
    bridge.on(Woken, at(5.0));
    bridge.on(answer(1, vec![reading(1, "Busy", "InACall"), reading(2, "Away", "Away")]), at(5.1));
    bridge.on(lost(), at(6.0));
    let rows = vec![
        (10.0, Woken, "read #2 bulk 1,2\nconnect"),
        (10.1, answer(2, vec![reading(1, "Busy", "InACall"), reading(2, "Offline", "OffWork")]), ""),
        (
            11.0,
            Connected,
            "report: connected to the broker
             subscribe presence/bridge/refresh presence/bridge/state presence/bridge/standby/ping
             presence/bridge/health = {ok}
             presence/bridge/info = {every 5s}
             presence/bob/state = {Offline OffWork since 09:00:10}
             presence/bob/activity = OffWork
             presence/bob/availability = Offline
             presence/bob/health = ok
             presence/alice/state = {Busy InACall since 09:00:05}
             presence/alice/activity = InACall
             presence/alice/availability = Busy
             presence/alice/health = ok
             presence/bridge/state = online",
        ),
        (11.1, subscribed(), ""),
    ];
    run(&mut bridge, rows);
}

/// Acknowledges until nothing more comes, and returns all that came.
fn drain(bridge: &mut Bridge, first: Vec<String>, seconds: f64) -> Vec<String> {
    let mut all = first.clone();
    let mut last = first;
    while !last.is_empty() {
        last = lines(&bridge.on(Acknowledged(last.len()), at(seconds)));
        all.extend(last.clone());
    }
    all
}

#[test]
fn the_window_bounds_what_is_in_flight_and_fresh_changes_overtake_the_rest() {
    let users = (0..200).map(|n| watched(&format!("u{n}"), &id(n).to_string())).collect();
    let mut bridge = online(Settings { users, ..settings() });
    let everyone = |word: &str| (0..200).map(|n| reading(n, word, word)).collect::<Vec<_>>();
    let published = lines(&bridge.on(answer(0, everyone("Available")), at(0.1)));
    drain(&mut bridge, published, 0.2);
    bridge.on(lost(), at(1.0));
    let first = lines(&bridge.on(Connected, at(2.0)));
    let first: Vec<String> = first.into_iter().filter(|line| line.contains(" = ")).collect();
    assert!((WINDOW_MAX..WINDOW_MAX + 4).contains(&first.len()), "{}", first.len());
    bridge.on(Woken, at(5.0));
    let mut change = everyone("Available");
    change[7] = reading(7, "Busy", "Busy");
    assert_eq!(lines(&bridge.on(answer(1, change), at(5.1))), Vec::<String>::new(), "the window is full");
    let next = lines(&bridge.on(Acknowledged(20), at(5.2)));
    assert_eq!(next[0], "presence/u7/state = {Busy Busy since 09:00:05}");
    let all = drain(&mut bridge, [first, next].concat(), 5.3);
    let last = ["presence/bridge/state = online", "report: everything is published; the bridge is online"];
    assert_eq!(all[all.len() - 2..], last);
    assert!((802..=812).contains(&all.len()), "{}", all.len());
}

#[test]
fn an_answer_before_the_broker_is_there_does_not_mix_with_an_earlier_runs_values() {
    let mut bridge = claimed(only_alice(), 1, at(0.0));
    bridge.on(Started, at(0.0));
    bridge.on(answer(0, vec![reading(1, "Busy", "Busy")]), at(0.01));
    bridge.on(Connected, at(0.02));
    bridge.on(subscribed(), at(0.03));
    bridge.on(subscribed(), at(0.03));
    run(
        &mut bridge,
        vec![(
            0.07,
            Woken,
            "presence/bridge/health = {ok}
             presence/bridge/info = {every 5s}
             presence/alice/health = stale
             presence/alice/state = {Busy Busy since 09:00:00}
             presence/alice/activity = Busy
             presence/alice/availability = Busy
             presence/alice/health = ok
             presence/bridge/state = online",
        )],
    );
}

#[test]
fn since_of_an_earlier_run_is_not_restored_over_a_change_of_this_one() {
    let mut bridge = claimed(only_alice(), 1, at(0.0));
    bridge.on(Started, at(0.0));
    for (request, (seconds, word)) in (0..).zip([(0.1, "Busy"), (5.1, "Away"), (10.1, "Busy")]) {
        bridge.on(answer(request, vec![reading(1, word, word)]), at(seconds));
        bridge.on(Woken, at((seconds / 5.0).ceil() * 5.0));
    }
    bridge.on(Connected, at(11.0));
    let state = r#"{"availability":"Busy","activity":"Busy","since":"2025-11-23T08:30:00Z","bridge":"presence2mqtt"}"#;
    bridge.on(retained("presence/alice/state", state), at(11.0));
    bridge.on(subscribed(), at(11.0));
    bridge.on(subscribed(), at(11.0));
    let said = lines(&bridge.on(Woken, at(11.1)));
    assert!(said.contains(&"presence/alice/state = {Busy Busy since 09:00:10}".to_owned()), "{said:?}");
}

#[test]
fn a_removal_that_was_cut_off_begins_again_and_ends_with_the_state() {
    let mut bridge = claimed(only_alice(), 1, at(0.0));
    bridge.on(Started, at(0.0));
    bridge.on(Connected, at(0.0));
    let state = r#"{"availability":"Away","activity":"Away","since":"2026-11-23T08:30:00Z","bridge":"presence2mqtt"}"#;
    bridge.on(retained("presence/dave/state", state), at(0.0));
    bridge.on(subscribed(), at(0.0));
    bridge.on(subscribed(), at(0.0));
    let emptied = |said: Vec<String>| -> Vec<String> {
        said.into_iter().filter(|line| line.contains("dave")).collect()
    };
    let first = emptied(lines(&bridge.on(Woken, at(0.04))));
    assert_eq!(first.last().unwrap(), "presence/dave/state =");
    bridge.on(lost(), at(0.1));
    bridge.on(Woken, at(5.0));
    assert_eq!(emptied(lines(&bridge.on(Connected, at(5.1)))), first);
    bridge.on(Acknowledged(50), at(5.2));
    bridge.on(lost(), at(5.3));
    bridge.on(Woken, at(10.0));
    assert_eq!(emptied(lines(&bridge.on(Connected, at(10.1)))), Vec::<String>::new(), "it is done");
}

#[test]
fn the_whole_state_payload() {
    use crate::core::model::payload::{State, json};
    use crate::core::model::presence::{Messages, StatusMessage, WorkLocation};
    let bridge = "presence2mqtt".parse().unwrap();
    let status =
        StatusMessage { text: "In the workshop".into(), expires: Some("2026-11-23T17:00:00Z".into()) };
    let full = Presence {
        messages: Messages::of(Some("Back \"soon\"".into()), Some(status)),
        work_location: Some(WorkLocation::TimeOff),
        ..presence("Busy", "InAMeeting")
    };
    let since = "2026-11-23T09:14:22Z".parse().unwrap();
    assert_eq!(
        json(&State::new(&full, since, Some(id(1)), &bridge)),
        r#"{"availability":"Busy","activity":"InAMeeting","since":"2026-11-23T09:14:22Z","out_of_office":false,"out_of_office_message":"Back \"soon\"","status_message":"In the workshop","status_message_expires":"2026-11-23T17:00:00Z","work_location":"time_off","raw_availability":"Busy","raw_activity":"InAMeeting","sequence_number":"A0000000001","user_id":"00000000-0000-4000-8000-000000000001","bridge":"presence2mqtt"}"#
    );
    let bare = Presence::of(PresenceWords::from_graph("Busy", None).unwrap());
    assert_eq!(
        json(&State::new(&bare, since, None, &bridge)),
        r#"{"availability":"Busy","activity":"PresenceUnknown","since":"2026-11-23T09:14:22Z","out_of_office":null,"out_of_office_message":null,"status_message":null,"status_message_expires":null,"work_location":null,"raw_availability":"Busy","raw_activity":null,"sequence_number":null,"user_id":null,"bridge":"presence2mqtt"}"#
    );
}

#[test]
fn what_people_wrote_is_published_only_when_asked_for() {
    use crate::core::model::presence::{Messages, StatusMessage};
    let mut wrote = reading(1, "Busy", "Busy");
    let status = StatusMessage { text: "private".into(), expires: None };
    wrote.presence.as_mut().unwrap().messages = Messages::of(Some("private".into()), Some(status));
    for include_messages in [false, true] {
        let mut bridge = online(changed(only_alice(), |it| it.graph.include_messages = include_messages));
        let commands = format!("{:?}", bridge.on(answer(0, vec![wrote.clone()]), at(0.1)));
        assert_eq!(commands.contains("private"), include_messages);
        assert!(commands.contains("out_of_office"));
    }
}

#[test]
fn the_end_of_the_certificate_is_noticed_when_it_is_near() {
    let day = 24.0 * 3600.0;
    let ends = at(40.0 * day).wall;
    let mut bridge = online(changed(settings(), |it| it.accounts[0].sign_in.certificate_ends = Some(ends)));
    let mut noticed = |days: f64| {
        let commands = bridge.on(Event::Woken, at(days * day));
        let published = commands.iter().filter_map(|command| match command {
            Effect::Broker(BrokerOrder::Publish(messages)) => {
                let acknowledged = bridge.on(Event::Acknowledged(messages.len()), at(days * day));
                assert!(acknowledged.is_empty(), "{acknowledged:?}");
                Some(messages)
            }
            Effect::Broker(_)
            | Effect::Graph(_, _)
            | Effect::SignIn(_, _)
            | Effect::Answer(..)
            | Effect::Report(_)
            | Effect::Finish(_) => None,
        });
        published.flatten().any(|message| message.payload.contains("the certificate expires on 2027-01-02"))
    };
    assert!(!noticed(9.9));
    assert!(noticed(10.1));
    assert!(!noticed(10.2), "nothing new");
    assert!(noticed(33.1), "less than 7 days");
    bridge.on(
        Event::SignIn(AccountId::FIRST, SignInEvent::CertificateEnds(Some(at(400.0 * day).wall))),
        at(33.2 * day),
    );
    assert!(
        bridge.snapshot(&PeopleQuery::nobody(), at(33.2 * day)).accounts[0].certificate_ends > Some(ends),
        "it was renewed"
    );
}

#[test]
fn a_lone_health_disappears_unless_another_bridge_may_have_left_it() {
    let with = |neighbour: bool| {
        let mut bridge = claimed(only_alice(), 1, at(0.0));
        bridge.on(Event::Started, at(0.0));
        bridge.on(Event::Connected, at(0.0));
        for (topic, payload) in [
            ("presence/ghost/health", "not_found"),
            ("presence/alice/health", "ok"),
            ("presence/bridge/health", "{}"),
            ("presence/zoe/health", "ok"),
            (
                "presence/zoe/state",
                r#"{"availability":"Busy","activity":"Busy","since":"2026-11-23T08:00:00Z","bridge":"x"}"#,
            ),
        ] {
            bridge.on(retained(topic, payload), at(0.0));
        }
        if neighbour {
            bridge.on(retained("presence/other/info", "{}"), at(0.0));
        }
        bridge.on(subscribed(), at(0.0));
        bridge.on(subscribed(), at(0.0));
        lines(&bridge.on(Event::Woken, at(0.04)))
    };
    let emptied =
        |lines: Vec<String>| lines.into_iter().filter(|line| line.ends_with('=')).collect::<Vec<_>>();
    assert_eq!(emptied(with(false)), ["presence/ghost/health ="]);
    assert_eq!(emptied(with(true)), [""; 0]);
}

/// Mosquitto drops what does not fit into a subscriber's queue of 1,000 messages, and tells nobody.
#[test]
fn a_burst_leaves_room_in_the_queues_of_slow_subscribers_and_a_change_does_not_wait() {
    let many: Vec<(String, usize)> = (1..=650).map(|n| (format!("u{n}"), n)).collect();
    let many: Vec<(&str, usize)> = many.iter().map(|(name, n)| (name.as_str(), *n)).collect();
    let mut bridge = online(following(&many));
    let busy = || (1..=650).map(|n| reading(n, "Busy", "Busy")).collect();
    // A subscriber that takes 1,500 messages a second.
    let (mut now, mut sent, mut behind) = (1.0, 0, 0.0_f64);
    let mut effects = bridge.on(answer(0, busy()), at(now));
    while now < 3.0 {
        let some = effects.iter().map(published).sum::<usize>();
        (sent, behind) = (sent + some, behind + some as f64);
        assert!(behind <= 1000.0, "{behind} messages behind at {now} s");
        if some == 0 {
            let next = bridge.wake_at(at(now).tick).map_or(3.0, |at| at.0.as_secs_f64());
            behind = (behind - 1500.0 * (next - now)).max(0.0);
            now = next;
        }
        effects = bridge.on(Acknowledged(some), at(now));
    }
    assert!(sent >= 4 * 650, "{sent} messages in two seconds");
    bridge.on(Woken, at(6.0));
    let said = lines(&bridge.on(answer(1, vec![reading(7, "Away", "Away")]), at(6.1)));
    assert!(said.contains(&"presence/u7/availability = Away".to_owned()), "{said:?}");
}

fn published(effect: &Effect) -> usize {
    if let Effect::Broker(BrokerOrder::Publish(messages)) = effect { messages.len() } else { 0 }
}
