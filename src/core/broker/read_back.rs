//! Reading back what must be known before anything is published: where an earlier run left it, and what of it
//! came.

use std::collections::BTreeSet;

use super::by_name::ByName;
use super::found::Found;
use crate::core::context::Context;
use crate::core::model::effect::Subscription;
use crate::core::model::foreign::Legible;
use crate::core::model::heard::Heard;
use crate::core::model::mqtt::Qos;
use crate::core::model::name::TopicLevel;
use crate::core::model::report::{Report, without_wildcards};
use crate::core::model::topic::{BridgeField, Field};
use crate::core::people::Roster;

/// What is read back on a connection, and what that has shown.
#[derive(Debug, Default)]
pub(super) struct ReadingBack {
    pub found: Found,
    pub by_name: ByName,
    /// What is listened to, until late messages are not any more.
    pub filters: Vec<String>,
    /// What is said of a retained `info` that is another bridge's, until this bridge's own has taken its
    /// place.
    stranger: Option<Legible>,
    /// What was asked for by exact topic came, and nothing that filters with wildcards cover.
    no_wildcards: bool,
}

impl ReadingBack {
    /// There is a new connection; `named` is where an earlier run left what is known to be there.
    pub(super) fn connected(&mut self, named: Vec<String>) {
        (self.found, self.by_name) = (Found::default(), ByName::new(named));
    }

    /// Something is retained on a topic of this bridge's or of another one's.
    pub(super) fn heard(&mut self, heard: &Heard, payload: &[u8], people: &Roster) {
        let place = if let Heard::Person(user, _) = heard { people.by_name(user) } else { None };
        self.found.take(heard, payload, place, self.by_name.has_begun());
        // It may only have come late.
        self.no_wildcards &= self.found.by_wildcard == 0;
    }

    /// Whether another bridge's `info` and `online` are where this bridge's belong.
    pub(super) fn meets_stranger(&mut self, cx: &Context) -> bool {
        self.stranger = self.found.stranger(cx);
        self.stranger.is_some()
    }

    /// It is over. Returns who has a `health` and nothing else: where no other bridge has ever been they are
    /// this one's.
    pub(super) fn end(&mut self, cx: &mut Context) -> BTreeSet<TopicLevel> {
        cx.report(self.stranger.clone().map(Report::StrangersInfo));
        let Found { neighbours, states, healths, by_wildcard, by_name, .. } = std::mem::take(&mut self.found);
        self.no_wildcards = by_name && by_wildcard == 0;
        cx.report(self.no_wildcards.then_some(Report::NoWildcards));
        if neighbours { BTreeSet::new() } else { &healths - &states }
    }

    /// Late messages are not listened to any more: all that still is.
    pub(super) fn end_listening(&mut self) -> Vec<String> {
        std::mem::take(&mut self.filters).into_iter().chain(self.by_name.end()).collect()
    }

    /// This bridge's own `info` has arrived. `true` if a notice has gone with that.
    pub(super) fn online(&mut self) -> bool {
        self.stranger.take().is_some()
    }

    /// What it has shown, on `<bridge>/health`.
    pub(super) fn notices(&self) -> impl Iterator<Item = String> {
        let stranger = self.stranger.as_ref().map(|notice| notice.as_str().to_owned());
        stranger.into_iter().chain(self.no_wildcards.then(without_wildcards))
    }
}

/// Where retained messages of earlier runs may be. `announcements` is the filter of those to Home Assistant.
pub(super) fn filters(announcements: Option<String>, cx: &Context) -> Vec<String> {
    let levels = [Field::State.level(), Field::Health.level(), BridgeField::Info.level()];
    let mut filters = levels.map(|level| cx.topics.every(level)).to_vec();
    filters.push(cx.topics.of_bridge(BridgeField::SignIn));
    filters.push(cx.topics.every_light());
    filters.extend(announcements);
    filters
}

/// Where others say something to the bridge as long as it runs, beside its lights.
pub(super) fn lasting(cx: &Context) -> Vec<String> {
    let standby = if cx.settings.mqtt.standby { cx.topics.every_standby() } else { cx.topics.ping() };
    let mut filters = vec![cx.topics.refresh(), cx.topics.of_bridge(BridgeField::State), standby];
    filters.extend(cx.settings.discovery.as_ref().map(|discovery| discovery.birth_topic.clone()));
    if cx.settings.commands.is_some() {
        filters.extend(cx.topics.commands());
    }
    filters
}

/// Quality 0: brokers cut the queue of a late subscriber at quality 1.
pub(super) fn at_most_once(filters: Vec<String>) -> Vec<Subscription> {
    filters.into_iter().map(|filter| Subscription { filter, qos: Qos::AtMostOnce }).collect()
}

/// Subscriptions to what must not be missed.
pub(super) fn at_least_once(filters: Vec<String>) -> Vec<Subscription> {
    filters.into_iter().map(|filter| Subscription { filter, qos: Qos::AtLeastOnce }).collect()
}
