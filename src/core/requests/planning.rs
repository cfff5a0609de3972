//! How people and groups are read: which round each is in, and what the end of a read changes about that.

use std::time::Duration;

use super::schedule::Again;
use super::source::Source;
use super::target::{Job, ReadTarget, RoundId, Target};
use super::{InFlight, Requests};
use crate::core::context::Context;
use crate::core::model::event::Access;
use crate::core::model::place::Place;
use crate::core::model::request::DENIED_RETRY;
use crate::core::model::settings::Endpoint;
use crate::core::model::time::Tick;
use crate::core::people::Roster;
use crate::core::people::person::Person;

impl Requests {
    /// Plans how somebody is read.
    pub(in crate::core) fn watch(&mut self, place: Place, person: &Person, cx: &Context) {
        if person.is_me() {
            self.schedule.begin(Target::Read(ReadTarget::Me(place)), cx.now);
        } else if person.id().is_none() {
            self.schedule.begin(Target::Resolve(place), cx.now);
        } else {
            match cx.settings.graph.endpoint {
                Endpoint::Auto | Endpoint::Bulk | Endpoint::Me => self.schedule.join_bulk(place, cx.now),
                Endpoint::Users => self.schedule.begin(Target::Read(ReadTarget::User(place)), cx.now),
                Endpoint::Communications => {
                    self.schedule.begin(Target::Read(ReadTarget::Communications(place)), cx.now);
                }
            }
        }
    }

    /// Plans when a group is read.
    pub(in crate::core) fn watch_group(&mut self, group: usize, due: Tick) {
        self.schedule.begin(Target::Members(group), due);
    }

    /// Forgets people who left, who are in order. What is under way about everybody else goes on.
    pub(in crate::core) fn forget(&mut self, gone: &[Place]) {
        self.schedule.forget(gone);
        self.in_flight.forget(gone);
    }

    /// The object id of somebody is known: from now on they are read by it.
    pub(in crate::core) fn resolved(&mut self, lookup: &Job<Place>, people: &Roster, cx: &Context) {
        lookup.round.into_iter().for_each(|round| self.schedule.end(round));
        if let Some(person) = people.get(lookup.target) {
            self.watch(lookup.target, person, cx);
        }
    }

    /// A read is over and comes again in its place of the next interval.
    pub(in crate::core) fn done(&mut self, job: Job<ReadTarget>, now: Tick) {
        self.again(&job.about(Target::Read), Again::Regular, now);
    }

    /// Graph refused a read about these people, which is tried again at a gentle pace.
    pub(in crate::core) fn denied(&mut self, job: Job<Target>, now: Tick) {
        self.done_for(job, DENIED_RETRY, now);
    }

    /// A read is over and comes again after this wait.
    pub(in crate::core) fn done_for(&mut self, job: Job<Target>, wait: Duration, now: Tick) {
        self.again(&job, Again::After(wait), now);
    }

    /// The page of a group is over; the next one, or the first again, is read after this wait.
    pub(in crate::core) fn page_done(&mut self, round: Option<RoundId>, wait: Duration, now: Tick) {
        round.into_iter().for_each(|round| self.schedule.done(round, now, Again::After(wait)));
    }

    /// Repeats a read at once with a new token, for the last time.
    pub(in crate::core) fn retry(&mut self, job: Job<Target>) {
        self.schedule.retry(job);
    }

    /// Graph refused a whole bulk request: one bad id refuses them all, so they are halved until it is found and read alone.
    pub(in crate::core) fn refused_together(&mut self, job: Job<ReadTarget>, now: Tick) {
        let places = job.target.places();
        if places.len() > 1 {
            self.schedule.halve(places, job.round);
            return;
        }
        for &place in places {
            if self.schedule.leave_bulk(place) {
                self.schedule.begin(Target::Read(ReadTarget::User(place)), now);
            }
        }
        self.done(job, now);
    }

    /// Somebody was missing from an answer and is read alone.
    pub(in crate::core) fn look_for(&mut self, missing: Vec<Place>) {
        missing.into_iter().for_each(|place| self.schedule.missing(place));
    }

    /// Reads somebody alone at once, to show what became of a write.
    pub(in crate::core) fn look_at(&mut self, place: Place, people: &Roster, endpoint: Endpoint) {
        let is_me = people.get(place).is_some_and(Person::is_me);
        self.schedule.look(match (is_me, endpoint) {
            (true, _) => ReadTarget::Me(place),
            (false, Endpoint::Communications) => ReadTarget::Communications(place),
            (false, Endpoint::Auto | Endpoint::Me | Endpoint::Users | Endpoint::Bulk) => {
                ReadTarget::User(place)
            }
        });
    }

    /// Somebody wants everybody to be read now. `is_worth_it` says which groups are read out of turn.
    pub(in crate::core) fn refresh(&mut self, is_worth_it: impl Fn(usize) -> bool, now: Tick) {
        self.schedule.now_if(now, |target| match target {
            Target::Members(group) => is_worth_it(*group),
            Target::Read(_) | Target::Resolve(_) => true,
        });
    }

    /// Everybody is read now.
    pub(in crate::core) fn all_now(&mut self, now: Tick) {
        self.schedule.all_now(now);
    }

    /// The configuration is another; `replanned` if people are read in another way or at another pace. Groups are planned
    /// anew in any case.
    pub(in crate::core) fn configured(
        &mut self,
        access: Access,
        replanned: bool,
        people: &Roster,
        cx: &Context,
    ) {
        self.budget.set_limit(cx.settings.graph.request_budget);
        if access == Access::New {
            self.source = Source::new(cx.time());
        }
        match access {
            // Other tasks go the way to Graph; what the old ones had under way will not be answered.
            Access::New | Access::Renewed => self.in_flight = InFlight::default(),
            Access::Same => self.in_flight.pages.clear(),
        }
        if replanned || access != Access::Same {
            self.schedule.begin_anew(cx.settings.graph.poll_interval, cx.now);
            people.iter().for_each(|(place, person)| self.watch(place, person, cx));
        } else {
            self.schedule.forget_groups();
            self.schedule.all_now(cx.now);
        }
    }
}
