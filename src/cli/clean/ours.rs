//! What on the broker is this bridge's own: whose a topic is shows in what is retained.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use crate::config::Config;
use crate::core::home_assistant;
use crate::core::model::event::Incoming;
use crate::core::model::health::Health;
use crate::core::model::heard::Heard;
use crate::core::model::name::{BaseTopic, ObjectId, TopicLevel, UserId};
use crate::core::model::payload::{RememberedInfo, RememberedState};
use crate::core::model::topic::{BridgeField, Field, LightField, Topics};

/// Where is looked, and what is known by now. What was removed no longer says whose it was, so nothing is
/// forgotten.
pub(super) struct Ours<'a> {
    config: &'a Config,
    topics: &'a Topics,
    prefix: &'a BaseTopic,
    /// Announcements about topics below this one are left alone.
    spared: Option<&'a BaseTopic>,
    /// Whose a person's topics are, their state says.
    owners: BTreeMap<TopicLevel, bool>,
    bridge_is_ours: bool,
    is_alone: bool,
    never_read: BTreeSet<TopicLevel>,
    /// Who may be announced.
    ids: BTreeSet<ObjectId>,
}

/// Whom a state is about.
#[derive(Deserialize)]
struct About {
    user_id: ObjectId,
}

impl<'a> Ours<'a> {
    pub(super) fn new(
        config: &'a Config,
        topics: &'a Topics,
        (prefix, spared): (&'a BaseTopic, Option<&'a BaseTopic>),
    ) -> Self {
        let object_id = |id: &UserId| if let UserId::Object(id) = id { Some(*id) } else { None };
        Self {
            config,
            topics,
            prefix,
            spared,
            owners: BTreeMap::new(),
            bridge_is_ours: true,
            is_alone: true,
            never_read: BTreeSet::new(),
            ids: config.users.iter().filter_map(|user| object_id(&user.id)).collect(),
        }
    }

    /// Whether this is what the running bridge says of itself.
    pub(super) fn state(&self) -> String {
        self.topics.of_bridge(BridgeField::State)
    }

    /// What matches everything that may be ours, and this bridge's own state by name.
    pub(super) fn filters(&self) -> Vec<String> {
        let (topics, devices) = (self.topics, home_assistant::every_device(self.prefix));
        let (lights, accounts) = (topics.every_light(), topics.every_account());
        let (checks, standby) = (topics.every_check(), topics.every_standby());
        vec![self.state(), topics.every_topic(), accounts, lights, checks, standby, devices]
    }

    /// What the configuration names below the base topic.
    pub(super) fn named(&self) -> Vec<String> {
        let people = self.config.users.iter().flat_map(|user| self.of_user(&user.name));
        let lights = self
            .config
            .lights
            .iter()
            .flat_map(|light| LightField::ALL.map(|field| self.topics.of_light(&light.name, field)));
        let accounts = self.config.accounts.iter().filter_map(|account| account.name.as_ref());
        let accounts = accounts
            .flat_map(|name| BridgeField::OF_ACCOUNT.map(|field| self.topics.of_account(Some(name), field)));
        people
            .chain(lights)
            .chain(accounts)
            .chain(BridgeField::ALL.map(|field| self.topics.of_bridge(field)))
            .chain([self.topics.standby(&self.config.mqtt.settings.instance)])
            .collect()
    }

    /// Where the bridge is announced to Home Assistant, and everybody whose object id is known.
    pub(super) fn announcements(&self) -> Vec<String> {
        let bridge = home_assistant::device_of_bridge(self.prefix, &self.config.mqtt.settings.client_id);
        let people = self.ids.iter().map(|id| home_assistant::device_of_person(self.prefix, *id));
        people.chain([bridge]).collect()
    }

    /// The states of configured people that are not among these: without them it is not known whose they are.
    pub(super) fn missing_states(&self, retained: &[Incoming]) -> Vec<String> {
        let came: BTreeSet<&str> = retained.iter().map(|message| message.topic.as_str()).collect();
        let states = self.config.users.iter().map(|user| self.topics.of_user(&user.name, Field::State));
        states.filter(|state| !came.contains(state.as_str())).collect()
    }

    fn of_user(&self, user: &TopicLevel) -> [String; 4] {
        Field::IN_ORDER.map(|field| self.topics.of_user(user, field))
    }

    /// Takes what is retained. Returns the topics that are ours in the order in which they are emptied:
    /// announcements first, so that Home Assistant hears of nobody whose topics are gone, and what says whose
    /// topics are behind those.
    pub(super) fn take(&mut self, retained: &[Incoming]) -> Vec<String> {
        retained.iter().for_each(|message| self.learn(message));
        let ours = retained.iter().filter_map(|message| Some((self.rank(message)?, message.topic.clone())));
        ours.collect::<BTreeSet<_>>().into_iter().map(|(_, topic)| topic).collect()
    }

    fn learn(&mut self, message: &Incoming) {
        let client_id = &self.config.mqtt.settings.client_id;
        let is_ours = |bridge: &str| bridge == client_id.as_str();
        match Heard::from_topic(&message.topic, self.topics) {
            Heard::Own(BridgeField::Info) => {
                let info = serde_json::from_slice::<RememberedInfo>(&message.payload);
                self.bridge_is_ours = info.is_ok_and(|info| is_ours(&info.bridge));
            }
            Heard::Person(user, Field::State) => {
                let state = serde_json::from_slice::<RememberedState>(&message.payload);
                self.owners.insert(user, state.is_ok_and(|state| is_ours(&state.bridge)));
                self.ids.extend(
                    serde_json::from_slice::<About>(&message.payload).ok().map(|about| about.user_id),
                );
            }
            Heard::OtherBridge(_, BridgeField::Info) => self.is_alone = false,
            Heard::Person(user, Field::Health) if Health::is_never_read(&message.payload) => {
                self.never_read.insert(user);
            }
            Heard::Own(_)
            | Heard::Person(..)
            | Heard::OtherBridge(..)
            | Heard::Asked(_)
            | Heard::Pong
            | Heard::Standby(_)
            | Heard::Account(..)
            | Heard::Light(..)
            | Heard::Device
            | Heard::Elsewhere => {}
        }
    }

    /// When a topic is emptied, if it is ours.
    fn rank(&self, message: &Incoming) -> Option<u8> {
        let client_id = &self.config.mqtt.settings.client_id;
        if home_assistant::is_of(client_id, &message.topic, &message.payload, self.spared) {
            return Some(0);
        }
        match Heard::from_topic(&message.topic, self.topics) {
            Heard::Person(user, field) => {
                self.is_our_person(&user).then_some(if field == Field::State { 2 } else { 1 })
            }
            Heard::Own(_) | Heard::Account(..) | Heard::Light(..) | Heard::Standby(_) => {
                self.bridge_is_ours.then_some(3)
            }
            Heard::Elsewhere => (self.bridge_is_ours && self.topics.is_check(&message.topic)).then_some(3),
            Heard::OtherBridge(..) | Heard::Asked(_) | Heard::Pong | Heard::Device => None,
        }
    }

    fn is_our_person(&self, user: &TopicLevel) -> bool {
        let is_configured = || self.config.users.iter().any(|configured| configured.name == *user);
        // Of somebody who was never read there is only a health, which does not say whose it is.
        let is_left_by_us = || self.is_alone && self.never_read.contains(user);
        self.owners.get(user).copied().unwrap_or_else(|| is_configured() || is_left_by_us())
    }
}
