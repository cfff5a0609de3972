//! What the end of a read means.

use crate::core::asked::Asked;
use crate::core::bridge::{Bridge, GENTLE};
use crate::core::model::effect::Effect;
use crate::core::model::event::PresenceEvent;
use crate::core::model::name::ObjectId;
use crate::core::model::presence::Presence;
use crate::core::model::report::Report;
use crate::core::model::request::{Ended, ReadFailure, Reading};
use crate::core::model::time::{Now, Tick};
use crate::core::model::word::{Activity, Availability};
use crate::core::model::words::Words;
use crate::core::person::{Denied, Health};
use crate::core::schedule::{Again, Job, Place, Target};
use crate::core::sequence::Order;

/// New words that are remembered, so that each is reported once.
const NEW_WORDS: usize = 100;

impl Bridge {
    /// A request is over, well or not.
    pub(super) fn request_ended(&mut self, event: PresenceEvent, now: Now) {
        match event {
            PresenceEvent::Read(Ended { request, outcome }) => {
                let Some(job) = self.under_way.remove(&request.number()) else { return };
                match outcome {
                    Ok(people) => {
                        self.graph_answered(now);
                        match &job.target {
                            Target::Bulk(places) => self.bulk_answered(places, people, now),
                            target => target
                                .places()
                                .first()
                                .into_iter()
                                .for_each(|&place| self.one_answered(place, people.clone(), now)),
                        }
                        self.again(&job, Again::Regular, now.tick);
                    }
                    Err(failure) => self.failed(job, &failure, now),
                }
            }
            PresenceEvent::Resolved(Ended { request, outcome }) => {
                let Some(job) = self.under_way.remove(&request.number()) else { return };
                match (outcome, &job.target) {
                    (Ok(id), Target::Resolve(place)) => {
                        self.graph_answered(now);
                        self.resolved(*place, id, &job, now);
                    }
                    (Ok(_), _) => {}
                    (Err(failure), _) => self.failed(job, &failure, now),
                }
            }
            PresenceEvent::Members(Ended { request, outcome }) => {
                let Some(job) = self.under_way.remove(&request.number()) else { return };
                match (outcome, &job.target) {
                    (Ok(page), &Target::Members(group)) => {
                        self.graph_answered(now);
                        self.page_came(&job, group, page, now);
                    }
                    (Ok(_), _) => {}
                    (Err(failure), _) => self.failed(job, &failure, now),
                }
            }
            PresenceEvent::Set(ended) => self.write_ended(ended, now),
        }
    }

    fn graph_answered(&mut self, now: Now) {
        let report = self.source.answered(now);
        self.commands.extend(report.map(Effect::Report));
    }

    /// The object id of a principal name is known: from now on the person is read by it.
    fn resolved(&mut self, place: Place, id: ObjectId, job: &Job, now: Now) {
        if let Some(round) = job.round {
            self.schedule.end(round);
        }
        self.people[place].found(id);
        self.people[place].denied = None;
        self.groups.claims.push(place);
        self.judge_one(place, now.tick);
        self.watch(place, now.tick);
    }

    fn one_answered(&mut self, place: Place, people: Vec<Reading>, now: Now) {
        for reading in people {
            // Whoever is signed in tells their object id with their presence.
            if self.people[place].id().is_none() {
                self.people[place].found(reading.id);
                self.groups.claims.push(place);
                self.announce(place);
            }
            if self.people[place].id() != Some(reading.id) {
                self.ignore("another person than the one asked for");
            } else {
                self.take(place, reading.presence, now);
            }
        }
    }

    fn bulk_answered(&mut self, places: &[Place], people: Vec<Reading>, now: Now) {
        let ids = places.iter().map(|&place| (self.people[place].id(), place));
        let mut asked = Asked::new(ids.filter_map(|(id, place)| Some((id?, place))));
        for Reading { id, presence } in people {
            let Some((last, others)) = asked.answered(id) else {
                self.ignore("a person who was not asked for, or twice");
                continue;
            };
            for &place in others {
                self.take(place, presence.clone(), now);
            }
            self.take(last, presence, now);
        }
        // Who is missing is read alone, to learn why; once that is known, at a gentle pace.
        for place in asked.missing() {
            if self.people[place].may_look_again(now.tick) {
                self.schedule.missing(place);
            }
        }
    }

    /// What an answer holds about one person.
    fn take(&mut self, place: Place, presence: Option<Presence>, now: Now) {
        let Some(presence) = presence else {
            if self.people[place].unusable() {
                let why = "the answer holds no presence".to_owned();
                self.report(Report::UserUnreadable(place, why));
            }
            return;
        };
        match self.people[place].order(&presence, now.tick) {
            Order::Newer => {}
            Order::Older => return self.ignore("an answer that is older than the one before"),
            Order::WentBack => self.report(Report::WentBack(place)),
        }
        if presence.words.may_be_new() {
            self.notice_new_words(&presence.words);
        }
        let presence = if self.settings.include_messages { presence } else { presence.without_messages() };
        let was_unreadable = self.people[place].is_unreadable();
        let rules = self.rules();
        if let Some(later) = self.people[place].read(presence, now, rules) {
            self.settling.insert((later, place));
        }
        if was_unreadable {
            self.report(Report::UserReadable(place));
        }
        self.judge_one(place, now.tick);
    }

    fn failed(&mut self, job: Job, failure: &ReadFailure, now: Now) {
        match (failure, &job.target) {
            (ReadFailure::TokenRefused { .. }, _) if !job.retried => {
                self.schedule.retry(job);
                return;
            }
            (_, &Target::Members(group)) => {
                self.page_failed(&job, group, failure, now);
                return;
            }
            // One bad id refuses them all: halve until it is found.
            (ReadFailure::Refused { .. }, Target::Bulk(places)) if places.len() > 1 => {
                self.schedule.halve(&job);
                return;
            }
            (ReadFailure::Refused { .. }, Target::Bulk(places)) => {
                for &place in places {
                    if self.schedule.leave_bulk(place) {
                        self.schedule.begin(Target::User(place), now.tick);
                    }
                }
                self.again(&job, Again::Regular, now.tick);
                return;
            }
            (ReadFailure::Forbidden { advice }, target) => {
                self.forbidden_advice = Some(advice.clone());
                self.deny(target.places(), Denied::Forbidden, advice, now);
            }
            (
                ReadFailure::NotFound | ReadFailure::Refused { .. },
                Target::User(_) | Target::Communications(_) | Target::Resolve(_),
            ) => self.deny(job.target.places(), Denied::NotFound, &failure.to_string(), now),
            (
                ReadFailure::Passing { .. }
                | ReadFailure::Throttled { .. }
                | ReadFailure::TokenRefused { .. }
                | ReadFailure::SignInRequired { .. }
                | ReadFailure::NotFound
                | ReadFailure::Refused { .. },
                _,
            ) => {
                let (wait, report) = self.source.failed(failure, now, &mut self.random);
                self.commands.extend(report.map(Effect::Report));
                self.again(&job, Again::After(wait), now.tick);
                return;
            }
        }
        // Graph answered; it is the person that cannot be read.
        let everybody = self.census.get(&Health::Forbidden) == Some(&self.people.len());
        let report = self.source.reached(everybody.then_some(failure), now);
        self.commands.extend(report.map(Effect::Report));
        self.again(&job, Again::After(GENTLE), now.tick);
    }

    fn deny(&mut self, places: &[Place], denied: Denied, why: &str, now: Now) {
        for &place in places {
            let person = &mut self.people[place];
            if person.deny(denied, now.tick) {
                self.report(Report::UserUnreadable(place, why.to_owned()));
            }
            self.judge_one(place, now.tick);
        }
    }

    pub(super) fn again(&mut self, job: &Job, again: Again, now: Tick) {
        match (job.round, &job.target) {
            (Some(round), _) => self.schedule.done(round, now, again),
            // Somebody read alone because they were missing; they come again with their round.
            (None, target) => target.places().iter().for_each(|&place| self.schedule.looked_at(place)),
        }
    }

    fn ignore(&mut self, what: &str) {
        self.report(Report::Ignored(what.to_owned()));
    }

    fn notice_new_words(&mut self, words: &Words) {
        let raw = words.raw_availability();
        let availability = (!Availability::knows(raw)).then_some(raw);
        let activity = match words.activity() {
            Activity::New(_) => words.raw_activity(),
            Activity::Known(_) => None,
        };
        for word in [availability, activity].into_iter().flatten() {
            if self.new_words.len() < NEW_WORDS && self.new_words.insert(word.into()) {
                self.commands.push(Effect::Report(Report::NewWord(word.into())));
            }
        }
    }
}
