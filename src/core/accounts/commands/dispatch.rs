//! Which command is sent to Graph when, and what the end of that means.

use std::collections::VecDeque;
use std::time::Duration;

use super::{CommandQueue, PendingCommand};
use crate::core::accounts::requests::Requests;
use crate::core::broker::outbox::Outbox;
use crate::core::context::Context;
use crate::core::model::budget::Budgets;
use crate::core::model::place::Place;
use crate::core::model::report::{Report, words};
use crate::core::model::request::{DENIED_RETRY, Ended, ReadFailure, SetPresence, Whom};
use crate::core::model::time::Tick;
use crate::core::people::Roster;

/// Commands under way at once.
const IN_FLIGHT_MAX: usize = 16;

/// A command that waited this long, for the budget or for an earlier one, is answered as failed.
const WAIT_MAX: Duration = Duration::from_secs(30);

/// `Retry-After` is honoured within these bounds; the first holds where Graph does not say.
const HOLD: (Duration, Duration) = (Duration::from_secs(10), Duration::from_secs(900));

impl CommandQueue {
    /// When the next command may be sent, or has waited too long.
    pub(in crate::core) fn wake_at(
        &self,
        people: &Roster,
        requests: &Requests,
        budgets: &Budgets,
        now: Tick,
    ) -> Option<Tick> {
        let over = self.waiting.iter().map(|command| command.since + WAIT_MAX).min();
        let ready = self.next(people).map(|_| requests.next_write_at(budgets, now));
        over.into_iter().chain(ready).min()
    }

    /// Answers what has waited too long.
    pub(in crate::core) fn give_up_late(&mut self, outbox: &mut Outbox, cx: &mut Context) {
        let is_over = |command: &PendingCommand| cx.now >= command.since + WAIT_MAX;
        let over: VecDeque<PendingCommand>;
        (over, self.waiting) = std::mem::take(&mut self.waiting).into_iter().partition(is_over);
        for command in over {
            command.give_up("the command waited too long", outbox, cx);
        }
    }

    /// Sends the next command that waits, if the budget allows one; `false` if none was sent.
    pub(in crate::core) fn send_next(
        &mut self,
        people: &Roster,
        requests: &mut Requests,
        outbox: &mut Outbox,
        cx: &mut Context,
    ) -> bool {
        while requests.may_write(&cx.budgets, cx.now) {
            let next = self.next(people).and_then(|next| self.waiting.remove(next));
            let Some(command) = next else { break };
            let Some(person) = people.get(command.place) else { continue };
            // Who is signed in, and what Graph asks for, may have changed while it waited.
            match (self.whom(person, &cx.settings), self.patience(requests.hold_until(), cx.now)) {
                (Err(why), _) => command.give_up(&cx.addressed(self.account, why), outbox, cx),
                (Ok(_), Some(_)) => command.give_up("Graph asks for fewer requests", outbox, cx),
                (Ok(whom), None) => {
                    self.send(whom, command, requests, cx);
                    return true;
                }
            }
        }
        false
    }

    /// Graph has answered, or could not. What became of it is read at once.
    pub(in crate::core) fn presence_set(
        &mut self,
        ended: Ended<SetPresence>,
        people: &Roster,
        requests: &mut Requests,
        outbox: &mut Outbox,
        cx: &mut Context,
    ) {
        let Some(mut command) = self.in_flight.remove(&ended.request) else { return };
        match ended.outcome {
            Ok(()) => {
                self.forbidden = None;
                command.from.answer(None, outbox, cx);
                cx.report(Report::Commanded(command.who));
                requests.look_at(command.place, people, cx);
            }
            Err(ReadFailure::TokenRefused { .. }) if !command.retried && requests.renew_token(cx.now) => {
                command.retried = true;
                if self.older(command.place, command.change.kind()).is_some() {
                    command.superseded(outbox, cx);
                } else {
                    self.waiting.push_front(command);
                }
            }
            Err(failure) => {
                let why = self.failed(&failure, cx.now);
                let why = cx.addressed(self.account, &why);
                command.give_up(&why, outbox, cx);
            }
        }
    }

    /// The first command that waits for a person about whom nothing is under way.
    fn next(&self, people: &Roster) -> Option<usize> {
        let id = |place: Place| people.get(place).and_then(|person| person.id());
        let same = |one: Place, other: Place| one == other || (id(one).is_some() && id(one) == id(other));
        let is_free =
            |command: &PendingCommand| !self.in_flight.values().any(|other| same(other.place, command.place));
        self.waiting.iter().position(is_free).filter(|_| self.in_flight.len() < IN_FLIGHT_MAX)
    }

    fn send(&mut self, whom: Whom, command: PendingCommand, requests: &mut Requests, cx: &mut Context) {
        let session_id = cx.settings.account(self.account).session_id.clone();
        let operation = SetPresence { whom, change: command.change.clone(), session_id };
        let id = requests.write(operation, self.token_max_age(cx.now), cx);
        self.in_flight.insert(id, command);
    }

    /// How old a token may be that something is written with.
    fn token_max_age(&self, now: Tick) -> Option<Duration> {
        let by_permission = self.forbidden.is_some().then_some(DENIED_RETRY);
        by_permission.into_iter().chain(self.tokens_from.map(|from| now.since(from))).min()
    }

    /// What a failure means for the one who asked.
    fn failed(&mut self, failure: &ReadFailure, now: Tick) -> String {
        match failure {
            ReadFailure::Passing { why, .. } => {
                format!("{why}; the result is not known, and the command is not retried")
            }
            ReadFailure::Throttled { retry_after } => {
                let wait = retry_after.map_or(HOLD.0, |wait| wait.clamp(Duration::from_secs(1), HOLD.1));
                self.hold_until = now + wait;
                format!("Graph asks for fewer requests; try again in {}", words(wait))
            }
            ReadFailure::Forbidden { advice } => {
                self.forbidden = Some(advice.to_string());
                advice.to_string()
            }
            ReadFailure::TokenRefused { .. }
            | ReadFailure::SignInRequired { .. }
            | ReadFailure::NotFound
            | ReadFailure::Refused { .. } => failure.to_string(),
        }
    }
}
