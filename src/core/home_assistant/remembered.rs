//! What an earlier run announced, read back from the broker.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::device_id::DeviceId;
use super::entity::{Entities, ORIGIN};
use super::light::FOLLOW;
use crate::core::model::name::{BaseTopic, ClientId};

/// A device that this bridge announced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::core) struct Remembered {
    /// Its topic.
    pub topic: String,
    pub entities: Entities,
    /// The topic of a person's availability, which holds their name, or of the bridge's state.
    pub state_topic: Option<String>,
    /// Where the bridge's lights were paused.
    pub paused_at: Vec<String>,
}

#[derive(Deserialize)]
struct Announced {
    device: Device,
    origin: Origin,
    #[serde(default)]
    components: BTreeMap<String, Component>,
}

#[derive(Deserialize)]
struct Device {
    identifiers: Vec<String>,
    via_device: Option<String>,
}

#[derive(Deserialize)]
struct Origin {
    name: String,
}

#[derive(Deserialize)]
struct Component {
    platform: String,
    state_topic: Option<String>,
}

impl Remembered {
    /// What is retained on a discovery topic, if this bridge announced it.
    pub(in crate::core) fn read(topic: &str, payload: &[u8], client_id: &ClientId) -> Option<Self> {
        let announced: Announced = serde_json::from_slice(payload).ok()?;
        let bridge = DeviceId::of_bridge(client_id);
        let ours = announced.origin.name == ORIGIN.name
            && (announced.device.via_device.as_deref() == Some(bridge.as_str())
                || announced.device.identifiers.iter().any(|id| id == bridge.as_str()));
        let mut components = announced.components;
        let lights = components.iter().filter(|(key, _)| key.starts_with(FOLLOW));
        let paused_at = lights.filter_map(|(_, light)| light.state_topic.clone()).collect();
        let mut state_topic_of = |key| components.get_mut(key)?.state_topic.take();
        let state_topic = state_topic_of("availability").or_else(|| state_topic_of("connection"));
        let entities = components.into_iter().map(|(key, component)| (key, component.platform)).collect();
        ours.then(|| Self { topic: topic.to_owned(), entities, state_topic, paused_at })
    }

    /// Whether it is about topics below this one.
    pub(super) fn is_below(&self, base: &BaseTopic) -> bool {
        let rest = self.state_topic.as_ref().and_then(|topic| topic.strip_prefix(base.as_str()));
        rest.is_some_and(|rest| rest.starts_with('/'))
    }
}
