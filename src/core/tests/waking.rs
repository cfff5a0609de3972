//! The lid closed and opened, and clocks that jump.

use super::*;
use crate::core::model::event::Event::{Acknowledged, Woken};

/// Alice is known, read every five seconds; read #1 is under way.
fn known(settings: Settings) -> Bridge {
    let mut bridge = online(settings);
    bridge.on(answer(0, vec![reading(1, "Busy", "Busy")]), at(0.1));
    bridge.on(Acknowledged(50), at(0.2));
    bridge.on(Woken, at(3.0));
    bridge.on(Woken, at(5.0));
    bridge
}

/// Keeps the broker reachable and Graph silent until the given time, and says when which health was
/// published.
fn healths(bridge: &mut Bridge, mut now: Now, slept: f64, until: f64) -> Vec<(f64, String)> {
    let mut healths = Vec::new();
    let mut commands = bridge.on(Woken, now);
    loop {
        let mut next = Vec::new();
        for command in commands {
            match command {
                Effect::Broker(BrokerOrder::Connect(..)) => next.push(Event::Connected),
                Effect::Broker(BrokerOrder::Publish(messages)) => {
                    next.push(Acknowledged(messages.len()));
                    let health =
                        messages.into_iter().filter(|message| message.topic == "presence/alice/health");
                    healths.extend(health.map(|message| (now.tick.0.as_secs_f64(), message.payload)));
                }
                Effect::Broker(_)
                | Effect::Graph(_, _)
                | Effect::SignIn(_, _)
                | Effect::Answer(..)
                | Effect::Report(_)
                | Effect::Finish(_) => {}
            }
        }
        commands = next.into_iter().flat_map(|event| bridge.on(event, now)).collect();
        if commands.is_empty() {
            let wake = bridge.wake_at(now.tick).unwrap().0.as_secs_f64();
            if wake > until {
                return healths;
            }
            now = at_after_sleep(wake, slept);
            commands = bridge.on(Woken, now);
        }
    }
}

#[test]
fn after_a_night_everybody_is_read_at_once_on_new_connections() {
    let mut bridge = known(only_alice());
    let night = 8.0 * 3600.0;
    let commands = bridge.on(Woken, at_after_sleep(6.0, night));
    assert_eq!(
        lines(&commands),
        [
            "report: the clock is 8h ahead: the machine slept, or its clock was set; reading all people \
            again",
            "forget connections",
            "read #2 bulk 1",
            "connect",
        ]
    );
    // What was under way when the lid closed is over, whatever comes of it.
    assert!(bridge.on(answer(1, vec![reading(1, "Away", "Away")]), at_after_sleep(6.1, night)).is_empty());
    bridge.on(Event::Connected, at_after_sleep(6.2, night));
    let read =
        lines(&bridge.on(answer(2, vec![reading(1, "Offline", "Offline")]), at_after_sleep(7.0, night)));
    assert!(read.contains(&"presence/alice/availability = Offline".to_owned()), "{read:?}");
    let healths = healths(&mut bridge, at_after_sleep(7.0, night), night, 60.0);
    assert!(healths.is_empty(), "never stale: {healths:?}");
}

#[test]
fn whoever_is_not_read_after_waking_is_stale_within_two_seconds() {
    for (slept, stale) in [(8.0 * 3600.0, 6.0..8.0), (100.0, 20.0..21.0), (10.0, 110.0..111.0)] {
        let mut bridge = known(only_alice());
        let healths = healths(&mut bridge, at_after_sleep(6.0, slept), slept, 200.0);
        let at = healths.iter().find(|(_, health)| health == "stale").expect("stale at some time").0;
        assert!(stale.contains(&at), "slept {slept} s, stale {at}");
        assert_eq!(healths.last().map(|(_, health)| health.as_str()), Some("stale"));
    }
}

#[test]
fn a_clock_that_is_set_back_changes_nothing() {
    let mut bridge = known(only_alice());
    assert_eq!(lines(&bridge.on(Woken, at_after_sleep(6.0, -7200.0))), [""; 0]);
    let healths = healths(&mut bridge, at_after_sleep(7.0, -7200.0), -7200.0, 130.0);
    assert_eq!(healths.len(), 1, "{healths:?}");
    assert!((120.0..121.0).contains(&healths[0].0), "{healths:?}");
}

#[test]
fn a_short_jump_keeps_the_connection_to_the_broker() {
    let mut bridge = known(only_alice());
    let commands = lines(&bridge.on(Woken, at_after_sleep(6.0, 40.0)));
    assert_eq!(&commands[1..], ["forget connections", "read #2 bulk 1"]);
}

#[test]
fn no_jump_of_the_clock_buys_more_requests() {
    let settings = changed(settings(), |it| {
        (it.accounts[0].reading.request_budget, it.accounts[0].reading.endpoint) = (4, Endpoint::Users);
    });
    let mut bridge = online(settings);
    let mut sent = vec![0.04];
    let mut slept = 0.0;
    for step in 1..900 {
        let now = f64::from(step) * 0.1;
        slept += if step % 20 == 0 { 100.0 } else { 0.0 };
        for command in bridge.on(Woken, at_after_sleep(now, slept)) {
            if let Effect::Graph(_, GraphOrder::Read(read)) = command {
                sent.push(now);
                let request = read.id.number();
                bridge.on(answer(request, vec![reading(1, "Busy", "Busy")]), at_after_sleep(now, slept));
            }
        }
    }
    assert!(sent.len() > 8, "{sent:?}");
    for (n, first) in sent.iter().enumerate() {
        let inside = sent[n..].iter().filter(|time| **time < first + 30.0).count();
        assert!(inside <= 4, "{inside} from {first}: {sent:?}");
    }
}

#[test]
fn a_change_that_nobody_watched_lasting_does_not_count() {
    let mut bridge = known(changed(only_alice(), |it| it.graph.debounce = Duration::from_secs(60)));
    bridge.on(answer(1, vec![reading(1, "Away", "Away")]), at(5.1));
    let commands = lines(&bridge.on(Woken, at_after_sleep(6.0, 300.0)));
    assert!(!commands.iter().any(|line| line.contains("Away")), "{commands:?}");
}

#[test]
fn an_older_answer_is_left_out_for_a_while() {
    let with_number = |request, word: &str, number: &str| {
        let mut reading = reading(1, word, word);
        reading.presence.as_mut().unwrap().sequence_number = Some(number.into());
        answer(request, vec![reading])
    };
    let mut bridge = online(only_alice());
    bridge.on(with_number(0, "Busy", "A0000000007"), at(0.1));
    bridge.on(Acknowledged(50), at(0.2));
    bridge.on(Woken, at(3.0));
    let mut rows = Vec::new();
    for n in 1..5_u32 {
        let now = f64::from(n) * 5.0;
        bridge.on(Woken, at(now));
        rows.push(lines(&bridge.on(with_number(n.into(), "Away", "A0000000005"), at(now + 0.1))));
        bridge.on(Acknowledged(50), at(now + 0.2));
    }
    let ignored = ["report: ignored in Graph's answer: an answer that is older than the one before"];
    assert_eq!(rows[..3], [ignored; 3]);
    assert!(
        rows[3][0].starts_with("report: users[0]: Graph keeps returning an older sequence number"),
        "{:?}",
        rows[3]
    );
    assert!(rows[3].contains(&"presence/alice/availability = Away".to_owned()), "{:?}", rows[3]);
}
