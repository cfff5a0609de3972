//! What is told to whoever asks for all of it.

use super::*;
use crate::core::model::health::GraphState;
use crate::core::model::sign_in::ShownInvitation;
use crate::core::model::snapshot::BrokerState;

/// The parts that change, each in one line.
fn lines(core: &Bridge, now: Now) -> [String; 4] {
    let snapshot = core.snapshot(&PeopleQuery::first(1000), now);
    let (graph, broker) = (&snapshot.accounts[0].graph, &snapshot.broker);
    let seconds = |time: Option<jiff::Timestamp>| time.map_or("never".to_owned(), |time| time.to_string());
    let used = (graph.budget_used, graph.budget);
    let person = |person: &crate::core::model::snapshot::PersonSnapshot| {
        let (availability, activity) = person.words.clone().unwrap_or_default();
        format!(
            "{} {availability}/{activity} since {} {}",
            person.name,
            seconds(person.since),
            person.health.as_str()
        )
    };
    [
        format!(
            "{} fresh={} last={} {used:?}",
            graph.state.as_str(),
            graph.is_fresh,
            seconds(graph.last_success)
        ),
        format!("{:?} {:?}", broker.state, broker.trouble),
        snapshot.people_page.persons.iter().map(person).collect::<Vec<_>>().join(", "),
        core.snapshot(&PeopleQuery::nobody(), at(0.0)).headline(),
    ]
}

#[test]
fn everything_is_there_from_the_first_moment_on() {
    let mut core = claimed(settings(), 1, at(0.0));
    let starting = [
        "starting fresh=false last=never (0, 1500)",
        "Connecting None",
        "alice / since never stale, bob / since never stale",
        "no connection to the broker; Graph: starting; people up to date: 0 of 2",
    ];
    assert_eq!(lines(&core, at(0.0)), starting);

    core.on(Event::Started, at(0.0));
    core.on(lost(), at(0.1));
    core.on(answer(0, vec![reading(1, "Busy", "InACall"), reading(2, "Away", "Away")]), at(0.5));
    let read = [
        "ok fresh=true last=2026-11-23T09:00:00Z (1, 1500)",
        "Connecting Some(\"connection refused\")",
        "alice Busy/InACall since 2026-11-23T09:00:00Z ok, bob Away/Away since 2026-11-23T09:00:00Z ok",
        "no connection to the broker; Graph: ok; people up to date: 2 of 2",
    ];
    assert_eq!(lines(&core, at(1.0)), read);

    core.on(Event::Woken, at(2.0));
    core.on(Event::Connected, at(2.1));
    assert_eq!(core.snapshot(&PeopleQuery::nobody(), at(2.1)).broker.state, BrokerState::ReadingBack);
    core.on(subscribed(), at(2.2));
    core.on(Event::Woken, at(8.0));
    let [_, broker, ..] = lines(&core, at(8.0));
    assert_eq!(broker, "Connected None");
    assert!(core.snapshot(&PeopleQuery::nobody(), at(8.0)).broker.in_flight > 0);
    core.on(Event::Stop, at(9.0));
    assert_eq!(core.snapshot(&PeopleQuery::nobody(), at(9.0)).broker.state, BrokerState::Stopping);
}

#[test]
fn graph_is_fresh_until_stale_after_however_the_clock_is_set() {
    let settings = changed(settings(), |it| it.graph.stale_after = Some(Duration::from_secs(60)));
    let mut core = claimed(settings, 1, at(0.0));
    core.on(Event::Started, at(0.0));
    core.on(answer(0, vec![reading(1, "Busy", "InACall"), reading(2, "Away", "Away")]), at(1.0));
    for (now, is_fresh, used) in [
        (at(29.9), true, 1),
        (at(60.9), true, 0),
        (at(61.0), false, 0),
        (at_after_sleep(2.0, -3600.0), true, 1),
    ] {
        let graph = core.snapshot(&PeopleQuery::nobody(), now).accounts[0].graph.clone();
        assert_eq!((graph.is_fresh, graph.budget_used), (is_fresh, used), "{now:?}");
        assert_eq!(graph.stale_after, Duration::from_secs(60));
    }
    core.on(Event::Woken, at_after_sleep(2.0, 59.0));
    assert!(
        !core.snapshot(&PeopleQuery::nobody(), at_after_sleep(2.0, 59.0)).accounts[0].graph.is_fresh,
        "the machine slept"
    );
}

#[test]
fn people_are_counted_by_every_word_and_named_as_far_as_asked_for() {
    let mut core = claimed(settings(), 1, at(0.0));
    core.on(Event::Started, at(0.0));
    core.on(answer(0, vec![reading(1, "Busy", "InACall")]), at(0.5));
    for named in [0, 1, 2, 1000] {
        let snapshot = core.snapshot(&PeopleQuery::first(named), at(0.5));
        assert_eq!((snapshot.people_page.persons.len(), snapshot.people), (named.min(2), 2));
        let census = [("ok", 1), ("stale", 1), ("sign_in_required", 0), ("forbidden", 0), ("not_found", 0)];
        assert_eq!(snapshot.census, census);
    }
    assert!(
        GraphState::ALL.contains(&core.snapshot(&PeopleQuery::nobody(), at(0.5)).accounts[0].graph.state)
    );
}

#[test]
fn a_code_is_shown_while_it_is_good() {
    let mut core = claimed(changed(only_alice(), |it| it.accounts[0].sign_in.invites = BY_CODE), 1, at(0.0));
    core.on(Event::Started, at(0.0));
    let refused = ReadFailure::SignInRequired { advice: "sign in".into() };
    core.on(failure(0, refused), at(0.5));
    let code = ShownInvitation {
        verification_uri: "https://microsoft.com/devicelogin".parse().unwrap(),
        user_code: Some("ABCD1234".into()),
        expires_at: at(900.0).wall,
    };
    core.on(Event::SignIn(AccountId::FIRST, SignInEvent::Invited(nth(1), code.clone())), at(1.0));
    let snapshot = core.snapshot(&PeopleQuery::nobody(), at(1.0));
    assert_eq!(snapshot.accounts[0].graph.state, GraphState::SignInRequired);
    assert_eq!(snapshot.accounts[0].sign_in, Some(code));
    let ended = SignInEvent::Ended(nth(1), crate::core::model::sign_in::InvitationEnd::Expired("".into()));
    core.on(Event::SignIn(AccountId::FIRST, ended), at(900.0));
    assert_eq!(core.snapshot(&PeopleQuery::nobody(), at(900.0)).accounts[0].sign_in, None);
}
