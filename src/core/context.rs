//! What every department is handed: the time, the settings, the names of topics, randomness, the budgets, and
//! where effects go.

use std::time::Duration;

use jiff::Timestamp;

use super::model::account::{AccountId, addressed};
use super::model::act::{ActId, Acted};
use super::model::budget::Budgets;
use super::model::effect::{BrokerOrder, Effect, GraphOrder};
use super::model::name::{ClientId, TopicLevel};
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
    /// What comes of it must concern everybody: each account has randomness of its own.
    pub random: fastrand::Rng,
    /// How many requests the accounts may send.
    pub budgets: Budgets,
    effects: Vec<Effect>,
}

impl Context {
    pub(super) fn new(settings: Settings, seed: u64, now: Now) -> Self {
        let mut budgets = Budgets::default();
        budgets.configured(&settings.accounts);
        Self {
            now: now.tick,
            wall: now.wall,
            budgets,
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

    /// Time went on by this, unseen.
    pub(super) fn slept(&mut self, slept: Duration) {
        self.report(Report::Slept(slept));
        self.budgets.slept(slept);
    }

    /// Both clocks.
    pub(super) fn time(&self) -> Now {
        Now { tick: self.now, wall: self.wall }
    }

    pub(super) fn report(&mut self, report: impl Into<Option<Report>>) {
        self.effects.extend(report.into().map(Effect::Report));
    }

    /// The same about one account, which is named where it has a name.
    pub(super) fn report_of(&mut self, account: AccountId, report: impl Into<Option<Report>>) {
        let name = &self.settings.account(account).name;
        let report = report.into().map(|report| match name {
            Some(name) => Report::OfAccount(name.clone(), Box::new(report)),
            None => report,
        });
        self.effects.extend(report.map(Effect::Report));
    }

    /// A sentence for whoever asked about one account: a command that it recommends names the account, where
    /// that has a name.
    pub(super) fn addressed(&self, account: AccountId, sentence: &str) -> String {
        match &self.settings.account(account).name {
            Some(name) => addressed(name, sentence),
            None => sentence.to_owned(),
        }
    }

    /// A sentence about one account, which is named where it has a name.
    pub(super) fn named(&self, account: AccountId, sentence: String) -> String {
        match &self.settings.account(account).name {
            Some(name) => format!("account {name}: {}", addressed(name, &sentence)),
            None => sentence,
        }
    }

    pub(super) fn ask_graph(&mut self, account: AccountId, order: GraphOrder) {
        self.effects.push(Effect::Graph(account, order));
    }

    pub(super) fn ask_broker(&mut self, order: BrokerOrder) {
        self.effects.push(Effect::Broker(order));
    }

    /// Tells a visitor of the status page how it went, if one waits.
    pub(super) fn answer(&mut self, visitor: Option<ActId>, acted: Acted) {
        self.effects.extend(visitor.map(|visitor| Effect::Answer(visitor, acted)));
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
    pub(super) fn member(&self, name: &TopicLevel, group: usize) -> Who {
        Who::Member { name: name.clone(), group: self.settings.groups.get(group).map(|group| group.id) }
    }
}
