//! How devices are called.

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

    /// The person whose device is announced on a topic, if it is one's.
    pub(super) fn person_of(topic: &str, prefix: &BaseTopic) -> Option<ObjectId> {
        let device =
            topic.strip_prefix(prefix.as_str())?.strip_prefix("/device/")?.strip_suffix("/config")?;
        device.strip_prefix("presence2mqtt_")?.parse().ok()
    }

    /// `<prefix>/device/<object_id>/config`
    pub(super) fn topic(&self, prefix: &BaseTopic) -> String {
        format!("{prefix}/device/{}/config", self.0)
    }
}
