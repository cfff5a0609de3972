//! What the end of a request about people means.

use std::time::Duration;

use super::Roster;
use super::person::Person;
use super::refusal::Denied;
use crate::core::context::Context;
use crate::core::model::health::GraphState;
use crate::core::model::request::{Ended, ReadFailure, ReadPresence, ResolveName};
use crate::core::requests::Requests;
use crate::core::requests::target::{Job, ReadTarget, Target};

/// Graph is well if it told anybody's presence this long ago.
const WITNESS: Duration = Duration::from_secs(60);

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
        let signed_in_anew = requests.state() == GraphState::SignInRequired;
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
            || requests.answered_at().is_some_and(|at| at > since)
    }
}
