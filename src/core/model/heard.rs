//! What an incoming topic is about. Pure: the bridge, `clean` and those who listen tell topics apart by it.

use crate::core::model::name::TopicLevel;
use crate::core::model::topic::{
    BridgeField, Field, LightField, PING, PONG, SET, SET_STATUS_MESSAGE, STANDBY, Topics,
};

/// What a message is about, by its topic alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Heard {
    /// Something is wanted of the bridge.
    Asked(Asked),
    /// `<base>/<bridge>/standby/pong`
    Pong,
    /// `<base>/<bridge>/standby/<instance>`
    Standby(TopicLevel),
    /// A topic of this bridge's own.
    Own(BridgeField),
    /// A topic of somebody's. Another bridge has topics of the same names: of `state` and `health` the
    /// payload tells which.
    Person(TopicLevel, Field),
    /// A topic that only another bridge has.
    OtherBridge(TopicLevel, BridgeField),
    /// `<base>/<bridge>/account/<name>/<field>`
    Account(TopicLevel, BridgeField),
    /// `<base>/<bridge>/light/<name>/<field>`
    Light(TopicLevel, LightField),
    /// A device that is announced to Home Assistant, below whatever prefix.
    Device,
    /// Nothing that has a name of its own here.
    Elsewhere,
}

/// What anybody may want of the bridge. Nothing of it is done if it was retained: it was wanted long ago.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Asked {
    /// `<base>/<bridge>/refresh`
    Refresh,
    /// `<base>/<bridge>/standby/ping`
    Ping,
    /// `<base>/<user>/set`
    Set(TopicLevel),
    /// `<base>/<user>/set_status_message`
    SetStatusMessage(TopicLevel),
    /// `<base>/<bridge>/light/<name>/follow/set`
    PauseLight(TopicLevel),
}

impl Heard {
    /// Tells what a topic is about.
    #[must_use]
    pub fn from_topic(topic: &str, topics: &Topics) -> Self {
        let below = topics.below_base(topic).and_then(|rest| rest.split_once('/'));
        let heard = below.and_then(|(first, rest)| {
            if first == topics.bridge().as_str() { own(rest) } else { named(first.parse().ok()?, rest) }
        });
        heard.unwrap_or_else(|| match topic.ends_with("/config") && topic.contains("/device/") {
            true => Self::Device,
            false => Self::Elsewhere,
        })
    }
}

/// Below the bridge's own level.
fn own(rest: &str) -> Option<Heard> {
    match rest {
        "refresh" => return Some(Heard::Asked(Asked::Refresh)),
        PING => return Some(Heard::Asked(Asked::Ping)),
        PONG => return Some(Heard::Pong),
        _ => {}
    }
    if let Some(field) = BridgeField::ALL.into_iter().find(|field| field.level() == rest) {
        return Some(Heard::Own(field));
    }
    if let Some(instance) = rest.strip_prefix(STANDBY) {
        return Some(Heard::Standby(instance.parse().ok()?));
    }
    if let Some(account) = rest.strip_prefix("account/") {
        let (name, field) = account.split_once('/')?;
        let field = BridgeField::OF_ACCOUNT.into_iter().find(|known| known.level() == field)?;
        return Some(Heard::Account(name.parse().ok()?, field));
    }
    let (name, field) = rest.strip_prefix("light/")?.split_once('/')?;
    let name = name.parse().ok()?;
    match field.strip_suffix(SET).and_then(|follow| follow.strip_suffix('/')) {
        Some(follow) if follow == LightField::Follow.level() => Some(Heard::Asked(Asked::PauseLight(name))),
        Some(_) => None,
        None => {
            let field = LightField::ALL.into_iter().find(|known| known.level() == field)?;
            Some(Heard::Light(name, field))
        }
    }
}

/// Below the level of a person, or of another bridge.
fn named(name: TopicLevel, level: &str) -> Option<Heard> {
    if level == SET {
        return Some(Heard::Asked(Asked::Set(name)));
    }
    if level == SET_STATUS_MESSAGE {
        return Some(Heard::Asked(Asked::SetStatusMessage(name)));
    }
    if let Some(field) = Field::IN_ORDER.into_iter().find(|field| field.level() == level) {
        return Some(Heard::Person(name, field));
    }
    let field = BridgeField::ALL.into_iter().find(|field| field.level() == level)?;
    Some(Heard::OtherBridge(name, field))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_topic_of_the_contract_is_told_apart() {
        let topics = Topics::new("home/teams".parse().unwrap(), "bridge".parse().unwrap());
        let level = |name: &str| name.parse::<TopicLevel>().unwrap();
        for (topic, expected) in [
            ("home/teams/bridge/refresh", Heard::Asked(Asked::Refresh)),
            ("home/teams/bridge/standby/ping", Heard::Asked(Asked::Ping)),
            ("home/teams/bridge/standby/pong", Heard::Pong),
            ("home/teams/bridge/state", Heard::Own(BridgeField::State)),
            ("home/teams/bridge/info", Heard::Own(BridgeField::Info)),
            ("home/teams/bridge/health", Heard::Own(BridgeField::Health)),
            ("home/teams/bridge/sign_in", Heard::Own(BridgeField::SignIn)),
            ("home/teams/alice/set", Heard::Asked(Asked::Set(level("alice")))),
            ("home/teams/alice/set_status_message", Heard::Asked(Asked::SetStatusMessage(level("alice")))),
            ("home/teams/alice/state", Heard::Person(level("alice"), Field::State)),
            ("home/teams/alice/availability", Heard::Person(level("alice"), Field::Availability)),
            ("home/teams/other/info", Heard::OtherBridge(level("other"), BridgeField::Info)),
            ("home/teams/bridge/account/firm/sign_in", Heard::Account(level("firm"), BridgeField::SignIn)),
            ("home/teams/bridge/account/firm/state", Heard::Elsewhere),
            ("home/teams/bridge/account/health", Heard::Elsewhere),
            ("home/teams/bridge/light/door/state", Heard::Light(level("door"), LightField::State)),
            ("home/teams/bridge/light/door/because", Heard::Light(level("door"), LightField::Because)),
            ("home/teams/bridge/light/door/follow", Heard::Light(level("door"), LightField::Follow)),
            ("home/teams/bridge/light/door/follow/set", Heard::Asked(Asked::PauseLight(level("door")))),
            ("homeassistant/device/presence2mqtt_x/config", Heard::Device),
            ("home/teams/bridge/light/door/state/set", Heard::Elsewhere),
            ("home/teams/bridge/light/door", Heard::Elsewhere),
            ("home/teams/bridge/light/follow/set", Heard::Elsewhere),
            ("home/teams/other/standby/ping", Heard::Elsewhere),
            ("home/teams/bridge/standby/nas", Heard::Standby(level("nas"))),
            ("home/teams/bridge/standby/a/b", Heard::Elsewhere),
            ("home/teams/other/light/door/follow/set", Heard::Elsewhere),
            ("home/teams/a/b/state", Heard::Elsewhere),
            ("home/teams/state", Heard::Elsewhere),
            ("home/teams/alice/set/result", Heard::Elsewhere),
            ("home/teams/a b/state", Heard::Elsewhere),
            ("home/teams/alice", Heard::Elsewhere),
            ("home/teams//state", Heard::Elsewhere),
            ("home/teamsx/alice/state", Heard::Elsewhere),
            ("homeassistant/status", Heard::Elsewhere),
            ("", Heard::Elsewhere),
        ] {
            assert_eq!(Heard::from_topic(topic, &topics), expected, "{topic}");
        }
    }
}
