//! What the end of a request means for the people it is about.

use std::time::Duration;

use super::Roster;
use super::bulk_request::BulkRequest;
use super::knowledge::Order;
use super::person::{Person, Rules};
use super::refusal::Denied;
use crate::core::accounts::requests::Requests;
use crate::core::accounts::requests::target::{Job, ReadTarget, Target};
use crate::core::context::Context;
use crate::core::model::health::GraphState;
use crate::core::model::name::ObjectId;
use crate::core::model::place::Place;
use crate::core::model::presence::Presence;
use crate::core::model::report::Report;
use crate::core::model::request::{Ended, ReadFailure, ReadPresence, Reading, ResolveName};
use crate::core::model::word::{Activity, Availability};
use crate::core::model::words::PresenceWords;

/// Graph is well if it told anybody's presence this long ago.
const WITNESS: Duration = Duration::from_secs(60);

/// New words that are remembered, so that each is reported once.
const NEW_WORDS: usize = 100;

impl Roster {
    /// Presence was read, or could not be.
    pub(in crate::core) fn presence_read(
        &mut self,
        ended: Ended<ReadPresence>,
        requests: &mut Requests,
        cx: &mut Context,
    ) {
        requests.took_more(ended.further, cx);
        let Some(job) = requests.presence_ended(ended.request) else { return };
        match ended.outcome {
            Ok(readings) => {
                requests.answered(cx);
                match &job.target {
                    ReadTarget::Bulk(places) => requests.look_for(self.read_many(places, readings, cx)),
                    ReadTarget::Me(place) | ReadTarget::User(place) | ReadTarget::Communications(place) => {
                        self.read_one(*place, readings, cx);
                    }
                }
                requests.done(job, cx.now);
            }
            Err(ReadFailure::Refused { why }) if matches!(job.target, ReadTarget::Bulk(_)) => {
                requests.refused_together(job, why, cx);
            }
            Err(failure) => self.read_failed(job.about(Target::Read), &failure, requests, cx),
        }
    }

    /// A user principal name was looked up, or could not be.
    pub(in crate::core) fn name_resolved(
        &mut self,
        ended: Ended<ResolveName>,
        requests: &mut Requests,
        cx: &mut Context,
    ) {
        let Some(job) = requests.name_ended(ended.request) else { return };
        match ended.outcome {
            Ok(id) => {
                requests.answered(cx);
                self.resolved(job.target, id, cx);
                requests.resolved(&job, self, cx);
            }
            Err(failure) => self.read_failed(job.about(Target::Resolve), &failure, requests, cx),
        }
    }

    /// A read failed: these people cannot be read, or Graph cannot.
    fn read_failed(
        &mut self,
        job: Job<Target>,
        failure: &ReadFailure,
        requests: &mut Requests,
        cx: &mut Context,
    ) {
        let (denied, why) = match failure {
            ReadFailure::TokenRefused { .. } => return requests.token_refused(job, failure, cx),
            ReadFailure::Forbidden { advice } => {
                requests.forbade(advice);
                (Denied::Forbidden, advice.to_string())
            }
            ReadFailure::NotFound | ReadFailure::Refused { .. }
                if self.is_about_the_person(&job, requests, cx) =>
            {
                (Denied::NotFound, failure.to_string())
            }
            ReadFailure::Passing { .. }
            | ReadFailure::Throttled { .. }
            | ReadFailure::SignInRequired { .. }
            | ReadFailure::NotFound
            | ReadFailure::Refused { .. } => {
                let wait = requests.failed(failure, cx);
                return requests.done_for(job, wait, cx.now);
            }
        };
        // Graph answered; it is the people who cannot be read. After a sign-in nobody was read by, that is no
        // accident.
        let signed_in_anew = requests.source().state() == GraphState::SignInRequired;
        requests.reached(None, cx);
        self.signed_in(requests.account(), cx);
        let wait = self.refuse(job.target.places(), denied, signed_in_anew, &why, cx);
        if self.is_everybody_forbidden(requests.account()) {
            requests.reached(Some(failure), cx);
        }
        requests.done_for(job, wait, cx.now);
    }

    /// Whether a refusal is about the one person who was asked for, and not about a service that is unwell:
    /// somebody else could be read meanwhile, or there is nobody else.
    fn is_about_the_person(&self, job: &Job<Target>, requests: &Requests, cx: &Context) -> bool {
        let place = match &job.target {
            Target::Read(ReadTarget::User(place) | ReadTarget::Communications(place))
            | Target::Resolve(place) => *place,
            Target::Read(ReadTarget::Me(_) | ReadTarget::Bulk(_)) | Target::Members(_) => return false,
        };
        let since = self.get(place).and_then(Person::refused_since).unwrap_or(cx.now - WITNESS);
        self.accounts[requests.account().index()].all() == 1
            || requests.source().answered_at().is_some_and(|at| at > since)
    }

    /// One person was asked for alone.
    fn read_one(&mut self, place: Place, readings: Vec<Reading>, cx: &mut Context) {
        for Reading { id, presence } in readings {
            // Whoever is signed in tells their object id with their presence.
            if self.get(place).is_some_and(|person| person.id().is_none()) {
                self.found(place, id);
            }
            match self.get(place) {
                Some(person) if person.id() == Some(id) => self.take(place, presence, cx),
                Some(_) => ignore("another person than the one asked for", cx),
                None => {}
            }
        }
    }

    /// Many were asked for. Returns those who are missing from the answer and should be read alone, to learn
    /// why.
    fn read_many(&mut self, places: &[Place], readings: Vec<Reading>, cx: &mut Context) -> Vec<Place> {
        let ids = places.iter().filter_map(|&place| Some((self.get(place)?.id()?, place)));
        let mut request = BulkRequest::new(ids);
        for Reading { id, presence } in readings {
            let Some((last, others)) = request.answered(id) else {
                ignore("a person who was not asked for, is no longer followed, or appears twice", cx);
                continue;
            };
            for &place in others {
                self.take(place, presence.clone(), cx);
            }
            self.take(last, presence, cx);
        }
        // Once it is known why they are missing, they are looked for at a gentle pace.
        let may_look = |place: &Place| self.get(*place).is_some_and(|person| person.may_look_again(cx.now));
        request.missing().into_iter().filter(may_look).collect()
    }

    /// The object id of somebody is known who is configured by a name, or as whoever signs in.
    fn found(&mut self, place: Place, id: ObjectId) {
        self.update(place, |person, dirty| dirty.add(person.found(id)));
        self.by_id.insert(place, &self.people);
    }

    /// The object id of a user principal name was looked up, after it was perhaps refused.
    fn resolved(&mut self, place: Place, id: ObjectId, cx: &Context) {
        self.found(place, id);
        self.update(place, |person, _| person.allow());
        self.judge_one(place, cx);
    }

    /// Graph answered that these cannot be read. Who was never read is believed to be unreadable `at_once`,
    /// and everybody if `signed_in_anew`. Returns how long to wait with the next try.
    fn refuse(
        &mut self,
        places: &[Place],
        denied: Denied,
        signed_in_anew: bool,
        why: &str,
        cx: &mut Context,
    ) -> Duration {
        let mut longest = Duration::ZERO;
        for &place in places {
            let refused = self.update(place, |person, _| {
                person.refuse(denied, signed_in_anew || !person.is_answered(), cx.now)
            });
            if let Some((wait, is_news)) = refused {
                longest = longest.max(wait);
                if is_news && let Some(account) = self.get(place).map(|person| person.account()) {
                    cx.report_of(account, Report::UserUnreadable(self.who(place, cx), why.into()));
                }
            }
            self.judge_one(place, cx);
        }
        longest
    }

    /// Whether one of these may not be read, which a newer token may allow.
    pub(in crate::core) fn is_any_forbidden(&self, places: &[Place]) -> bool {
        places
            .iter()
            .any(|&place| self.get(place).is_some_and(|person| person.denied() == Some(Denied::Forbidden)))
    }

    /// What an answer holds about one person.
    fn take(&mut self, place: Place, presence: Option<Presence>, cx: &mut Context) {
        let Some(Some(person)) = self.people.get_mut(place.number()) else { return };
        let Some(presence) = presence else {
            if person.unusable() {
                let why = "the answer holds no presence";
                cx.report(Report::UserUnreadable(self.who(place, cx), why.into()));
            }
            return;
        };
        match person.order(&presence, cx.now) {
            Order::Newer => {}
            Order::Older => return ignore("an answer that is older than the one before", cx),
            Order::WentBack => cx.report(Report::WentBack(self.who(place, cx))),
        }
        if presence.words.may_be_new() {
            self.notice_new_words(&presence.words, cx);
        }
        let presence =
            if cx.settings.graph.include_messages { presence } else { presence.without_messages() };
        let was_unreadable = self.get(place).is_some_and(|person| person.is_unreadable());
        let rules = Rules::from_settings(&cx.settings);
        let later = self.update(place, |person, dirty| person.read(presence, cx.time(), rules, dirty));
        self.settling.extend(later.flatten().map(|later| (later, place)));
        if was_unreadable {
            cx.report(Report::UserReadable(self.who(place, cx)));
        }
        self.judge_one(place, cx);
    }

    fn notice_new_words(&mut self, words: &PresenceWords, cx: &mut Context) {
        let raw = words.raw_availability();
        let availability = (!Availability::knows(raw)).then_some(raw);
        let activity = match words.activity() {
            Activity::New(_) => words.raw_activity(),
            Activity::Known(_) => None,
        };
        for word in [availability, activity].into_iter().flatten() {
            if self.new_words.len() < NEW_WORDS && self.new_words.insert(word.into()) {
                cx.report(Report::NewWord(word.into()));
            }
        }
    }
}

fn ignore(what: &str, cx: &mut Context) {
    cx.report(Report::Ignored(what.into()));
}
