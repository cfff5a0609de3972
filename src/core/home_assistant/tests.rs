//! Golden files of what Home Assistant is told. A change of one is a change that people notice.

use std::collections::BTreeMap;

use super::bridge::of_bridge;
use super::device_id::DeviceId;
use super::light::announced as announced_of_light;
use super::person::{CONTROLS, Controls, Described, of_person};
use super::*;
use crate::core::model::settings::Settings;
use crate::core::model::topic::Topics;

fn topics() -> Topics {
    Topics::new("presence".parse().unwrap(), "bridge".parse().unwrap())
}

fn alice(controls: Controls, before: &BTreeMap<String, String>) -> String {
    let described = Described {
        display_name: "Alice Adams",
        name: &"Alice-A".parse().unwrap(),
        id: "66825e03-7ef5-42da-9069-724602c31f6b".parse().unwrap(),
        bridge: &"presence2mqtt".parse().unwrap(),
        controls,
        before,
    };
    of_person(&described, &topics())
}

fn check(name: &str, payload: &str, golden: &str) {
    let pretty = |text: &str| {
        let value: serde_json::Value = serde_json::from_str(text).unwrap();
        format!("{value:#}\n")
    };
    let told = pretty(payload).replace(env!("CARGO_PKG_VERSION"), "VERSION");
    assert_eq!(told, golden, "tests/golden/home-assistant/{name}.json has to be:\n{told}");
}

#[test]
fn a_person() {
    let golden = include_str!("../../../tests/golden/home-assistant/person.json");
    check("person", &alice(Controls::Absent, &BTreeMap::new()), golden);
}

#[test]
fn a_person_who_can_be_set() {
    let golden = include_str!("../../../tests/golden/home-assistant/person-with-controls.json");
    check("person-with-controls", &alice(Controls::Shown, &BTreeMap::new()), golden);
}

#[test]
fn the_controls_are_what_only_people_who_can_be_set_have() {
    let entities = |controls| {
        let payload = alice(controls, &BTreeMap::new());
        Remembered::read("", payload.as_bytes(), &"presence2mqtt".parse().unwrap()).unwrap().entities
    };
    let mut shown = entities(Controls::Shown);
    for (key, platform) in CONTROLS {
        assert_eq!(shown.remove(key).as_deref(), Some(platform));
    }
    assert_eq!(shown, entities(Controls::Absent));
}

#[test]
fn the_bridge() {
    let golden = include_str!("../../../tests/golden/home-assistant/bridge.json");
    let client_id = "presence2mqtt".parse().unwrap();
    let payload = of_bridge(&client_id, &Settings::for_tests(), &topics(), &[], &[], &BTreeMap::new());
    check("bridge", &payload, golden);
}

#[test]
fn the_bridge_with_a_light() {
    let golden = include_str!("../../../tests/golden/home-assistant/bridge-with-a-light.json");
    let (client_id, lights) = ("presence2mqtt".parse().unwrap(), ["Office-Door".parse().unwrap()]);
    let payload = of_bridge(&client_id, &Settings::for_tests(), &topics(), &[], &lights, &BTreeMap::new());
    check("bridge-with-a-light", &payload, golden);
}

#[test]
fn the_bridge_with_accounts() {
    let golden = include_str!("../../../tests/golden/home-assistant/bridge-with-accounts.json");
    let client_id = "presence2mqtt".parse().unwrap();
    let accounts = ["alice", "Fabrikam-2"].map(|name| name.parse().unwrap());
    let payload = of_bridge(&client_id, &Settings::for_tests(), &topics(), &accounts, &[], &BTreeMap::new());
    check("bridge-with-accounts", &payload, golden);
}

#[test]
fn a_light_that_is_gone_is_removed_by_name() {
    let (client_id, door) = ("presence2mqtt".parse().unwrap(), "Office-Door".parse().unwrap());
    let payload =
        of_bridge(&client_id, &Settings::for_tests(), &topics(), &[], &[], &announced_of_light(&door));
    let payload: serde_json::Value = serde_json::from_str(&payload).unwrap();
    let components = &payload["components"];
    assert_eq!(components["light_Office-Door"], serde_json::json!({"platform": "sensor"}));
    assert_eq!(components["follow_Office-Door"], serde_json::json!({"platform": "switch"}));
}

#[test]
fn what_was_announced_before_is_removed_by_name_and_read_back_as_ours() {
    let with_controls = alice(Controls::Shown, &BTreeMap::new());
    let bridge = "presence2mqtt".parse().unwrap();
    let topic = "homeassistant/device/presence2mqtt_66825e03-7ef5-42da-9069-724602c31f6b/config";
    let before = Remembered::read(topic, with_controls.as_bytes(), &bridge).unwrap();
    assert_eq!(before.state_topic.as_deref(), Some("presence/Alice-A/availability"));
    let without: serde_json::Value =
        serde_json::from_str(&alice(Controls::Absent, &before.entities)).unwrap();
    assert_eq!(without["components"]["presence"], serde_json::json!({"platform": "select"}));
    assert_eq!(without["components"].as_object().unwrap().len(), before.entities.len());

    assert_eq!(Remembered::read(topic, with_controls.as_bytes(), &"another".parse().unwrap()), None);
    for other in ["", "{}", "[]", r#"{"device":{"identifiers":["x"]},"origin":{"name":"zigbee2mqtt"}}"#] {
        assert_eq!(Remembered::read(topic, other.as_bytes(), &bridge), None, "{other}");
    }
}

#[test]
fn what_is_about_a_base_topic_can_be_spared() {
    let bridge = "presence2mqtt".parse().unwrap();
    let about_bridge = of_bridge(&bridge, &Settings::for_tests(), &topics(), &[], &[], &BTreeMap::new());
    for payload in [alice(Controls::Absent, &BTreeMap::new()), about_bridge] {
        let is_of = |spared: Option<&str>| {
            let spared = spared.map(|base| base.parse().unwrap());
            is_of(&bridge, "", payload.as_bytes(), spared.as_ref())
        };
        assert!(is_of(None) && is_of(Some("pres")) && is_of(Some("old/presence")));
        assert!(!is_of(Some("presence")));
    }
}

#[test]
fn ids_hold_nothing_that_home_assistant_refuses() {
    let id = DeviceId::of_bridge(&r#"bridge.of"alice@contoso"#.parse().unwrap());
    assert_eq!(id.as_str(), "presence2mqtt_bridge_bridge_of_alice_contoso");
    let prefix = "ha/test".parse().unwrap();
    assert_eq!(id.topic(&prefix), format!("ha/test/device/{}/config", id.as_str()));
    assert_eq!(every_device(&prefix), "ha/test/device/+/config");
}
