//! `[[lights]]`: what is taken, and what is refused.

use std::time::Duration;

use super::*;
use crate::core::lights::also::On;
use crate::core::lights::color::{Instead, Shade};
use crate::core::lights::preset::{Device, Profile, Target};

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
        ("preset = \"tasmota\"", Device::Tasmota { channel: None }),
        ("preset = \"zigbee2mqtt\"", Device::Zigbee2mqtt),
        ("preset = \"esphome\"\nobject = \"strip\"", Device::Esphome { object: "strip".into() }),
        ("preset = \"shelly-gen1\"", Device::ShellyGen1 { channel: 0 }),
        ("preset = \"shelly-gen2\"\nchannel = 1", Device::ShellyGen2 { channel: 1, profile: Profile::Rgbw }),
        ("preset = \"tasmota\"\nchannel = 2", Device::Tasmota { channel: Some(2) }),
        (
            "preset = \"shelly-gen2\"\nprofile = \"rgbcct\"",
            Device::ShellyGen2 { channel: 0, profile: Profile::Rgbcct },
        ),
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
            "lights[0].time_zone = \"Europe/Berlin\": has no effect without `active`",
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
        (
            "channel = 1",
            "lights[0].channel = 1: is only for preset = \"shelly-gen1\" and \"shelly-gen2\" and \"tasmota\"",
        ),
        ("profile = \"rgb\"", "lights[0].profile = \"rgb\": is only for preset = \"shelly-gen2\""),
        ("colors.Busy = \"red\"", "lights[0].colors.Busy = \"red\": must be \"#rrggbb\" or \"off\""),
        (
            "colors.OnTheMoon = \"#ff0000\"",
            "lights[0].colors.OnTheMoon = \"#ff0000\": is not an activity or availability; must be one of Available",
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

fn with_also(keys: &str) -> String {
    with_light(&format!("{DOOR}[[lights.also]]\n{keys}"))
}

#[test]
fn another_topic_may_win() {
    let keys = "topic = \"teams/alice/camera\"\non = \"ON\"\ncolor = \"#ff0000\"\nexpires = \"12h\"\n\
                [[lights.also]]\ntopic = \"ha/call\"\non_template = \"{{ value_json.call }}\"\neffect = \"blink\"\n";
    let light = read(&with_also(keys)).unwrap().lights.remove(0);
    let [camera, call] = light.also.as_slice() else { panic!("{:?}", light.also) };
    assert_eq!((camera.topic.as_str(), &camera.on), ("teams/alice/camera", &On::Payload("ON".into())));
    assert_eq!(camera.shade, Some("#ff0000".parse().unwrap()));
    assert_eq!(camera.expires, Some(Duration::from_secs(12 * 3600)));
    assert_eq!((call.shade, call.effect.as_deref(), call.expires), (None, Some("blink"), None));

    let camera = "topic = \"x/camera\"\non = \"ON\"\ncolor = \"#ff0000\"";
    for (written, instead, says) in [
        ("x/camera", "x/+", "lights[0].also[0].topic = \"x/+\": must be"),
        (
            "x/camera",
            "wled/door/api",
            "lights[0].also[0].topic = \"wled/door/api\": is the command topic of this light",
        ),
        (
            "x/camera",
            "presence/alice/state",
            "lights[0].also[0].topic = \"presence/alice/state\": is a topic of a bridge's own",
        ),
        (
            "x/camera",
            "homeassistant/status",
            "lights[0].also[0].topic = \"homeassistant/status\": is home_assistant.birth",
        ),
        ("topic = \"x/camera\"\n", "", "lights[0].also[0].topic: is required"),
        ("on = \"ON\"", "", "lights[0].also[0].on: is required, or on_template"),
        (
            "on = \"ON\"",
            "on = \"ON\"\non_template = \"{{ value }}\"",
            "on_template = \"{{ value }}\": on is given too",
        ),
        (
            "on = \"ON\"",
            "on_template = \"{{ camera }}\"",
            "line 1: there is no \"camera\"; the names are value, value_json",
        ),
        ("color = \"#ff0000\"", "", "lights[0].also[0].color: is required, or effect"),
        ("color = \"#ff0000\"", "color = \"red\"", "lights[0].also[0].color = \"red\": must be"),
        (
            "color = \"#ff0000\"",
            "effect = \"rainbow\"",
            "lights[0].also[0].effect = \"rainbow\": must be \"blink\"",
        ),
        ("color", "expires = \"0s\"\ncolor", "lights[0].also[0].expires = \"0s\": must be 1s to 7d"),
        ("color", "colour = \"x\"\ncolor", "lights[0].also[0].colour: unknown key (did you mean \"color\"?)"),
    ] {
        let message = message(read(&with_also(&camera.replacen(written, instead, 1))));
        assert!(message.contains(says), "wanted {says}, got:\n{message}");
    }
    let many = format!("{camera}\n{}", format!("[[lights.also]]\n{camera}\n").repeat(10));
    assert!(message(read(&with_also(&many))).contains("lights[0].also: are 11 of them; at most 10"));
}

#[test]
fn a_white_lamp_has_no_profile_of_colours() {
    let white = DOOR.replace("\"wled\"", "\"shelly-gen2\"\nwhite = true");
    assert!(read(&with_light(&white)).unwrap().lights[0].white);
    let message = message(read(&with_light(&format!("{white}profile = \"rgb\"\n"))));
    assert!(message.contains("lights[0].profile = \"rgb\": has colours"), "{message}");
}
