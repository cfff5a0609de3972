//! Which command is written when, and what the end of a write means.

use std::collections::VecDeque;
use std::time::Duration;

use crate::core::bridge::Bridge;
use crate::core::commanding::{Commanding, Wish};
use crate::core::model::effect::{Effect, GraphOrder};
use crate::core::model::name::UserId;
use crate::core::model::report::{Report, words};
use crate::core::model::request::{Ended, ReadFailure, Request, RequestId, SetPresence, Whom};
use crate::core::model::settings::Endpoint;
use crate::core::model::time::{Now, Tick};
use crate::core::schedule::{Place, Target};

/// Writes under way at once.
const AT_ONCE: usize = 16;

/// A command that waited this long, for the budget or for an earlier one, is answered as failed.
const PATIENCE: Duration = Duration::from_secs(30);

/// `Retry-After` is honoured within these bounds; the first holds where Graph does not say.
const HOLD: (Duration, Duration) = (Duration::from_secs(10), Duration::from_secs(900));

impl Bridge {
    /// When the next write may begin, or a command has waited too long.
    pub(super) fn next_write_at(&self, now: Tick) -> Option<Tick> {
        if self.link.is_stopping() {
            return None;
        }
        let over = self.commanding.waiting.iter().map(|wish| wish.since + PATIENCE).min();
        let ready = self.next_wish().map(|_| self.budget.ready_at(now));
        over.into_iter().chain(ready).min()
    }

    /// The first command that waits for a person about whom nothing is under way.
    fn next_wish(&self) -> Option<usize> {
        let Commanding { waiting, under_way, .. } = &self.commanding;
        let same = |one: Place, other: Place| {
            one == other
                || (self.people[one].id().is_some() && self.people[one].id() == self.people[other].id())
        };
        let is_free = |wish: &Wish| !under_way.values().any(|other| same(other.place, wish.place));
        waiting.iter().position(is_free).filter(|_| under_way.len() < AT_ONCE)
    }

    /// Orders writes, each before the reads that are due; after it one of those has its turn, so that whoever sends
    /// commands without end cannot make everybody stale.
    pub(super) fn write_what_waits(&mut self, now: Tick) {
        if self.link.is_stopping() {
            return;
        }
        let is_over = |wish: &Wish| now >= wish.since + PATIENCE;
        let over: VecDeque<Wish>;
        (over, self.commanding.waiting) =
            std::mem::take(&mut self.commanding.waiting).into_iter().partition(is_over);
        for wish in over {
            self.give_up(wish, "it waited too long for its turn");
        }
        while self.budget.ready_at(now) <= now {
            if self.commanding.wrote_last && self.next_read_at(now).is_some_and(|at| at <= now) {
                break;
            }
            let next = self.next_wish().and_then(|next| self.commanding.waiting.remove(next));
            let Some(wish) = next else { break };
            // Who is signed in, and what Graph asks for, may have changed while it waited.
            match (self.whom(wish.place), self.patience(now)) {
                (Err(why), _) => self.give_up(wish, why),
                (Ok(_), Some(_)) => self.give_up(wish, "Graph asks for fewer requests"),
                (Ok(whom), None) => self.write(whom, wish, now),
            }
        }
    }

    fn write(&mut self, whom: Whom, wish: Wish, now: Tick) {
        self.budget.spend(now);
        self.commanding.wrote_last = true;
        let request = self.new_request();
        let token_max_age = self.commanding.token_max_age(now);
        let session_id = self.settings.commands.as_ref().and_then(|commands| commands.session_id.clone());
        let setting = wish.setting.clone();
        self.commanding.under_way.insert(request, wish);
        let operation = SetPresence { whom, change: setting, session_id };
        let id = RequestId::new(request);
        self.commands.push(Effect::Graph(GraphOrder::Set(Request { id, operation, token_max_age })));
    }

    /// A write is over, well or not.
    pub(super) fn write_ended(&mut self, event: Ended<SetPresence>, now: Now) {
        let Some(mut wish) = self.commanding.under_way.remove(&event.request.number()) else { return };
        match event.outcome {
            Ok(()) => {
                self.commanding.forbidden = None;
                self.result(wish.from, None);
                self.report(Report::Commanded(wish.place));
                self.look_at(wish.place);
            }
            Err(ReadFailure::TokenRefused { .. }) if !wish.retried => {
                wish.retried = true;
                let waiting = &mut self.commanding.waiting;
                let is_newer =
                    |other: &Wish| other.place == wish.place && other.setting.kind() == wish.setting.kind();
                if waiting.iter().any(is_newer) {
                    self.superseded(wish);
                } else {
                    waiting.push_front(wish);
                }
            }
            Err(failure) => self.write_failed(wish, &failure, now.tick),
        }
    }

    fn write_failed(&mut self, wish: Wish, failure: &ReadFailure, now: Tick) {
        let why = match failure {
            ReadFailure::Passing { why, .. } => {
                format!("{why}; it is not known whether it was done, and it is not tried again")
            }
            ReadFailure::Throttled { retry_after } => {
                let wait = retry_after.map_or(HOLD.0, |wait| wait.clamp(Duration::from_secs(1), HOLD.1));
                self.commanding.hold_until = now + wait;
                format!("Graph asks for fewer requests; try again in {}", words(wait))
            }
            ReadFailure::Forbidden { advice } => {
                self.commanding.forbidden = Some(advice.clone());
                advice.clone()
            }
            ReadFailure::TokenRefused { .. }
            | ReadFailure::SignInRequired { .. }
            | ReadFailure::NotFound
            | ReadFailure::Refused { .. } => failure.to_string(),
        };
        self.give_up(wish, &why);
    }

    /// Reads somebody alone at once, to show what became of a write.
    fn look_at(&mut self, place: Place) {
        let target = match (&self.people[place].configured, self.settings.endpoint) {
            (UserId::Me, _) => Target::Me(place),
            (UserId::Object(_) | UserId::Principal(_), Endpoint::Communications) => {
                Target::Communications(place)
            }
            (
                UserId::Object(_) | UserId::Principal(_),
                Endpoint::Auto | Endpoint::Me | Endpoint::Users | Endpoint::Bulk,
            ) => Target::User(place),
        };
        self.schedule.look(target);
    }
}
