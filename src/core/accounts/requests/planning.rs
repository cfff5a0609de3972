//! How people and groups are read: which round each is in, and what the end of a read changes about that.

use std::time::Duration;

use super::Requests;
use super::bisection::Refused;
use super::schedule::Again;
use super::source::Source;
use super::target::{InFlight, Job, ReadTarget, RoundId, Target};
use crate::core::context::Context;
use crate::core::model::event::Access;
use crate::core::model::foreign::Legible;
use crate::core::model::place::Place;
use crate::core::model::request::ReadFailure;
use crate::core::model::settings::Endpoint;
use crate::core::model::time::Tick;
use crate::core::people::Roster;
use crate::core::people::person::Person;

/// People of a refused bulk request who are read alone, to see whether it is the ids.
const PROBES: usize = 3;

impl Requests {
    /// Plans how somebody is read.
    pub(in crate::core) fn watch(&mut self, place: Place, person: &Person, cx: &Context) {
        if person.is_me() {
            self.schedule.begin(Target::Read(ReadTarget::Me(place)), cx.now);
        } else if person.id().is_none() {
            self.schedule.begin(Target::Resolve(place), cx.now);
        } else {
            match cx.settings.account(self.account).reading.endpoint {
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
        if let (ReadTarget::Bulk(_), Some(round)) = (&job.target, job.round) {
            let parts = self.schedule.taken(round);
            self.go_on_with(parts, round, now);
        }
        self.again(&job.about(Target::Read), Again::Regular, now);
    }

    /// A read is over and comes again after this wait.
    pub(in crate::core) fn done_for(&mut self, job: Job<Target>, wait: Duration, now: Tick) {
        self.again(&job, Again::After(wait), now);
    }

    /// Graph refused the token of a read. It is repeated at once with the same one, then with a new one; what
    /// is refused then is Graph's trouble and waits.
    pub(in crate::core) fn token_refused(
        &mut self,
        job: Job<Target>,
        failure: &ReadFailure,
        cx: &mut Context,
    ) {
        if job.refusals == 0 || (job.refusals == 1 && self.tokens.renew(cx.now)) {
            self.schedule.retry(job);
        } else {
            let wait = self.failed(failure, cx);
            self.done_for(job, wait, cx.now);
        }
    }

    /// Graph refused the token of a write: `true` if it may be repeated with a new one.
    pub(in crate::core) fn renew_token(&mut self, now: Tick) -> bool {
        self.tokens.renew(now)
    }

    /// Graph refused a whole bulk request: one bad id refuses them all, so they are halved until it is found
    /// and read alone, unless it is the service that is unwell.
    pub(in crate::core) fn refused_together(&mut self, job: Job<ReadTarget>, why: Legible, cx: &mut Context) {
        let (places, answered_at) = (job.target.places().to_vec(), self.source.answered_at());
        let Some(round) = job.round else { return self.done(job, cx.now) };
        match self.schedule.refused(places, round, answered_at, cx.now) {
            Refused::Hold => {}
            Refused::Halve(parts) => self.go_on_with(parts, round, cx.now),
            Refused::Alike(parts, some) => {
                // If these can be read alone, it is the ids after all.
                some.into_iter().take(PROBES).for_each(|place| self.schedule.look(ReadTarget::User(place)));
                let wait = self.failed(&ReadFailure::Refused { why }, cx);
                (0..parts).for_each(|_| self.schedule.done(round, cx.now, Again::After(wait)));
            }
        }
    }

    /// Goes on with refused parts of a bulk read: in halves, and with a single person alone from now on.
    fn go_on_with(&mut self, parts: Vec<Vec<Place>>, round: RoundId, now: Tick) {
        for places in parts {
            match places[..] {
                [place] => {
                    if self.schedule.leave_bulk(place) {
                        self.schedule.begin(Target::Read(ReadTarget::User(place)), now);
                    }
                    self.schedule.done(round, now, Again::Regular);
                }
                _ => self.schedule.halve(&places, round),
            }
        }
    }

    /// Somebody was missing from an answer and is read alone.
    pub(in crate::core) fn look_for(&mut self, missing: Vec<Place>) {
        missing.into_iter().for_each(|place| self.schedule.missing(place));
    }

    /// Somebody wants everybody to be read now. `is_worth_it` says which groups are read out of turn.
    pub(in crate::core) fn refresh(&mut self, is_worth_it: impl Fn(usize) -> bool, now: Tick) {
        self.schedule.now_if(now, |target| match target {
            Target::Members(group) => is_worth_it(*group),
            Target::Read(_) | Target::Resolve(_) => true,
        });
    }

    /// The configuration is another; `replanned` if people are read in another way or at another pace. Groups
    /// are planned anew in any case.
    pub(in crate::core) fn configured(
        &mut self,
        access: Access,
        replanned: bool,
        people: &Roster,
        cx: &Context,
    ) {
        if access == Access::New {
            self.source = Source::new(cx.time());
        }
        match access {
            // Other tasks go the way to Graph; what the old ones had under way will not be answered.
            Access::New | Access::Renewed => self.in_flight = InFlight::default(),
            Access::Same => self.in_flight.pages.clear(),
        }
        if replanned || access != Access::Same {
            self.schedule.begin_anew(cx.settings.account(self.account).reading.poll_interval, cx.now);
            let account = self.account;
            let theirs = people.iter().filter(|(_, person)| person.account() == account);
            theirs.for_each(|(place, person)| self.watch(place, person, cx));
        } else {
            self.schedule.forget_groups();
            self.schedule.all_now(cx.now);
        }
    }
}
