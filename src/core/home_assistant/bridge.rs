//! The bridge itself in Home Assistant.

use super::device_id::DeviceId;
use super::entity::{Availability, Device, Entities, Entity, Ids, ORIGIN, Payload, components, slug};
use super::light;
use crate::core::model::health::GraphState;
use crate::core::model::name::{ClientId, TopicLevel};
use crate::core::model::payload::json;
use crate::core::model::topic::{BridgeField, OFFLINE, ONLINE, Topics};

const ATTRIBUTES: &str = "{{ value or '{}' }}";

/// Right after a start nobody knows yet; "off" would be news that somebody has signed in.
const SIGN_IN_NEEDED: &str = "{{ 'None' if not value or value_json.graph == 'starting' else \
                              'ON' if value_json.graph == 'sign_in_required' else 'OFF' }}";

/// The payload about the bridge. `before` are the entities that were announced earlier.
pub(in crate::core) fn of_bridge(
    client_id: &ClientId,
    version: &str,
    topics: &Topics,
    lights: &[TopicLevel],
    before: &Entities,
) -> String {
    let device = DeviceId::of_bridge(client_id);
    let ids = Ids { device: &device, slug: slug(client_id.as_str()) };
    let [state, info, health, sign_in] = BridgeField::ALL.map(|field| topics.of_bridge(field));
    let refresh = topics.refresh();
    let online = || vec![Availability { topic: &state, value_template: None }];
    let diagnostic = |platform, key, name: &'static str| Entity {
        entity_category: Some("diagnostic"),
        availability: online(),
        ..ids.entity(platform, key, name)
    };
    let member = |name: &str| Some(format!("{{{{ value_json.{name} if value else 'None' }}}}"));
    let entities = [
        (
            "connection",
            Entity {
                device_class: Some("connectivity"),
                state_topic: Some(&state),
                payload_on: Some(ONLINE),
                payload_off: Some(OFFLINE),
                availability: Vec::new(),
                ..diagnostic("binary_sensor", "connection", "Connection")
            },
        ),
        (
            "graph",
            Entity {
                icon: Some("mdi:microsoft-teams"),
                device_class: Some("enum"),
                options: GraphState::WORDS.to_vec(),
                state_topic: Some(&health),
                value_template: member("graph"),
                json_attributes_topic: Some(&health),
                json_attributes_template: Some(ATTRIBUTES),
                ..diagnostic("sensor", "graph", "Graph")
            },
        ),
        (
            "sign_in_needed",
            Entity {
                device_class: Some("problem"),
                state_topic: Some(&health),
                value_template: Some(SIGN_IN_NEEDED.to_owned()),
                json_attributes_topic: Some(&sign_in),
                json_attributes_template: Some(ATTRIBUTES),
                ..diagnostic("binary_sensor", "sign_in_needed", "Sign-in needed")
            },
        ),
        (
            "last_read",
            Entity {
                device_class: Some("timestamp"),
                state_topic: Some(&health),
                value_template: Some(
                    "{{ value_json.last_success or 'None' if value else 'None' }}".to_owned(),
                ),
                ..diagnostic("sensor", "last_read", "Last read")
            },
        ),
        (
            "version",
            Entity {
                icon: Some("mdi:tag"),
                state_topic: Some(&info),
                value_template: member("version"),
                ..diagnostic("sensor", "version", "Version")
            },
        ),
        (
            "users",
            Entity {
                icon: Some("mdi:account-group"),
                state_topic: Some(&info),
                value_template: member("users"),
                ..diagnostic("sensor", "users", "Users")
            },
        ),
        (
            "refresh",
            Entity {
                icon: Some("mdi:refresh"),
                command_topic: Some(&refresh),
                ..diagnostic("button", "refresh", "Refresh")
            },
        ),
    ];
    let lights: Vec<light::Named<'_>> = lights.iter().map(|name| light::Named::new(name, topics)).collect();
    let light_entities = lights.iter().flat_map(|light| light::entities(&ids, light));
    let light_entities =
        light_entities.map(|(key, entity)| (key.into(), Entity { availability: online(), ..entity }));
    let entities = entities.into_iter().map(|(key, entity)| (key.into(), entity)).chain(light_entities);
    json(&Payload {
        device: Device {
            identifiers: [device.as_str()],
            name: client_id.as_str(),
            manufacturer: "presence2mqtt",
            model: "Bridge",
            sw_version: Some(version),
            via_device: None,
        },
        origin: ORIGIN,
        qos: 1,
        components: components(entities, before),
    })
}
