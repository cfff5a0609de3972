//! How the source, Graph, is doing: what is said on `<bridge>/health`, and how long to leave it alone.

use std::time::Duration;

use jiff::Timestamp;

use crate::core::model::backoff::Backoff;
use crate::core::model::health::GraphState;
use crate::core::model::report::Report;
use crate::core::model::request::ReadFailure;
use crate::core::model::time::{Now, Tick, whole_seconds};

/// Requests under way at once while all is well. While it is not, one at a time probes.
const AT_ONCE: usize = 64;

/// `Retry-After` is honoured within these bounds: a longer wait would leave people stale for a clock error.
const RETRY_AFTER: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(900));

/// A refused token is a server's mistake at first.
const TOKEN_REFUSED_GRACE: Duration = Duration::from_secs(15);

/// So long Graph is tried again within seconds, so that the end of a short trouble is noticed soon.
const QUICK_FOR: Duration = Duration::from_secs(60);

/// Failures in a row, without an answer between them, that make an outage.
const OUTAGE: u32 = 2;

/// The one source of presence.
#[derive(Debug)]
pub(in crate::core) struct Source {
    state: GraphState,
    since: Timestamp,
    detail: Option<String>,
    last_success: Option<Timestamp>,
    answered_at: Option<Tick>,
    failures: u32,
    hold_until: Tick,
    backoff: Backoff,
    sign_in_backoff: Backoff,
    quick_backoff: Backoff,
    /// When the first failure came after the last answer.
    trouble_since: Option<Tick>,
    /// Since when nothing but refusals of the token is heard.
    token_refused_since: Option<Tick>,
    outage_began: Option<Tick>,
}

impl Source {
    pub(super) fn new(now: Now) -> Self {
        Self {
            state: GraphState::Starting,
            since: whole_seconds(now.wall),
            detail: None,
            last_success: None,
            answered_at: None,
            failures: 0,
            hold_until: now.tick,
            backoff: Backoff::new(Duration::from_secs(1), Duration::from_secs(30)),
            sign_in_backoff: Backoff::new(Duration::from_secs(30), Duration::from_secs(900)),
            quick_backoff: Backoff::new(Duration::from_secs(1), Duration::from_secs(8)),
            trouble_since: None,
            token_refused_since: None,
            outage_began: None,
        }
    }

    pub(in crate::core) fn state(&self) -> GraphState {
        self.state
    }

    pub(in crate::core) fn since(&self) -> Timestamp {
        self.since
    }

    pub(in crate::core) fn detail(&self) -> Option<&str> {
        self.detail.as_deref()
    }

    pub(in crate::core) fn last_success(&self) -> Option<Timestamp> {
        self.last_success
    }

    /// When Graph last returned presence.
    pub(in crate::core) fn answered_at(&self) -> Option<Tick> {
        self.answered_at
    }

    /// No read may begin before this.
    pub(super) fn hold_until(&self) -> Tick {
        self.hold_until
    }

    /// How many reads may be under way.
    pub(super) fn at_once(&self) -> usize {
        match self.state {
            GraphState::Ok | GraphState::Forbidden => AT_ONCE,
            GraphState::Starting
            | GraphState::Throttled
            | GraphState::Unreachable
            | GraphState::SignInRequired => 1,
        }
    }

    /// Graph told somebody's presence.
    pub(super) fn answered(&mut self, now: Now) -> Option<Report> {
        let is_first = self.last_success.replace(whole_seconds(now.wall)).is_none();
        self.answered_at = Some(now.tick);
        self.reached(None, now).or(is_first.then_some(Report::GraphAnswers))
    }

    /// Graph answered. `everybody` is why it lets nobody be read, if that is so.
    pub(super) fn reached(&mut self, everybody: Option<&ReadFailure>, now: Now) -> Option<Report> {
        self.failures = 0;
        // An answer that was under way when Graph asked for patience does not end the wait.
        if now.tick < self.hold_until && self.state == GraphState::Throttled {
            return None;
        }
        self.hold_until = now.tick;
        self.backoff.reset();
        self.sign_in_backoff.reset();
        self.quick_backoff.reset();
        self.trouble_since = None;
        self.token_refused_since = None;
        let state = if everybody.is_some() { GraphState::Forbidden } else { GraphState::Ok };
        self.enter(state, everybody.map(ToString::to_string), now);
        self.outage_began.take().map(|began| Report::GraphBack(now.tick.since(began)))
    }

    /// Something changed that a failure was waiting for: the next read may begin at once.
    pub(super) fn try_now(&mut self, now: Tick) {
        self.hold_until = now;
        self.sign_in_backoff.reset();
    }

    /// Graph, or the way to it, failed. Returns how long the read that failed should wait. A refused token
    /// ends the sign-in only when nobody could be read for `stale_after`.
    pub(super) fn failed(
        &mut self,
        failure: &ReadFailure,
        stale_after: Duration,
        now: Now,
        random: &mut fastrand::Rng,
    ) -> (Duration, Option<Report>) {
        self.failures = self.failures.saturating_add(1);
        let clamp = |wait: Duration| wait.clamp(RETRY_AFTER.0, RETRY_AFTER.1);
        // Failures of reads that were already under way say nothing new, but for a longer wait.
        if now.tick < self.hold_until {
            if let ReadFailure::Throttled { retry_after: Some(wait) }
            | ReadFailure::Passing { retry_after: Some(wait), .. } = failure
            {
                self.hold_until = self.hold_until.max(now.tick + clamp(*wait));
            }
            return (self.hold_until.since(now.tick), None);
        }
        let lasted = now.tick.since(*self.trouble_since.get_or_insert(now.tick));
        let refused_for = self.token_refused_for(failure, now.tick);
        let (state, wait) = match failure {
            ReadFailure::Throttled { retry_after } => {
                (GraphState::Throttled, retry_after.map_or_else(|| self.backoff.failed(random), clamp))
            }
            ReadFailure::Passing { retry_after: Some(wait), .. } => (GraphState::Unreachable, clamp(*wait)),
            ReadFailure::SignInRequired { .. } => {
                (GraphState::SignInRequired, self.sign_in_backoff.failed(random))
            }
            // Only the sign-in service ends a sign-in, but what lasts so long is one that is good for
            // nothing.
            ReadFailure::TokenRefused { .. } if refused_for >= stale_after.max(TOKEN_REFUSED_GRACE) => {
                (GraphState::SignInRequired, self.sign_in_backoff.failed(random))
            }
            ReadFailure::TokenRefused { .. } => {
                let wait = self.quick_backoff.failed(random);
                if refused_for < TOKEN_REFUSED_GRACE {
                    self.hold_until = now.tick + wait;
                    return (wait, None);
                }
                (GraphState::Unreachable, wait)
            }
            ReadFailure::Passing { retry_after: None, .. }
            | ReadFailure::Refused { .. }
            | ReadFailure::Forbidden { .. }
            | ReadFailure::NotFound => {
                let backoff = if lasted < QUICK_FOR { &mut self.quick_backoff } else { &mut self.backoff };
                let wait = backoff.failed(random);
                if self.failures < OUTAGE && self.outage_began.is_none() {
                    return (wait, None);
                }
                (GraphState::Unreachable, wait)
            }
        };
        self.hold_until = now.tick + wait;
        let sentence = sentence(state, failure);
        let report = self.outage_began.is_none().then(|| {
            self.outage_began = Some(now.tick);
            Report::GraphLost(sentence.clone().into())
        });
        self.enter(state, Some(sentence), now);
        (wait, report)
    }

    /// How long every failure has been a refusal of the token. A way that was down before says nothing about
    /// the sign-in.
    fn token_refused_for(&mut self, failure: &ReadFailure, now: Tick) -> Duration {
        if !matches!(failure, ReadFailure::TokenRefused { .. }) {
            self.token_refused_since = None;
            return Duration::ZERO;
        }
        now.since(*self.token_refused_since.get_or_insert(now))
    }

    /// Time went on unseen. What failed before says nothing about now.
    pub(super) fn slept(&mut self, now: Tick) {
        if matches!(self.state, GraphState::Unreachable | GraphState::SignInRequired) {
            self.try_now(now);
        }
        self.backoff.reset();
        self.quick_backoff.reset();
    }

    fn enter(&mut self, state: GraphState, detail: Option<String>, now: Now) {
        if self.state != state {
            self.state = state;
            self.since = whole_seconds(now.wall);
        }
        self.detail = detail;
    }
}

/// What a failure means for everybody, and what to do.
fn sentence(state: GraphState, failure: &ReadFailure) -> String {
    match state {
        GraphState::Throttled => {
            "Graph asks for fewer requests; the bridge waits. If this happens often, raise \
            graph.poll_interval"
                .to_owned()
        }
        GraphState::Unreachable => match failure {
            ReadFailure::TokenRefused { .. } => failure.to_string(),
            ReadFailure::Refused { .. } | ReadFailure::NotFound | ReadFailure::Forbidden { .. } => {
                format!("Graph refuses every request ({failure}); the bridge keeps retrying")
            }
            ReadFailure::Passing { .. }
            | ReadFailure::Throttled { .. }
            | ReadFailure::SignInRequired { .. } => {
                format!(
                    "{failure}; the bridge keeps retrying (if this lasts, check the network and the \
                proxy)"
                )
            }
        },
        GraphState::Starting | GraphState::Ok | GraphState::SignInRequired | GraphState::Forbidden => {
            failure.to_string()
        }
    }
}
