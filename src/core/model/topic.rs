//! Where everything goes: the topics of the contract, made from the configured names.

use crate::core::model::event::ReplyTo;
use crate::core::model::name::{BaseTopic, TopicLevel};
use crate::core::model::settings::MqttSettings;

/// The payload of `<bridge>/state` while values may be believed.
pub const ONLINE: &str = "online";

/// The payload of `<bridge>/state` otherwise; also the last will (MQTT 3.1.1 section 3.1.2.5).
pub const OFFLINE: &str = "offline";

/// The last level of the topic that sets somebody's presence.
pub const SET: &str = "set";

/// The last level of the topic that sets somebody's status message.
pub const SET_STATUS_MESSAGE: &str = "set_status_message";

/// Below the bridge's own level: where anybody may ask whether it lives, and where it answers.
pub const PING: &str = "standby/ping";
/// The other of the two.
pub const PONG: &str = "standby/pong";
/// What both begin with, and the topic of an instance that waits.
pub const STANDBY: &str = "standby/";

/// The payload of `<base>/<bridge>/standby/<instance>`, where one waits.
pub const WAITING: &str = "waiting";

/// Bytes of a response topic, and of the correlation data to it.
const LONGEST_REPLY: usize = 1024;

/// One of the four retained topics of a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field {
    /// JSON, everything known.
    State,
    /// One word, open list.
    Activity,
    /// One word, closed list.
    Availability,
    /// May the three above be believed?
    Health,
}

/// One of the retained topics of the bridge itself; of several accounts each has some of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BridgeField {
    /// `online` or `offline`; also the last will.
    State,
    /// JSON: version, account, intervals.
    Info,
    /// JSON: how Graph is doing.
    Health,
    /// JSON: a device code, only while one is needed.
    SignIn,
}

/// One of the retained topics of a light.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LightField {
    /// Its colour, or `off`.
    State,
    /// `ON`, or `OFF` while it is paused.
    Follow,
    /// Why it shows that: `presence`, or another topic that wins over it.
    Because,
}

/// The topic names of one bridge.
#[derive(Debug, Clone)]
pub struct Topics {
    base: BaseTopic,
    bridge: TopicLevel,
}

impl Field {
    /// The order in which a change is published while the values may be believed: an automation that
    /// triggers on availability finds the rest already new.
    pub const IN_ORDER: [Self; 4] = [Self::State, Self::Activity, Self::Availability, Self::Health];

    /// The order in which bad news travels: first that the values may not be believed.
    pub const HEALTH_FIRST: [Self; 4] = [Self::Health, Self::State, Self::Activity, Self::Availability];

    /// The order in which somebody's topics are emptied, after nobody should believe them: the state goes
    /// last, by which a later run would find them, should this one not finish.
    pub const LEAVING: [Self; 4] = [Self::Health, Self::Activity, Self::Availability, Self::State];

    /// The topic's last level.
    #[must_use]
    pub fn level(self) -> &'static str {
        match self {
            Self::State => "state",
            Self::Activity => "activity",
            Self::Availability => "availability",
            Self::Health => "health",
        }
    }
}

impl BridgeField {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::State, Self::Info, Self::Health, Self::SignIn];

    /// Those that an account has, too.
    pub const OF_ACCOUNT: [Self; 2] = [Self::Health, Self::SignIn];

    /// The topic's last level.
    #[must_use]
    pub fn level(self) -> &'static str {
        match self {
            Self::State => "state",
            Self::Info => "info",
            Self::Health => "health",
            Self::SignIn => "sign_in",
        }
    }
}

impl LightField {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::State, Self::Because, Self::Follow];

    /// The topic's last level.
    #[must_use]
    pub fn level(self) -> &'static str {
        match self {
            Self::State => "state",
            Self::Because => "because",
            Self::Follow => "follow",
        }
    }
}

impl Topics {
    /// The topics under `base`, the bridge's own under `base/bridge`.
    #[must_use]
    pub fn new(base: BaseTopic, bridge: TopicLevel) -> Self {
        Self { base, bridge }
    }

    /// The topics of the bridge with these settings.
    #[must_use]
    pub fn from_settings(mqtt: &MqttSettings) -> Self {
        Self::new(mqtt.base_topic.clone(), mqtt.bridge_name.clone())
    }

    /// What follows `<base>/` in a topic below it.
    #[must_use]
    pub fn below_base<'t>(&self, topic: &'t str) -> Option<&'t str> {
        topic.strip_prefix(self.base.as_str())?.strip_prefix('/')
    }

    /// `<bridge>`
    #[must_use]
    pub fn bridge(&self) -> &TopicLevel {
        &self.bridge
    }

    /// `<base>/<user>/<field>`
    #[must_use]
    pub fn of_user(&self, user: &TopicLevel, field: Field) -> String {
        [self.base.as_str(), "/", user.as_str(), "/", field.level()].concat()
    }

    /// `<base>/<bridge>/<field>`
    #[must_use]
    pub fn of_bridge(&self, field: BridgeField) -> String {
        format!("{}/{}/{}", self.base, self.bridge, field.level())
    }

    /// `<base>/<bridge>/account/<account>/<field>`; of the only account, which has no name,
    /// `<base>/<bridge>/<field>`
    #[must_use]
    pub fn of_account(&self, account: Option<&TopicLevel>, field: BridgeField) -> String {
        match account {
            Some(name) => format!("{}/{}/account/{name}/{}", self.base, self.bridge, field.level()),
            None => self.of_bridge(field),
        }
    }

    /// `<base>/<bridge>/account/+/+`: the filter that matches every topic of accounts.
    #[must_use]
    pub fn every_account(&self) -> String {
        format!("{}/{}/account/+/+", self.base, self.bridge)
    }

    /// `<base>/<bridge>/refresh`, where anybody may ask for a fresh reading.
    #[must_use]
    pub fn refresh(&self) -> String {
        format!("{}/{}/refresh", self.base, self.bridge)
    }

    /// `<base>/<bridge>/standby/ping`, where anybody may ask whether the bridge lives.
    #[must_use]
    pub fn ping(&self) -> String {
        format!("{}/{}/{PING}", self.base, self.bridge)
    }

    /// `<base>/<bridge>/standby/pong`, where it answers.
    #[must_use]
    pub fn pong(&self) -> String {
        format!("{}/{}/{PONG}", self.base, self.bridge)
    }

    /// `<base>/<bridge>/check/<id>`, where a check publishes for a moment; it means nothing to anybody.
    #[must_use]
    pub fn of_check(&self, id: &str) -> String {
        format!("{}/{}/check/{id}", self.base, self.bridge)
    }

    /// `<base>/<bridge>/standby/<instance>`, where an instance says that it waits.
    #[must_use]
    pub fn standby(&self, instance: &TopicLevel) -> String {
        format!("{}/{}/{STANDBY}{instance}", self.base, self.bridge)
    }

    /// `<base>/<bridge>/standby/+`: the filter that matches that of all instances, with ping and pong.
    #[must_use]
    pub fn every_standby(&self) -> String {
        format!("{}/{}/{STANDBY}+", self.base, self.bridge)
    }

    /// `<base>/<bridge>/check/+`: the filter that matches what checks published and could not remove.
    #[must_use]
    pub fn every_check(&self) -> String {
        self.of_check("+")
    }

    /// Whether a check published there.
    #[must_use]
    pub fn is_check(&self, topic: &str) -> bool {
        topic.strip_prefix(&self.of_check("")).is_some_and(|id| !id.is_empty())
    }

    /// `<base>/<user>/set` or `<base>/<user>/set_status_message`, where commands come in.
    #[must_use]
    pub fn set(&self, user: &TopicLevel, level: &str) -> String {
        format!("{}/{user}/{level}", self.base)
    }

    /// The filters that match where commands come in.
    #[must_use]
    pub fn commands(&self) -> [String; 2] {
        [SET, SET_STATUS_MESSAGE].map(|level| self.every(level))
    }

    /// `<base>/<user>/set/result`, where commands are answered.
    #[must_use]
    pub fn set_result(&self, user: &TopicLevel) -> String {
        format!("{}/{user}/{SET}/result", self.base)
    }

    /// Whether a command to `user` may be answered there: below `<base>` where nothing of a bridge's is, or
    /// below `elsewhere`. Whoever may send commands must not write other topics by this bridge's rights.
    #[must_use]
    pub fn may_reply(&self, user: &TopicLevel, to: &ReplyTo, elsewhere: Option<&str>) -> bool {
        let ReplyTo { topic, correlation } = to;
        let is_topic = !topic.is_empty() && !topic.contains(['+', '#']) && !topic.contains(char::is_control);
        let is_short = topic.len().max(correlation.as_ref().map_or(0, Vec::len)) <= LONGEST_REPLY;
        let under = |prefix: &str| topic.strip_prefix(prefix).is_some_and(|rest| rest.starts_with('/'));
        let is_allowed = match self.below_base(topic) {
            Some(below) => self.is_free(below) || under(&self.set_result(user)),
            None => elsewhere.is_some_and(under) && !topic.starts_with('$') && topic != self.base.as_str(),
        };
        is_topic && is_short && is_allowed
    }

    /// Whether this, below `<base>`, is nothing of a person's and nothing of a bridge's.
    fn is_free(&self, below: &str) -> bool {
        let mut levels = below.split('/');
        let (first, second) = (levels.next().unwrap_or_default(), levels.next().unwrap_or_default());
        let of_person = Field::IN_ORDER.iter().map(|field| field.level());
        let of_bridge = BridgeField::ALL.iter().map(|field| field.level());
        let others = [SET, SET_STATUS_MESSAGE, "refresh", "light", "account", "standby"];
        let is_known = of_person.chain(of_bridge).chain(others).any(|level| level == second);
        !first.is_empty() && !first.eq_ignore_ascii_case(self.bridge.as_str()) && !is_known
    }

    /// `<base>/+/<level>`: the filter that matches a topic of every person and of every bridge.
    #[must_use]
    pub fn every(&self, level: &str) -> String {
        format!("{}/+/{level}", self.base)
    }

    /// `<base>/+/+`: the filter that matches every topic of people and the bridges' own.
    #[must_use]
    pub fn every_topic(&self) -> String {
        format!("{}/+/+", self.base)
    }

    /// `<base>/<bridge>/light/<name>/<field>`
    #[must_use]
    pub fn of_light(&self, name: &TopicLevel, field: LightField) -> String {
        format!("{}/{name}/{}", self.lights(), field.level())
    }

    /// `<base>/<bridge>/light/+/+`: the filter that matches every retained topic of lights.
    #[must_use]
    pub fn every_light(&self) -> String {
        format!("{}/+/+", self.lights())
    }

    /// `<base>/<bridge>/light/<name>/follow/set`, where a light is paused.
    #[must_use]
    pub fn pause_light(&self, name: &TopicLevel) -> String {
        format!("{}/{SET}", self.of_light(name, LightField::Follow))
    }

    /// The filter that matches where any light is paused.
    #[must_use]
    pub fn pause_any_light(&self) -> String {
        format!("{}/+/{}/{SET}", self.lights(), LightField::Follow.level())
    }

    fn lights(&self) -> String {
        format!("{}/{}/light", self.base, self.bridge)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn topics_are_made_of_names() {
        let topics = Topics::new("home/teams".parse().unwrap(), "bridge".parse().unwrap());
        let alice: TopicLevel = "alice".parse().unwrap();
        assert_eq!(topics.of_user(&alice, Field::State), "home/teams/alice/state");
        assert_eq!(topics.of_bridge(BridgeField::Info), "home/teams/bridge/info");
        assert_eq!(topics.pong(), "home/teams/bridge/standby/pong");
        let door: TopicLevel = "door".parse().unwrap();
        assert_eq!(topics.of_light(&door, LightField::Follow), "home/teams/bridge/light/door/follow");
        assert_eq!(topics.pause_light(&door), "home/teams/bridge/light/door/follow/set");
    }

    #[test]
    fn where_a_command_may_be_answered() {
        let topics = Topics::new("home/teams".parse().unwrap(), "bridge".parse().unwrap());
        let alice: TopicLevel = "alice".parse().unwrap();
        let long = "x".repeat(LONGEST_REPLY + 1);
        let below = |prefix: Option<&str>, topic: &str, correlation: &str| {
            let to = ReplyTo { topic: topic.to_owned(), correlation: Some(correlation.into()) };
            topics.may_reply(&alice, &to, prefix)
        };
        let may = |topic: &str, correlation: &str| below(Some("home"), topic, correlation);
        for topic in ["home/x", "home/teamsx", "home/teams/alice/set/result/4711"] {
            assert!(may(topic, "1"), "{topic}");
            assert!(!may(topic, &long), "{topic}");
        }
        for topic in ["home/teams/alice/set/result/4711", "home/teams/answers/4711", "home/teams/x"] {
            assert!(below(None, topic, "1"), "{topic}");
        }
        assert!(!below(None, "home/x", "1"));
        for topic in [
            "",
            "answers/x",
            "home",
            "homes/x",
            "home/+",
            "#",
            "$SYS/x",
            "a\nb",
            "home/teams",
            "home/teams/alice/availability",
            "home/teams/alice/set",
            "home/teams/alice/set/result",
            "home/teams/bob/set/result/4711",
            "home/teams/bridge/state",
            &long,
        ] {
            assert!(!may(topic, "1"), "{topic}");
        }
    }
}
