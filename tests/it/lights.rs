//! Golden files of what each kind of device is told. A change of one is a change that people see on their wall.

use std::time::Duration;
use std::{fs, path::Path};

use presence2mqtt::core::light::look::{Lit, Look, Shown};
use presence2mqtt::core::light::preset::{Custom, Device, Order, Target};
use presence2mqtt::core::word::{Activity, Availability, KnownActivity};

const GREEN: &str = "#00ff00";
const AMBER: &str = "#ffbf00";
const RED: &str = "#ff0000";
const PURPLE: &str = "#800080";
const OFF: &str = "off";

/// The variable that has the golden files written anew instead of compared.
const WRITE: &str = "WRITE_GOLDEN_LIGHTS";

fn devices() -> Vec<(&'static str, Device, &'static str)> {
    let template = r#"{"color":"{{ color }}","rgb":[{{ red }},{{ green }},{{ blue }}],"on":{{ on }},"brightness":{{ brightness }},"effect":"{{ effect }}","who":"{{ user }}","is":"{{ availability }}","does":"{{ activity }}"}"#;
    vec![
        ("wled", Device::Wled, "wled/office"),
        ("tasmota", Device::Tasmota, "tasmota_office"),
        ("zigbee2mqtt", Device::Zigbee2mqtt { effects: false }, "zigbee2mqtt/office"),
        ("zigbee2mqtt-effects", Device::Zigbee2mqtt { effects: true }, "zigbee2mqtt/office"),
        ("esphome", Device::Esphome { object: "strip".into(), effects: false }, "office"),
        ("esphome-effects", Device::Esphome { object: "strip".into(), effects: true }, "office"),
        ("shelly-gen1", Device::ShellyGen1 { channel: 0 }, "shellies/shellyrgbw2-ABCDEF"),
        ("shelly-gen2", Device::ShellyGen2 { channel: 0 }, "shellyplusrgbwpm-a0b1c2d3e4f5"),
        ("awtrix-indicator", Device::Awtrix(Target::Indicator1), "awtrix_office"),
        ("awtrix-moodlight", Device::Awtrix(Target::Moodlight), "awtrix_office"),
        ("openhasp", Device::Openhasp, "hasp/office"),
        ("custom", Device::Custom(Custom::new(template, None).unwrap()), "office/light/set"),
    ]
}

fn look(availability: Availability, activity: KnownActivity, color: &str) -> Look {
    let lit = (color != OFF).then(|| Lit { color: color.parse().unwrap(), brightness: 100, effect: None });
    let shown = Shown { user: "alice".parse().unwrap(), availability, activity: Activity::Known(activity) };
    Look { lit, transition: Duration::ZERO, shown: Some(shown) }
}

/// Every availability with the activity that usually goes with it, every known activity, and every way to show one.
fn states() -> Vec<(String, Look)> {
    use Availability as Is;
    use KnownActivity as Does;
    let pairs = [
        (Is::Available, Does::Available, GREEN),
        (Is::AvailableIdle, Does::AvailableInactive, GREEN),
        (Is::AvailableIdle, Does::Inactive, GREEN),
        (Is::Away, Does::Away, AMBER),
        (Is::BeRightBack, Does::BeRightBack, AMBER),
        (Is::Busy, Does::Busy, RED),
        (Is::Busy, Does::InACall, RED),
        (Is::Busy, Does::InAConferenceCall, RED),
        (Is::Busy, Does::InAMeeting, RED),
        (Is::BusyIdle, Does::Inactive, RED),
        (Is::DoNotDisturb, Does::DoNotDisturb, RED),
        (Is::DoNotDisturb, Does::Focusing, RED),
        (Is::DoNotDisturb, Does::Presenting, RED),
        (Is::DoNotDisturb, Does::UrgentInterruptionsOnly, RED),
        (Is::Offline, Does::Offline, OFF),
        (Is::Offline, Does::OffWork, OFF),
        (Is::Offline, Does::OutOfOffice, PURPLE),
        (Is::PresenceUnknown, Does::PresenceUnknown, OFF),
    ];
    for word in Availability::ALL {
        assert!(pairs.iter().any(|(is, _, _)| is == word), "{word} has no line");
    }
    for word in KnownActivity::ALL {
        assert!(pairs.iter().any(|(_, does, _)| does == word), "{word} has no line");
    }
    let plain = pairs.map(|(is, does, color)| (format!("{is}, {does}"), look(is, does, color)));
    let call = || look(Is::Busy, Does::InACall, RED);
    let lit = |change: fn(&mut Lit)| {
        let mut look = look(Is::Away, Does::Away, AMBER);
        change(look.lit.as_mut().unwrap());
        look
    };
    let effect = |name: &str| {
        let mut look = call();
        look.lit.as_mut().unwrap().effect = Some(name.into());
        look
    };
    let slowly = |look: Look, millis| Look { transition: Duration::from_millis(millis), ..look };
    let nobody = |look: Look| Look { shown: None, ..look };
    let ways = [
        ("nobody, off".into(), nobody(look(Is::Offline, Does::Offline, OFF))),
        ("nobody, purple".into(), nobody(look(Is::Offline, Does::OutOfOffice, PURPLE))),
        ("off within 1 s".into(), slowly(look(Is::Offline, Does::Offline, OFF), 1000)),
        ("amber at 100 %".into(), lit(|lit| lit.brightness = 100)),
        ("amber at 60 %".into(), lit(|lit| lit.brightness = 60)),
        ("amber at 1 %".into(), lit(|lit| lit.brightness = 1)),
        ("red within 250 ms".into(), slowly(call(), 250)),
        ("red within 1500 ms".into(), slowly(call(), 1500)),
        ("red within 1 h".into(), slowly(call(), 3_600_000)),
        ("red, blink".into(), effect("blink")),
        ("red, blink within 1 s".into(), slowly(effect("blink"), 1000)),
        ("red, breathe".into(), effect("breathe")),
        ("red, 5".into(), effect("5")),
        ("red, fade".into(), effect("fade")),
    ];
    plain.into_iter().chain(ways).collect()
}

fn orders(device: &Device, topic: &str) -> Vec<(String, Order)> {
    states().into_iter().map(|(name, look)| (name, device.order(topic, &look).unwrap())).collect()
}

#[test]
fn what_each_device_is_told_is_in_its_golden_file() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/lights");
    for (name, device, topic) in devices() {
        let lines = orders(&device, topic)
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
    for (name, device, topic) in devices() {
        for (state, order) in orders(&device, topic) {
            let empty_means_off = name == "awtrix-moodlight" && order.payload.is_empty();
            if name != "tasmota" && !empty_means_off {
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
        (Device::Tasmota, "x", "tele/x/LWT", "Online", "Offline"),
        (
            Device::Zigbee2mqtt { effects: false },
            "zigbee2mqtt/x",
            "zigbee2mqtt/x/availability",
            r#"{"state":"online"}"#,
            r#"{"state":"offline"}"#,
        ),
        (
            Device::Zigbee2mqtt { effects: true },
            "zigbee2mqtt/x",
            "zigbee2mqtt/x/availability",
            "online",
            "offline",
        ),
        (Device::Esphome { object: "o".into(), effects: true }, "x", "x/status", "online", "offline"),
        (Device::ShellyGen1 { channel: 0 }, "shellies/x", "shellies/x/online", "true", "false"),
        (Device::ShellyGen2 { channel: 0 }, "x", "x/online", "true", "false"),
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
    for (name, device, _) in devices() {
        assert_eq!(device.check_effect("blink"), Ok(()), "{name}");
        assert_eq!(device.check_effect("breathe"), Ok(()), "{name}");
        for bad in ["", " ", "a\nb"] {
            assert!(device.check_effect(bad).is_err(), "{name}, {bad:?}");
        }
    }
    let taken = |effect: &str| -> Vec<&str> {
        let devices = devices().into_iter().filter(|(_, device, _)| device.check_effect(effect).is_ok());
        devices.map(|(name, _, _)| name).collect()
    };
    let any = ["zigbee2mqtt", "zigbee2mqtt-effects", "esphome", "esphome-effects"];
    assert_eq!(taken("candle"), [&any[..], &["custom"]].concat());
    assert_eq!(taken("255"), [&["wled"], &any[..], &["custom"]].concat());
    assert_eq!(taken("256"), [&any[..], &["custom"]].concat());
    assert_eq!(taken("6"), [&["wled"], &any[..], &["shelly-gen1", "custom"]].concat());
    assert_eq!(taken("fade"), [&any[..], &["awtrix-indicator", "custom"]].concat());
}

#[test]
fn off_names_neither_colour_nor_brightness() {
    let off = look(Availability::Offline, KnownActivity::Offline, OFF);
    for (name, device, topic) in devices() {
        let payload = device.order(topic, &off).unwrap().payload;
        // A custom template is told zeros; an AWTRIX indicator is off by being black.
        if !matches!(name, "custom" | "awtrix-indicator") {
            for word in ["bri", "col", "Color", "Dimmer", "gain", "rgb"] {
                assert!(!payload.contains(word), "{name}: {payload}");
            }
        }
    }
}
