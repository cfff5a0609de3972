//! `[[lights]]`: what is taken, and what is refused.

use std::time::Duration;

use super::*;
use crate::core::lights::color::{Instead, Shade};
use crate::core::lights::preset::{Device, Target};

/// A configuration with one light; its keys begin in line 15.
fn with_light(keys: &str) -> String {
    format!("{}[[lights]]\n{keys}", minimal())
}

const DOOR: &str = "name = \"door\"\nusers = [\"alice\"]\npreset = \"wled\"\ntopic = \"wled/door\"\n";

#[test]
fn what_is_not_written_has_its_default() {
    let config = read(&with_light(DOOR)).unwrap();
    let [light] = config.lights.as_slice() else { panic!("{:?}", config.lights) };
    assert_eq!((light.name.as_str(), light.topic.as_str()), ("door", "wled/door"));
    assert_eq!(light.users, [config.users[0].name.clone()]);
    assert_eq!((light.brightness, light.transition), (60, Duration::from_secs(1)));
    assert_eq!((light.stale, light.shutdown), (Instead::Shade(Shade::Off), Instead::Unchanged));
    assert_eq!(light.active, None);
    assert_eq!(light.device, Device::Wled);
}

#[test]
fn everything_written_is_taken() {
    let more = r##"
brightness = 1
transition = "250ms"
active = "Mon-Fri 08:00-18:00"
time_zone = "Europe/Berlin"
stale_color = "#0000ff"
shutdown_color = "off"
[lights.colors]
inacall = "#FF0000"
BusyIdle = "off"
[lights.effects]
InACall = "blink"
"##;
    let config = read(&with_light(&format!("{DOOR}{more}"))).unwrap();
    let light = &config.lights[0];
    assert_eq!((light.brightness, light.transition), (1, Duration::from_millis(250)));
    assert_eq!(light.active.as_ref().unwrap().zone.iana_name(), Some("Europe/Berlin"));
    assert_eq!(light.shutdown, Instead::Shade(Shade::Off));
    let colors: Vec<String> = light.colors.iter().map(|(word, shade)| format!("{word} {shade}")).collect();
    assert_eq!(colors, ["BusyIdle off", "InACall #ff0000"]);
    assert_eq!(light.effects.get("InACall").map(|effect| &**effect), Some("blink"));
}

#[test]
fn every_preset_is_a_device() {
    for (keys, expected) in [
        ("preset = \"tasmota\"", Device::Tasmota),
        ("preset = \"zigbee2mqtt\"", Device::Zigbee2mqtt),
        ("preset = \"esphome\"\nobject = \"strip\"", Device::Esphome { object: "strip".into() }),
        ("preset = \"shelly-gen1\"", Device::ShellyGen1 { channel: 0 }),
        ("preset = \"shelly-gen2\"\nchannel = 1", Device::ShellyGen2 { channel: 1 }),
        ("preset = \"awtrix\"", Device::Awtrix(Target::Indicator1)),
        ("preset = \"awtrix\"\ntarget = \"moodlight\"", Device::Awtrix(Target::Moodlight)),
        ("preset = \"openhasp\"", Device::Openhasp),
    ] {
        let text = with_light(&DOOR.replace("preset = \"wled\"", keys));
        assert_eq!(read(&text).unwrap().lights[0].device, expected, "{keys}");
    }
    let custom = "preset = \"custom\"\npayload = \"{{ color }}\"\nonline_topic = \"device/online\"";
    let light = read(&with_light(&DOOR.replace("preset = \"wled\"", custom))).unwrap().lights.remove(0);
    assert_eq!(light.device.announcement(&light.topic).unwrap().topic, "device/online");
}

#[test]
fn what_makes_no_sense_is_refused_with_what_is_allowed() {
    for (more, says) in [
        ("brightness = 0", "lights[0].brightness = 0: must be 1 to 100"),
        ("brightness = 101", "lights[0].brightness = 101: must be 1 to 100"),
        ("transition = \"2h\"", "lights[0].transition = \"2h\": must be 0s to 1h"),
        (
            "active = \"always\"",
            "lights[0].active = \"always\": must be days and hours such as \"Mon-Fri 08:00-18:00\"",
        ),
        (
            "time_zone = \"Europe/Berlin\"",
            "lights[0].time_zone = \"Europe/Berlin\": says whose clock active means",
        ),
        (
            "active = \"08:00-18:00\"\ntime_zone = \"Mars/Crater\"",
            "lights[0].time_zone = \"Mars/Crater\": must be a time zone",
        ),
        (
            "stale_color = \"red\"",
            "lights[0].stale_color = \"red\": must be \"#rrggbb\", \"off\" or \"unchanged\"",
        ),
        ("shutdown_color = \"\"", "lights[0].shutdown_color = \"\": must be"),
        ("target = \"sun\"", "lights[0].target = \"sun\": must be one of \"indicator1\""),
        ("target = \"moodlight\"", "lights[0].target = \"moodlight\": is only for preset = \"awtrix\""),
        ("channel = 1", "lights[0].channel = 1: is only for preset = \"shelly-gen1\" and \"shelly-gen2\""),
        ("colors.Busy = \"red\"", "lights[0].colors.Busy = \"red\": must be \"#rrggbb\" or \"off\""),
        (
            "colors.OnTheMoon = \"#ff0000\"",
            "lights[0].colors.OnTheMoon = \"#ff0000\": is no activity or availability; one of Available",
        ),
        ("effects.Busy = 1", "lights[0].effects.Busy = 1: must be text"),
        (
            "effects.Busy = \"rainbow\"",
            "lights[0].effects.Busy = \"rainbow\": must be \"blink\", \"breathe\" or the number",
        ),
        ("preset2 = 1", "lights[0].preset2: unknown key (did you mean \"preset\"?)"),
    ] {
        let message = message(read(&with_light(&format!("{DOOR}{more}"))));
        let found = message.lines().any(|line| line.contains(says));
        assert!(found, "wanted {says}, got:\n{message}");
    }
    for (written, instead, says) in [
        (
            "[\"alice\"]",
            "[\"alice\", \"bob\"]",
            "16: lights[0].users[1] = \"bob\": must be the name of a user: alice",
        ),
        ("[\"alice\"]", "[\"alice\", \"alice\"]", "16: lights[0].users[1] = \"alice\": is named twice"),
        ("[\"alice\"]", "[]", "16: lights[0].users"),
        ("name = \"door\"\n", "", "14: lights[0].name: is required"),
        ("wled/door", "wled/+", "18: lights[0].topic = \"wled/+\": must be"),
        ("\"wled\"", "\"esphome\"", "lights[0].object: is required"),
        ("\"wled\"", "\"custom\"", "lights[0].payload: is required"),
        (
            "\"wled\"",
            "\"custom\"\npayload = \"{{ colour }}\"",
            "18: lights[0].payload = \"{{ colour }}\": line 1: there is no \"colour\"",
        ),
        (
            "\"wled\"\ntopic = \"wled/door\"",
            "\"tasmota\"\ntopic = \"cmnd/door\"",
            "18: lights[0].topic = \"cmnd/door\": must be the Topic of the device",
        ),
    ] {
        let message = message(read(&with_light(&DOOR.replace(written, instead))));
        assert!(message.contains(says), "wanted {says}, got:\n{message}");
    }
    let message = message(read(&with_light(&format!("{DOOR}[[lights]]\n{}", DOOR.replace("door", "DOOR")))));
    assert!(message.contains("lights[1].name = \"DOOR\": must differ, ignoring case"), "{message}");
}
