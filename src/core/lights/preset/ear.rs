//! Where a device can be heard, and what that means: for whoever wants to know whether it is there.

use serde::Deserialize;

use crate::core::model::foreign::Legible;

/// What one message says of a device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sign {
    /// It is there.
    There,
    /// It says, or its last will does, that it is not.
    Gone,
    /// It obeyed or answered.
    Heard,
    /// It answered that it does not obey.
    Refused(Legible),
}

/// A topic where a device is heard.
#[derive(Debug, Clone)]
pub struct Ear {
    /// The full topic.
    pub topic: String,
    pub(super) means: Means,
}

/// What a message there means.
#[derive(Debug, Clone)]
pub(super) enum Means {
    /// Whether the device is there; anything else but nothing means that it is gone.
    Announcement(fn(&[u8]) -> bool),
    /// The same of what the device is a part of, which does not show that it has this part.
    Whole(fn(&[u8]) -> bool),
    /// Its state, as it is since the last order.
    State,
    /// An answer, which may be a refusal.
    Answer(fn(&[u8]) -> Option<String>),
    /// A list of names, in which it stands.
    List(String),
}

impl Ear {
    /// What a message there says, if anything.
    #[must_use]
    pub fn sign(&self, payload: &[u8], retained: bool) -> Option<Sign> {
        if payload.is_empty() {
            return None;
        }
        match &self.means {
            Means::Announcement(says) if says(payload) => Some(Sign::There),
            Means::Whole(says) if says(payload) => None,
            Means::Announcement(_) | Means::Whole(_) => Some(Sign::Gone),
            Means::State if retained => Some(Sign::There),
            Means::State => Some(Sign::Heard),
            Means::Answer(_) if retained => None,
            Means::Answer(refusal) => match refusal(payload) {
                Some(why) => Some(Sign::Refused(Legible::quoted(&why))),
                None => Some(Sign::Heard),
            },
            Means::List(name) => lists(payload, name).then_some(Sign::There),
        }
    }
}

/// zigbee2mqtt's lists of devices and groups.
fn lists(payload: &[u8], name: &str) -> bool {
    #[derive(Deserialize)]
    struct Entry {
        friendly_name: Option<String>,
    }
    let entries: Option<Vec<Entry>> = serde_json::from_slice(payload).ok();
    entries.into_iter().flatten().any(|entry| entry.friendly_name.as_deref() == Some(name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::lights::preset::{Device, Profile, Target};

    /// What each device says, and what that means.
    #[test]
    fn signs_of_life() {
        let gen2 = Device::ShellyGen2 { channel: 0, profile: Profile::Rgb };
        let (tasmota, object) = (Device::Tasmota { channel: None }, "strip".into());
        let refused = |why: &str| Some(Sign::Refused(why.into()));
        for (device, base, topic, payload, retained, expected) in [
            (&Device::Wled, "wled/x", "wled/x/status", "online", true, Some(Sign::There)),
            (&Device::Wled, "wled/x", "wled/x/status", "offline", true, Some(Sign::Gone)),
            (&Device::Wled, "wled/x", "wled/x/status", "", true, None),
            (&Device::Wled, "wled/x", "wled/x/g", "153", false, Some(Sign::Heard)),
            (&Device::Wled, "wled/x", "wled/x/v", "<vs>", true, Some(Sign::There)),
            (&tasmota, "x", "tele/x/LWT", "Offline", true, Some(Sign::Gone)),
            (&tasmota, "x", "stat/x/RESULT", r#"{"POWER":"ON"}"#, false, Some(Sign::Heard)),
            (
                &tasmota,
                "x",
                "stat/x/RESULT",
                r#"{"Command":"Unknown","Input":"COLOR1"}"#,
                false,
                refused("COLOR1: Unknown"),
            ),
            (
                &Device::Zigbee2mqtt,
                "z/a/b",
                "z/a/b/availability",
                r#"{"state":"offline"}"#,
                true,
                Some(Sign::Gone),
            ),
            (
                &Device::Zigbee2mqtt,
                "z/a/b",
                "z/bridge/devices",
                r#"[{"friendly_name":"a/b","x":1},{}]"#,
                true,
                Some(Sign::There),
            ),
            (&Device::Zigbee2mqtt, "z/a/b", "z/bridge/groups", r#"[{"friendly_name":"b"}]"#, true, None),
            (&Device::Zigbee2mqtt, "z/a/b", "z/a/b", r#"{"state":"ON"}"#, false, Some(Sign::Heard)),
            (&Device::Esphome { object }, "x", "x/status", "online", true, None),
            (&Device::Esphome { object: "strip".into() }, "x", "x/status", "offline", true, Some(Sign::Gone)),
            (
                &Device::Esphome { object: "strip".into() },
                "x",
                "x/light/strip/state",
                "{}",
                true,
                Some(Sign::There),
            ),
            (&Device::ShellyGen1 { channel: 0 }, "x", "x/online", "true", true, Some(Sign::There)),
            (&gen2, "x", "x/online", "true", true, None),
            (&gen2, "x", "presence2mqtt/x/rpc", r#"{"id":1,"result":{}}"#, false, Some(Sign::Heard)),
            (
                &gen2,
                "x",
                "presence2mqtt/x/rpc",
                r#"{"id":1,"error":{"code":404,"message":"No handler for RGB.Set"}}"#,
                false,
                refused("404, No handler for RGB.Set"),
            ),
            (&Device::Awtrix(Target::Moodlight), "x", "x/stats", "{}", false, Some(Sign::Heard)),
            (&Device::Openhasp, "hasp/x", "hasp/x/LWT", "offline", true, Some(Sign::Gone)),
        ] {
            let ear = device.ears(base).into_iter().find(|ear| ear.topic == topic);
            let ear = ear.unwrap_or_else(|| panic!("{topic}"));
            assert_eq!(ear.sign(payload.as_bytes(), retained), expected, "{topic} {payload}");
        }
    }
}
