//! Which lights announce themselves on a broker: retained messages in, lights out. After the vendors'
//! sources.
//!
//! Only lights with colours that a preset can drive. openHASP announces no light, and AWTRIX only to Home
//! Assistant.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::core::model::event::Incoming;
use crate::core::model::name::TopicLevel;

/// Where lights announce themselves.
pub(crate) const FILTERS: [&str; 6] = [
    "wled/+/status",
    "tasmota/discovery/+/config",
    "+/bridge/devices",
    "shellies/+/online",
    "+/online",
    "homeassistant/light/+/+/config",
];

/// Shellies with colours, by the beginning of their ids.
const COLOURED_SHELLIES: [&str; 5] =
    ["shellyrgbw2-", "shellycolorbulb-", "shellybulb-", "shellyplusrgbwpm-", "shellyprorgbwwpm-"];

/// The first kind of a Tasmota light that has colours (SetOption37's page, `lt_st`: 3 RGB, 4 RGBW, 5 RGBCCT).
const TASMOTA_RGB: u64 = 3;

/// A light that announces itself.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct FoundLight {
    /// The kind of device, as the configuration has it.
    pub(crate) preset: &'static str,
    /// The device's own base topic.
    pub(crate) topic: String,
    /// What people call it.
    pub(crate) label: String,
    /// Only with ESPHome: the light's object id.
    pub(crate) object: Option<String>,
}

impl FoundLight {
    fn new(preset: &'static str, topic: impl Into<String>, label: impl Into<String>) -> Self {
        Self { preset, topic: topic.into(), label: label.into(), object: None }
    }

    /// The name it gets.
    pub(crate) fn name(&self) -> TopicLevel {
        TopicLevel::made_of(&self.label, "")
    }

    /// What tells it from all others: its topic, and its object if it has one.
    pub(crate) fn place(&self) -> String {
        self.object.iter().fold(self.topic.clone(), |topic, object| format!("{topic}/{object}"))
    }
}

/// Every light once, by kind and topic.
pub(crate) fn lights(messages: &[Incoming]) -> Vec<FoundLight> {
    let found = messages.iter().flat_map(of_message).filter(|light| is_topic(&light.topic));
    let found: BTreeSet<FoundLight> = found.collect();
    found.into_iter().collect()
}

/// Payloads may hold anything.
fn is_topic(text: &str) -> bool {
    !text.is_empty() && !text.contains(['+', '#']) && !text.contains(char::is_control)
}

fn of_message(message: &Incoming) -> Vec<FoundLight> {
    let Incoming { topic, payload, .. } = message;
    let says = |words: &str| payload == words.as_bytes();
    let json = || serde_json::from_slice::<Value>(payload).unwrap_or_default();
    let levels: Vec<&str> = topic.split('/').collect();
    match levels[..] {
        ["wled", name, "status"] if says("online") => {
            vec![FoundLight::new("wled", format!("wled/{name}"), name)]
        }
        ["tasmota", "discovery", _, "config"] => tasmota(&json()).into_iter().collect(),
        [base, "bridge", "devices"] => zigbee2mqtt(base, &json()),
        ["shellies", id, "online"] if says("true") && is_coloured(id) => {
            vec![FoundLight::new("shelly-gen1", format!("shellies/{id}"), id)]
        }
        [id, "online"] if says("true") && is_coloured(id) => vec![FoundLight::new("shelly-gen2", id, id)],
        ["homeassistant", "light", _, _, "config"] => home_assistant(&json()).into_iter().collect(),
        _ => Vec::new(),
    }
}

fn is_coloured(id: &str) -> bool {
    COLOURED_SHELLIES.iter().any(|beginning| id.to_ascii_lowercase().starts_with(beginning))
}

/// `arendst/Tasmota tasmota/tasmota_xdrv_driver/xdrv_12_discovery.ino`
fn tasmota(config: &Value) -> Option<FoundLight> {
    let has_colours = config["lt_st"].as_u64()? >= TASMOTA_RGB;
    // The preset knows the topics as they are unless somebody changes them.
    let is_usual = config["ft"] == "%prefix%/%topic%/" && config["tp"][0] == "cmnd";
    let topic = config["t"].as_str()?;
    let label = config["dn"].as_str().unwrap_or(topic);
    (has_colours && is_usual).then(|| FoundLight::new("tasmota", topic, label))
}

/// `zigbee2mqtt.io docs/guide/usage/mqtt_topics_and_messages.md`
fn zigbee2mqtt(base: &str, devices: &Value) -> Vec<FoundLight> {
    let listed = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let has_colours = |device: &Value| {
        listed(&device["definition"]["exposes"]).iter().any(|expose| {
            let mut features = listed(&expose["features"]).into_iter();
            expose["type"] == "light"
                && features.any(|feature| feature["name"] == "color_xy" || feature["name"] == "color_hs")
        })
    };
    let devices = listed(devices).into_iter().filter(has_colours);
    let light = |device: Value| {
        let name = device["friendly_name"].as_str()?;
        Some(FoundLight::new("zigbee2mqtt", format!("{base}/{name}"), name))
    };
    devices.filter_map(light).collect()
}

/// ESPHome (`esphome/components/mqtt/mqtt_light.cpp`) and AWTRIX (`Blueforcer/awtrix3 src/MQTTManager.cpp`),
/// of all those that announce themselves to Home Assistant.
fn home_assistant(config: &Value) -> Option<FoundLight> {
    let member = |of: &Value, names: [&str; 2]| {
        let found = names.into_iter().find_map(|name| of[name].as_str());
        found.unwrap_or_default().to_owned()
    };
    let device = if config["dev"].is_object() { &config["dev"] } else { &config["device"] };
    let name = member(device, ["name", "name"]);
    if member(device, ["mf", "manufacturer"]) == "Blueforcer" {
        // Its prefix is not told; unless it was changed, it is the name.
        return (!name.is_empty()).then(|| FoundLight::new("awtrix", name.as_str(), name.as_str()));
    }
    let modes = ["supported_color_modes", "sup_clrm"].into_iter().find_map(|name| config[name].as_array());
    let has_colours = modes.is_some_and(|modes| {
        modes.iter().any(|mode| mode.as_str().is_some_and(|mode| mode.starts_with("rgb")))
    });
    let command = member(config, ["cmd_t", "command_topic"]);
    let command = command.replacen('~', config["~"].as_str().unwrap_or("~"), 1);
    let (prefix, object) = command.strip_suffix("/command")?.rsplit_once("/light/")?;
    let is_whole = !prefix.is_empty() && !object.is_empty() && !object.contains('/');
    let label = if name.is_empty() { prefix } else { &name };
    (has_colours && is_whole && config["schema"] == "json")
        .then(|| FoundLight { object: Some(object.to_owned()), ..FoundLight::new("esphome", prefix, label) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(messages: &[(&str, &str)]) -> Vec<String> {
        let messages: Vec<Incoming> = messages
            .iter()
            .map(|&(topic, payload)| Incoming {
                topic: topic.to_owned(),
                payload: payload.as_bytes().to_vec(),
                retained: true,
                reply_to: None,
            })
            .collect();
        let line = |light: FoundLight| {
            let object =
                light.object.as_deref().map(|object| format!(" object {object}")).unwrap_or_default();
            format!("{} {}{object} as {}", light.preset, light.topic, light.name())
        };
        lights(&messages).into_iter().map(line).collect()
    }

    #[test]
    fn lights_by_their_announcements() {
        let tasmota = |more: &str| {
            format!(
                r#"{{"dn":"Desk lamp","t":"desk","ft":"%prefix%/%topic%/","tp":["cmnd","stat","tele"],"rl":[2],{more}}}"#
            )
        };
        let bridge = r#"[{"type":"Coordinator","friendly_name":"Coordinator","definition":null},
            {"friendly_name":"hall/lamp","definition":{"exposes":[{"type":"light","features":
                [{"name":"state"},{"name":"brightness"},{"name":"color_xy"}]},{"type":"enum"}]}},
            {"friendly_name":"white","definition":{"exposes":[{"type":"light","features":[{"name":"state"}]}]}},
            {"friendly_name":"plug","definition":{"exposes":[{"type":"switch","features":[{"name":"state"}]}]}}]"#;
        let esphome = |modes: &str| {
            format!(
                r#"{{"schema":"json","name":"Strip","cmd_t":"home/office/light/strip/command","supported_color_modes":[{modes}],
                    "dev":{{"name":"office","mf":"Espressif"}}}}"#
            )
        };
        let shortened =
            r#"{"~":"office","schema":"json","cmd_t":"~/light/strip/command","sup_clrm":["rgbw"]}"#;
        let awtrix = r#"{"cmd_t":"aha/a1/mat/cmd_t","dev":{"name":"awtrix_a1b2c3","mf":"Blueforcer"}}"#;
        let strangers = r#"{"schema":"json","cmd_t":"zigbee2mqtt/hall/set","supported_color_modes":["xy"]}"#;
        let (rgb, white) = (tasmota(r#""lt_st":3"#), tasmota(r#""lt_st":1"#));
        let wild = rgb.replace("\"t\":\"desk\"", "\"t\":\"desk/#\"");
        let moved = rgb.replace("%prefix%/%topic%/", "home/%topic%/%prefix%/");
        let (with_rgb, on_off) = (esphome(r#""rgb","white""#), esphome(r#""onoff""#));
        for (topic, payload, expected) in [
            ("wled/a1b2c3/status", "online", &["wled wled/a1b2c3 as a1b2c3"][..]),
            ("wled/a1b2c3/status", "offline", &[]),
            ("tasmota/discovery/A1/config", &rgb, &["tasmota desk as Desk_lamp"]),
            ("tasmota/discovery/A1/config", &white, &[]),
            ("tasmota/discovery/A1/config", &moved, &[]),
            ("tasmota/discovery/A1/config", &wild, &[]),
            ("tasmota/discovery/A1/sensors", &rgb, &[]),
            ("zigbee2mqtt/bridge/devices", bridge, &["zigbee2mqtt zigbee2mqtt/hall/lamp as hall_lamp"]),
            ("z/bridge/devices", "not JSON", &[]),
            (
                "shellies/shellyrgbw2-A1/online",
                "true",
                &["shelly-gen1 shellies/shellyrgbw2-A1 as shellyrgbw2-A1"],
            ),
            ("shellies/shellyrgbw2-A1/online", "false", &[]),
            ("shellies/shelly1-A1/online", "true", &[]),
            (
                "shellyplusrgbwpm-a1/online",
                "true",
                &["shelly-gen2 shellyplusrgbwpm-a1 as shellyplusrgbwpm-a1"],
            ),
            ("shellyplus1-a1/online", "true", &[]),
            (
                "homeassistant/light/office/strip/config",
                &with_rgb,
                &["esphome home/office object strip as office"],
            ),
            ("homeassistant/light/office/strip/config", &on_off, &[]),
            (
                "homeassistant/light/office/strip/config",
                shortened,
                &["esphome office object strip as office"],
            ),
            ("homeassistant/light/a1/mat/config", awtrix, &["awtrix awtrix_a1b2c3 as awtrix_a1b2c3"]),
            ("homeassistant/light/0x1/light/config", strangers, &[]),
            ("homeassistant/light/0x1/light/config", "", &[]),
        ] {
            assert_eq!(found(&[(topic, payload)]), expected, "{topic}: {payload}");
        }
    }

    #[test]
    fn each_once_and_in_order() {
        let twice = [("wled/b/status", "online"), ("wled/a/status", "online"), ("wled/b/status", "online")];
        assert_eq!(found(&twice), ["wled wled/a as a", "wled wled/b as b"]);
    }
}
