//! What lights are told, and when.

use super::*;
use crate::core::lights::also::{Also, On};
use crate::core::lights::color::Instead;
use crate::core::lights::condition::Condition;
use crate::core::lights::hours::Hours;
use crate::core::lights::preset::{Device, Profile};
use crate::core::lights::settings::Settings as Light;
use crate::core::model::event::Access;
use crate::core::model::event::Event::{Acknowledged, Configured, Connected, Message, Started, Stop, Woken};

pub(super) fn light(name: &str, users: &[&str]) -> Light {
    Light {
        name: name.parse().unwrap(),
        users: users.iter().map(|user| user.parse().unwrap()).collect(),
        device: Device::Wled,
        topic: format!("wled/{name}"),
        white: false,
        brightness: 100,
        transition: Duration::ZERO,
        active: None,
        stale: "off".parse().unwrap(),
        shutdown: Instead::Unchanged,
        colors: [("InACall".into(), "#0000ff".parse().unwrap())].into(),
        effects: [("InACall".into(), "blink".into())].into(),
        also: Vec::new(),
    }
}

fn with(lights: Vec<Light>) -> Settings {
    Settings { lights, ..settings() }
}

fn said(topic: &str, payload: &str) -> Event {
    Message(Incoming { topic: topic.into(), payload: payload.into(), retained: false, reply_to: None })
}

/// What is said to and about lights, in short; why they show it is in tests of its own.
fn told(commands: &[Effect]) -> Vec<String> {
    let about = |line: &String| line.contains("wled") || (line.contains("/light/") && line.contains(" ="));
    let why = |line: &String| line.contains("/because =");
    let short = |line: String| {
        let line = line.replace("presence/bridge/light/", "").replace("\"tt\":0,", "");
        let line = line.replace("\"on\":true,\"bri\":255,\"seg\":{\"on\":true,\"frz\":false,\"col\":[[", "");
        line.replace(",\"pal\":0}}", "").replace("],[0,0,0]]", "]]")
    };
    lines(commands).into_iter().filter(about).filter(|line| !why(line)).map(short).collect()
}

/// One row: when, what happens, what lights are told.
fn check_lights(bridge: &mut Bridge, rows: Vec<(f64, Event, &[&str])>) {
    for (row, (seconds, event, expected)) in rows.into_iter().enumerate() {
        let commands = bridge.on(event, at(seconds));
        assert_eq!(told(&commands), expected, "row {row} at {seconds}");
        for command in &commands {
            if let Effect::Broker(BrokerOrder::Publish(messages)) = command {
                bridge.on(Acknowledged(messages.len()), at(seconds));
            }
        }
    }
}

const GREEN: &str = "wled/door/api = {0,255,0]],\"fx\":0";
const RED: &str = "wled/door/api = {255,0,0]],\"fx\":0";
const BLUE: &str = "wled/door/api = {0,0,255]],\"fx\":1";
const DARK: &str = "wled/door/api = {\"on\":false,\"tt\":0}";

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
            (0.1, answer(0, free()), &[GREEN, "door/state = #00ff00"]),
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
            "presence/alice/state",
            "presence/alice/activity",
            "presence/alice/availability",
            "wled/door/api",
            "presence/bridge/light/door/state",
        ]
    );
    assert!(published[3].ends_with("[[0,0,255],[0,0,0]],\"fx\":1,\"pal\":0}}"), "{published:?}");
}

#[test]
fn the_busiest_counts_and_nobody_is_guessed() {
    let mut bridge = online(with(vec![light("door", &["alice", "bob"])]));
    let both = |alice: &str, bob: &str| vec![reading(1, alice, alice), reading(2, bob, bob)];
    check_lights(
        &mut bridge,
        vec![
            (1.0, Woken, &[]),
            (4.9, answer(0, both("Available", "Busy")), &[RED, "door/state = #ff0000"]),
            (5.0, Woken, &[]),
            (5.1, answer(1, both("Available", "Offline")), &[GREEN, "door/state = #00ff00"]),
            // Nobody answers any more.
            (10.0, Woken, &[]),
            (10.1, failure(2, passing()), &[]),
            (125.2, Woken, &[DARK, "door/state = off"]),
        ],
    );
}

#[test]
fn without_a_first_answer_a_light_is_left_alone_until_everybody_is_stale() {
    let with_stale = |stale: &str| Light { stale: stale.parse().unwrap(), ..light("door", &["alice"]) };
    let mut bridge = online(with(vec![with_stale("#00ff00")]));
    check_lights(
        &mut bridge,
        vec![(1.0, failure(0, passing()), &[]), (120.1, Woken, &[GREEN, "door/state = #00ff00"])],
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
            (0.1, answer(0, free()), &[GREEN, "door/state = #00ff00"]),
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
                    "subscribe presence/bridge/refresh presence/bridge/state presence/bridge/standby/ping +/follow/set wled/door/status",
                    "door/state = #00ff00",
                    "door/follow = ON",
                    GREEN,
                ],
            ),
        ],
    );
}

#[test]
fn who_pauses_a_light_and_how_shows_in_the_log() {
    let mut bridge = online(with(vec![light("door", &["alice"])]));
    for (light, payload, expected) in [
        ("door", "off", Some("light door: paused")),
        ("door", "maybe", Some("light door: the switch received something other than ON or OFF; ignored")),
        ("door", "ON", Some("light door: shows presence again")),
        ("hall", "OFF", None),
    ] {
        let topic = format!("presence/bridge/light/{light}/follow/set");
        let commands = bridge.on(said(&topic, payload), at(1.0));
        let reports: Vec<String> = commands
            .iter()
            .filter_map(
                |command| if let Effect::Report(report) = command { Some(report.to_string()) } else { None },
            )
            .collect();
        assert_eq!(reports, expected.into_iter().collect::<Vec<_>>(), "{light} {payload}");
    }
}

#[test]
fn a_light_can_be_paused_and_that_is_remembered() {
    let settings = with(vec![light("door", &["alice"])]);
    let mut bridge = online(settings.clone());
    let set = |payload: &str| said("presence/bridge/light/door/follow/set", payload);
    check_lights(
        &mut bridge,
        vec![
            (0.1, answer(0, free()), &[GREEN, "door/state = #00ff00"]),
            (1.0, set("off"), &["door/follow = OFF"]),
            (1.1, retained("presence/bridge/light/door/follow/set", "ON"), &[]),
            (1.2, set("maybe"), &[]),
            (1.3, said("presence/bridge/light/other/follow/set", "ON"), &[]),
            (5.0, Woken, &[]),
            (5.1, answer(1, calls()), &[]),
            (5.2, said("wled/door/status", "online"), &[]),
            (6.0, set("ON"), &["door/follow = ON", BLUE, "door/state = #0000ff"]),
            (7.0, set("OFF"), &["door/follow = OFF"]),
        ],
    );
    // The next run.
    let mut bridge = claimed(settings, 1, at(0.0));
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
            (1.0, set("ON"), &["door/follow = ON", GREEN, "door/state = #00ff00"]),
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
        let lights = bridge.lights().wake_at().unwrap();
        assert!(bridge.wake_at(at(now).tick).unwrap() <= lights);
        lights
    };
    assert_eq!(until(&bridge, 0.2), at(60.0).tick);
    check_lights(&mut bridge, vec![(60.0, Woken, &[GREEN, "door/state = #00ff00"])]);
    assert_eq!(until(&bridge, 60.0), at(120.0).tick);
    check_lights(&mut bridge, vec![(120.0, Woken, &[DARK, "door/state = off"])]);
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
            "wled/door/api = {\"on\":false,\"tt\":0}",
            "presence/bridge/light/door/state = off",
            "presence/bridge/light/door/because = presence",
            "presence/bridge/state = offline"
        ]
    );
}

#[test]
fn with_another_configuration_a_light_goes_on_and_a_device_that_is_left_is_told_goodbye() {
    let off_at_the_end = |light: Light| Light { shutdown: "off".parse().unwrap(), ..light };
    let door = off_at_the_end(light("door", &["alice"]));
    let hall = off_at_the_end(light("hall", &["alice"]));
    let mut bridge = online(with(vec![door.clone(), hall.clone()]));
    let configured = |lights: Vec<Light>| Configured(Box::new(with(lights)), vec![Access::Same]);
    let moved = Light { topic: "wled/new".into(), ..door.clone() };
    let brown = Light { colors: [("Available".into(), "#663300".parse().unwrap())].into(), ..door.clone() };
    let (new, brown_order) = (GREEN.replace("door", "new"), GREEN.replace("0,255,0", "102,51,0"));
    let (green_hall, dark_hall) = (GREEN.replace("door", "hall"), DARK.replace("door", "hall"));
    check_lights(
        &mut bridge,
        vec![
            (0.1, answer(0, free()), &[GREEN, "door/state = #00ff00", &green_hall, "hall/state = #00ff00"]),
            (
                1.0,
                configured(vec![door.clone()]),
                &["unsubscribe wled/hall/status", "hall/state =", "hall/follow =", &dark_hall],
            ),
            (2.0, configured(vec![brown.clone()]), &[&brown_order, "door/state = #663300"]),
            (3.0, configured(vec![brown.clone()]), &[]),
            (
                4.0,
                configured(vec![moved.clone()]),
                &[
                    "unsubscribe wled/door/status",
                    "subscribe wled/new/status",
                    DARK,
                    &new,
                    "door/state = #00ff00",
                ],
            ),
            (
                5.0,
                configured(vec![moved, hall]),
                &["subscribe wled/hall/status", "hall/follow = ON", &green_hall, "hall/state = #00ff00"],
            ),
        ],
    );
    // People may stand elsewhere now, and a pause stays.
    let pause = said("presence/bridge/light/hall/follow/set", "OFF");
    check_lights(&mut bridge, vec![(6.0, pause, &["hall/follow = OFF"])]);
    let reordered = Settings {
        users: vec![watched("bob", &id(2).to_string()), watched("alice", &id(1).to_string())].into(),
        ..with(vec![brown, light("hall", &["alice"])])
    };
    check_lights(
        &mut bridge,
        vec![
            (
                7.0,
                Configured(Box::new(reordered), vec![Access::Same]),
                &[
                    "unsubscribe wled/new/status",
                    "subscribe wled/door/status",
                    &DARK.replace("door", "new"),
                    &brown_order,
                    "door/state = #663300",
                ],
            ),
            // The read that was under way when the configuration was read again.
            (7.1, answer(1, calls()), &[&RED.replace("fx\":0", "fx\":1"), "door/state = #ff0000"]),
        ],
    );
}

#[test]
fn a_light_that_moves_from_one_part_of_a_device_to_another_leaves_the_first_as_told() {
    let channel = |channel, name: &str| Light {
        device: Device::ShellyGen2 { channel, profile: Profile::Rgbw },
        topic: "shelly".into(),
        shutdown: "off".parse().unwrap(),
        ..light(name, &["alice"])
    };
    let orders = |bridge: &mut Bridge, event: Event, seconds: f64| -> Vec<String> {
        let lines = lines(&bridge.on(event, at(seconds)));
        let parts = lines.iter().filter_map(|line| line.split_once("\"params\":{")).map(|(_, params)| params);
        parts.map(|params| params.split(",\"rgb").next().unwrap().trim_end_matches('}').to_owned()).collect()
    };
    let mut bridge = online(with(vec![channel(0, "left"), channel(1, "right")]));
    let both = ["\"id\":0,\"on\":true", "\"id\":1,\"on\":true"];
    assert_eq!(orders(&mut bridge, answer(0, free()), 0.1), both);
    let moved = Configured(Box::new(with(vec![channel(2, "left"), channel(1, "right")])), vec![Access::Same]);
    assert_eq!(orders(&mut bridge, moved, 1.0), ["\"id\":0,\"on\":false", "\"id\":2,\"on\":true"]);
}

#[test]
fn a_device_that_comes_back_later_than_the_broker_is_told() {
    let mut bridge = online(with(vec![light("door", &["alice"])]));
    bridge.on(answer(0, free()), at(0.1));
    check_lights(&mut bridge, vec![(1.0, said("wled/door/status", "online"), &[GREEN])]);
    bridge.on(lost(), at(2.0));
    bridge.on(Connected, at(3.0));
    check_lights(&mut bridge, vec![(13.0, said("wled/door/status", "online"), &[GREEN])]);
}

#[test]
fn a_device_that_comes_while_nobody_is_seen_is_told_what_it_showed() {
    let unchanged = Light { stale: Instead::Unchanged, ..light("door", &["alice"]) };
    let mut bridge = online(with(vec![unchanged]));
    check_lights(
        &mut bridge,
        vec![
            (0.1, answer(0, free()), &[GREEN, "door/state = #00ff00"]),
            (130.0, Woken, &[]),
            (131.0, said("wled/door/status", "online"), &[GREEN]),
        ],
    );
}

#[test]
fn only_a_refresh_and_its_interval_tell_a_light_the_same_again() {
    let often = changed(with(vec![light("door", &["alice"])]), |it| {
        it.mqtt.refresh_interval = Some(Duration::from_secs(60));
        it.mqtt.message_expiry = Some(Duration::from_secs(20));
        it.mqtt.protocol = Protocol::V5;
        it.accounts[0].reading.poll_interval = Duration::from_secs(1000);
        it.graph.stale_after = Some(Duration::from_secs(5000));
    });
    let mut bridge = online(often);
    let (state, follow) = ("door/state = #00ff00", "door/follow = ON");
    let refresh = || said("presence/bridge/refresh", "");
    let refused = Event::PublishRefused { topic: "presence/bob/state".into(), why: "no".into() };
    let of_light = Event::PublishRefused { topic: "wled/door/api".into(), why: "no".into() };
    check_lights(
        &mut bridge,
        vec![
            (0.1, answer(0, free()), &[GREEN, state]),
            (11.0, Woken, &[state, follow]),
            (12.0, refresh(), &[state, follow, GREEN]),
            // So soon again nobody is read, and no light is told.
            (13.0, refresh(), &[]),
            (14.0, refused, &[]),
            (30.0, Woken, &[state, follow]),
            (31.0, of_light, &["report: the broker rejects messages for wled/door/api"]),
            (62.0, Woken, &[state, follow, GREEN]),
        ],
    );
}

#[test]
fn the_hours_hold_when_the_clock_is_set() {
    let zone = jiff::tz::TimeZone::get("Europe/London").unwrap();
    let active = Some(Hours { week: "Mon 08:00-10:00".parse().unwrap(), zone });
    let mut bridge = online(with(vec![Light { active, ..light("door", &["alice"]) }]));
    bridge.on(answer(0, free()), at(0.1));
    assert_eq!(bridge.lights().wake_at(), Some(at(3600.0).tick));
    // Half an hour back: the hours end half an hour later than the monotonic clock was told.
    bridge.on(Woken, at_after_sleep(3000.0, -1800.0));
    assert_eq!(bridge.lights().wake_at(), Some(at(5400.0).tick));
    let on_time = at_after_sleep(3600.0, -1800.0);
    assert_eq!(told(&bridge.on(Woken, on_time)), [""; 0]);
    assert!(bridge.wake_at(on_time.tick).unwrap() > on_time.tick, "woken for nothing");
}

#[test]
fn outside_its_hours_a_light_is_not_told_goodbye() {
    let zone = jiff::tz::TimeZone::get("Europe/London").unwrap();
    let active = Some(Hours { week: "Sun 08:00-10:00".parse().unwrap(), zone });
    let shutdown = "#ff0000".parse().unwrap();
    let mut bridge = online(with(vec![Light { active, shutdown, ..light("door", &["alice"]) }]));
    assert_eq!(told(&bridge.on(Stop, at(1.0))), [""; 0]);
}

#[test]
fn a_pause_that_is_read_back_late_is_said_again() {
    let mut bridge = online(with(vec![light("door", &["alice"])]));
    let late = retained("presence/bridge/light/door/follow", "OFF");
    check_lights(&mut bridge, vec![(0.5, late, &["door/follow = OFF"]), (0.6, answer(0, free()), &[])]);
}

#[test]
fn a_light_does_not_wait_for_a_full_sending() {
    let users: Vec<_> = (1..=500).map(|n| watched(&format!("user{n}"), &id(n).to_string())).collect();
    let mut bridge =
        online(Settings { users: users.into(), lights: vec![light("door", &["user500"])], ..settings() });
    let everybody = (1..=500).map(|n| reading(n, "Available", "Available")).collect();
    bridge.on(answer(0, everybody), at(0.1));
    bridge.on(lost(), at(1.0));
    // Nothing of this is acknowledged: what it holds is what waited in front.
    let first = lines(&bridge.on(Connected, at(2.0)));
    let order =
        first.iter().filter(|line| line.contains(" = ")).position(|line| line.starts_with("wled")).unwrap();
    assert!(order < 10, "{first:?}");
}

/// A light that shows a camera before a bell before presence.
fn with_camera() -> Light {
    let also = |topic: &str, on: On, color: Option<&str>, effect: Option<&str>, expires: Option<u64>| Also {
        topic: topic.into(),
        on,
        shade: color.map(|color| color.parse().unwrap()),
        effect: effect.map(Into::into),
        expires: expires.map(Duration::from_secs),
    };
    let camera = On::Template(Condition::new("{{ value_json.camera }}").unwrap());
    Light {
        also: vec![
            also("teams/camera", camera, Some("#0000ff"), None, Some(60)),
            also("door/bell", On::Payload("ring".into()), None, Some("blink"), None),
        ],
        effects: Default::default(),
        colors: Default::default(),
        ..light("door", &["alice"])
    }
}

fn camera(on: bool) -> Event {
    said("teams/camera", &format!("{{\"camera\":{on}}}"))
}

/// Colour and effect that the light was told last, and why.
#[derive(Default, Debug, PartialEq, Clone)]
struct Wall {
    shown: String,
    because: String,
}

impl Wall {
    fn take(&mut self, bridge: &mut Bridge, event: Event, seconds: f64) {
        let commands = bridge.on(event, at(seconds));
        for line in lines(&commands) {
            match line.split_once(" = ") {
                Some(("wled/door/api", order)) => {
                    let order: serde_json::Value = serde_json::from_str(order).unwrap();
                    let segment = &order["seg"];
                    self.shown = format!("{} {}", segment["col"][0], segment["fx"]);
                }
                Some(("presence/bridge/light/door/because", because)) => self.because = because.to_owned(),
                _ => {}
            }
        }
        for command in &commands {
            if let Effect::Broker(BrokerOrder::Publish(messages)) = command {
                bridge.on(Acknowledged(messages.len()), at(seconds));
            }
        }
    }

    fn assert(&self, shown: &str, because: &str) {
        assert_eq!((self.shown.as_str(), self.because.as_str()), (shown, because));
    }
}

#[test]
fn another_topic_wins_while_it_says_so_and_expires() {
    let mut bridge = online(with(vec![with_camera()]));
    let mut wall = Wall::default();
    for (seconds, event, shown, because) in [
        // Before anybody is seen, too.
        (0.01, camera(true), "[0,0,255] 0", "teams/camera"),
        (0.1, answer(0, free()), "[0,0,255] 0", "teams/camera"),
        (1.0, camera(false), "[0,255,0] 0", "presence"),
        (1.1, said("door/bell", "ring"), "[0,255,0] 1", "door/bell"),
        (1.2, camera(true), "[0,0,255] 0", "teams/camera"),
        (1.3, said("door/bell", "ring "), "[0,0,255] 0", "teams/camera"),
        (1.4, said("teams/camera", "not JSON"), "[0,255,0] 0", "presence"),
        (2.0, camera(true), "[0,0,255] 0", "teams/camera"),
        // Said again, it lasts longer; what is retained renews nothing.
        (30.0, camera(true), "[0,0,255] 0", "teams/camera"),
        (60.0, retained("teams/camera", "{\"camera\":true}"), "[0,0,255] 0", "teams/camera"),
        (89.0, Woken, "[0,0,255] 0", "teams/camera"),
        (90.0, Woken, "[0,255,0] 0", "presence"),
        (91.0, retained("teams/camera", "{\"camera\":true}"), "[0,255,0] 0", "presence"),
        (92.0, retained("door/bell", "ring"), "[0,255,0] 1", "door/bell"),
        (93.0, retained("door/bell", ""), "[0,255,0] 0", "presence"),
    ] {
        wall.take(&mut bridge, event, seconds);
        wall.assert(shown, because);
        if (30.0..90.0).contains(&seconds) {
            assert!(bridge.lights().wake_at().unwrap() <= at(90.0).tick);
        }
    }
    assert_eq!(bridge.lights().wake_at(), None);
}

#[test]
fn a_topic_that_floods_changes_a_light_five_times_a_second_and_the_last_counts() {
    let mut bridge = online(with(vec![with_camera()]));
    let mut wall = Wall::default();
    wall.take(&mut bridge, answer(0, free()), 0.1);
    let mut changes = 0;
    for flip in 0..100 {
        let before = wall.clone();
        wall.take(&mut bridge, camera(flip % 2 == 0), 1.0 + f64::from(flip) / 200.0);
        changes += u32::from(wall != before);
    }
    assert_eq!(changes, 5);
    wall.assert("[0,0,255] 0", "teams/camera");
    assert_eq!(bridge.lights().wake_at(), Some(at(2.0).tick));
    wall.take(&mut bridge, Woken, 2.0);
    wall.assert("[0,255,0] 0", "presence");
    wall.take(&mut bridge, camera(true), 2.1);
    wall.assert("[0,0,255] 0", "teams/camera");
}

#[test]
fn a_light_that_shows_its_last_colour_shows_it_because_of_no_camera() {
    let shutdown = "#ff0000".parse().unwrap();
    let mut bridge = online(with(vec![Light { shutdown, ..with_camera() }]));
    let mut wall = Wall::default();
    wall.take(&mut bridge, camera(true), 0.1);
    wall.assert("[0,0,255] 0", "teams/camera");
    wall.take(&mut bridge, Stop, 1.0);
    wall.assert("[255,0,0] 0", "presence");
}

#[test]
fn after_each_of_twenty_changes_of_camera_and_presence_the_light_is_right() {
    for seed in 0..50 {
        let mut random = fastrand::Rng::with_seed(seed);
        let mut bridge = online(with(vec![with_camera()]));
        let mut wall = Wall::default();
        let (mut is_busy, mut films, mut read) = (false, false, 0);
        wall.take(&mut bridge, answer(0, free()), 0.1);
        for change in 0..20 {
            let now = 5.0 * f64::from(change + 1);
            if random.bool() {
                films = random.bool();
                wall.take(&mut bridge, camera(films), now + 1.0);
            } else {
                is_busy = random.bool();
                wall.take(&mut bridge, Woken, now);
                read += 1;
                let word = if is_busy { "Busy" } else { "Available" };
                let everybody = vec![reading(1, word, word), reading(2, "Offline", "Offline")];
                wall.take(&mut bridge, answer(read, everybody), now + 1.0);
            }
            let expected = match (films, is_busy) {
                (true, _) => ("[0,0,255] 0", "teams/camera"),
                (false, true) => ("[255,0,0] 0", "presence"),
                (false, false) => ("[0,255,0] 0", "presence"),
            };
            wall.assert(expected.0, expected.1);
            // It would expire otherwise.
            if films {
                wall.take(&mut bridge, camera(true), now + 2.0);
            }
        }
    }
}

#[test]
fn another_topic_is_listened_to_through_a_reload_and_obeys_hours_and_pause() {
    let settings = with(vec![light("door", &["alice"])]);
    let mut bridge = online(settings);
    let mut wall = Wall::default();
    wall.take(&mut bridge, answer(0, free()), 0.1);
    let configured = |light: Light| Configured(Box::new(with(vec![light])), vec![Access::Same]);
    let subscribed = lines(&bridge.on(configured(with_camera()), at(1.0)));
    assert!(subscribed.contains(&"subscribe door/bell teams/camera".to_owned()), "{subscribed:?}");
    wall.take(&mut bridge, camera(true), 2.0);
    wall.assert("[0,0,255] 0", "teams/camera");
    // What was heard stays through another one; nothing is listened to twice.
    let lines = lines(&bridge.on(configured(Light { brightness: 50, ..with_camera() }), at(3.0)));
    assert!(!lines.iter().any(|line| line.contains("teams/camera")), "{lines:?}");
    assert!(lines.iter().any(|line| line.contains("[0,0,255]")), "{lines:?}");
    // Paused, it is left alone, and shows what is true then.
    wall.take(&mut bridge, said("presence/bridge/light/door/follow/set", "OFF"), 4.0);
    wall.take(&mut bridge, camera(false), 5.0);
    wall.assert("[0,0,255] 0", "teams/camera");
    wall.take(&mut bridge, said("presence/bridge/light/door/follow/set", "ON"), 6.0);
    wall.assert("[0,255,0] 0", "presence");
    let zone = jiff::tz::TimeZone::get("Europe/London").unwrap();
    let active = Some(Hours { week: "Sun 08:00-10:00".parse().unwrap(), zone });
    wall.take(&mut bridge, configured(Light { active, ..with_camera() }), 7.0);
    wall.take(&mut bridge, camera(true), 8.0);
    wall.assert("null null", "presence");
}

#[test]
fn a_tasmota_is_told_when_it_listens_which_is_after_it_says_that_it_is_online() {
    let tasmota = || Light {
        device: Device::Tasmota { channel: None },
        topic: "desk".into(),
        ..light("desk", &["alice"])
    };
    let orders = |bridge: &mut Bridge, event: Event, seconds: f64| {
        let lines = lines(&bridge.on(event, at(seconds)));
        lines.into_iter().filter(|line| line.starts_with("cmnd/desk/Backlog")).count()
    };
    let mut bridge = online(with(vec![tasmota()]));
    assert_eq!(orders(&mut bridge, answer(0, free()), 0.1), 1);
    for round in 0..10 {
        let came = 10.0 + f64::from(round) * 10.0;
        assert_eq!(orders(&mut bridge, said("tele/desk/LWT", "Online"), came), 0);
        let told_at = bridge.lights().wake_at().unwrap();
        assert!(at(came + 1.0).tick <= told_at && told_at <= at(came + 2.0).tick);
        assert_eq!(orders(&mut bridge, Woken, came + 0.99), 0);
        assert_eq!(orders(&mut bridge, Woken, came + 1.5), 1);
        assert_eq!(bridge.lights().wake_at(), None);
    }
}

/// What a light is told from a time until another, at each half second, and what `first` brings.
fn told_until(bridge: &mut Bridge, first: Event, from: f64, until: f64) -> Vec<String> {
    let (mut all, mut event, mut now) = (Vec::new(), first, from);
    while now < until {
        let commands = bridge.on(event, at(now));
        all.extend(told(&commands).into_iter().filter(|line| line.starts_with("wled/")));
        for command in &commands {
            if let Effect::Broker(BrokerOrder::Publish(messages)) = command {
                bridge.on(Acknowledged(messages.len()), at(now));
            }
        }
        (event, now) = (Woken, now + 0.5);
    }
    all
}

#[test]
fn who_tries_a_light_sees_every_state_and_then_what_is_true() {
    let test = || Event::Act(ActId::new(1), Act::TestLight("door".parse().unwrap()));
    let follow = |follows| Event::Act(ActId::new(1), Act::Follow("door".parse().unwrap(), follows));
    let looks = light("door", &["alice"]).walk().len();
    let ends = 1.0 + 2.0 * looks as f64;
    for follows in [true, false] {
        let mut bridge = online(with(vec![light("door", &["alice"])]));
        check_lights(&mut bridge, vec![(0.1, answer(0, calls()), &[BLUE, "door/state = #0000ff"])]);
        if !follows {
            bridge.on(follow(false), at(0.5));
            bridge.on(Acknowledged(9), at(0.5));
        }
        let seen = told_until(&mut bridge, test(), 1.0, ends - 0.1);
        assert_eq!((seen.len(), seen[0].as_str(), seen[looks - 1].as_str()), (looks, GREEN, DARK));
        assert!(bridge.snapshot(&PeopleQuery::nobody(), at(ends)).lights[0].is_tested);
        assert_eq!(told_until(&mut bridge, Woken, ends, ends + 0.4), [BLUE], "{follows}");
        assert!(!bridge.snapshot(&PeopleQuery::nobody(), at(ends)).lights[0].is_tested);
    }
    let mut bridge = online(with(vec![light("door", &["alice"])]));
    check_lights(&mut bridge, vec![(0.1, answer(0, calls()), &[BLUE, "door/state = #0000ff"])]);
    assert_eq!(told_until(&mut bridge, test(), 1.0, 2.0), [GREEN]);
    assert!(bridge.wake_at(at(2.0).tick).unwrap() <= at(3.0).tick);
    assert_eq!(told_until(&mut bridge, test(), 2.0, 2.4), [BLUE], "the second time ends it");
    assert_eq!(told_until(&mut bridge, test(), 3.0, 3.4), [GREEN]);
    assert_eq!(
        told_until(&mut bridge, follow(true), 4.0, 4.4),
        [BLUE],
        "whoever uses it otherwise ends it too"
    );
    let unknown = Event::Act(ActId::new(1), Act::TestLight("window".parse().unwrap()));
    assert_eq!(lines(&bridge.on(unknown, at(5.0)))[0], "answer: no: this light does not exist any more");
}

#[test]
fn no_end_of_a_test_leaves_its_colour() {
    let test = || Event::Act(ActId::new(1), Act::TestLight("door".parse().unwrap()));
    let follow = |follows| Event::Act(ActId::new(1), Act::Follow("door".parse().unwrap(), follows));
    let settings = || with(vec![light("door", &["alice"])]);
    let reloaded = || Configured(Box::new(settings()), vec![Access::Same]);
    for paused in [false, true] {
        for (end, says) in [
            (vec![test()], "pressed again"),
            (vec![follow(paused)], "paused or not meanwhile"),
            (vec![reloaded()], "a reload"),
            (vec![Stop], "the bridge stops"),
            (vec![lost(), Connected, subscribed(), subscribed()], "another connection"),
        ] {
            let mut bridge = online(settings());
            check_lights(&mut bridge, vec![(0.1, answer(0, calls()), &[BLUE, "door/state = #0000ff"])]);
            if paused {
                told_until(&mut bridge, follow(false), 0.5, 0.6);
            }
            assert_eq!(told_until(&mut bridge, test(), 1.0, 2.0), [GREEN]);
            let told: Vec<String> =
                end.into_iter().flat_map(|event| told_until(&mut bridge, event, 2.0, 2.4)).collect();
            let more = told_until(&mut bridge, Woken, 2.5, 2.9);
            assert_eq!(told.iter().chain(&more).last().map(String::as_str), Some(BLUE), "{says}, {paused}");
        }
    }
    // Of one that was never told anything it is not known what it showed.
    let mut bridge = online(settings());
    told_until(&mut bridge, follow(false), 0.5, 0.6);
    assert_eq!(told_until(&mut bridge, test(), 1.0, 2.0), [GREEN]);
    assert_eq!(told_until(&mut bridge, Stop, 2.0, 2.4), [DARK]);
}
