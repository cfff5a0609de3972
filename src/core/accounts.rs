//! The accounts, each with requests, a sign-in and commands of its own. What one of them lives through is nothing to another; all
//! that two of them may share is the budget of one app, by turns.

use super::broker::outbox::Outbox;
use super::commands::CommandQueue;
use super::context::Context;
use super::model::account::{AccountId, addressed};
use super::model::health::GraphState;
use super::model::request::ReadMembers;
use super::model::settings::{AccountSettings, Settings};
use super::model::sign_in::SignInBy;
use super::model::successors::Successors;
use super::model::time::{Now, Tick};
use super::people::Roster;
use super::people::terms::Terms;
use super::requests::Requests;
use super::sign_in::SignIn;

/// All that is about one account.
#[derive(Debug)]
pub(super) struct Account {
    pub requests: Requests,
    pub sign_in: SignIn,
    pub commands: CommandQueue,
}

/// All accounts, in the order configured.
#[derive(Debug)]
pub(super) struct Accounts {
    list: Vec<Account>,
    /// Who sent the last read: the turn is the next one's.
    last: usize,
    seed: u64,
}

impl Accounts {
    pub(super) fn new(settings: &Settings, seed: u64, now: Now) -> Self {
        let list = settings.accounts().map(|(of, account)| Account::new(of, account, seed, now)).collect();
        Self { list, last: 0, seed }
    }

    pub(super) fn get_mut(&mut self, account: AccountId) -> Option<&mut Account> {
        self.list.get_mut(account.index())
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Account> {
        self.list.iter()
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Account> {
        self.list.iter_mut()
    }

    /// What the people of each depend on.
    pub(super) fn terms(&self, settings: &Settings) -> impl Iterator<Item = Terms> {
        self.list.iter().map(|Account { requests, .. }| Terms {
            sign_in_required: requests.state() == GraphState::SignInRequired,
            stale_after: requests.stale_after(settings),
        })
    }

    /// When the next request may begin, or the next invitation.
    pub(super) fn wake_at(&self, people: &Roster, cx: &Context, now: Tick) -> Option<Tick> {
        let of_one = |account: &Account| {
            let Account { requests, commands, sign_in } = account;
            let read = requests.next_read_at(&cx.budgets, now);
            let write = commands.wake_at(people, requests, &cx.budgets, now);
            let invitation = sign_in.wake_at(account.needs_sign_in(&cx.settings));
            read.into_iter().chain(write).chain(invitation).min()
        };
        self.list.iter().filter_map(of_one).min()
    }

    /// Sends the commands that wait. Whoever sends them to one account without end cannot make the people of another stale that has the
    /// same budget: after a write it is a read's turn, whosever it is.
    pub(super) fn dispatch(&mut self, people: &Roster, outbox: &mut Outbox, cx: &mut Context) {
        for index in 0..self.list.len() {
            let wrote_last = cx.budgets.of(AccountId::new(index)).wrote_last();
            if wrote_last && self.sharing(index, cx).any(|other| other.is_read_due(cx)) {
                continue;
            }
            let Account { requests, commands, .. } = &mut self.list[index];
            commands.dispatch(people, requests, outbox, cx);
        }
    }

    /// Sends the reads that are due, one account after the other in turn, so that none of those that share a budget uses it up.
    pub(super) fn read_what_is_due(
        &mut self,
        people: &Roster,
        next_page: impl Fn(usize) -> Option<(ReadMembers, bool)>,
        cx: &mut Context,
    ) {
        let count = self.list.len();
        let mut had_none = 0;
        while had_none < count {
            self.last = (self.last + 1) % count;
            let reads = self.list[self.last].requests.read_next(people, &next_page, cx);
            had_none = if reads { 0 } else { had_none + 1 };
        }
    }

    /// Fits the intervals to the budgets; `true` if one is another.
    pub(super) fn fit(&mut self, cx: &mut Context) -> bool {
        let mut is_another = false;
        for index in 0..self.list.len() {
            let of_others = self.sharing(index, cx).map(|other| other.load(cx)).sum();
            is_another |= self.list[index].requests.fit(of_others, cx);
        }
        is_another
    }

    /// The others who have the same budget.
    fn sharing(&self, index: usize, cx: &Context) -> impl Iterator<Item = &Requests> {
        let account = AccountId::new(index);
        let others = self.list.iter().map(|other| &other.requests);
        others
            .filter(move |other| other.account() != account && cx.budgets.is_shared(other.account(), account))
    }

    /// These take the place of what was asked and known; who is signed in stays, and so does what was spent.
    pub(super) fn begin_anew(&mut self, anew: Self) {
        for (account, anew) in self.list.iter_mut().zip(anew.list) {
            account.requests.begin_anew(anew.requests);
        }
    }

    /// Other accounts are configured, by now: who stays, stays as they are.
    pub(super) fn succeed(&mut self, successors: &Successors, cx: &Context) {
        let mut before: Vec<Option<Account>> = std::mem::take(&mut self.list).into_iter().map(Some).collect();
        for (of, settings) in cx.settings.accounts() {
            let known = successors.before(of).and_then(|before_| before.get_mut(before_.index())?.take());
            let mut account = known.unwrap_or_else(|| Account::new(of, settings, self.seed, cx.time()));
            account.requests.moved(of);
            self.list.push(account);
        }
        self.last = 0;
    }
}

impl Account {
    fn new(of: AccountId, settings: &AccountSettings, seed: u64, now: Now) -> Self {
        // By name: what others are configured changes nothing for this one.
        let name = settings.name.iter().flat_map(|name| name.as_str().bytes());
        let seed = name.fold(seed, |seed, byte| (seed ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
        Self {
            requests: Requests::new(of, settings, seed, now),
            sign_in: SignIn::new(of, settings, seed, now.tick),
            commands: CommandQueue::new(of),
        }
    }

    pub(super) fn id(&self) -> AccountId {
        self.requests.account()
    }

    /// How a person has to sign in, if one has to.
    pub(super) fn needs_sign_in(&self, settings: &Settings) -> Option<SignInBy> {
        let required = self.requests.state() == GraphState::SignInRequired;
        settings.account(self.id()).sign_in.invites.filter(|_| required)
    }

    /// What is wrong, and what to do.
    pub(super) fn detail(&self, settings: &Settings) -> Option<String> {
        let detail = self.sign_in.trouble().or(self.requests.detail())?;
        let name = settings.account(self.id()).name.as_ref();
        Some(name.map_or_else(|| detail.to_owned(), |name| addressed(name, detail)))
    }
}
