//! What the end of a request changes: how Graph is, as far as that shows it, and when the same is read again.

use std::time::Duration;

use super::Requests;
use super::bisection::Refused;
use super::schedule::Again;
use super::target::{Job, ReadTarget, RoundId, Target};
use crate::core::context::Context;
use crate::core::model::foreign::Legible;
use crate::core::model::place::Place;
use crate::core::model::request::{ReadFailure, ReadMembers, ReadPresence, RequestId, ResolveName};
use crate::core::model::time::Tick;
use crate::core::people::Roster;

/// People of a refused bulk request who are read alone, to see whether it is the ids.
const PROBES: usize = 3;

impl Requests {
    /// What a read was about that is over.
    pub(in crate::core) fn presence_ended(&mut self, id: RequestId<ReadPresence>) -> Option<Job<ReadTarget>> {
        self.in_flight.reads.remove(&id)
    }

    /// Whose name was looked up.
    pub(in crate::core) fn name_ended(&mut self, id: RequestId<ResolveName>) -> Option<Job<Place>> {
        self.in_flight.names.remove(&id)
    }

    /// Of which group a page was read.
    pub(in crate::core) fn page_ended(&mut self, id: RequestId<ReadMembers>) -> Option<Job<usize>> {
        self.in_flight.pages.remove(&id)
    }

    /// The answer to a request took so many more requests than one.
    pub(in crate::core) fn took_more(&self, further: u32, cx: &mut Context) {
        (0..further).for_each(|_| cx.budgets.of_mut(self.account).spend(cx.now));
    }

    /// Graph told what was asked for.
    pub(in crate::core) fn answered(&mut self, cx: &mut Context) {
        let report = self.source.answered(cx.time());
        cx.report_of(self.account, report);
    }

    /// Graph answered, though not with what was asked for. `everybody` is why it lets nobody be read, if that
    /// is so.
    pub(in crate::core) fn reached(&mut self, everybody: Option<&ReadFailure>, cx: &mut Context) {
        let report = self.source.reached(everybody, cx.time());
        cx.report_of(self.account, report);
    }

    /// Graph, or the way to it, failed. Returns how long what failed should wait.
    pub(in crate::core) fn failed(&mut self, failure: &ReadFailure, cx: &mut Context) -> Duration {
        let stale_after = self.stale_after(&cx.settings);
        let (wait, report) = self.source.failed(failure, stale_after, cx.time(), &mut self.random);
        cx.report_of(self.account, report);
        wait
    }

    /// Graph forbade somebody to be read.
    pub(in crate::core) fn forbade(&mut self, advice: &str) {
        self.forbidden_advice = Some(advice.to_owned());
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

    /// Time went on unseen; nothing that is under way will be answered.
    pub(in crate::core::accounts) fn slept(&mut self, now: Tick) {
        self.source.slept(now);
        for job in self.in_flight.take_all() {
            self.again(&job, Again::After(Duration::ZERO), now);
        }
        self.schedule.all_now(now);
    }

    fn again(&mut self, job: &Job<Target>, again: Again, now: Tick) {
        match job.round {
            Some(round) => {
                let held = if again == Again::Regular { 0 } else { self.schedule.part_ended(round) };
                (0..=held).for_each(|_| self.schedule.done(round, now, again));
            }
            // Somebody read alone because they were missing; they come again with their round.
            None => job.target.places().iter().for_each(|&place| self.schedule.looked_at(place)),
        }
    }
}
