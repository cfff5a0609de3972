//! What Home Assistant is told, so that people and the bridge appear there by themselves.
//!
//! Device-based discovery, Home Assistant 2024.11 or newer (Home Assistant:
//! `integrations/mqtt#mqtt-discovery`). `announcements` knows who is announced and what was announced before;
//! `entity` is the shape of a payload, `person`, `bridge`, `account` and `light` are the entities,
//! `remembered` is what an earlier run left.
//!
//! Ids come from what never changes: a person's object id, the bridge's client id. Entity ids carry the name
//! that is configured, and matter only when Home Assistant sees the entity for the first time.

pub(super) mod account;
pub(super) mod announcements;
mod bridge;
mod device_id;
mod entity;
pub(super) mod light;
mod person;
mod remembered;
#[cfg(test)]
mod tests;

use self::device_id::DeviceId;
use self::remembered::Remembered;
use super::model::name::{BaseTopic, ClientId, ObjectId};

/// Whether what is retained on a discovery topic was announced by the bridge with this client id, and is not
/// about topics below the base topic that is to be spared.
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

/// The topic of a person's device.
#[must_use]
pub fn device_of_person(prefix: &BaseTopic, id: ObjectId) -> String {
    DeviceId::of_person(id).topic(prefix)
}

/// The topic of the device of the bridge with this client id.
#[must_use]
pub fn device_of_bridge(prefix: &BaseTopic, client_id: &ClientId) -> String {
    DeviceId::of_bridge(client_id).topic(prefix)
}

/// `<prefix>/device/+/config`: the filter that matches every device's topic.
#[must_use]
pub fn every_device(prefix: &BaseTopic) -> String {
    format!("{prefix}/device/+/config")
}
