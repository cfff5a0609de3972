//! What may be written in `[[users]]`, `[[groups]]` and `[[lights]]`.

use std::collections::BTreeMap;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::duration_words::DurationWords;

/// Somebody to follow.
#[derive(Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(extend("required" = ["name", "id"]))]
pub(super) struct User {
    /// The topic level: 1 to 64 of the characters A-Z, a-z, 0-9, _ and -.
    pub name: Option<String>,
    /// The object id, the user principal name, or "me".
    pub id: Option<String>,
    /// The name Home Assistant shows; default: `name`.
    pub display_name: Option<String>,
    /// false: topics only, nothing announced to Home Assistant.
    pub discovery: bool,
    /// Who reads them: the name of one of `accounts`. Required where there are several.
    pub account: Option<String>,
}

impl Default for User {
    fn default() -> Self {
        Self { name: None, id: None, display_name: None, discovery: true, account: None }
    }
}

/// A group whose members are followed.
#[derive(Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(extend("required" = ["id"]))]
pub(super) struct Group {
    /// The group's object id.
    pub id: Option<String>,
    /// The topic level of each member: {upn_local}, {id}, {display_name}, and text of A-Z a-z 0-9 _ -.
    pub name: String,
    /// How often the members are read: 1m to 7d.
    #[serde(with = "humantime_serde")]
    #[schemars(with = "DurationWords")]
    pub refresh_members: Duration,
    /// true: announce the members to Home Assistant.
    pub discovery: bool,
    /// Who reads it: the name of one of `accounts`. Required where there are several.
    pub account: Option<String>,
}

impl Default for Group {
    fn default() -> Self {
        Self {
            id: None,
            name: "{upn_local}".to_owned(),
            refresh_members: Duration::from_secs(3600),
            discovery: false,
            account: None,
        }
    }
}

/// A light that shows a person's presence.
#[derive(Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(extend("required" = ["name", "users", "preset", "topic"]))]
pub(super) struct Light {
    /// The light's topic level on the bridge's topics.
    pub name: Option<String>,
    /// The names of the users it follows; the busiest counts.
    pub users: Option<Vec<String>>,
    /// The kind of device.
    pub preset: Option<Preset>,
    /// The device's own base topic; tasmota: its Topic, without cmnd; custom: the command topic.
    pub topic: Option<String>,
    /// The lamp has no colours: it is on while the person is busy.
    pub white: bool,
    /// Per cent.
    #[schemars(range(min = 1, max = 100))]
    pub brightness: u8,
    /// How long a change of colour takes: 0s to 1h.
    #[serde(with = "humantime_serde")]
    #[schemars(with = "DurationWords")]
    pub transition: Duration,
    /// When the light may be on, such as "Mon-Fri 08:00-18:00"; default: always.
    pub active: Option<String>,
    /// The time zone of `active`, such as "Europe/Berlin"; default: the system's.
    pub time_zone: Option<String>,
    /// "#rrggbb", "off" or "unchanged", while no followed person's health is ok; default: off.
    pub stale_color: Option<String>,
    /// "#rrggbb", "off" or "unchanged", when the bridge stops; default: unchanged.
    pub shutdown_color: Option<String>,
    /// esphome: the object id of the light.
    pub object: Option<String>,
    /// shelly: the channel; tasmota: the light's number among the outputs, 1 to 32.
    pub channel: Option<u8>,
    /// shelly-gen2: the profile of the device; default: rgbw.
    pub profile: Option<Profile>,
    /// awtrix: which light; default: indicator1.
    pub target: Option<Target>,
    /// custom: the payload, a template.
    pub payload: Option<String>,
    /// custom: the topic on which the device reports that it is online.
    pub online_topic: Option<String>,
    /// "#rrggbb" or "off" by activity or availability.
    pub colors: BTreeMap<String, String>,
    /// The device's effect by activity or availability.
    pub effects: BTreeMap<String, String>,
    /// Other topics that take precedence over presence; the first active one counts. At most 10.
    pub also: Vec<Also>,
}

/// Another topic that takes precedence over presence while it is active.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(extend("required" = ["topic"]))]
pub(super) struct Also {
    /// The full topic, without wildcards; none of the bridge's own.
    pub topic: Option<String>,
    /// The exact payload that makes it active.
    pub on: Option<String>,
    /// Instead of `on`: a template over `value` and `value_json` that writes on, true, yes or 1.
    pub on_template: Option<String>,
    /// "#rrggbb" or "off"; without it the colour stays that of presence.
    pub color: Option<String>,
    /// The device's effect.
    pub effect: Option<String>,
    /// After how long without another message it counts no more: 1s to 7d. Default: never.
    #[serde(with = "humantime_serde")]
    #[schemars(with = "Option<DurationWords>")]
    pub expires: Option<Duration>,
}

impl Default for Light {
    fn default() -> Self {
        Self {
            name: None,
            users: None,
            preset: None,
            topic: None,
            white: false,
            brightness: 60,
            transition: Duration::from_secs(1),
            active: None,
            time_zone: None,
            stale_color: None,
            shutdown_color: None,
            object: None,
            channel: None,
            profile: None,
            target: None,
            payload: None,
            online_topic: None,
            colors: BTreeMap::new(),
            effects: BTreeMap::new(),
            also: Vec::new(),
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Preset {
    Wled,
    Tasmota,
    Zigbee2mqtt,
    Esphome,
    ShellyGen1,
    ShellyGen2,
    Awtrix,
    Openhasp,
    Custom,
}

impl Preset {
    /// The name in the configuration.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Wled => "wled",
            Self::Tasmota => "tasmota",
            Self::Zigbee2mqtt => "zigbee2mqtt",
            Self::Esphome => "esphome",
            Self::ShellyGen1 => "shelly-gen1",
            Self::ShellyGen2 => "shelly-gen2",
            Self::Awtrix => "awtrix",
            Self::Openhasp => "openhasp",
            Self::Custom => "custom",
        }
    }
}

#[derive(Clone, Copy, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum Target {
    Indicator1,
    Indicator2,
    Indicator3,
    Moodlight,
}

#[derive(Clone, Copy, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum Profile {
    Rgb,
    Rgbw,
    Rgbcct,
}
