//! The bridge itself in Home Assistant.

use super::device_id::DeviceId;
use super::entity::{Availability, Device, Entities, Entity, Ids, ORIGIN, Payload, components, slug};
use super::{account, light};
use crate::core::model::name::{ClientId, TopicLevel};
use crate::core::model::payload::json;
use crate::core::model::settings::Settings;
use crate::core::model::topic::{BridgeField, OFFLINE, ONLINE, Topics};

/// The payload about the bridge. `before` are the entities that were announced earlier.
pub(in crate::core) fn of_bridge(
    client_id: &ClientId,
    settings: &Settings,
    topics: &Topics,
    accounts: &[TopicLevel],
    lights: &[TopicLevel],
    before: &Entities,
) -> String {
    let device = DeviceId::of_bridge(client_id);
    let ids = Ids { device: &device, slug: slug(client_id.as_str()) };
    let [state, info, health, _] = BridgeField::ALL.map(|field| topics.of_bridge(field));
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
    // All accounts together first, which is all there is to say where there is only one.
    let accounts = std::iter::once(None).chain(accounts.iter().map(Some));
    let accounts: Vec<account::Named<'_>> = accounts.map(|name| account::Named::new(name, topics)).collect();
    let account_entities = accounts.iter().flat_map(|account| account::entities(&ids, account));
    let account_entities =
        account_entities.map(|(key, entity)| (key.into(), Entity { availability: online(), ..entity }));
    let instance = settings.mqtt.standby.then(|| {
        let entity = Entity {
            icon: Some("mdi:server-network"),
            state_topic: Some(&info),
            value_template: Some("{{ value_json.standby.active if value else 'None' }}".to_owned()),
            ..diagnostic("sensor", "active_instance", "Active instance")
        };
        ("active_instance", entity)
    });
    let entities = entities.into_iter().chain(instance).map(|(key, entity)| (key.into(), entity));
    let entities = entities.chain(account_entities).chain(light_entities);
    json(&Payload {
        device: Device {
            identifiers: [device.as_str()],
            name: client_id.as_str(),
            manufacturer: "presence2mqtt",
            model: "Bridge",
            sw_version: Some(settings.version),
            via_device: None,
        },
        origin: ORIGIN,
        qos: 1,
        components: components(entities, before),
    })
}
