//! What was open until more is known: whether somebody configured is a member, and whether somebody of an earlier run is.

use std::collections::BTreeMap;

use crate::core::bridge::Bridge;
use crate::core::model::name::TopicLevel;
use crate::core::model::report::Report;
use crate::core::model::time::Tick;
use crate::core::model::topic::Field;
use crate::core::schedule::Place;

impl Bridge {
    /// Configured people whose object id has become known take the places of members who are the same, and what is known
    /// of them.
    pub(super) fn settle_claims(&mut self, now: Tick) {
        let claims = std::mem::take(&mut self.groups.claims);
        let configured = self.settings.users.len();
        let claimed: BTreeMap<Place, Place> = claims
            .into_iter()
            .filter_map(|place| {
                let id = self.people.get(place)?.id()?;
                let member = self.by_id.all(&id, &self.people).find(|&member| member >= configured)?;
                Some((member, place))
            })
            .collect();
        if claimed.is_empty() {
            return;
        }
        let mut emptied = Vec::new();
        let change = |bridge: &mut Self| {
            for (&member, &place) in &claimed {
                let (name, watched) =
                    (bridge.people[member].name.clone(), bridge.settings.users[place].clone());
                bridge.people.swap(place, member);
                bridge.people[place].meant_by(watched.id.clone());
                bridge.people[place].configured(watched, now);
                bridge.people[member].name = name;
            }
            let gone: Vec<Place> = claimed.into_keys().collect();
            emptied = bridge.dismiss(&gone);
        };
        self.move_people(change, now);
        for name in &emptied {
            self.remove_user(name);
        }
        self.seat_lights();
        self.judge_at = now;
        self.say_info_if_up();
    }

    /// Once every group was read, nobody else will come: what earlier runs left of others is removed.
    pub(super) fn decide_left_behind(&mut self) {
        let is_settled = self.groups.left.is_empty() && self.announcements.undecided.is_empty();
        if is_settled || self.groups.are_undecided() {
            return;
        }
        let (states, healths) = self.groups.left.take_all();
        let is_gone = |name: &TopicLevel| self.by_name.get(name, &self.people).is_none();
        let states: Vec<TopicLevel> = states.into_iter().filter(is_gone).collect();
        let healths: Vec<TopicLevel> = healths.into_iter().filter(is_gone).collect();
        // First of all, so that Home Assistant hears of nobody whose topics are emptied.
        self.take_back();
        for name in states {
            self.remove_user(&name);
            self.report(Report::Removed(name));
        }
        for name in healths {
            self.outbox.remove(self.topics.of_user(&name, Field::Health));
            self.report(Report::Removed(name));
        }
    }
}
