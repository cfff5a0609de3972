//! What a failure means for whom, and for how long.

use super::*;
use crate::core::model::event::Event::Woken;

fn known(settings: Settings) -> Bridge {
    let people = settings.users.len();
    let mut bridge = online(settings);
    bridge.on(answer(0, (1..=people).map(|n| reading(n, "Busy", "Busy")).collect()), at(0.0));
    bridge.on(Event::Acknowledged(50), at(0.0));
    bridge.on(Woken, at(5.0));
    bridge
}

#[test]
fn an_outage_is_reported_once_and_people_turn_stale_in_time() {
    let mut bridge = known(only_alice());
    let commands = bridge.on(failure(1, passing()), at(5.0));
    assert!(commands.is_empty(), "one failure is not an outage: {commands:?}");
    let mut reports = Vec::new();
    let mut health = Vec::new();
    let mut now = 5.0;
    let mut request = 2;
    while now < 200.0 {
        now = bridge.wake_at(at(now).tick).unwrap().0.as_secs_f64();
        for command in bridge.on(Woken, at(now)) {
            let lines = line(&command);
            health.extend(
                lines.lines().filter(|l| l.contains("/health")).map(|l| format!("{} {l}", now as u64)),
            );
            if lines.starts_with("read") {
                for command in bridge.on(failure(request, passing()), at(now)) {
                    let line = line(&command);
                    health.extend(line.lines().filter(|l| l.contains("/health")).map(|l| l.to_owned()));
                    if line.starts_with("report") {
                        reports.push(line);
                    }
                }
                request += 1;
            }
        }
        bridge.on(Event::Acknowledged(10), at(now));
    }
    assert_eq!(
        reports,
        [
            "report: presence cannot be read: connection refused; the bridge keeps retrying (if this lasts, check the network and the proxy)"
        ]
    );
    assert_eq!(health, ["presence/bridge/health = {unreachable}", "120 presence/alice/health = stale"]);
    assert!(request < 40, "{request} requests in 195 s of outage, in the first minute within seconds");

    while !bridge
        .on(Woken, at(now))
        .iter()
        .any(|command| matches!(command, Effect::Graph(_, GraphOrder::Read(_))))
    {
        now = bridge.wake_at(at(now).tick).unwrap().0.as_secs_f64();
    }
    let back = bridge.on(answer(request, vec![reading(1, "Away", "Away")]), at(now));
    let lines: Vec<String> = back.iter().map(line).collect();
    assert!(lines[0].starts_with("report: presence is read again after"), "{lines:?}");
    assert!(
        lines[1].ends_with("presence/alice/state = {Away Away since ".to_owned().as_str())
            || lines[1].contains("presence/alice/availability = Away\npresence/alice/health = ok"),
        "{lines:?}"
    );
}

#[test]
fn on_stale_unknown_fades_the_words_and_health_goes_first() {
    let settings = changed(only_alice(), |it| {
        (it.graph.on_stale, it.graph.stale_after) = (OnStale::Unknown, Some(Duration::from_secs(20)));
    });
    let mut bridge = known(settings);
    bridge.on(
        failure(1, ReadFailure::Passing { why: "gone".into(), retry_after: Some(Duration::from_secs(60)) }),
        at(5.0),
    );
    bridge.on(Event::Acknowledged(50), at(5.0));
    run(
        &mut bridge,
        vec![
            (
                20.0,
                Woken,
                "presence/alice/health = stale
             presence/alice/activity = PresenceUnknown
             presence/alice/availability = PresenceUnknown",
            ),
            (65.0, Woken, "read #2 bulk 1"),
            (
                65.1,
                answer(2, vec![reading(1, "Busy", "Busy")]),
                "report: presence is read again after 1m
             presence/bridge/health = {ok}
             presence/alice/activity = Busy
             presence/alice/availability = Busy
             presence/alice/health = ok",
            ),
        ],
    );
}

#[test]
fn throttling_is_honoured_to_the_second() {
    for (asked, waits) in [(Some(7), 7.0), (Some(0), 1.0), (Some(86_400), 900.0)] {
        let mut bridge = known(only_alice());
        let throttled = ReadFailure::Throttled { retry_after: asked.map(Duration::from_secs) };
        let said = bridge.on(failure(1, throttled), at(5.0));
        assert!(said.iter().any(|command| line(command).contains("presence/bridge/health = {throttled}")));
        let early = bridge.on(Woken, at(5.0 + waits - 0.01));
        assert!(
            !early.iter().any(|command| matches!(command, Effect::Graph(_, GraphOrder::Read(_)))),
            "{early:?}"
        );
        let due = bridge.on(Woken, at(5.0 + waits));
        assert!(
            due.iter().any(|command| matches!(command, Effect::Graph(_, GraphOrder::Read(_)))),
            "{asked:?}"
        );
    }
}

#[test]
fn a_refused_token_is_tried_again_then_replaced_and_then_graphs_trouble() {
    let mut bridge = known(only_alice());
    let refused = || ReadFailure::TokenRefused { why: "expired".into() };
    run(
        &mut bridge,
        vec![
            (5.1, failure(1, refused()), "read #2 bulk 1"),
            (5.2, failure(2, refused()), "read #3 bulk 1 with a fresh token"),
            // tests/grace.rs says how it goes on.
            (5.3, failure(3, refused()), ""),
        ],
    );
}

#[test]
fn a_refused_sign_in_is_said_for_everybody_and_tried_again_within_fifteen_minutes() {
    let mut bridge = known(settings());
    let refused = || ReadFailure::SignInRequired { advice: "the client secret is wrong".into() };
    run(
        &mut bridge,
        vec![(
            5.1,
            failure(1, refused()),
            "report: presence cannot be read: the client secret is wrong
             presence/bridge/health = {sign_in_required}
             presence/alice/health = sign_in_required
             presence/bob/health = sign_in_required",
        )],
    );
    let mut now = 5.1;
    let mut tries = Vec::new();
    for request in 2..8 {
        let before = now;
        while !bridge
            .on(Woken, at(now))
            .iter()
            .any(|command| matches!(command, Effect::Graph(_, GraphOrder::Read(_))))
        {
            now = bridge.wake_at(at(now).tick).unwrap().0.as_secs_f64();
        }
        tries.push(now - before);
        bridge.on(failure(request, refused()), at(now));
    }
    assert!(tries.iter().all(|wait| (29.9..=900.1).contains(wait)), "{tries:?}");
}

#[test]
fn one_bad_id_is_found_and_the_others_go_on() {
    let users = (1..=4).map(|n| watched(&format!("u{n}"), &id(n).to_string())).collect();
    let mut bridge = online(Settings { users, ..settings() });
    bridge.on(answer(0, (1..=4).map(|n| reading(n, "Busy", "Busy")).collect()), at(0.0));
    bridge.on(Woken, at(5.0));
    let bad = || ReadFailure::Refused { why: "BadRequest".into() };
    run(&mut bridge, vec![(5.01, failure(1, bad()), "read #2 bulk 1,2\nread #3 bulk 3,4")]);
    bridge.on(answer(2, vec![reading(1, "Busy", "Busy"), reading(2, "Busy", "Busy")]), at(5.02));
    run(&mut bridge, vec![(5.03, failure(3, bad()), "read #4 bulk 3\nread #5 bulk 4")]);
    bridge.on(answer(5, vec![reading(4, "Busy", "Busy")]), at(5.04));
    run(&mut bridge, vec![(5.05, failure(4, bad()), "read #6 user 3")]);
    let first = lines(&bridge.on(failure(6, ReadFailure::NotFound), at(5.06)));
    assert_eq!(first, [""; 0], "once is no proof");
    let again = lines(&bridge.on(Woken, at(7.1)));
    assert_eq!(again, ["read #7 user 3"]);
    let next = lines(&bridge.on(Woken, at(10.0)));
    assert_eq!(next, ["read #8 bulk 1,2,4"]);
    bridge.on(answer(8, [1, 2, 4].map(|n| reading(n, "Busy", "Busy")).to_vec()), at(10.1));
    let denied = lines(&bridge.on(failure(7, ReadFailure::NotFound), at(20.1)));
    assert!(denied.iter().any(|line| line.contains("users[2] cannot be read: not found")), "{denied:?}");
}

#[test]
fn somebody_missing_from_an_answer_is_read_alone_and_then_gently() {
    let mut bridge = known(settings());
    let only_bob = || vec![reading(2, "Busy", "Busy")];
    run(
        &mut bridge,
        vec![
            (5.1, answer(1, only_bob()), "read #2 user 1"),
            (5.2, failure(2, ReadFailure::NotFound), ""),
            (20.3, Woken, "read #3 bulk 1,2"),
            (20.4, answer(3, only_bob()), "read #4 user 1"),
            (
                20.5,
                failure(4, ReadFailure::NotFound),
                "report: users[0] cannot be read: not found in this tenant; check the id under [[users]], and that the account uses Teams
                 presence/bridge/health = {ok}
                 presence/alice/health = not_found",
            ),
            (25.0, Woken, "read #5 bulk 1,2"),
            (25.1, answer(5, only_bob()), "read #6 user 1"),
            (25.2, failure(6, ReadFailure::NotFound), ""),
            (30.0, Woken, "read #7 bulk 1,2"),
            (30.1, answer(7, only_bob()), ""),
            (35.0, Woken, "read #8 bulk 1,2"),
            (
                35.1,
                answer(8, vec![reading(1, "Busy", "Busy"), reading(2, "Busy", "Busy")]),
                "report: users[0] can be read again
                 presence/bridge/health = {ok}
                 presence/alice/health = ok",
            ),
        ],
    );
}

#[test]
fn forbidden_for_everybody_is_said_with_the_advice() {
    let mut bridge = known(only_alice());
    let forbidden = ReadFailure::Forbidden { advice: "grant Presence.Read.All".into() };
    let (mut now, mut request, mut all, mut named_at) = (5.1, 1, String::new(), 0.0);
    while !all.contains(r#"\"graph\":\"forbidden\""#) {
        all = format!("{:?}", bridge.on(failure(request, forbidden.clone()), at(now)));
        named_at = now;
        now = bridge.wake_at(at(now).tick).unwrap().0.as_secs_f64();
        bridge.on(Woken, at(now));
        request += 1;
    }
    assert!(all.contains("grant Presence.Read.All"), "{all}");
    assert!((20.0..35.0).contains(&named_at), "it has to last: {request} requests until {named_at}");
    bridge.on(Event::Acknowledged(9), at(now));
    let denied = lines(&bridge.on(failure(request, forbidden), at(now + 60.0)));
    let again = lines(&bridge.on(Woken, at(now + 500.0)));
    let expected = format!("read #{} bulk 1 with a fresh token", request + 1);
    assert!(again.contains(&expected), "{denied:?} {again:?}");
}

#[test]
fn an_unusable_answer_about_one_person_confirms_nothing() {
    let mut bridge = known(settings());
    for request in 1..30 {
        let seconds = 5.0 * request as f64;
        bridge.on(
            answer(request, vec![Reading { id: id(1), presence: None }, reading(2, "Busy", "Busy")]),
            at(seconds),
        );
        bridge.on(Event::Acknowledged(9), at(seconds));
        let commands = bridge.on(Woken, at(seconds + 5.0));
        let stale = commands.iter().any(|command| line(command).contains("presence/alice/health = stale"));
        assert_eq!(stale, seconds + 5.0 == 120.0, "at {seconds}");
    }
}

#[test]
fn new_words_and_strangers_are_reported_once_each_and_published_as_they_are() {
    let mut bridge = known(only_alice());
    run(
        &mut bridge,
        vec![(
            5.1,
            answer(
                1,
                vec![reading(1, "Zen", "Levitating"), reading(9, "Busy", "Busy"), reading(1, "Away", "Away")],
            ),
            r#"report: Graph uses a presence word that is new to this version: "Zen"
             report: Graph uses a presence word that is new to this version: "Levitating"
             report: ignored in Graph's answer: a person who was not asked for, is no longer followed, or appears twice
             report: ignored in Graph's answer: a person who was not asked for, is no longer followed, or appears twice
             presence/alice/state = {PresenceUnknown Levitating since 09:00:05}
             presence/alice/activity = Levitating
             presence/alice/availability = PresenceUnknown"#,
        )],
    );
}

#[test]
fn a_longer_wait_asked_for_during_a_wait_is_honoured() {
    let users = (1..=3).map(|n| watched(&format!("u{n}"), &id(n).to_string())).collect();
    let mut bridge = online(changed(Settings { users, ..settings() }, |it| {
        it.accounts[0].reading.endpoint = Endpoint::Users
    }));
    bridge.on(answer(0, vec![reading(1, "Busy", "Busy")]), at(0.1));
    let throttled = |seconds| ReadFailure::Throttled { retry_after: Some(Duration::from_secs(seconds)) };
    bridge.on(failure(1, throttled(1)), at(0.2));
    bridge.on(failure(2, throttled(60)), at(0.3));
    for (seconds, reads) in [(1.3, 0), (59.0, 0), (60.3, 1)] {
        let commands = bridge.on(Woken, at(seconds));
        assert_eq!(
            lines(&commands).iter().filter(|line| line.starts_with("read")).count(),
            reads,
            "at {seconds}"
        );
    }
}

#[test]
fn credentials_that_changed_are_tried_at_once() {
    let mut bridge = known(only_alice());
    bridge.on(
        failure(1, ReadFailure::SignInRequired { advice: "the client secret has expired".into() }),
        at(5.1),
    );
    bridge.on(Event::Acknowledged(9), at(5.1));
    run(
        &mut bridge,
        vec![
            (6.0, Event::SignIn(AccountId::FIRST, SignInEvent::CredentialsChanged), "read #2 bulk 1"),
            (
                6.1,
                answer(2, vec![reading(1, "Busy", "Busy")]),
                "report: presence is read again after 1s
                presence/bridge/health = {ok}
                presence/alice/health = ok",
            ),
        ],
    );
}

#[test]
fn halves_of_a_refused_read_are_not_begun_twice_however_slow_they_are() {
    let users = (1..=4).map(|n| watched(&format!("u{n}"), &id(n).to_string())).collect();
    let mut bridge = online(Settings { users, ..settings() });
    let bad = || ReadFailure::Refused { why: "BadRequest".into() };
    bridge.on(answer(0, (1..=4).map(|n| reading(n, "Busy", "Busy")).collect()), at(0.0));
    bridge.on(Woken, at(5.0));
    let mut asked = lines(&bridge.on(failure(1, bad()), at(6.0)));
    assert_eq!(asked, ["read #2 bulk 1,2", "read #3 bulk 3,4"]);
    asked.extend(lines(&bridge.on(Woken, at(10.0))));
    bridge.on(answer(2, vec![reading(1, "Busy", "Busy"), reading(2, "Busy", "Busy")]), at(11.0));
    asked.extend(lines(&bridge.on(failure(3, bad()), at(12.0))));
    asked.extend(lines(&bridge.on(Woken, at(15.0))));
    bridge.on(answer(4, vec![reading(3, "Busy", "Busy")]), at(16.0));
    asked.extend(lines(&bridge.on(failure(5, bad()), at(17.0))));
    let reads: Vec<&String> = asked.iter().filter(|line| line.starts_with("read")).collect();
    assert_eq!(
        reads,
        ["read #2 bulk 1,2", "read #3 bulk 3,4", "read #4 bulk 3", "read #5 bulk 4", "read #6 user 4"]
    );
    bridge.on(answer(6, vec![reading(4, "Busy", "Busy")]), at(17.1));
    let next = lines(&bridge.on(Woken, at(22.0)));
    let whole: Vec<&str> = next
        .iter()
        .filter_map(|line| line.split_once(' ')?.1.split_once(' '))
        .map(|(_, what)| what)
        .collect();
    assert!(whole.contains(&"bulk 1,2,3") && whole.contains(&"user 4"), "{next:?}");
}

#[test]
fn a_thousand_missing_people_are_each_read_in_turn() {
    let users = (0..300).map(|n| watched(&format!("u{n}"), &id(n).to_string())).collect();
    let mut bridge = claimed(Settings { users, ..settings() }, 1, at(0.0));
    bridge.on(Event::Started, at(0.0));
    let mut alone = std::collections::BTreeSet::new();
    let mut now = 0.0;
    let mut under_way: Vec<(u64, Option<usize>)> = vec![(0, None)];
    while now < 30.0 {
        for (request, person) in std::mem::take(&mut under_way) {
            let people = person.map(|n| reading(n, "Busy", "Busy")).into_iter().collect();
            under_way.extend(reads_of(&bridge.on(answer(request, people), at(now)), &mut alone));
        }
        now = bridge.wake_at(at(now).tick).unwrap().0.as_secs_f64().max(now);
        under_way.extend(reads_of(&bridge.on(Woken, at(now)), &mut alone));
    }
    assert_eq!(alone.len(), 300, "nobody waits for ever behind the others");
}

fn reads_of(commands: &[Effect], alone: &mut std::collections::BTreeSet<usize>) -> Vec<(u64, Option<usize>)> {
    let read = |command: &Effect| match command {
        Effect::Graph(_, GraphOrder::Read(read)) => match &read.operation {
            ReadPresence::User(id) => Some((read.id.number(), Some(number(*id) as usize))),
            ReadPresence::Me | ReadPresence::Communications(_) | ReadPresence::Bulk(_) => {
                Some((read.id.number(), None))
            }
        },
        Effect::Graph(_, _)
        | Effect::SignIn(_, _)
        | Effect::Broker(_)
        | Effect::Answer(..)
        | Effect::Report(_)
        | Effect::Finish(_) => None,
    };
    let reads: Vec<_> = commands.iter().filter_map(read).collect();
    alone.extend(reads.iter().filter_map(|(_, person)| *person));
    reads
}

#[test]
fn nothing_is_guessed_about_somebody_who_was_never_read() {
    let settings = changed(only_alice(), |it| {
        (it.graph.on_stale, it.graph.stale_after) = (OnStale::Unknown, Some(Duration::from_secs(20)));
    });
    let mut bridge = online(settings);
    bridge.on(
        failure(0, ReadFailure::Passing { why: "gone".into(), retry_after: Some(Duration::from_secs(900)) }),
        at(0.1),
    );
    let said = lines(&bridge.on(Woken, at(100.0)));
    assert!(!said.iter().any(|line| line.contains("PresenceUnknown")), "{said:?}");
}

#[test]
fn forbidden_for_some_is_a_notice_and_forbidden_for_all_is_the_state() {
    let mut bridge = online(changed(settings(), |it| it.accounts[0].reading.endpoint = Endpoint::Users));
    let forbidden = || ReadFailure::Forbidden { advice: "grant Presence.Read.All".into() };
    let first = format!("{:?}", bridge.on(failure(0, forbidden()), at(1.0)));
    assert!(first.contains("1 of 2 people cannot be read: grant Presence.Read.All"), "{first}");
    assert!(first.contains(r#"\"graph\":\"ok\""#) && first.contains(r#"\"last_success\":null"#), "{first}");
    let second = format!("{:?}", bridge.on(failure(1, forbidden()), at(2.0)));
    assert!(second.contains(r#"\"graph\":\"forbidden\",\"since\":\"2026-11-23T09:00:02Z\""#), "{second}");
    assert!(second.contains(r#"\"last_success\":null"#), "nobody was ever read: {second}");
}
