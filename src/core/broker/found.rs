//! What an earlier run, or another bridge, left on the broker.

use std::collections::BTreeSet;

use crate::core::context::Context;
use crate::core::model::foreign::Legible;
use crate::core::model::health::Health;
use crate::core::model::heard::Heard;
use crate::core::model::name::{LONGEST_LEVEL, TopicLevel};
use crate::core::model::payload::RememberedInfo;
use crate::core::model::place::Place;
use crate::core::model::settings::Settings;
use crate::core::model::topic::{BridgeField, Field, LightField, ONLINE};
use crate::core::people::Roster;

/// What was found on the broker while reading back.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// Whose `info` is on this bridge's topic, and whether they are online.
    pub(super) bridge: Option<String>,
    pub(super) online: bool,
    /// Another bridge has been on this base topic.
    pub(super) neighbours: bool,
    /// People unknown here who have a `state`, whosever it is, and such who have a `health`.
    pub(super) states: BTreeSet<TopicLevel>,
    pub(super) healths: BTreeSet<TopicLevel>,
    /// By place, whether a `state` came of somebody who is followed, and of how many one came.
    followed: Vec<bool>,
    followed_came: usize,
    /// Lights, whosever they are, of which it came whether they are paused.
    lights: BTreeSet<TopicLevel>,
    /// This bridge's own `state` came, for which is asked by exact topic from the beginning.
    pub(super) own_state: bool,
    /// Messages that only a filter with wildcards can have brought.
    pub(super) by_wildcard: usize,
    /// One came that was asked for by exact topic later.
    pub(super) by_name: bool,
    /// Among these, the `state` of somebody who is followed.
    pub(super) people_by_name: bool,
}

impl Found {
    /// Takes something retained; of a person who is followed with their place. `asks` says that more than the
    /// bridge's own `state` was asked for by exact topic by now.
    pub(super) fn take(&mut self, heard: &Heard, payload: &[u8], place: Option<Place>, asks: bool) {
        let is_named = match heard {
            Heard::Own(BridgeField::State) => {
                (self.online, self.own_state) = (payload == ONLINE.as_bytes(), true);
                return;
            }
            Heard::Own(BridgeField::Info) => {
                let info: Option<RememberedInfo> = serde_json::from_slice(payload).ok();
                self.bridge = info.map(|info| info.bridge);
                asks
            }
            Heard::Person(user, Field::State) => {
                match place {
                    Some(place) => {
                        self.people_by_name |= asks && self.lacks(place);
                        self.has_state(place);
                    }
                    None => drop(self.states.insert(user.clone())),
                }
                asks && place.is_some()
            }
            Heard::Person(user, Field::Health) => {
                if place.is_none() && Health::is_never_read(payload) {
                    self.healths.insert(user.clone());
                }
                false
            }
            Heard::OtherBridge(_, field) => {
                self.neighbours |= *field == BridgeField::Info;
                false
            }
            Heard::Light(name, LightField::Follow) => {
                self.lights.insert(name.clone());
                asks
            }
            Heard::Device => asks,
            Heard::Light(_, LightField::State | LightField::Because) | Heard::Own(BridgeField::Health) => {
                false
            }
            Heard::Own(BridgeField::SignIn)
            | Heard::Person(_, Field::Activity | Field::Availability)
            | Heard::Asked(_)
            | Heard::Pong
            | Heard::Standby(_)
            | Heard::Account(..)
            | Heard::Elsewhere => return,
        };
        self.by_name |= is_named;
        self.by_wildcard += usize::from(!is_named);
    }

    fn has_state(&mut self, place: Place) {
        let number = place.number();
        if number >= self.followed.len() {
            self.followed.resize(number + 1, false);
        }
        self.followed_came += usize::from(!std::mem::replace(&mut self.followed[number], true));
    }

    /// Whether all came without which nothing may be published: whose this place was, and what an earlier run
    /// left of everybody and of each light, and so many `announcements` as there are devices: one of another
    /// run may have entities that have to be taken back by name. Whoever has a `health` alone may still turn
    /// out to be somebody else's, and members are not known yet.
    pub(super) fn is_complete(&self, announcements: usize, people: &Roster, settings: &Settings) -> bool {
        let devices = || 1 + people.iter().filter(|(_, person)| person.discovery()).count();
        self.own_state
            && self.bridge.is_some()
            && self.followed_came == people.count()
            && settings.groups.is_empty()
            && settings.lights.iter().all(|light| self.lights.contains(&light.name))
            && self.healths.is_subset(&self.states)
            && (settings.discovery.is_none() || announcements >= devices())
    }

    /// What is said of another bridge's `info` beside a retained `online`.
    pub(super) fn stranger(&self, cx: &Context) -> Option<Legible> {
        let other = self.bridge.as_ref().filter(|other| self.online && !cx.is_own(other))?;
        let (other, topic) = (Legible::at_most(other, LONGEST_LEVEL), cx.topics.of_bridge(BridgeField::Info));
        let notice = format!(
            "{topic} was that of another bridge, \"{other}\", which does not answer, and is overwritten; if that \
             bridge is running, give this one its own mqtt.bridge_name"
        );
        Some(Legible::new(&notice))
    }

    /// Whether nothing came of somebody who is followed.
    pub(super) fn lacks(&self, place: Place) -> bool {
        !self.followed.get(place.number()).is_some_and(|came| *came)
    }
}
