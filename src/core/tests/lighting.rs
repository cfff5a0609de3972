//! What lights are told, and when.

use super::*;
use crate::core::event::Access;
use crate::core::event::Event::{Acknowledged, Configured, Connected, Message, Started, Stop, Woken};
use crate::core::light::color::Instead;
use crate::core::light::hours::Hours;
use crate::core::light::preset::Device;
use crate::core::light::settings::Settings as Light;

pub(super) fn light(name: &str, users: &[&str]) -> Light {
    Light {
        name: name.parse().unwrap(),
        users: users.iter().map(|user| user.parse().unwrap()).collect(),
        device: Device::Wled,
        topic: format!("wled/{name}"),
        brightness: 100,
        transition: Duration::ZERO,
        active: None,
        stale: "off".parse().unwrap(),
        shutdown: Instead::Unchanged,
        colors: [("InACall".into(), "#0000ff".parse().unwrap())].into(),
        effects: [("InACall".into(), "blink".into())].into(),
    }
}

fn with(lights: Vec<Light>) -> Settings {
    Settings { lights, ..settings() }
}

fn said(topic: &str, payload: &str) -> Event {
    Message(Incoming { topic: topic.into(), payload: payload.into(), retained: false, reply_to: None })
}

/// What is said to and about lights, in short.
fn told(commands: &[Command]) -> Vec<String> {
    let about = |line: &String| line.contains("wled") || (line.contains("/light/") && line.contains(" ="));
    let short = |line: String| {
        let line = line.replace("presence/bridge/light/", "").replace("\"transition\":0,", "");
        line.replace("\"on\":true,\"bri\":255,\"seg\":[{\"col\":[[", "").replace("}]}", "")
    };
    lines(commands).into_iter().filter(about).map(short).collect()
}

/// One row: when, what happens, what lights are told.
fn check_lights(bridge: &mut Bridge, rows: Vec<(f64, Event, &[&str])>) {
    for (row, (seconds, event, expected)) in rows.into_iter().enumerate() {
        let commands = bridge.on(event, at(seconds));
        assert_eq!(told(&commands), expected, "row {row} at {seconds}");
        for command in &commands {
            if let Command::Broker(BrokerOrder::Publish(messages)) = command {
                bridge.on(Acknowledged(messages.len()), at(seconds));
            }
        }
    }
}

const GREEN: &str = "wled/door/api = {0,255,0]],\"fx\":0";
const RED: &str = "wled/door/api = {255,0,0]],\"fx\":0";
const BLUE: &str = "wled/door/api = {0,0,255]],\"fx\":1";
const DARK: &str = "wled/door/api = {\"on\":false,\"transition\":0}";

fn free() -> Vec<Reading> {
    vec![reading(1, "Available", "Available"), reading(2, "Offline", "Offline")]
}

fn calls() -> Vec<Reading> {
    vec![reading(1, "Busy", "InACall"), reading(2, "Offline", "Offline")]
}

#[test]
fn a_light_is_told_what_is_news_after_the_topics_it_follows() {
    let mut bridge = online(with(vec![light("door", &["alice"])]));
    check_lights(
        &mut bridge,
        vec![
            (0.1, answer(0, free()), &["door/state = #00ff00", GREEN]),
            (5.0, Woken, &[]),
            (5.1, answer(1, free()), &[]),
            (10.0, Woken, &[]),
        ],
    );
    let published = lines(&bridge.on(answer(2, calls()), at(10.1)));
    let topics: Vec<&str> = published.iter().filter_map(|line| line.split(" = ").next()).collect();
    assert_eq!(
        topics,
        [
            "presence/bridge/light/door/state",
            "presence/alice/state",
            "presence/alice/activity",
            "presence/alice/availability",
            "wled/door/api",
        ]
    );
    assert!(published[4].ends_with("[[0,0,255]],\"fx\":1}]}"), "{published:?}");
}

#[test]
fn the_busiest_counts_and_nobody_is_guessed() {
    let mut bridge = online(with(vec![light("door", &["alice", "bob"])]));
    let both = |alice: &str, bob: &str| vec![reading(1, alice, alice), reading(2, bob, bob)];
    check_lights(
        &mut bridge,
        vec![
            (1.0, Woken, &[]),
            (4.9, answer(0, both("Available", "Busy")), &["door/state = #ff0000", RED]),
            (5.0, Woken, &[]),
            (5.1, answer(1, both("Available", "Offline")), &["door/state = #00ff00", GREEN]),
            // Nobody answers any more.
            (10.0, Woken, &[]),
            (10.1, failure(2, passing()), &[]),
            (125.2, Woken, &["door/state = off", DARK]),
        ],
    );
}

#[test]
fn without_a_first_answer_a_light_is_left_alone_until_everybody_is_stale() {
    let with_stale = |stale: &str| Light { stale: stale.parse().unwrap(), ..light("door", &["alice"]) };
    let mut bridge = online(with(vec![with_stale("#00ff00")]));
    check_lights(
        &mut bridge,
        vec![(1.0, failure(0, passing()), &[]), (120.1, Woken, &["door/state = #00ff00", GREEN])],
    );
    let mut bridge = online(with(vec![with_stale("unchanged")]));
    check_lights(&mut bridge, vec![(1.0, failure(0, passing()), &[]), (120.1, Woken, &[])]);
}

#[test]
fn a_device_that_comes_and_a_broker_that_comes_back_are_told_again() {
    let mut bridge = online(with(vec![light("door", &["alice"])]));
    check_lights(
        &mut bridge,
        vec![
            (0.1, answer(0, free()), &["door/state = #00ff00", GREEN]),
            (1.0, said("wled/door/status", "online"), &[GREEN]),
            (1.1, said("wled/door/status", "offline"), &[]),
            (1.2, retained("wled/door/status", "online"), &[]),
            (1.3, said("wled/other/status", "online"), &[]),
            // So soon again it has to wait.
            (1.4, said("wled/door/status", "online"), &[]),
            (1.5, Woken, &[GREEN]),
            // WLED says so whenever its colour changes.
            (3.5, said("wled/door/status", "online"), &[]),
            (4.0, lost(), &[]),
            (
                4.5,
                Connected,
                &[
                    "subscribe presence/bridge/refresh +/follow/set wled/door/status",
                    "door/follow = ON",
                    "door/state = #00ff00",
                    GREEN,
                ],
            ),
        ],
    );
}

#[test]
fn a_light_can_be_paused_and_that_is_remembered() {
    let settings = with(vec![light("door", &["alice"])]);
    let mut bridge = online(settings.clone());
    let set = |payload: &str| said("presence/bridge/light/door/follow/set", payload);
    check_lights(
        &mut bridge,
        vec![
            (0.1, answer(0, free()), &["door/state = #00ff00", GREEN]),
            (1.0, set("off"), &["door/follow = OFF"]),
            (1.1, retained("presence/bridge/light/door/follow/set", "ON"), &[]),
            (1.2, set("maybe"), &[]),
            (1.3, said("presence/bridge/light/other/follow/set", "ON"), &[]),
            (5.0, Woken, &[]),
            (5.1, answer(1, calls()), &[]),
            (5.2, said("wled/door/status", "online"), &[]),
            (6.0, set("ON"), &["door/follow = ON", "door/state = #0000ff", BLUE]),
            (7.0, set("OFF"), &["door/follow = OFF"]),
        ],
    );
    // The next run.
    let mut bridge = Bridge::new(settings, 1, at(0.0));
    bridge.on(Started, at(0.0));
    bridge.on(Connected, at(0.0));
    for (topic, payload) in [("door/follow", "OFF"), ("door/state", "#0000ff"), ("hall/follow", "ON")] {
        bridge.on(retained(&format!("presence/bridge/light/{topic}"), payload), at(0.0));
    }
    bridge.on(subscribed(), at(0.0));
    bridge.on(subscribed(), at(0.0));
    check_lights(
        &mut bridge,
        vec![
            (0.04, Woken, &["hall/state =", "hall/follow =", "door/follow = OFF"]),
            (0.1, answer(0, free()), &[]),
            (1.0, set("ON"), &["door/follow = ON", "door/state = #00ff00", GREEN]),
        ],
    );
}

#[test]
fn outside_its_hours_a_light_is_off() {
    // The first second is nine o'clock in London, a Monday.
    let zone = jiff::tz::TimeZone::get("Europe/London").unwrap();
    let active = Some(Hours { week: "Mon 09:01-09:02".parse().unwrap(), zone });
    let mut bridge = online(with(vec![Light { active, ..light("door", &["alice"]) }]));
    check_lights(
        &mut bridge,
        vec![(0.1, answer(0, free()), &[]), (0.2, said("wled/door/status", "online"), &[DARK])],
    );
    let until = |bridge: &Bridge, now: f64| {
        let lights = bridge.lights.wake_at().unwrap();
        assert!(bridge.wake_at(at(now).tick).unwrap() <= lights);
        lights
    };
    assert_eq!(until(&bridge, 0.2), at(60.0).tick);
    check_lights(&mut bridge, vec![(60.0, Woken, &["door/state = #00ff00", GREEN])]);
    assert_eq!(until(&bridge, 60.0), at(120.0).tick);
    check_lights(&mut bridge, vec![(120.0, Woken, &["door/state = off", DARK])]);
}

#[test]
fn the_last_a_light_is_told_comes_before_offline() {
    let shutdown =
        |name: &str, color: &str| Light { shutdown: color.parse().unwrap(), ..light(name, &["alice"]) };
    let paused = said("presence/bridge/light/hall/follow/set", "OFF");
    let mut bridge = online(with(vec![
        shutdown("door", "off"),
        shutdown("desk", "unchanged"),
        shutdown("hall", "#ff0000"),
    ]));
    bridge.on(paused, at(0.1));
    assert_eq!(
        lines(&bridge.on(Stop, at(1.0))),
        [
            "wled/door/api = {\"on\":false,\"transition\":0}",
            "presence/bridge/light/door/state = off",
            "presence/bridge/state = offline"
        ]
    );
}

#[test]
fn with_another_configuration_a_light_goes_on_and_a_device_that_is_left_is_told_goodbye() {
    let off_at_the_end = |light: Light| Light { shutdown: "off".parse().unwrap(), ..light };
    let door = off_at_the_end(light("door", &["alice"]));
    let hall = off_at_the_end(light("hall", &["alice"]));
    let mut bridge = online(with(vec![door.clone(), hall]));
    let configured = |lights: Vec<Light>| Configured(Box::new(with(lights)), Access::Same);
    let moved = Light { topic: "wled/new".into(), ..door.clone() };
    let brown = Light { colors: [("Available".into(), "#663300".parse().unwrap())].into(), ..door.clone() };
    check_lights(
        &mut bridge,
        vec![
            (
                0.1,
                answer(0, free()),
                &["door/state = #00ff00", "hall/state = #00ff00", GREEN, &GREEN.replace("door", "hall")],
            ),
            (
                1.0,
                configured(vec![door]),
                &[
                    "unsubscribe wled/hall/status",
                    "hall/state =",
                    "hall/follow =",
                    "door/follow = ON",
                    "door/state = #00ff00",
                    &DARK.replace("door", "hall"),
                ],
            ),
            (
                2.0,
                configured(vec![brown.clone()]),
                &["door/state = #663300", &GREEN.replace("0,255,0", "102,51,0")],
            ),
            (3.0, configured(vec![brown]), &[]),
            (
                4.0,
                configured(vec![moved]),
                &[
                    "unsubscribe wled/door/status",
                    "subscribe wled/new/status",
                    "door/state = #00ff00",
                    DARK,
                    &GREEN.replace("door", "new"),
                ],
            ),
        ],
    );
}

#[test]
fn a_light_does_not_wait_for_a_full_sending() {
    let users: Vec<_> = (1..=500).map(|n| watched(&format!("user{n}"), &id(n).to_string())).collect();
    let mut bridge = online(Settings { users, lights: vec![light("door", &["user500"])], ..settings() });
    let everybody = (1..=500).map(|n| reading(n, "Available", "Available")).collect();
    bridge.on(answer(0, everybody), at(0.1));
    bridge.on(lost(), at(1.0));
    // Nothing of this is acknowledged: what it holds is what waited in front.
    let first = lines(&bridge.on(Connected, at(2.0)));
    let order =
        first.iter().filter(|line| line.contains(" = ")).position(|line| line.starts_with("wled")).unwrap();
    assert!(order < 10, "{first:?}");
}
