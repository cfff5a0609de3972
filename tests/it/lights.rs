//! Golden files of what each kind of device is told. A change of one is a change that people see on their
//! wall.

use std::collections::BTreeMap;
use std::time::Duration;
use std::{fs, path::Path};

use presence2mqtt::core::lights::color::Shade;
use presence2mqtt::core::lights::look::Look;
use presence2mqtt::core::lights::preset::{Custom, Device, Order, Profile, Target};
use presence2mqtt::core::lights::settings::Settings;
use presence2mqtt::core::lights::walk::every_state;
use presence2mqtt::core::model::presence::Shown;

use crate::program::{Home, told};

/// The variable that has the golden files written anew instead of compared.
const WRITE: &str = "WRITE_GOLDEN_LIGHTS";

/// Each with its golden file: a device, its topic, and whether the light has effects.
fn devices() -> Vec<(&'static str, Device, &'static str, bool)> {
    let template = r#"{"color":"{{ color }}","rgb":[{{ red }},{{ green }},{{ blue }}],"on":{{ on }},"brightness":{{ brightness }},"effect":"{{ effect }}","who":"{{ user }}","is":"{{ availability }}","does":"{{ activity }}"}"#;
    let gen2 = |profile| Device::ShellyGen2 { channel: 0, profile };
    let strip = || Device::Esphome { object: "strip".into() };
    vec![
        ("wled", Device::Wled, "wled/office", true),
        ("tasmota", Device::Tasmota { channel: None }, "tasmota_office", true),
        ("zigbee2mqtt", Device::Zigbee2mqtt, "zigbee2mqtt/office", false),
        ("zigbee2mqtt-effects", Device::Zigbee2mqtt, "zigbee2mqtt/office", true),
        ("esphome", strip(), "office", false),
        ("esphome-effects", strip(), "office", true),
        ("shelly-gen1", Device::ShellyGen1 { channel: 0 }, "shellies/shellyrgbw2-ABCDEF", true),
        (
            "shelly-gen2",
            Device::ShellyGen2 { channel: 0, profile: Profile::Rgbw },
            "shellyplusrgbwpm-a0b1c2d3e4f5",
            true,
        ),
        ("awtrix-indicator", Device::Awtrix(Target::Indicator1), "awtrix_office", true),
        ("awtrix-moodlight", Device::Awtrix(Target::Moodlight), "awtrix_office", true),
        ("openhasp", Device::Openhasp, "hasp/office", true),
        ("shelly-bulb", Device::ShellyGen1 { channel: 0 }, "shellies/shellycolorbulb-ABCDEF", false),
        ("shelly-rgb", gen2(Profile::Rgb), "shellyplusrgbwpm-a0b1c2d3e4f5", false),
        ("shelly-rgbcct", gen2(Profile::Rgbcct), "shellyrgbcctbulbg3-a0b1c2d3e4f5", false),
        ("tasmota-relay", Device::Tasmota { channel: Some(2) }, "tasmota_office", false),
        ("custom", Device::Custom(Custom::new(template, None).unwrap()), "office/light/set", true),
    ]
}

/// A light as it is when nothing else is written, but for its effects.
fn light(device: Device, topic: &str, effects: bool) -> Settings {
    let named =
        [("InACall", "blink"), ("Presenting", "breathe"), ("InAConferenceCall", "5"), ("Focusing", "fade")];
    let effects = named.iter().filter(|_| effects).map(|(word, name)| ((*word).into(), (*name).into()));
    Settings {
        name: "office".parse().unwrap(),
        users: vec!["alice".parse().unwrap()],
        device,
        topic: topic.to_owned(),
        white: false,
        brightness: 60,
        transition: Duration::from_secs(1),
        active: None,
        stale: "#0000ff".parse().unwrap(),
        shutdown: "off".parse().unwrap(),
        colors: BTreeMap::new(),
        effects: effects.collect(),
        also: Vec::new(),
    }
}

/// Every state, and every other way to show one.
fn states(light: &Settings) -> Vec<(String, Look)> {
    let all = every_state().map(|(availability, activity)| {
        let name = format!("{availability}, {activity}");
        (name, light.look_of(Shown { user: light.users[0].clone(), availability, activity }))
    });
    let nobody = ["off", "#0000ff"]
        .map(|shade| (format!("nobody, {shade}"), light.look_of_nobody(shade.parse().unwrap())));
    let red = |brightness, millis| {
        let transition = Duration::from_millis(millis);
        let bright = Settings { brightness, transition, ..light.clone() };
        let name = format!("red at {brightness} % within {millis} ms");
        (name, bright.look_of_nobody("#ff0000".parse().unwrap()))
    };
    let ways = [red(100, 0), red(60, 250), red(1, 1500), red(100, 3_600_000)];
    all.chain(nobody).chain(ways).collect()
}

fn orders(light: &Settings) -> Vec<(String, Order)> {
    let orders = |(name, look): (String, Look)| {
        light.orders(&look).into_iter().map(move |order| (name.clone(), order))
    };
    states(light).into_iter().flat_map(orders).collect()
}

#[test]
fn what_each_device_is_told_is_in_its_golden_file() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/lights");
    let colored = devices()
        .into_iter()
        .map(|(name, device, topic, effects)| (name.to_owned(), light(device, topic, effects)));
    // Those that are told otherwise if they have no colours.
    let whites = ["tasmota", "zigbee2mqtt", "esphome", "shelly-gen1", "shelly-gen2"];
    let white =
        devices().into_iter().filter(|(name, ..)| whites.contains(name)).map(|(name, device, topic, _)| {
            (format!("{name}-white"), Settings { white: true, ..light(device, topic, false) })
        });
    for (name, light) in colored.chain(white) {
        let lines = orders(&light)
            .into_iter()
            .map(|(state, order)| format!("{state} | {} | {}\n", order.topic, order.payload));
        let told: String = lines.collect();
        let file = folder.join(format!("{name}.txt"));
        if std::env::var_os(WRITE).is_some() {
            fs::write(&file, &told).unwrap();
        }
        let golden = fs::read_to_string(&file).unwrap_or_default();
        assert_eq!(
            told, golden,
            "tests/golden/lights/{name}.txt differs; {WRITE}=1 cargo test --test it lights writes all anew"
        );
    }
}

#[test]
fn payloads_are_json_where_the_device_wants_json() {
    for (name, device, topic, effects) in devices() {
        for (state, order) in orders(&light(device, topic, effects)) {
            let empty_means_off = name == "awtrix-moodlight" && order.payload.is_empty();
            if !name.starts_with("tasmota") && !empty_means_off {
                let read: Result<serde_json::Map<_, _>, _> = serde_json::from_str(&order.payload);
                assert!(read.is_ok(), "{name}, {state}: {}", order.payload);
            }
        }
    }
}

#[test]
fn a_device_says_that_it_has_come() {
    for (device, base, topic, here, gone) in [
        (Device::Wled, "wled/x", "wled/x/status", "online", "offline"),
        (Device::Tasmota { channel: None }, "x", "tele/x/LWT", "Online", "Offline"),
        (
            Device::Zigbee2mqtt,
            "zigbee2mqtt/x",
            "zigbee2mqtt/x/availability",
            r#"{"state":"online"}"#,
            r#"{"state":"offline"}"#,
        ),
        (Device::Zigbee2mqtt, "zigbee2mqtt/x", "zigbee2mqtt/x/availability", "online", "offline"),
        (Device::Esphome { object: "o".into() }, "x", "x/status", "online", "offline"),
        (Device::ShellyGen1 { channel: 0 }, "shellies/x", "shellies/x/online", "true", "false"),
        (Device::ShellyGen2 { channel: 0, profile: Profile::Rgbw }, "x", "x/online", "true", "false"),
        (Device::Awtrix(Target::Moodlight), "x", "x/stats/effects", r#"["Fade"]"#, ""),
        (Device::Openhasp, "hasp/x", "hasp/x/LWT", "online", "offline"),
    ] {
        let announcement = device.announcement(base).unwrap();
        assert_eq!(announcement.topic, topic);
        assert!((announcement.says)(here.as_bytes()), "{device:?}");
        assert!(!(announcement.says)(gone.as_bytes()), "{device:?}");
        assert!(!(announcement.says)(b""), "{device:?}");
        assert_eq!(announcement.repeats, device == Device::Wled, "{device:?}");
    }
}

#[test]
fn effects_are_checked_by_what_the_device_could_mean() {
    for (name, device, _, _) in devices() {
        assert_eq!(device.check_effect("blink"), Ok(()), "{name}");
        assert_eq!(device.check_effect("breathe"), Ok(()), "{name}");
        for bad in ["", " ", "a\nb"] {
            assert!(device.check_effect(bad).is_err(), "{name}, {bad:?}");
        }
    }
    let taken = |effect: &str| -> Vec<&str> {
        let devices = devices().into_iter().filter(|(_, device, _, _)| device.check_effect(effect).is_ok());
        devices.map(|(name, ..)| name).collect()
    };
    let any = ["zigbee2mqtt", "zigbee2mqtt-effects", "esphome", "esphome-effects"];
    assert_eq!(taken("candle"), [&any[..], &["custom"]].concat());
    assert_eq!(taken("255"), [&["wled"], &any[..], &["custom"]].concat());
    assert_eq!(taken("256"), [&any[..], &["custom"]].concat());
    assert_eq!(taken("6"), [&["wled"], &any[..], &["shelly-gen1", "shelly-bulb", "custom"]].concat());
    assert_eq!(taken("fade"), [&any[..], &["awtrix-indicator", "custom"]].concat());
}

#[test]
fn off_names_neither_colour_nor_brightness() {
    for (name, device, topic, effects) in devices() {
        let light = light(device, topic, effects);
        let payload = light.orders(&light.look_of_nobody(Shade::Off)).remove(0).payload;
        // A Shelly's order names the topic, which may have such a word in it.
        let payload = payload.replace(topic, "");
        // A custom template is told zeros; an AWTRIX indicator is off by being black.
        if !matches!(name, "custom" | "awtrix-indicator") {
            for word in ["bri", "col", "Color", "Dimmer", "gain", "rgb"] {
                assert!(!payload.contains(word), "{name}: {payload}");
            }
        }
    }
}

#[test]
fn hours_go_by_the_clock_of_the_machine_and_check_says_which() {
    let text = "[mqtt]\nurl = \"mqtt://127.0.0.1:1\"\n[graph]\ntenant_id = \"contoso.example\"\n\
                client_id = \"11111111-2222-3333-4444-555555555555\"\n[[lights]]\nname = \"door\"\nusers = [\"me\"]\n\
                preset = \"wled\"\ntopic = \"wled/door\"\nactive = \"08:00-18:00\"\n";
    let home = Home::with(text);
    let none = "warning: this machine has no time zone (neither TZ nor /etc/localtime), so active means UTC for door";
    for (zone, says, warns) in [
        ("Asia/Kathmandu", "door shows me, within its hours by the clock of Asia/Kathmandu", false),
        (":Europe/Berlin", "by the clock of Europe/Berlin", false),
        ("IST-5:30", "by the clock of this machine", false),
        ("", "by the clock of UTC", false),
        ("No/Such_Place", "by the clock of UTC", true),
    ] {
        let (code, out, err) = told(home.command(&["check"]).env("HOME", "/nowhere").env("TZ", zone));
        assert_eq!(code, Some(0), "{out}{err}");
        assert!(out.contains(says), "{zone}: {out}");
        assert_eq!(out.contains(none), warns, "{zone}: {out}");
    }
}
