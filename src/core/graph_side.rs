//! Graph's side: the accounts, the groups that they read, and the people who are followed by that. They meet
//! here; what comes of it for everybody else is handed on by the roster.
//!
//! What one account lives through is nothing to another; all that two of them may share is the budget of one
//! app, by turns.

use std::time::Duration;

use super::account::{Account, ToldWho};
use super::broker::outbox::Outbox;
use super::context::Context;
use super::groups::Groups;
use super::groups::roster_change::CarriedOut;
use super::model::account::AccountId;
use super::model::command::Command;
use super::model::event::{Access, PresenceEvent};
use super::model::foreign::Legible;
use super::model::health::GraphState;
use super::model::name::TopicLevel;
use super::model::name_conflict::NameConflict;
use super::model::place::{Entry, Place};
use super::model::report::Report;
use super::model::settings::Settings;
use super::model::sign_in::{LandingAddress, SignInEvent};
use super::model::successors::Successors;
use super::model::time::Tick;
use super::people::Roster;
use super::people::moved::Moves;
use super::people::terms::Terms;
use super::requests::Requests;
use super::sign_in::SignIn;

/// What is said to an address that no sign-in of any account waits for.
const NOT_LANDED: &str = "this is not the address of the waiting sign-in: copy the whole address from the browser's address bar, or start again";

/// Whoever had no turn for longest is first.
#[derive(Debug, Default)]
struct Turns(Vec<usize>);

/// What is read from Graph, and who reads it.
#[derive(Debug)]
pub(super) struct GraphSide {
    pub people: Roster,
    pub groups: Groups,
    /// In the order configured.
    accounts: Vec<Account>,
    /// Whose turn it is to send a read, and a command.
    reading: Turns,
    writing: Turns,
    seed: u64,
}

/// What another configuration took the place of.
#[derive(Debug)]
pub(super) struct Reloaded {
    pub before: Settings,
    /// Accounts that are no more, by name.
    pub gone: Vec<TopicLevel>,
    successors: Successors,
}

impl GraphSide {
    /// The configured people are followed, and nothing was asked or planned yet. `seed` is all the randomness
    /// that the accounts get.
    pub(super) fn new(seed: u64, cx: &Context) -> Self {
        let accounts = cx.settings.accounts();
        let accounts: Vec<Account> =
            accounts.map(|(of, account)| Account::new(of, account, seed, cx.time())).collect();
        let mut side = Self {
            people: Roster::new(terms(&accounts, &cx.settings), cx.now),
            groups: Groups::new(&cx.settings.groups, cx.now),
            reading: Turns::of(accounts.len()),
            writing: Turns::of(accounts.len()),
            accounts,
            seed,
        };
        for (index, user) in cx.settings.users.iter().enumerate() {
            side.people.join(user.clone(), Entry::user(index), None, cx);
        }
        side
    }

    /// Knows nothing but who is signed in, and what was spent: this takes the place of what was asked and
    /// known.
    pub(super) fn begin_anew(&mut self, anew: Self) {
        (self.people, self.groups) = (anew.people, anew.groups);
        for (account, anew) in self.accounts.iter_mut().zip(anew.accounts) {
            account.requests.begin_anew(anew.requests);
        }
    }

    pub(super) fn accounts(&self) -> impl Iterator<Item = &Account> {
        self.accounts.iter()
    }

    /// The sign-in to the account of this name, or to the only one.
    ///
    /// # Errors
    ///
    /// If no person signs in to it.
    pub(super) fn sign_in_of(
        &mut self,
        name: Option<&TopicLevel>,
        settings: &Settings,
    ) -> Result<&mut SignIn, Legible> {
        let is_meant = |account: &&mut Account| {
            let settings = settings.account(account.id());
            settings.name.as_ref() == name && settings.sign_in.invites.is_some()
        };
        let account = self.accounts.iter_mut().find(is_meant);
        account.map(|account| &mut account.sign_in).ok_or("no person signs in to this account".into())
    }

    /// The sign-in that ends on this address.
    ///
    /// # Errors
    ///
    /// If none does.
    pub(super) fn sign_in_at(&mut self, address: &LandingAddress) -> Result<&mut SignIn, Legible> {
        let mut sign_ins = self.accounts.iter_mut().map(|account| &mut account.sign_in);
        sign_ins.find(|sign_in| sign_in.ends_on(address)).ok_or(NOT_LANDED.into())
    }

    /// Whether somebody of this name, who is missing, is still expected.
    pub(super) fn expects(&self, name: &TopicLevel) -> bool {
        let state =
            |account: AccountId| self.accounts.get(account.index()).map(|account| account.requests.state());
        self.groups
            .expects(name, |account| matches!(state(account), Some(GraphState::Starting | GraphState::Ok)))
    }

    /// When time alone changes something.
    pub(super) fn wake_at(&self, cx: &Context, now: Tick) -> Option<Tick> {
        let of_accounts = self.accounts.iter().filter_map(|account| account.wake_at(&self.people, cx, now));
        of_accounts.chain(self.people.wake_at()).min()
    }

    /// A request of this account is over.
    ///
    /// # Errors
    ///
    /// If two people would have one name, at the start of a run.
    pub(super) fn answered(
        &mut self,
        account: AccountId,
        event: PresenceEvent,
        outbox: &mut Outbox,
        cx: &mut Context,
    ) -> Result<(), NameConflict> {
        let Self { people, groups, accounts, .. } = self;
        let Some(Account { requests, commands, .. }) = accounts.get_mut(account.index()) else {
            return Ok(());
        };
        match event {
            PresenceEvent::Read(ended) => people.presence_read(ended, requests, cx),
            PresenceEvent::Resolved(ended) => people.name_resolved(ended, requests, cx),
            PresenceEvent::Members(ended) => return groups.members_read(ended, people, requests, cx),
            PresenceEvent::Set(ended) => commands.presence_set(ended, people, requests, outbox, cx),
        }
        Ok(())
    }

    /// Something happened with signing in to this account. Returns what it was told of who is signed in.
    pub(super) fn sign_in_happened(
        &mut self,
        of: AccountId,
        event: SignInEvent,
        outbox: &mut Outbox,
        cx: &mut Context,
    ) -> Option<ToldWho> {
        let told = self.accounts.get_mut(of.index())?.sign_in_happened(event, outbox, cx)?;
        if told.is_another {
            self.people.somebody_else_signed_in(of, cx);
        }
        Some(told)
    }

    /// Takes a command, unless it is about nobody, or none are taken. Returns whether it is answered.
    pub(super) fn take_command(&mut self, command: Command, outbox: &mut Outbox, cx: &mut Context) -> bool {
        let Self { people, accounts, .. } = self;
        let person = people.by_name(&command.user).and_then(|place| people.get(place));
        let account = person.and_then(|person| accounts.get_mut(person.account().index()));
        let Some(account) = account.filter(|_| cx.settings.commands.is_some()) else { return false };
        account.commands.take(command, account.requests.hold_until(), people, outbox, cx);
        true
    }

    /// Takes whether commands can set somebody, and reports it when it changes.
    pub(super) fn permit(&mut self, place: Place, cx: &mut Context) {
        let Self { people, accounts, .. } = self;
        let Some(person) = people.get(place) else { return };
        let Some(account) = accounts.get(person.account().index()) else { return };
        let settable = account.commands.may_set(person, &cx.settings);
        if people.permit(place, settable) {
            cx.report(Report::Settable(people.who(place, cx), settable));
        }
    }

    /// The same about everybody.
    pub(super) fn permit_everybody(&mut self, cx: &mut Context) {
        let places: Vec<Place> = self.people.iter().map(|(place, _)| place).collect();
        places.into_iter().for_each(|place| self.permit(place, cx));
    }

    /// Carries out what the members of a group that was read change, one after the other.
    pub(super) fn carry_out_next(&mut self, cx: &mut Context) -> Option<CarriedOut> {
        self.groups.carry_out_next(&mut self.people, cx)
    }

    /// Who came and went: what is asked and commanded about them begins, or ends. Returns that for everybody
    /// else.
    pub(super) fn next_moves(&mut self, outbox: &mut Outbox, cx: &mut Context) -> Option<Moves> {
        let Self { people, accounts, .. } = self;
        let moves = people.take_moves()?;
        let Moves { left, renamed, joined, read_anew, .. } = &moves;
        for Account { requests, commands, .. } in &mut *accounts {
            for gone in [left, read_anew].into_iter().filter(|gone| !gone.is_empty()) {
                requests.forget(gone);
            }
            commands.forget(left, outbox, cx);
            commands.forget(renamed, outbox, cx);
        }
        for &place in joined.iter().chain(read_anew) {
            let Some(person) = people.get(place) else { continue };
            if let Some(account) = accounts.get_mut(person.account().index()) {
                account.requests.watch(place, person, cx);
            }
        }
        Some(moves)
    }

    /// Judges what time alone changed.
    pub(super) fn judge(&mut self, cx: &Context) {
        self.people.settle(cx);
        self.people.judge(terms(&self.accounts, &cx.settings), cx);
    }

    /// Sends the commands that wait, and then the reads that are due, each in turn; `true` if the interval is
    /// another by now.
    ///
    /// Whoever sends commands to one account without end cannot make the people of another stale that has the
    /// same budget: after a write it is a read's turn, whosever it is.
    pub(super) fn send(&mut self, outbox: &mut Outbox, cx: &mut Context) -> bool {
        let Self { people, groups, accounts, reading, writing, .. } = self;
        accounts.iter_mut().for_each(|account| account.commands.give_up_late(outbox, cx));
        writing.round(|index| {
            let wrote_last = cx.budgets.of(AccountId::new(index)).wrote_last();
            if wrote_last && sharing(accounts, index, cx).any(|other| other.is_read_due(cx)) {
                return false;
            }
            let Account { requests, commands, .. } = &mut accounts[index];
            commands.send_next(people, requests, outbox, cx)
        });
        let is_another = fit(accounts, cx);
        reading
            .round(|index| accounts[index].requests.read_next(people, |group| groups.next_page(group), cx));
        is_another
    }

    /// Begins invitations that are needed, and takes back those that are not.
    pub(super) fn invite(&mut self, is_stopping: bool, outbox: &mut Outbox, cx: &mut Context) {
        for account in &mut self.accounts {
            let needed = account.needs_sign_in(&cx.settings).filter(|_| !is_stopping);
            account.sign_in.invite(needed, outbox, cx);
        }
    }

    /// A code of an earlier run that did not live to take it back, or of this one, is retained there.
    pub(super) fn found_code(&self, topic: &str, outbox: &mut Outbox, cx: &Context) {
        let is_shown = |account: &Account| account.sign_in.shown().is_some();
        if !cx.settings.is_single() || !self.accounts.iter().any(is_shown) {
            outbox.remove(topic.to_owned());
        }
    }

    /// Somebody wants everybody to be read now.
    pub(super) fn refresh(&mut self, cx: &Context) {
        let Self { groups, accounts, .. } = self;
        for account in accounts {
            account.requests.refresh(|group| groups.is_worth_a_try(group), cx.now);
        }
    }

    /// Nothing that is under way will be answered, or must be.
    pub(super) fn cut_off(&mut self, why: &str, outbox: &mut Outbox, cx: &mut Context) {
        self.accounts.iter_mut().for_each(|account| account.cut_off(why, outbox, cx));
    }

    /// Time went on unseen. Everybody is read at once, and stale after the `grace` if that does not succeed.
    pub(super) fn slept(&mut self, grace: Duration, cx: &Context) {
        self.accounts.iter_mut().for_each(|account| account.requests.slept(cx.now));
        self.people.slept(grace, cx);
    }

    /// The configuration is this one from now on: other accounts, groups and people. Who stays, stays as they
    /// are.
    pub(super) fn configured(
        &mut self,
        settings: Settings,
        access: Vec<Access>,
        outbox: &mut Outbox,
        cx: &mut Context,
    ) -> Reloaded {
        let successors = Successors::new(&cx.settings.accounts, &settings.accounts, access);
        let mut gone = Vec::new();
        for account in &mut self.accounts {
            let of = successors.now(account.id());
            let next = of.map(|of| (of, settings.account(of), successors.access(of)));
            gone.extend(cx.settings.account(account.id()).name.clone().filter(|_| next.is_none()));
            account.part_with_settings(next, outbox, cx);
        }
        let before = std::mem::replace(&mut cx.settings, settings);
        cx.budgets.configured(&cx.settings.accounts);
        let mut known: Vec<Option<Account>> = self.accounts.drain(..).map(Some).collect();
        for (of, settings) in cx.settings.accounts() {
            let known = successors.before(of).and_then(|before| known.get_mut(before.index())?.take());
            let mut account = known.unwrap_or_else(|| Account::new(of, settings, self.seed, cx.time()));
            account.requests.moved(of);
            self.accounts.push(account);
        }
        (self.reading, self.writing) = (Turns::of(self.accounts.len()), Turns::of(self.accounts.len()));
        self.groups.configured(&cx.settings.groups, cx.now);
        let Self { people, groups, accounts, .. } = self;
        people.follow(&successors, terms(accounts, &cx.settings), |id| groups.group_of(id), cx);
        Reloaded { before, gone, successors }
    }

    /// Who is followed is handed on by now: everybody is planned anew whose account is read otherwise than
    /// before. Returns whether the interval is another by that.
    pub(super) fn plan(&mut self, reloaded: &Reloaded, cx: &mut Context) -> bool {
        let Reloaded { before, successors, .. } = reloaded;
        for account in &mut self.accounts {
            let (of, now) = (account.id(), &cx.settings.account(account.id()).reading);
            let before = successors.before(of).map(|known| &before.account(known).reading);
            let replanned = before.is_some_and(|before| {
                (before.poll_interval, before.endpoint) != (now.poll_interval, now.endpoint)
            });
            account.requests.configured(successors.access(of), replanned, &self.people, cx);
        }
        self.watch_groups();
        fit(&mut self.accounts, cx)
    }

    /// Plans when the groups are read.
    pub(super) fn watch_groups(&mut self) {
        for (group, account, due) in self.groups.begun() {
            if let Some(account) = self.accounts.get_mut(account.index()) {
                account.requests.watch_group(group, due);
            }
        }
    }
}

impl Turns {
    fn of(count: usize) -> Self {
        Self((0..count).collect())
    }

    /// Lets each do one thing after the other until none does anything, so that none of those that share a
    /// budget uses it up. Somebody with a budget of their own takes nobody's turn: whoever did something is
    /// last from now on.
    fn round(&mut self, mut does: impl FnMut(usize) -> bool) {
        let mut at = 0;
        while let Some(&index) = self.0.get(at) {
            if does(index) {
                self.0[at..].rotate_left(1);
            } else {
                at += 1;
            }
        }
    }
}

/// What the people of each account depend on.
fn terms(accounts: &[Account], settings: &Settings) -> impl Iterator<Item = Terms> {
    accounts.iter().map(|Account { requests, .. }| Terms {
        sign_in_required: requests.state() == GraphState::SignInRequired,
        stale_after: requests.stale_after(settings),
    })
}

/// The others who have the same budget.
fn sharing<'a>(accounts: &'a [Account], index: usize, cx: &'a Context) -> impl Iterator<Item = &'a Requests> {
    let account = AccountId::new(index);
    let others = accounts.iter().map(|other| &other.requests);
    others.filter(move |other| other.account() != account && cx.budgets.is_shared(other.account(), account))
}

/// Fits the intervals to the budgets; `true` if one is another.
fn fit(accounts: &mut [Account], cx: &mut Context) -> bool {
    let mut is_another = false;
    for index in 0..accounts.len() {
        let of_others = sharing(accounts, index, cx).map(|other| other.load(cx)).sum();
        is_another |= accounts[index].requests.fit(of_others, cx);
    }
    is_another
}
