//! What Home Assistant is told, and when.

use super::*;
use crate::core::model::event::Access;
use crate::core::model::event::Event::{Acknowledged, Connected, Started, Woken};
use crate::core::model::settings::{Commands, Discovery};
use crate::core::model::sign_in::SignedIn;

fn topic(n: usize) -> String {
    format!("homeassistant/device/presence2mqtt_{}/config", id(n))
}

pub(super) const BRIDGE: &str = "homeassistant/device/presence2mqtt_bridge_presence2mqtt/config";

/// Only what is about Home Assistant, with the numbers of people for their ids.
fn told(commands: &[Effect]) -> Vec<String> {
    let short = |line: String| {
        let line = line.replace("homeassistant/device/presence2mqtt_", "");
        line.replace("00000000-0000-4000-8000-00000000000", "#")
    };
    let about = |line: &String| line.contains("device/");
    lines(commands).into_iter().filter(about).map(short).filter(|line| line.contains("config")).collect()
}

/// Reads back these retained messages and goes online.
fn read_back(settings: Settings, retained_before: &[(String, String)]) -> (Bridge, Vec<Effect>) {
    let mut bridge = claimed(settings, 1, at(0.0));
    bridge.on(Started, at(0.0));
    bridge.on(Connected, at(0.0));
    let mut subscriptions = 2;
    for (topic, payload) in retained_before {
        let commands = bridge.on(retained(topic, payload), at(0.0));
        subscriptions += lines(&commands).iter().filter(|line| line.starts_with("subscribe")).count();
    }
    for _ in 0..subscriptions {
        bridge.on(subscribed(), at(0.0));
    }
    let commands = bridge.on(Woken, at(0.04));
    (bridge, commands)
}

/// What a bridge with these settings leaves on the broker.
fn left_by(settings: Settings) -> Vec<(String, String)> {
    let (_, commands) = read_back(settings, &[]);
    published(commands)
}

fn published(commands: Vec<Effect>) -> Vec<(String, String)> {
    let published = commands.into_iter().filter_map(|command| match command {
        Effect::Broker(BrokerOrder::Publish(messages)) => Some(messages),
        Effect::Broker(_)
        | Effect::Graph(_, _)
        | Effect::SignIn(_, _)
        | Effect::Answer(..)
        | Effect::Report(_)
        | Effect::Finish(_) => None,
    });
    published.flatten().map(|message| (message.topic, message.payload)).collect()
}

fn reload(bridge: &mut Bridge, settings: Settings) -> Vec<Effect> {
    bridge.on(Acknowledged(100), at(1.0));
    bridge.on(Event::Configured(Box::new(settings), vec![Access::Same]), at(1.0))
}

fn resolved(bridge: &mut Bridge, request: u64, n: usize) -> Vec<String> {
    bridge.on(Acknowledged(100), at(0.3));
    told(&bridge.on(super::resolved(request, Ok(id(n))), at(0.3)))
}

#[test]
fn everybody_is_announced_before_online_and_again_after_a_reconnect() {
    let (mut bridge, commands) = read_back(with_discovery(settings()), &[]);
    let lines_of = lines(&commands);
    assert_eq!(
        told(&commands),
        [
            "bridge_presence2mqtt/config = {presence2mqtt -}",
            "#2/config = {bob presence/bob/availability}",
            "#1/config = {alice presence/alice/availability}",
        ]
    );
    assert_eq!(lines_of.last().unwrap(), "presence/bridge/state = online");
    bridge.on(lost(), at(1.0));
    bridge.on(Woken, at(6.0));
    assert_eq!(told(&bridge.on(Connected, at(6.1))).len(), 3);
}

#[test]
fn when_home_assistant_starts_everything_is_sent_again_once() {
    let (mut bridge, _) = read_back(with_discovery(only_alice()), &[]);
    bridge.on(Acknowledged(100), at(0.1));
    bridge.on(Woken, at(3.0));
    let birth = |retained: bool, payload: &str| {
        let (topic, payload) = ("homeassistant/status".to_owned(), payload.into());
        Event::Message(Incoming { topic, payload, retained, reply_to: None })
    };
    for nothing in [birth(true, "online"), birth(false, "offline")] {
        bridge.on(nothing, at(3.1));
    }
    bridge.on(birth(false, "online"), at(3.2));
    bridge.on(birth(false, "online"), at(3.3));
    let mut sent = Vec::new();
    let mut now = 3.3;
    while now < 9.0 {
        now = bridge.wake_at(at(now).tick).unwrap().0.as_secs_f64();
        sent.extend(told(&bridge.on(Woken, at(now))).iter().map(|_| now));
        bridge.on(Acknowledged(100), at(now));
    }
    assert_eq!(sent.len(), 2, "{sent:?}");
    assert!(sent.iter().all(|at| (3.2..5.3).contains(at)), "{sent:?}");
}

#[test]
fn whose_id_is_not_known_yet_is_announced_when_it_is() {
    let users = vec![watched("me", "me"), watched("bob", "bob@contoso.example")];
    let (mut bridge, commands) =
        read_back(with_discovery(Settings { users: users.into(), ..settings() }), &[]);
    assert_eq!(told(&commands), ["bridge_presence2mqtt/config = {presence2mqtt -}"]);
    bridge.on(Acknowledged(100), at(0.1));
    let me = bridge.on(answer(0, vec![reading(7, "Busy", "Busy")]), at(0.2));
    assert_eq!(told(&me), ["#7/config = {me presence/me/availability}"]);
    assert_eq!(resolved(&mut bridge, 1, 8), ["#8/config = {bob presence/bob/availability}"]);
}

#[test]
fn what_an_earlier_run_announced_is_taken_back_if_it_is_not_wanted() {
    let mut left = left_by(with_discovery(settings()));
    left.push((
        "homeassistant/device/lamp/config".into(),
        r#"{"device":{"identifiers":["lamp"]},"origin":{"name":"other"}}"#.into(),
    ));
    let off = Settings { discovery: None, ..settings() };
    let quiet = User { discovery: false, ..watched("bob", &id(2).to_string()) };
    let quiet = Settings { users: vec![watched("alice", &id(1).to_string()), quiet].into(), ..settings() };
    let moved = Discovery { prefix: "ha".parse().unwrap(), birth_topic: "ha/status".into() };
    for (settings, taken_back) in [
        (with_discovery(settings()), vec![]),
        (with_discovery(only_alice()), vec![topic(2)]),
        (with_discovery(quiet), vec![topic(2)]),
        (off, vec![topic(1), topic(2), BRIDGE.to_owned()]),
        (Settings { discovery: Some(moved), ..settings() }, vec![topic(1), topic(2), BRIDGE.to_owned()]),
    ] {
        let (_, commands) = read_back(settings, &left);
        let emptied =
            lines(&commands).into_iter().filter_map(|line| line.strip_suffix(" =").map(str::to_owned));
        let mut emptied: Vec<String> = emptied.filter(|topic| topic.ends_with("/config")).collect();
        emptied.sort();
        assert_eq!(emptied, taken_back);
    }
}

#[test]
fn another_name_is_the_same_device_and_who_leaves_is_taken_back_first() {
    let (mut bridge, _) = read_back(with_discovery(settings()), &[]);
    let users = vec![watched("alicia", &id(1).to_string())];
    let commands = reload(&mut bridge, with_discovery(Settings { users: users.into(), ..settings() }));
    assert_eq!(told(&commands), ["#2/config =", "#1/config = {alicia presence/alicia/availability}"]);
    let first = lines(&commands).into_iter().find(|line| line.ends_with(" =")).unwrap();
    assert_eq!(first, format!("{} =", topic(2)));
}

#[test]
fn an_unresolved_name_keeps_its_device_until_its_id_is_known() {
    let by_name = |users: Vec<_>| with_discovery(Settings { users: users.into(), ..settings() });
    let left = left_by(with_discovery(only_alice()));
    for (n, taken_back) in [(1, vec![]), (5, vec!["#1/config ="])] {
        let users = vec![watched("alice", "alice@contoso.example")];
        let (mut bridge, commands) = read_back(by_name(users), &left);
        assert_eq!(told(&commands), ["bridge_presence2mqtt/config = {presence2mqtt -}"]);
        let expected = format!("#{n}/config = {{alice presence/alice/availability}}");
        assert_eq!(resolved(&mut bridge, 0, n), [taken_back, vec![expected.as_str()]].concat());
    }
}

#[test]
fn one_person_under_two_names_is_announced_once() {
    let users = vec![watched("alice", &id(1).to_string()), watched("twin", &id(1).to_string())];
    let (_, commands) = read_back(with_discovery(Settings { users: users.into(), ..settings() }), &[]);
    let about: Vec<String> = told(&commands).into_iter().filter(|line| line.starts_with("#1")).collect();
    assert_eq!(about, ["#1/config = {alice presence/alice/availability}"]);
}

#[test]
fn controls_that_go_are_named_as_gone() {
    let obeying = Settings { commands: Some(Commands { response_topic: None }), ..only_alice() };
    let (mut bridge, _) = read_back(with_discovery(obeying), &[]);
    let commands = reload(&mut bridge, with_discovery(only_alice()));
    let (_, payload) = published(commands).into_iter().find(|(to, _)| *to == topic(1)).unwrap();
    let announced: serde_json::Value = serde_json::from_str(&payload).unwrap();
    for (key, platform) in [("presence", "select"), ("clear_presence", "button"), ("status_message", "text")]
    {
        assert_eq!(announced["components"][key], serde_json::json!({"platform": platform}));
    }
}

#[test]
fn who_was_taken_back_is_announced_again_when_that_is_wanted() {
    let quiet = User { discovery: false, ..watched("alice", &id(1).to_string()) };
    let (mut bridge, _) = read_back(with_discovery(only_alice()), &[]);
    let quiet = with_discovery(Settings { users: vec![quiet].into(), ..settings() });
    assert_eq!(told(&reload(&mut bridge, quiet)), ["#1/config ="]);
    let again = reload(&mut bridge, with_discovery(only_alice()));
    assert_eq!(told(&again), ["#1/config = {alice presence/alice/availability}"]);
}

#[test]
fn an_unresolved_name_that_leaves_is_taken_back() {
    let left = left_by(with_discovery(settings()));
    let unresolved = watched("alice", "alice@contoso.example");
    let bob = watched("bob", &id(2).to_string());
    let users = vec![unresolved.clone(), bob.clone()];
    let quiet = User { discovery: false, ..unresolved };
    for stays in [vec![bob.clone()], vec![quiet, bob]] {
        let before = with_discovery(Settings { users: users.clone().into(), ..settings() });
        let (mut bridge, commands) = read_back(before, &left);
        assert!(!told(&commands).contains(&"#1/config =".to_owned()));
        let commands = reload(&mut bridge, with_discovery(Settings { users: stays.into(), ..settings() }));
        assert_eq!(told(&commands), ["#1/config ="]);
    }
}

#[test]
fn two_unresolved_names_that_were_swapped_do_not_take_each_other_back() {
    let left = left_by(with_discovery(settings()));
    let users = vec![watched("alice", "alice@contoso.example"), watched("bob", "bob@contoso.example")];
    let (mut bridge, _) = read_back(with_discovery(Settings { users: users.into(), ..settings() }), &left);
    let alice = resolved(&mut bridge, 0, 2);
    assert_eq!(alice, ["#1/config =", "#2/config = {alice presence/alice/availability}"]);
    bridge.on(Woken, at(0.4));
    assert_eq!(resolved(&mut bridge, 1, 1), ["#1/config = {bob presence/bob/availability}"]);
}

#[test]
fn another_name_of_a_person_takes_over_when_the_first_is_somebody_else() {
    let users = vec![watched("me", "me"), watched("alice", "alice@contoso.example")];
    let mut bridge = online(with_discovery(changed(Settings { users: users.into(), ..settings() }, |it| {
        it.accounts[0].sign_in.invites = BY_CODE
    })));
    let signed_in = |n: usize| {
        let username = format!("u{n}@contoso.example");
        let account = SignedIn { username: username.into(), object_id: id(n), may_write: false };
        Event::SignIn(AccountId::FIRST, SignInEvent::Account(Some(account)))
    };
    bridge.on(signed_in(1), at(0.1));
    let me = bridge.on(answer(0, vec![reading(1, "Busy", "Busy")]), at(0.2));
    assert_eq!(told(&me), ["#1/config = {me presence/me/availability}"]);
    assert_eq!(resolved(&mut bridge, 1, 1), [""; 0], "one device, one announcement");
    bridge.on(Acknowledged(100), at(0.4));
    assert_eq!(told(&bridge.on(signed_in(2), at(0.4))), ["#1/config = {alice presence/alice/availability}"]);
}

#[test]
fn under_another_client_id_after_a_reload_the_old_device_is_taken_back() {
    let left = left_by(with_discovery(settings()));
    let settings = changed(only_alice(), |it| {
        it.predecessor = Some("presence2mqtt".parse().unwrap());
        it.mqtt.client_id = "another".parse().unwrap();
    });
    let (_, commands) = read_back(with_discovery(settings), &left);
    let mut emptied = told(&commands);
    emptied.retain(|line| line.ends_with(" ="));
    emptied.sort();
    assert_eq!(emptied, ["#2/config =", "bridge_presence2mqtt/config ="]);
}

#[test]
fn where_an_earlier_run_announced_is_heard_of_late() {
    let moved = Discovery { prefix: "ha".parse().unwrap(), birth_topic: "ha/status".into() };
    let (mut bridge, _) = read_back(Settings { discovery: Some(moved), ..settings() }, &[]);
    let left = left_by(with_discovery(settings()));
    let info = left.iter().find(|(topic, _)| topic == "presence/bridge/info").unwrap();
    let commands = lines(&bridge.on(retained(&info.0, &info.1), at(0.5)));
    assert_eq!(commands, ["subscribe homeassistant/device/+/config"]);
    bridge.on(Acknowledged(100), at(0.5));
    let (_, payload) = left.iter().find(|(to, _)| *to == topic(1)).unwrap();
    assert_eq!(told(&bridge.on(retained(&topic(1), payload), at(0.6))), ["#1/config ="]);
    let asked = lines(&bridge.on(Woken, at(2.1)));
    assert!(
        asked
            .iter()
            .any(|line| line.contains("unsubscribe") && line.contains("homeassistant/device/+/config"))
    );
}
