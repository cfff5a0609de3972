//! What Home Assistant is told, so that people and the bridge appear there by themselves.
//!
//! Device-based discovery, Home Assistant 2024.11 or newer (Home Assistant: `integrations/mqtt#mqtt-discovery`).
//! `entity` is the shape of a payload, `person`, `bridge` and `light` are the entities, `remembered` is what an earlier
//! run left.
//!
//! Ids come from what never changes: a person's object id, the bridge's client id. Entity ids carry the name that is
//! configured, and matter only when Home Assistant sees the entity for the first time.

mod bridge;
mod entity;
mod light;
mod person;
mod remembered;
#[cfg(test)]
mod tests;

pub(super) use bridge::of_bridge;
pub(super) use entity::Entities;
pub(super) use light::announced as announced_of_light;
pub(super) use person::{CONTROLS, Controls, Described, of_person};
pub(super) use remembered::Remembered;

use crate::core::model::name::{BaseTopic, ClientId, ObjectId};

/// The discovery object id of a device, which is also its identifier and begins its entities' unique ids.
///
/// Home Assistant allows letters, digits, `_` and `-` here.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct DeviceId(String);

impl DeviceId {
    pub(super) fn of_person(id: ObjectId) -> Self {
        Self(format!("presence2mqtt_{id}"))
    }

    pub(super) fn of_bridge(client_id: &ClientId) -> Self {
        let allowed = |c: char| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' };
        Self(format!("presence2mqtt_bridge_{}", client_id.as_str().chars().map(allowed).collect::<String>()))
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    /// `<prefix>/device/<object_id>/config`
    pub(super) fn topic(&self, prefix: &BaseTopic) -> String {
        format!("{prefix}/device/{}/config", self.0)
    }
}

/// Whether what is retained on a discovery topic was announced by the bridge with this client id, and is not about
/// topics below the base topic that is to be spared.
#[must_use]
pub fn is_of(client_id: &ClientId, topic: &str, payload: &[u8], spared: Option<&BaseTopic>) -> bool {
    let earlier = Remembered::read(topic, payload, client_id);
    earlier.is_some_and(|earlier| !spared.is_some_and(|base| earlier.is_below(base)))
}

/// The topic of a device that never is, to see whether announcements may be written.
#[must_use]
pub fn of_check(prefix: &BaseTopic, id: &str) -> String {
    format!("{prefix}/device/presence2mqtt_check_{id}/config")
}

/// `<prefix>/device/+/config`: the filter that matches every device's topic.
#[must_use]
pub fn every_device(prefix: &BaseTopic) -> String {
    format!("{prefix}/device/+/config")
}
