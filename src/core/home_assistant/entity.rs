//! The shape of a discovery payload: a device with its entities (Home Assistant:
//! `integrations/mqtt#device-discovery-payload`).
//!
//! Home Assistant refuses a whole payload for one key that it does not know at the top, in `device` or in
//! `origin`.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Serialize;

use super::device_id::DeviceId;

/// A whole payload.
#[derive(Debug, Serialize)]
pub(super) struct Payload<'a> {
    pub device: Device<'a>,
    pub origin: Origin,
    pub qos: u8,
    pub components: BTreeMap<Cow<'a, str>, Component<'a>>,
}

/// A device in Home Assistant's registry.
#[derive(Debug, Serialize)]
pub(super) struct Device<'a> {
    pub identifiers: [&'a str; 1],
    pub name: &'a str,
    pub manufacturer: &'static str,
    pub model: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sw_version: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub via_device: Option<&'a str>,
}

/// Who says so.
#[derive(Debug, Serialize)]
pub(super) struct Origin {
    pub name: &'static str,
    pub sw: &'static str,
}

/// One entity, or the word that one is gone.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(super) enum Component<'a> {
    /// It is there.
    Entity(Box<Entity<'a>>),
    /// It was announced before and is removed by this (Home Assistant:
    /// `integrations/mqtt#removing-a-component`).
    Gone { platform: &'a str },
}

/// One entity.
#[derive(Debug, Default, Serialize)]
pub(super) struct Entity<'a> {
    pub platform: &'static str,
    pub unique_id: String,
    pub name: Cow<'a, str>,
    /// The entity id that is asked for, by Home Assistant 2025.10 and newer.
    pub default_entity_id: String,
    /// The same for older ones, without the platform.
    pub object_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub icon: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device_class: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub entity_category: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state_topic: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value_template: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub json_attributes_topic: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub json_attributes_template: Option<&'static str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub options: Vec<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub payload_on: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub payload_off: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub command_topic: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub command_template: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub payload_press: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub availability_mode: Option<&'static str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub availability: Vec<Availability<'a>>,
}

/// Which entities a device has: key and platform.
pub(in crate::core) type Entities = BTreeMap<String, String>;

/// A topic that says whether an entity may be believed.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Availability<'a> {
    pub topic: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value_template: Option<&'static str>,
}

/// The state as it came; an empty payload is what a topic holds for a moment when it is removed.
pub(super) const TEXT: &str = "{{ value or 'None' }}";

/// What makes the ids of one device's entities.
pub(super) struct Ids<'a> {
    pub device: &'a DeviceId,
    /// Begins the entity ids.
    pub slug: String,
}

impl Ids<'_> {
    /// An entity with its ids; `key` is stable and tells it from the device's others.
    pub(super) fn entity<'a>(
        &self,
        platform: &'static str,
        key: &str,
        name: impl Into<Cow<'a, str>>,
    ) -> Entity<'a> {
        let object_id = format!("{}_{}", self.slug, slug(key));
        Entity {
            platform,
            unique_id: format!("{}_{key}", self.device.as_str()),
            name: name.into(),
            default_entity_id: format!("{platform}.{object_id}"),
            object_id,
            ..Entity::default()
        }
    }
}

/// A name as part of an entity id: Home Assistant allows lower case letters, digits and `_`.
pub(super) fn slug(name: &str) -> String {
    name.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' }).collect()
}

/// The entities, with removals for what was announced before and is not any more.
pub(super) fn components<'a>(
    entities: impl IntoIterator<Item = (Cow<'a, str>, Entity<'a>)>,
    before: &'a Entities,
) -> BTreeMap<Cow<'a, str>, Component<'a>> {
    let entity = |(key, entity)| (key, Component::Entity(Box::new(entity)));
    let mut components: BTreeMap<Cow<'_, str>, Component<'_>> = entities.into_iter().map(entity).collect();
    for (key, platform) in before {
        components.entry(Cow::Borrowed(key)).or_insert(Component::Gone { platform });
    }
    components
}

/// Who says so, in every payload.
pub(super) const ORIGIN: Origin = Origin { name: "presence2mqtt", sw: env!("CARGO_PKG_VERSION") };
