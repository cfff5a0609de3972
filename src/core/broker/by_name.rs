//! Reading back by exact topic what filters with wildcards did not bring: RabbitMQ sends nothing retained for
//! them, ejabberd and rumqttd send no more at once than a client's queue holds.

use std::collections::VecDeque;
use std::time::Duration;

use super::found::Found;
use crate::core::context::Context;
use crate::core::model::effect::Subscription;
use crate::core::model::place::Place;
use crate::core::model::topic::{BridgeField, Field};
use crate::core::people::Roster;
use crate::core::people::person::Person;

/// Filters in one SUBSCRIBE: more than eight end the connection at AWS IoT Core.
pub(super) const FILTERS: usize = 8;

/// SUBSCRIBEs that are not answered yet, at most, and as many that are answered and not taken back: what they
/// bring, and all their filters, are fewer than the shortest queue that is known holds (rumqttd: 200
/// messages).
const UNDER_WAY: usize = 8;

/// No broker is known that cuts so few messages: where fewer came, what is missing is not there.
const SHORTEST_QUEUE: usize = 100;

/// Where so many topics brought nothing of anybody, no others are asked for.
const SAMPLE: usize = 64;

/// The first publication is not put off for longer than this by reading back by exact topic.
pub(super) const AT_MOST: Duration = Duration::from_secs(5);

/// What is asked for by exact topic.
#[derive(Debug, Default)]
pub(super) struct ByName {
    begun: bool,
    /// Left to be asked for: topics of the bridge's own, and people, the next ones last.
    topics: Vec<String>,
    people: Vec<Place>,
    /// Topics of people that were asked for.
    asked: usize,
    /// Filters that are subscribed to, as they were asked for, oldest first. So many of the newest are not
    /// answered yet.
    subscribed: VecDeque<Vec<String>>,
    unanswered: usize,
}

impl ByName {
    /// There is a new connection, and these topics are to be asked for besides people's, should it come to
    /// that.
    pub(super) fn new(topics: Vec<String>) -> Self {
        Self { topics, ..Self::default() }
    }

    /// Whether anything was asked for.
    pub(super) fn has_begun(&self) -> bool {
        self.begun
    }

    /// Filters with wildcards have brought what they bring. `true` once, if that is nothing or may be cut
    /// short.
    pub(super) fn begins(&mut self, found: &Found, people: &Roster, cx: &mut Context) -> bool {
        let is_silent = found.own_state && found.by_wildcard == 0;
        if self.begun || !is_silent && found.by_wildcard < SHORTEST_QUEUE {
            return false;
        }
        let is_missing =
            |(place, person): &(Place, &Person)| person.entry().as_user().is_some() && found.lacks(*place);
        self.people = people.iter().filter(is_missing).map(|(place, _)| place).collect();
        // Whoever is new stands together, and of them nothing can come.
        cx.random.shuffle(&mut self.people);
        self.topics.push(cx.topics.of_bridge(BridgeField::Info));
        self.begun = is_silent || found.bridge.is_none() || !self.people.is_empty();
        self.begun
    }

    /// What is to be asked for now, if anything. `announced` says where somebody is announced to Home
    /// Assistant.
    pub(super) fn next(
        &mut self,
        found: &Found,
        people: &Roster,
        announced: &impl Fn(&Person, &Context) -> Option<String>,
        cx: &Context,
    ) -> Option<Vec<String>> {
        let is_in_vain = self.asked >= SAMPLE && !found.people_by_name;
        if !self.begun || is_in_vain || self.unanswered >= UNDER_WAY {
            return None;
        }
        let mut filters = self.topics.split_off(self.topics.len().saturating_sub(FILTERS));
        let of_bridge = filters.len();
        // Each has two at most.
        while filters.len() + 2 <= FILTERS
            && let Some(place) = self.people.pop()
        {
            let Some(person) = people.get(place) else { continue };
            filters.push(cx.topics.of_user(person.name(), Field::State));
            filters.extend(announced(person, cx));
        }
        if filters.is_empty() {
            return None;
        }
        self.asked += filters.len() - of_bridge;
        self.unanswered += 1;
        self.subscribed.push_back(filters.clone());
        Some(filters)
    }

    /// The broker has answered to `asked`. Returns what is not to be listened to any more: late messages may
    /// still come for the newest.
    pub(super) fn answered(&mut self, asked: &[Subscription]) -> Option<Vec<String>> {
        let answered = self.subscribed.len() - self.unanswered;
        let oldest = self.subscribed.get(answered)?.first();
        if asked.first().map(|subscription| &subscription.filter) != oldest {
            return None;
        }
        self.unanswered -= 1;
        if answered < UNDER_WAY { None } else { self.subscribed.pop_front() }
    }

    /// Reading back is over: all that is still listened to.
    pub(super) fn end(&mut self) -> impl Iterator<Item = String> {
        let ended = std::mem::replace(self, Self { begun: self.begun, ..Self::default() });
        ended.subscribed.into_iter().flatten()
    }
}
