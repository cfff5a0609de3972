//! What the end of a read means.

use super::asked::Asked;
use super::bridge::{Bridge, GENTLE};
use super::command::Command;
use super::event::{Answer, PresenceEvent, ReadFailure, Reading};
use super::name::ObjectId;
use super::person::{Denied, Health};
use super::presence::Presence;
use super::report::Report;
use super::schedule::{Again, Job, Place, Target};
use super::sequence::Order;
use super::time::{Now, Tick};
use super::word::{Activity, Availability};
use super::words::Words;

/// New words that are remembered, so that each is reported once.
const NEW_WORDS: usize = 100;

impl Bridge {
    /// A read is over, well or not; or it was a write.
    pub(super) fn read_ended(&mut self, event: PresenceEvent, now: Now) {
        let Some(job) = self.under_way.remove(&event.request) else {
            self.write_ended(event, now);
            return;
        };
        match event.outcome {
            Ok(answer) => self.answered(&job, answer, now),
            Err(failure) => self.failed(job, &failure, now),
        }
    }

    fn answered(&mut self, job: &Job, answer: Answer, now: Now) {
        let report = self.source.answered(now);
        self.commands.extend(report.map(Command::Report));
        match (&job.target, answer) {
            (Target::Resolve(place), Answer::Resolved(id)) => {
                self.resolved(*place, id, job, now);
                return;
            }
            (Target::Members(group), Answer::Members(page)) => {
                self.page_came(job, *group, page, now);
                return;
            }
            (
                Target::Me(place) | Target::User(place) | Target::Communications(place),
                Answer::People(people),
            ) => {
                self.one_answered(*place, people, now);
            }
            (Target::Bulk(places), Answer::People(people)) => self.bulk_answered(places, people, now),
            (_, Answer::Written) => self.ignore("the end of a write where something was read"),
            (Target::Resolve(_) | Target::Members(_), Answer::People(_)) => {
                self.ignore("presence where something else was asked for");
            }
            (
                Target::Me(_)
                | Target::User(_)
                | Target::Communications(_)
                | Target::Bulk(_)
                | Target::Members(_),
                Answer::Resolved(_),
            ) => {
                self.ignore("an object id where something else was asked for");
            }
            (
                Target::Me(_)
                | Target::User(_)
                | Target::Communications(_)
                | Target::Bulk(_)
                | Target::Resolve(_),
                Answer::Members(_),
            ) => {
                self.ignore("members of a group where something else was asked for");
            }
        }
        self.again(job, Again::Regular, now.tick);
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
                self.commands.extend(report.map(Command::Report));
                self.again(&job, Again::After(wait), now.tick);
                return;
            }
        }
        // Graph answered; it is the person that cannot be read.
        let everybody = self.census.get(&Health::Forbidden) == Some(&self.people.len());
        let report = self.source.reached(everybody.then_some(failure), now);
        self.commands.extend(report.map(Command::Report));
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
                self.commands.push(Command::Report(Report::NewWord(word.into())));
            }
        }
    }
}
