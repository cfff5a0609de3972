//! The bridge's place at the broker: who is asked before it is taken, and who is answered.

use super::*;
use crate::core::model::effect::Ending;
use crate::core::model::event::Event::{Acknowledged, Connected, Disconnected, Started, Woken};
use crate::core::model::event::RefusedFilter;
use crate::core::model::process::Process;

const LOOK: &str = "subscribe presence/bridge/state";
const LISTEN: &str = "subscribe presence/bridge/standby/pong";
const HOLDS: &str = "report: connected to the broker
     subscribe presence/+/state presence/+/health presence/+/info presence/bridge/sign_in presence/bridge/light/+/+
     subscribe presence/bridge/refresh presence/bridge/state presence/bridge/standby/ping";

/// A bridge that nobody knows yet, connected as a visitor.
fn visiting(settings: Settings) -> Bridge {
    let mut bridge = Bridge::new(settings, 1, at(0.0));
    run(&mut bridge, vec![(0.0, Started, "read #0 bulk 1\nvisit"), (0.0, Connected, LOOK)]);
    bridge
}

fn closed() -> Event {
    Disconnected(LinkFailure::Closed)
}

fn live(topic: &str, payload: String) -> Event {
    let payload = payload.into_bytes();
    Event::Message(Incoming { topic: topic.into(), payload, retained: false, reply_to: None })
}

/// The pings among the effects.
fn pings(effects: &[Effect]) -> Vec<String> {
    let mut pings = Vec::new();
    for effect in effects {
        if let Effect::Broker(BrokerOrder::Publish(messages)) = effect {
            let is_ping = |message: &&Message| message.topic == "presence/bridge/standby/ping";
            pings.extend(messages.iter().filter(is_ping).map(|message| message.payload.clone()));
        }
    }
    pings
}

/// What somebody with this client id answers from the host "nas".
fn pong(client_id: &str, ping: &str) -> Event {
    let settings = changed(only_alice(), |it| {
        (it.mqtt.client_id, it.mqtt.instance) = (client_id.parse().unwrap(), "nas".parse().unwrap());
    });
    live("presence/bridge/standby/pong", Process::new(&settings.mqtt, 7).pong(ping.as_bytes()))
}

/// A visitor who has met a retained `online`, at one second, and the ping of it.
fn asking() -> (Bridge, String) {
    let mut bridge = visiting(only_alice());
    bridge.on(subscribed(), at(0.9));
    assert!(pings(&bridge.on(retained("presence/bridge/state", "online"), at(0.9))).is_empty());
    let asked = pings(&bridge.on(subscribed(), at(1.0)));
    let [ping] = &asked[..] else { panic!("{asked:?}") };
    (bridge, ping.clone())
}

fn ending(effects: &[Effect]) -> Option<&str> {
    effects.iter().find_map(|effect| {
        let Effect::Finish(Ending::Conflict(why)) = effect else { return None };
        Some(why.as_str())
    })
}

#[test]
fn where_nothing_is_retained_or_offline_is_the_place_is_taken_at_once() {
    let mut bridge = visiting(only_alice());
    run(
        &mut bridge,
        vec![
            (0.01, subscribed(), LISTEN),
            (0.01, subscribed(), ""),
            (0.05, Woken, "disconnect"),
            (0.06, closed(), "connect"),
            (0.07, Connected, HOLDS),
        ],
    );
    // Where the answer comes at once nothing is waited for.
    let mut bridge = visiting(only_alice());
    run(
        &mut bridge,
        vec![(0.01, retained("presence/bridge/state", "offline"), "disconnect"), (0.02, closed(), "connect")],
    );
}

#[test]
fn whoever_answers_with_the_same_client_id_runs_with_this_configuration() {
    let (mut bridge, ping) = asking();
    let ended = bridge.on(pong("presence2mqtt", &ping), at(1.1));
    let why = ending(&ended).unwrap();
    assert!(why.starts_with("another presence2mqtt with this configuration runs on nas; stop it"), "{why}");
}

#[test]
fn whoever_answers_with_another_client_id_is_another_bridge() {
    let (mut bridge, ping) = asking();
    let ended = bridge.on(pong("another", &ping), at(1.1));
    let why = ending(&ended).unwrap();
    assert!(
        why.starts_with("another bridge, \"another\", is online at presence/bridge/state (on nas)"),
        "{why}"
    );
    assert!(why.contains("mqtt.bridge_name"), "{why}");
}

#[test]
fn where_nobody_answers_the_place_is_taken() {
    let (mut bridge, ping) = asking();
    // An answer to somebody else, a retained one, and garbage.
    let stale = ping.replace(&ping[ping.len() - 6..], "0000\"}");
    assert!(bridge.on(pong("presence2mqtt", &stale), at(1.1)).is_empty());
    assert!(bridge.on(live("presence/bridge/standby/pong", "{}".to_owned()), at(1.1)).is_empty());
    let Event::Message(old) = pong("presence2mqtt", &ping) else { unreachable!() };
    assert!(bridge.on(Event::Message(Incoming { retained: true, ..old }), at(1.1)).is_empty());
    for again in [2.0, 3.0] {
        assert_eq!(pings(&bridge.on(Woken, at(again))), std::slice::from_ref(&ping));
    }
    run(
        &mut bridge,
        vec![
            (
                4.0,
                Woken,
                "report: presence/bridge/state is online, but no bridge answers there: taking its place
                 disconnect",
            ),
            (4.01, closed(), "connect"),
            (4.02, Connected, HOLDS),
        ],
    );
}

#[test]
fn offline_while_it_is_asked_is_an_answer_too() {
    let (mut bridge, _) = asking();
    let gone = lines(&bridge.on(live("presence/bridge/state", "offline".to_owned()), at(1.5)));
    assert_eq!(gone, ["disconnect"]);
}

#[test]
fn where_visits_come_to_nothing_the_place_is_taken_blindly() {
    let refused = || Disconnected(LinkFailure::Refused("the client id".into()));
    let not_asked = |why: &str| {
        format!(
            "report: cannot ask whether another bridge runs with this configuration: {why}; connecting anyway"
        )
    };
    for (failure, why) in [
        (refused(), "the client id"),
        (Disconnected(LinkFailure::NotLetIn), "the broker closed the connection"),
    ] {
        let mut bridge = Bridge::new(only_alice(), 1, at(0.0));
        bridge.on(Started, at(0.0));
        assert_eq!(lines(&bridge.on(failure, at(0.1))), [&not_asked(why), "connect"]);
        // It is the broker, and not this one client id: who lives there may be another when it is back.
        bridge.on(refused(), at(0.2));
        assert_eq!(lines(&bridge.on(Woken, at(10.0))), ["visit"]);
    }
    // Let in, and thrown out again, as by whoever has the same user name.
    let mut bridge = visiting(only_alice());
    assert_eq!(
        lines(&bridge.on(closed(), at(0.1))),
        [&not_asked("the broker closed the connection"), "connect"]
    );
    // Nobody may be asked.
    let mut bridge = visiting(only_alice());
    let filter = RefusedFilter { filter: "presence/bridge/standby/pong".to_owned(), why: None };
    let refused = lines(&bridge.on(Event::Subscribed { refused: vec![filter] }, at(0.1)));
    let why = "the broker refuses the subscription to presence/bridge/standby/pong";
    assert_eq!(refused, [&not_asked(why), "disconnect"]);
    let (mut bridge, _) = asking();
    let topic = "presence/bridge/standby/ping".to_owned();
    let refused = lines(&bridge.on(Event::PublishRefused { topic, why: "not authorized".into() }, at(1.1)));
    let why = "the broker refuses messages to presence/bridge/standby/ping: not authorized";
    assert_eq!(refused, [&not_asked(why), "disconnect"]);
    // Nor does the broker answer.
    let mut bridge = visiting(only_alice());
    assert!(bridge.on(Woken, at(1.9)).is_empty());
    assert_eq!(
        lines(&bridge.on(Woken, at(2.0))),
        [&not_asked("the broker does not answer the subscription"), "disconnect"]
    );
}

#[test]
fn a_broker_that_is_away_is_visited_when_it_is_back() {
    let mut bridge = Bridge::new(only_alice(), 1, at(0.0));
    bridge.on(Started, at(0.0));
    for n in 1..10 {
        bridge.on(lost(), at(f64::from(n) * 10.0 - 5.0));
        assert_eq!(lines(&bridge.on(Woken, at(f64::from(n) * 10.0))).last().unwrap(), "visit", "{n}");
    }
    // Also if it goes when the place was found free, and not when the bridge has held it.
    bridge.on(Connected, at(101.0));
    bridge.on(retained("presence/bridge/state", "offline"), at(101.0));
    assert_eq!(lines(&bridge.on(closed(), at(101.0))), ["connect"]);
    bridge.on(lost(), at(101.1));
    assert_eq!(lines(&bridge.on(Woken, at(110.0))).last().unwrap(), "visit");
    bridge.on(Connected, at(111.0));
    bridge.on(retained("presence/bridge/state", "offline"), at(111.0));
    bridge.on(closed(), at(111.0));
    bridge.on(Connected, at(111.0));
    bridge.on(lost(), at(111.1));
    assert_eq!(lines(&bridge.on(Woken, at(120.0))).last().unwrap(), "connect");
}

#[test]
fn nothing_else_is_heard_or_said_on_a_visit() {
    let mut bridge = visiting(only_alice());
    for event in [
        retained("presence/zoe/state", r#"{"bridge":"presence2mqtt"}"#),
        retained("homeassistant/status", "online"),
        live("presence/bridge/refresh", String::new()),
        live("presence/bridge/standby/ping", "{}".to_owned()),
        Event::MessageSkipped { topic: "presence/bridge/state".to_owned(), bytes: 300_000 },
        Acknowledged(1),
    ] {
        assert!(bridge.on(event, at(0.01)).is_empty());
    }
    assert_eq!(lines(&bridge.on(Event::Stop, at(0.02))), ["finish Stopped"]);
}

const ANOTHER: &str = r#"{"bridge":"another"}"#;

/// A bridge that has connected under its own client id reads this back.
fn reads_back(bridge: &mut Bridge, info: &str, state: &str) {
    bridge.on(Connected, at(5.0));
    bridge.on(retained("presence/bridge/info", info), at(5.0));
    bridge.on(retained("presence/bridge/state", state), at(5.0));
    (0..2).for_each(|_| drop(bridge.on(subscribed(), at(5.0))));
}

#[test]
fn words_of_a_stranger_prevent_nothing_and_are_named_until_they_are_overwritten() {
    for (info, state) in
        [(ANOTHER, "offline"), (r#"{"bridge":"presence2mqtt"}"#, "online"), ("garbage", "online")]
    {
        let mut bridge = claimed(only_alice(), 1, at(0.0));
        bridge.on(Started, at(0.0));
        reads_back(&mut bridge, info, state);
        let began = lines(&bridge.on(Woken, at(5.04)));
        assert!(began[0].starts_with("presence/bridge/health"), "{info} {state}: {began:?}");
    }
    let (mut bridge, _) = asking();
    bridge.on(Woken, at(4.0));
    bridge.on(closed(), at(4.0));
    reads_back(&mut bridge, ANOTHER, "online");
    let began = bridge.on(Woken, at(5.04));
    let words = "presence/bridge/info was that of another bridge, \"another\", which does not answer";
    assert!(lines(&began)[0].starts_with(&format!("report: {words}")), "{began:?}");
    let notices = |bridge: &Bridge, now| bridge.snapshot(&PeopleQuery::nobody(), at(now)).notices;
    assert!(notices(&bridge, 5.05)[0].starts_with(words));
    assert_eq!(lines(&bridge.on(Acknowledged(100), at(5.1)))[1..], ["presence/bridge/health = {starting}"]);
    assert_eq!(notices(&bridge, 5.1), [""; 0]);
}

#[test]
fn where_no_visitor_is_let_in_another_bridge_is_asked_by_the_holder() {
    let mut bridge = Bridge::new(only_alice(), 1, at(0.0));
    bridge.on(Started, at(0.0));
    bridge.on(Disconnected(LinkFailure::NotLetIn), at(0.1));
    reads_back(&mut bridge, ANOTHER, "online");
    let asked = pings(&bridge.on(Woken, at(5.04)));
    let [ping] = &asked[..] else { panic!("{asked:?}") };
    assert_eq!(bridge.wake_at(at(5.05).tick), Some(at(6.04).tick));
    // Its own will must not tell everybody that the other one is gone.
    assert_eq!(lines(&bridge.on(pong("another", ping), at(5.2))), ["disconnect"]);
    assert!(ending(&bridge.on(lost(), at(5.3))).unwrap().contains("mqtt.bridge_name"));

    // Nobody answers: nothing is in the way.
    let mut bridge = Bridge::new(only_alice(), 1, at(0.0));
    bridge.on(Started, at(0.0));
    bridge.on(Disconnected(LinkFailure::NotLetIn), at(0.1));
    reads_back(&mut bridge, ANOTHER, "online");
    bridge.on(Woken, at(5.04));
    let began = lines(&bridge.on(Woken, at(8.04)));
    assert!(began.iter().any(|line| line.starts_with("presence/bridge/info = ")), "{began:?}");
}

#[test]
fn pings_are_answered_and_a_flood_of_them_does_not_multiply() {
    let mut bridge = online(only_alice());
    let ping = || live("presence/bridge/standby/ping", r#"{"process":"x"}"#.to_owned());
    let answers =
        |effects: Vec<Effect>| lines(&effects).iter().filter(|line| line.contains("/pong = ")).count();
    let first = lines(&bridge.on(ping(), at(1.0)));
    let [answer] = &first[..] else { panic!("{first:?}") };
    assert!(answer.starts_with(
        "presence/bridge/standby/pong = {\"client_id\":\"presence2mqtt\",\"instance\":\"unknown\""
    ));
    assert!(answer.ends_with("\"ping\":{\"process\":\"x\"}}"), "{answer}");
    let sent: usize = (0..1000).map(|n| answers(bridge.on(ping(), at(1.0 + f64::from(n) / 1000.0)))).sum();
    assert_eq!(sent, 4);
    assert_eq!(answers(bridge.on(ping(), at(2.0))), 1);
    assert_eq!(answers(bridge.on(retained("presence/bridge/standby/ping", "{}"), at(3.0))), 0);
    // Nor does a bridge that is not connected answer later.
    bridge.on(lost(), at(4.0));
    bridge.on(ping(), at(4.1));
    bridge.on(Woken, at(6.0));
    let back = lines(&bridge.on(Connected, at(6.1)));
    assert!(!back.iter().any(|line| line.contains("standby/pong")), "{back:?}");
}
