//! What is asked of Graph when: the schedule within the request budget, what is under way, and how Graph is
//! doing.
//!
//! `schedule` knows when which `target` is due, with `bisection` for requests that are refused as a whole,
//! `tokens` which tokens may be used, and `source` how Graph is doing and how long to leave it alone.
//! [`Requests`] puts them together and decides whose turn it is; `planning` is who is read, and `ended` what
//! the end of a read changes.
//!
//! Each account has its own. All that two of them may share is a budget, which the context holds.

mod bisection;
mod ended;
mod planning;
mod schedule;
mod source;
pub(in crate::core) mod target;
mod tokens;

use std::time::Duration;

use self::schedule::Schedule;
use self::source::Source;
use self::target::{InFlight, Job, ReadTarget, Target};
use self::tokens::Tokens;
use crate::core::context::Context;
use crate::core::model::account::AccountId;
use crate::core::model::budget::Budgets;
use crate::core::model::effect::GraphOrder;
use crate::core::model::health::GraphState;
use crate::core::model::place::Place;
use crate::core::model::report::{Report, words};
use crate::core::model::request::{
    DENIED_RETRY, ReadMembers, ReadPresence, Request, RequestId, ResolveName, SetPresence,
};
use crate::core::model::settings::{AccountSettings, Endpoint, Settings};
use crate::core::model::snapshot::GraphSnapshot;
use crate::core::model::terms::Terms;
use crate::core::model::time::{Now, Tick};
use crate::core::people::Roster;
use crate::core::people::person::Person;

/// Requests of one account to Graph.
#[derive(Debug)]
pub(in crate::core) struct Requests {
    account: AccountId,
    schedule: Schedule,
    source: Source,
    in_flight: InFlight,
    next_id: u64,
    /// It was reported that not everybody can be read in the interval that is configured.
    stretched: bool,
    /// What Graph said when it last forbade somebody to be read.
    forbidden_advice: Option<String>,
    tokens: Tokens,
    random: fastrand::Rng,
}

impl Requests {
    /// Nothing was asked yet. `seed` is all the randomness they get.
    pub(super) fn new(account: AccountId, settings: &AccountSettings, seed: u64, now: Now) -> Self {
        Self {
            account,
            schedule: Schedule::new(settings.reading.poll_interval, now.tick),
            source: Source::new(now),
            in_flight: InFlight::default(),
            next_id: 0,
            stretched: false,
            forbidden_advice: None,
            tokens: Tokens::default(),
            random: fastrand::Rng::with_seed(seed),
        }
    }

    /// These take their place. What is still answered is known by its number, which none of these has; and
    /// whose tokens there are does not change.
    pub(super) fn begin_anew(&mut self, anew: Self) {
        *self = Self { next_id: self.next_id, tokens: std::mem::take(&mut self.tokens), ..anew };
    }

    /// Whose they are.
    pub(in crate::core) fn account(&self) -> AccountId {
        self.account
    }

    /// Another configuration gives the account this place.
    pub(super) fn moved(&mut self, account: AccountId) {
        self.account = account;
    }

    /// The randomness of what is retried.
    pub(in crate::core) fn random(&mut self) -> &mut fastrand::Rng {
        &mut self.random
    }

    /// After how long without an answer values are stale.
    fn stale_after(&self, settings: &Settings) -> Duration {
        let default = Duration::from_secs(120).max(self.schedule.achieved() * 3);
        settings.graph.stale_after.unwrap_or(default)
    }

    /// The interval in which everybody is read once.
    pub(in crate::core) fn achieved_interval(&self) -> Duration {
        self.schedule.achieved()
    }

    /// What the health of the account's people depends on.
    pub(super) fn terms(&self, settings: &Settings) -> Terms {
        let sign_in_required = self.source.state() == GraphState::SignInRequired;
        Terms { sign_in_required, stale_after: self.stale_after(settings) }
    }

    /// How Graph is doing.
    pub(in crate::core) fn source(&self) -> &Source {
        &self.source
    }

    /// When the next read may begin.
    pub(super) fn next_read_at(&self, budgets: &Budgets, now: Tick) -> Option<Tick> {
        if self.in_flight.count() >= self.source.at_once() {
            return None;
        }
        let due = self.schedule.next_due()?;
        Some(due.max(self.source.hold_until()).max(self.next_write_at(budgets, now)))
    }

    /// Whether a read may begin now.
    pub(super) fn is_read_due(&self, cx: &Context) -> bool {
        self.next_read_at(&cx.budgets, cx.now).is_some_and(|at| at <= cx.now)
    }

    /// When the next write may begin, as far as the budget goes.
    pub(super) fn next_write_at(&self, budgets: &Budgets, now: Tick) -> Tick {
        budgets.of(self.account).ready_at(now)
    }

    /// Whether a write may begin now. After each a read that is due has its turn, so that whoever sends
    /// commands without end cannot make everybody stale.
    pub(super) fn may_write(&self, budgets: &Budgets, now: Tick) -> bool {
        let read_is_due = self.next_read_at(budgets, now).is_some_and(|at| at <= now);
        self.next_write_at(budgets, now) <= now && !(budgets.of(self.account).wrote_last() && read_is_due)
    }

    /// Sends a write, which [`may_write`](Self::may_write) allowed.
    pub(super) fn write(
        &mut self,
        operation: SetPresence,
        token_max_age: Option<Duration>,
        cx: &mut Context,
    ) -> RequestId<SetPresence> {
        let request = self.request(operation, token_max_age, cx);
        cx.budgets.of_mut(self.account).was_for_a_write(true);
        let id = request.id;
        cx.ask_graph(self.account, GraphOrder::Set(request));
        id
    }

    /// Reads somebody alone at once, to show what became of a write.
    pub(super) fn look_at(&mut self, place: Place, people: &Roster, cx: &Context) {
        let endpoint = cx.settings.account(self.account).reading.endpoint;
        let is_me = people.get(place).is_some_and(Person::is_me);
        self.schedule.look(match (is_me, endpoint) {
            (true, _) => ReadTarget::Me(place),
            (false, Endpoint::Communications) => ReadTarget::Communications(place),
            (false, Endpoint::Auto | Endpoint::Me | Endpoint::Users | Endpoint::Bulk) => {
                ReadTarget::User(place)
            }
        });
    }

    /// Sends the next read, if one is due; `false` if none is. `next_page` is the page of a group that is to
    /// be read, and whether the group was forbidden.
    pub(super) fn read_next(
        &mut self,
        people: &Roster,
        next_page: impl Fn(usize) -> Option<(ReadMembers, bool)>,
        cx: &mut Context,
    ) -> bool {
        if !self.is_read_due(cx) {
            return false;
        }
        let Some(Job { target, round, refusals }) = self.schedule.take(cx.now) else { return false };
        match target {
            Target::Read(target) => match operation(&target, people) {
                Some(operation) => {
                    let fresh = people.is_any_forbidden(target.places()).then_some(DENIED_RETRY);
                    let request = self.read(operation, fresh, cx);
                    self.in_flight.reads.insert(request.id, Job { target, round, refusals });
                    cx.ask_graph(self.account, GraphOrder::Read(request));
                }
                None => self.done(Job { target, round, refusals }, cx.now),
            },
            Target::Resolve(place) => {
                let name = people.get(place).and_then(|person| person.principal_name().cloned());
                if let Some(operation) = name.map(ResolveName) {
                    let fresh = people.is_any_forbidden(&[place]).then_some(DENIED_RETRY);
                    let request = self.read(operation, fresh, cx);
                    self.in_flight.names.insert(request.id, Job { target: place, round, refusals });
                    cx.ask_graph(self.account, GraphOrder::Resolve(request));
                }
            }
            Target::Members(group) => {
                if let Some((operation, forbidden)) = next_page(group) {
                    let request = self.read(operation, forbidden.then_some(DENIED_RETRY), cx);
                    self.in_flight.pages.insert(request.id, Job { target: group, round, refusals });
                    cx.ask_graph(self.account, GraphOrder::ReadMembers(request));
                }
            }
        }
        true
    }

    /// Somebody else is signed in now, or nobody: what tokens there are is not used any more.
    pub(super) fn account_changed(&mut self, now: Tick) {
        self.tokens.forget(now);
        self.schedule.all_now(now);
    }

    /// Something changed that a refused sign-in was waiting for.
    pub(super) fn sign_in_changed(&mut self, now: Tick) {
        if self.source.state() == GraphState::SignInRequired {
            self.source.try_now(now);
            self.schedule.all_now(now);
        }
    }

    /// Until when Graph wants to be left alone; the past if it does not.
    pub(super) fn hold_until(&self) -> Tick {
        if self.source.state() == GraphState::Throttled { self.source.hold_until() } else { Tick::default() }
    }

    /// What part of its budget the account wants.
    pub(super) fn load(&self, cx: &Context) -> f64 {
        self.schedule.load(cx.budgets.of(self.account))
    }

    /// Fits the interval to the budget, of which others want this part; `true` if it is another one.
    pub(super) fn fit(&mut self, of_others: f64, cx: &mut Context) -> bool {
        let is_another = self.schedule.fit(cx.budgets.of(self.account), of_others);
        if is_another {
            let stretched = self.is_stretched(&cx.settings);
            if stretched && !self.stretched {
                cx.report_of(self.account, Report::Stretched(self.schedule.achieved()));
            }
            self.stretched = stretched;
        }
        is_another
    }

    fn is_stretched(&self, settings: &Settings) -> bool {
        self.schedule.achieved() > settings.account(self.account).reading.poll_interval
    }

    /// That not everybody can be read in the interval that is configured.
    pub(super) fn notice(&self, cx: &Context) -> Option<String> {
        self.is_stretched(&cx.settings).then(|| {
            format!(
                "the poll interval is {} instead of {}: the budget allows {} requests in 30 s",
                words(self.schedule.achieved()),
                words(cx.settings.account(self.account).reading.poll_interval),
                cx.budgets.of(self.account).limit()
            )
        })
    }

    /// What Graph said when it last forbade somebody to be read.
    pub(in crate::core) fn forbidden_advice(&self) -> Option<&str> {
        self.forbidden_advice.as_deref()
    }

    /// The way to Microsoft, as it is at `now`.
    pub(super) fn snapshot(&self, cx: &Context, now: Tick) -> GraphSnapshot {
        let stale_after = self.stale_after(&cx.settings);
        let budget = cx.budgets.of(self.account);
        GraphSnapshot {
            state: self.source.state(),
            since: self.source.since(),
            last_success: self.source.last_success(),
            is_fresh: self.source.answered_at().is_some_and(|at| now < at + stale_after),
            stale_after,
            detail: self.source.detail().map(str::to_owned),
            poll_interval: cx.settings.account(self.account).reading.poll_interval,
            achieved_interval: self.schedule.achieved(),
            budget: budget.limit(),
            budget_used: budget.used(now),
        }
    }

    fn read<O>(&mut self, operation: O, token_max_age: Option<Duration>, cx: &mut Context) -> Request<O> {
        cx.budgets.of_mut(self.account).was_for_a_write(false);
        self.request(operation, token_max_age, cx)
    }

    fn request<O>(&mut self, operation: O, token_max_age: Option<Duration>, cx: &mut Context) -> Request<O> {
        cx.budgets.of_mut(self.account).spend(cx.now);
        let token_max_age = token_max_age.into_iter().chain(self.tokens.max_age(cx.now)).min();
        let id = RequestId::new(self.next_id);
        self.next_id += 1;
        Request { id, operation, token_max_age, own_token_age: self.tokens.own_age(cx.now) }
    }
}

/// What Graph is asked for; nothing if that is about nobody whose object id is known.
fn operation(target: &ReadTarget, people: &Roster) -> Option<ReadPresence> {
    let id = |place: Place| people.get(place).and_then(|person| person.id());
    match target {
        ReadTarget::Me(_) => Some(ReadPresence::Me),
        ReadTarget::User(place) => id(*place).map(ReadPresence::User),
        ReadTarget::Communications(place) => id(*place).map(ReadPresence::Communications),
        ReadTarget::Bulk(places) => {
            // Two names may mean one person, whom Graph wants to hear of once.
            let mut ids: Vec<_> = places.iter().filter_map(|&place| id(place)).collect();
            ids.sort_unstable();
            ids.dedup();
            (!ids.is_empty()).then_some(ReadPresence::Bulk(ids))
        }
    }
}
