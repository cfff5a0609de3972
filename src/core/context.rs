//! What every department is handed: the time, the settings, the names of topics, randomness, and where effects go.

use jiff::Timestamp;

use super::model::effect::{BrokerOrder, Effect, GraphOrder};
use super::model::name::ClientId;
use super::model::place::Who;
use super::model::report::Report;
use super::model::settings::Settings;
use super::model::time::{Now, Tick};
use super::model::topic::Topics;

/// What does not belong to any one department.
#[derive(Debug)]
pub(super) struct Context {
    /// The monotonic time of the event at hand, with all sleep added.
    pub now: Tick,
    /// The time of day of the event at hand.
    pub wall: Timestamp,
    pub settings: Settings,
    pub topics: Topics,
    pub random: fastrand::Rng,
    effects: Vec<Effect>,
}

impl Context {
    pub(super) fn new(settings: Settings, seed: u64, now: Now) -> Self {
        Self {
            now: now.tick,
            wall: now.wall,
            topics: Topics::from_settings(&settings.mqtt),
            random: fastrand::Rng::with_seed(seed),
            settings,
            effects: Vec::new(),
        }
    }

    /// An event has come.
    pub(super) fn at(&mut self, now: Now) {
        (self.now, self.wall) = (now.tick, now.wall);
    }

    /// Both clocks.
    pub(super) fn time(&self) -> Now {
        Now { tick: self.now, wall: self.wall }
    }

    pub(super) fn report(&mut self, report: impl Into<Option<Report>>) {
        self.effects.extend(report.into().map(Effect::Report));
    }

    pub(super) fn ask_graph(&mut self, order: GraphOrder) {
        self.effects.push(Effect::Graph(order));
    }

    pub(super) fn ask_broker(&mut self, order: BrokerOrder) {
        self.effects.push(Effect::Broker(order));
    }

    pub(super) fn push(&mut self, effect: Effect) {
        self.effects.push(effect);
    }

    /// All that was decided about the event at hand.
    pub(super) fn effects(&mut self) -> Vec<Effect> {
        std::mem::take(&mut self.effects)
    }

    /// Whether a bridge id is this bridge's, or was before a reload.
    pub(super) fn is_own(&self, bridge: &str) -> bool {
        let is_it = |id: &ClientId| bridge == id.as_str();
        is_it(&self.settings.mqtt.client_id) || self.settings.predecessor.as_ref().is_some_and(is_it)
    }

    /// A member of the group with this index, by name.
    pub(super) fn member(&self, name: &super::model::name::TopicLevel, group: usize) -> Who {
        Who::Member { name: name.clone(), group: self.settings.groups.get(group).map(|group| group.id) }
    }
}
