//! A person in Home Assistant.
//!
//! Every template takes an empty payload for "unknown": that is what a topic holds for a moment when it is
//! removed.

use super::device_id::DeviceId;
use super::entity::{Availability, Device, Entities, Entity, Ids, ORIGIN, Payload, TEXT, components, slug};
use crate::core::model::health::Health;
use crate::core::model::name::{ClientId, ObjectId, TopicLevel};
use crate::core::model::payload::json;
use crate::core::model::presence_change;
use crate::core::model::topic::{BridgeField, Field, SET, SET_STATUS_MESSAGE, Topics};
use crate::core::model::word::Availability as Word;

const ATTRIBUTES: &str = "{{ value or '{}' }}";
const OUT_OF_OFFICE: &str = "{{ 'None' if not value or value_json.out_of_office is none else \
                             'ON' if value_json.out_of_office else 'OFF' }}";
const BUSY: &str = "{{ 'None' if not value or value == 'PresenceUnknown' else \
                    'ON' if value in ['Busy', 'BusyIdle', 'DoNotDisturb'] else 'OFF' }}";
const IN_A_CALL: &str = "{{ 'None' if not value or value == 'PresenceUnknown' else \
                         'ON' if value in ['InACall', 'InAConferenceCall', 'InAMeeting', 'Presenting'] else 'OFF' }}";
const SINCE: &str = "{{ value_json.since if value else 'None' }}";

/// What people write in Teams may be longer than a state in Home Assistant.
const STATUS_MESSAGE: &str = "{{ (value_json.status_message or '')[:255] if value else '' }}";

/// An empty text would be an empty payload, which is no command, and one that begins with a brace would be
/// read as JSON.
const STATUS_MESSAGE_COMMAND: &str = "{{ {'message': value} | to_json }}";

const ONLINE_IF_OK: &str = "{{ 'online' if value == 'ok' else 'offline' }}";

/// The entities that are there only while a person can be set: key and platform.
pub(in crate::core) const CONTROLS: [(&str, &str); 3] =
    [("presence", "select"), ("clear_presence", "button"), ("status_message", "text")];

/// Whether a person can be set from Home Assistant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::core) enum Controls {
    /// They can be.
    Shown,
    /// Commands are not enabled, or this sign-in can set only somebody else.
    Absent,
}

/// What a payload about a person is made of.
#[derive(Debug)]
pub(in crate::core) struct Described<'a> {
    /// What Home Assistant shows.
    pub display_name: &'a str,
    pub name: &'a TopicLevel,
    pub id: ObjectId,
    pub bridge: &'a ClientId,
    pub controls: Controls,
    /// Entities that were announced earlier.
    pub before: &'a Entities,
}

/// The topics that a payload names.
struct Named {
    bridge_state: String,
    state: String,
    activity: String,
    availability: String,
    health: String,
    set: String,
    set_status_message: String,
}

/// The payload about a person.
pub(in crate::core) fn of_person(person: &Described<'_>, topics: &Topics) -> String {
    let device = DeviceId::of_person(person.id);
    let bridge = DeviceId::of_bridge(person.bridge);
    let of = |field| topics.of_user(person.name, field);
    let named = Named {
        bridge_state: topics.of_bridge(BridgeField::State),
        state: of(Field::State),
        activity: of(Field::Activity),
        availability: of(Field::Availability),
        health: of(Field::Health),
        set: topics.set(person.name, SET),
        set_status_message: topics.set(person.name, SET_STATUS_MESSAGE),
    };
    let ids = Ids { device: &device, slug: slug(person.name.as_str()) };
    let mut entities = sensors(&ids, &named);
    if person.controls == Controls::Shown {
        entities.extend(controls(&ids, &named));
    }
    let entities = entities.into_iter().map(|(key, entity)| (key.into(), entity));
    json(&Payload {
        device: Device {
            identifiers: [device.as_str()],
            name: person.display_name,
            manufacturer: "Microsoft",
            model: "Teams presence",
            sw_version: None,
            via_device: Some(bridge.as_str()),
        },
        origin: ORIGIN,
        qos: 1,
        components: components(entities, person.before),
    })
}

fn sensors<'a>(ids: &Ids<'_>, topics: &'a Named) -> Vec<(&'static str, Entity<'a>)> {
    let values = |entity: Entity<'a>| believed(entity, topics);
    let diagnostic = |entity: Entity<'a>| Entity {
        entity_category: Some("diagnostic"),
        availability: vec![Availability { topic: &topics.bridge_state, value_template: None }],
        ..entity
    };
    vec![
        (
            "availability",
            values(Entity {
                icon: Some("mdi:account-circle"),
                device_class: Some("enum"),
                options: Word::ALL.iter().map(|word| word.as_str()).collect(),
                state_topic: Some(&topics.availability),
                value_template: Some(TEXT.to_owned()),
                json_attributes_topic: Some(&topics.state),
                json_attributes_template: Some(ATTRIBUTES),
                ..ids.entity("sensor", "availability", "Availability")
            }),
        ),
        (
            "activity",
            values(Entity {
                icon: Some("mdi:account-details"),
                state_topic: Some(&topics.activity),
                value_template: Some(TEXT.to_owned()),
                ..ids.entity("sensor", "activity", "Activity")
            }),
        ),
        (
            "out_of_office",
            values(Entity {
                icon: Some("mdi:palm-tree"),
                state_topic: Some(&topics.state),
                value_template: Some(OUT_OF_OFFICE.to_owned()),
                ..ids.entity("binary_sensor", "out_of_office", "Out of office")
            }),
        ),
        (
            "busy",
            values(Entity {
                icon: Some("mdi:account-cancel"),
                state_topic: Some(&topics.availability),
                value_template: Some(BUSY.to_owned()),
                ..ids.entity("binary_sensor", "busy", "Busy")
            }),
        ),
        (
            "in_a_call",
            values(Entity {
                icon: Some("mdi:phone-in-talk"),
                state_topic: Some(&topics.activity),
                value_template: Some(IN_A_CALL.to_owned()),
                ..ids.entity("binary_sensor", "in_a_call", "In a call or meeting")
            }),
        ),
        (
            "since",
            diagnostic(Entity {
                device_class: Some("timestamp"),
                state_topic: Some(&topics.state),
                value_template: Some(SINCE.to_owned()),
                ..ids.entity("sensor", "since", "Since")
            }),
        ),
        (
            "health",
            diagnostic(Entity {
                icon: Some("mdi:heart-pulse"),
                device_class: Some("enum"),
                options: Health::WORDS.to_vec(),
                state_topic: Some(&topics.health),
                value_template: Some(TEXT.to_owned()),
                ..ids.entity("sensor", "health", "Health")
            }),
        ),
    ]
}

fn controls<'a>(ids: &Ids<'_>, topics: &'a Named) -> Vec<(&'static str, Entity<'a>)> {
    let control = |entity: Entity<'a>| Entity { entity_category: Some("config"), ..believed(entity, topics) };
    let words = presence_change::preferred_words();
    let settable = format!("{{{{ value if value in {words:?} else 'None' }}}}").replace('"', "'");
    vec![
        (
            "presence",
            control(Entity {
                icon: Some("mdi:account-edit"),
                options: words.to_vec(),
                state_topic: Some(&topics.availability),
                value_template: Some(settable),
                command_topic: Some(&topics.set),
                ..ids.entity("select", "presence", "Presence")
            }),
        ),
        (
            "clear_presence",
            control(Entity {
                icon: Some("mdi:account-reactivate"),
                command_topic: Some(&topics.set),
                payload_press: Some("auto"),
                ..ids.entity("button", "clear_presence", "Clear presence")
            }),
        ),
        (
            "status_message",
            control(Entity {
                icon: Some("mdi:message-text"),
                state_topic: Some(&topics.state),
                value_template: Some(STATUS_MESSAGE.to_owned()),
                command_topic: Some(&topics.set_status_message),
                command_template: Some(STATUS_MESSAGE_COMMAND),
                max: Some(255),
                ..ids.entity("text", "status_message", "Status message")
            }),
        ),
    ]
}

/// An entity whose values count while the bridge is online and the person's health is `ok`.
fn believed<'a>(entity: Entity<'a>, topics: &'a Named) -> Entity<'a> {
    let availability = vec![
        Availability { topic: &topics.bridge_state, value_template: None },
        Availability { topic: &topics.health, value_template: Some(ONLINE_IF_OK) },
    ];
    Entity { availability_mode: Some("all"), availability, ..entity }
}
