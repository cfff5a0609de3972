//! What the end of a request about people means.

use super::Roster;
use super::person::Denied;
use crate::core::context::Context;
use crate::core::model::request::{Ended, ReadFailure, ReadPresence, ResolveName};
use crate::core::requests::Requests;
use crate::core::requests::target::{Job, ReadTarget, Target};

impl Roster {
    /// Presence was read, or could not be.
    pub(in crate::core) fn presence_read(
        &mut self,
        ended: Ended<ReadPresence>,
        requests: &mut Requests,
        cx: &mut Context,
    ) {
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
            Err(ReadFailure::TokenRefused { .. }) if !job.retried => requests.retry(job.about(Target::Read)),
            Err(ReadFailure::Refused { .. }) if matches!(job.target, ReadTarget::Bulk(_)) => {
                requests.refused_together(job, cx.now);
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
            Err(ReadFailure::TokenRefused { .. }) if !job.retried => {
                requests.retry(job.about(Target::Resolve))
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
        let is_about_one = !matches!(job.target, Target::Read(ReadTarget::Me(_) | ReadTarget::Bulk(_)));
        let (denied, why) = match failure {
            ReadFailure::Forbidden { advice } => {
                requests.forbade(advice);
                (Denied::Forbidden, advice.to_string())
            }
            ReadFailure::NotFound | ReadFailure::Refused { .. } if is_about_one => {
                (Denied::NotFound, failure.to_string())
            }
            ReadFailure::Passing { .. }
            | ReadFailure::Throttled { .. }
            | ReadFailure::TokenRefused { .. }
            | ReadFailure::SignInRequired { .. }
            | ReadFailure::NotFound
            | ReadFailure::Refused { .. } => {
                let wait = requests.failed(failure, cx);
                return requests.done_for(job, wait, cx.now);
            }
        };
        self.deny(job.target.places(), denied, &why, cx);
        // Graph answered; it is the person that cannot be read.
        requests.reached(self.is_everybody_forbidden().then_some(failure), cx);
        requests.denied(job, cx.now);
    }
}
