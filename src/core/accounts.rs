//! The accounts, each with requests, a sign-in and commands of its own. What one of them lives through is nothing to another; all
//! that two of them may share is the budget of one app, by turns.

use super::broker::outbox::Outbox;
use super::commands::CommandQueue;
use super::context::Context;
use super::model::account::{AccountId, addressed};
use super::model::health::GraphState;
use super::model::name::TopicLevel;
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

/// Whoever had no turn for longest is first.
#[derive(Debug, Default)]
struct Turns(Vec<usize>);

/// All accounts, in the order configured.
#[derive(Debug)]
pub(super) struct Accounts {
    list: Vec<Account>,
    /// Whose turn it is to send a read, and a command.
    reading: Turns,
    writing: Turns,
    seed: u64,
}

impl Accounts {
    pub(super) fn new(settings: &Settings, seed: u64, now: Now) -> Self {
        let list: Vec<Account> =
            settings.accounts().map(|(of, account)| Account::new(of, account, seed, now)).collect();
        Self { reading: Turns::of(list.len()), writing: Turns::of(list.len()), list, seed }
    }

    pub(super) fn get_mut(&mut self, account: AccountId) -> Option<&mut Account> {
        self.list.get_mut(account.index())
    }

    /// The account of this name, or the only one, if a person signs in to it.
    pub(super) fn of_person(
        &mut self,
        name: Option<&TopicLevel>,
        settings: &Settings,
    ) -> Option<&mut Account> {
        let is_meant = |account: &&mut Account| {
            let settings = settings.account(account.id());
            settings.name.as_ref() == name && settings.sign_in.invites.is_some()
        };
        self.list.iter_mut().find(is_meant)
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

    /// Whether nothing keeps this account from being read, as far as it is known.
    pub(super) fn is_well(&self, account: AccountId) -> bool {
        let state = self.list.get(account.index()).map(|account| account.requests.state());
        matches!(state, Some(GraphState::Starting | GraphState::Ok))
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

    /// Sends the commands that wait, in turn. Whoever sends them to one account without end cannot make the people of another stale that
    /// has the same budget: after a write it is a read's turn, whosever it is.
    pub(super) fn dispatch(&mut self, people: &Roster, outbox: &mut Outbox, cx: &mut Context) {
        let Self { list, writing, .. } = self;
        list.iter_mut().for_each(|account| account.commands.give_up_late(outbox, cx));
        writing.round(|index| {
            let wrote_last = cx.budgets.of(AccountId::new(index)).wrote_last();
            if wrote_last && sharing(list, index, cx).any(|other| other.is_read_due(cx)) {
                return false;
            }
            let Account { requests, commands, .. } = &mut list[index];
            commands.send_next(people, requests, outbox, cx)
        });
    }

    /// Sends the reads that are due, in turn.
    pub(super) fn read_what_is_due(
        &mut self,
        people: &Roster,
        next_page: impl Fn(usize) -> Option<(ReadMembers, bool)>,
        cx: &mut Context,
    ) {
        let Self { list, reading, .. } = self;
        reading.round(|index| list[index].requests.read_next(people, &next_page, cx));
    }

    /// Fits the intervals to the budgets; `true` if one is another.
    pub(super) fn fit(&mut self, cx: &mut Context) -> bool {
        let mut is_another = false;
        for index in 0..self.list.len() {
            let of_others = sharing(&self.list, index, cx).map(|other| other.load(cx)).sum();
            is_another |= self.list[index].requests.fit(of_others, cx);
        }
        is_another
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
        (self.reading, self.writing) = (Turns::of(self.list.len()), Turns::of(self.list.len()));
    }
}

impl Turns {
    fn of(count: usize) -> Self {
        Self((0..count).collect())
    }

    /// Lets each do one thing after the other until none does anything, so that none of those that share a budget uses it up.
    /// Somebody with a budget of their own takes nobody's turn: whoever did something is last from now on.
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

/// The others who have the same budget.
fn sharing<'a>(list: &'a [Account], index: usize, cx: &'a Context) -> impl Iterator<Item = &'a Requests> {
    let account = AccountId::new(index);
    let others = list.iter().map(|other| &other.requests);
    others.filter(move |other| other.account() != account && cx.budgets.is_shared(other.account(), account))
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
        let is_needed = self.needs_sign_in(settings).is_some();
        let detail = self.sign_in.trouble().filter(|_| is_needed).or(self.requests.detail())?;
        let name = settings.account(self.id()).name.as_ref();
        Some(name.map_or_else(|| detail.to_owned(), |name| addressed(name, detail)))
    }
}
