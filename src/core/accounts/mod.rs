//! The accounts that Graph is asked by. Each `account` has `requests` (what it asks, and when), a `sign_in`
//! (who is in) and `commands` (what users send about its people), and knows nothing of the others: all that
//! two of them may share is the budget of one app, by `turns`. `acts` are what people want of it, `reload`
//! what another configuration makes of them.

pub(super) mod account;
mod acts;
mod commands;
mod reload;
pub(super) mod requests;
mod sign_in;
mod turns;

use std::time::Duration;

use self::account::Account;
use self::requests::Requests;
use self::turns::Turns;
use super::broker::outbox::Outbox;
use super::context::Context;
use super::model::account::AccountId;
use super::model::effect::Message;
use super::model::event::Incoming;
use super::model::health::GraphState;
use super::model::heard::Heard;
use super::model::moves::Moves;
use super::model::place::Place;
use super::model::report::Report;
use super::model::request::{Ended, ReadMembers, SetPresence};
use super::model::settings::Settings;
use super::model::terms::Terms;
use super::model::time::Tick;
use super::model::topic::BridgeField;
use super::people::Roster;

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
    /// Nothing was asked or planned yet. `seed` is all the randomness that they get.
    pub(super) fn new(seed: u64, cx: &Context) -> Self {
        let new = |(of, settings)| Account::new(of, settings, seed, cx.time());
        let list: Vec<Account> = cx.settings.accounts().map(new).collect();
        Self { reading: Turns::of_many(list.len()), writing: Turns::of_many(list.len()), list, seed }
    }

    /// Knows nothing but who is signed in, and what was spent: these take the place of what was asked.
    pub(super) fn begin_anew(&mut self, anew: Self) {
        for (account, anew) in self.list.iter_mut().zip(anew.list) {
            account.requests.begin_anew(anew.requests);
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Account> {
        self.list.iter()
    }

    pub(super) fn get_mut(&mut self, of: AccountId) -> Option<&mut Account> {
        self.list.get_mut(of.index())
    }

    /// The requests of this one.
    pub(super) fn requests_mut(&mut self, of: AccountId) -> Option<&mut Requests> {
        self.get_mut(of).map(|account| &mut account.requests)
    }

    /// A request of this one to set presence is over.
    pub(super) fn presence_set(
        &mut self,
        of: AccountId,
        ended: Ended<SetPresence>,
        people: &Roster,
        outbox: &mut Outbox,
        cx: &mut Context,
    ) {
        let Some(Account { requests, commands, .. }) = self.get_mut(of) else { return };
        commands.presence_set(ended, people, requests, outbox, cx);
    }

    /// What the health of the people of each depends on.
    pub(super) fn terms(&self, settings: &Settings) -> impl Iterator<Item = Terms> {
        self.list.iter().map(|account| account.requests.terms(settings))
    }

    /// The interval in which the people of each are read once: the longest.
    pub(super) fn achieved_interval(&self) -> Duration {
        self.list.iter().map(|account| account.requests.achieved_interval()).max().unwrap_or_default()
    }

    /// Who is signed in to each.
    pub(super) fn signed_in(&self) -> impl Iterator<Item = Option<&str>> {
        self.list.iter().map(|account| account.sign_in.account())
    }

    /// When time alone changes something.
    pub(super) fn wake_at(&self, people: &Roster, cx: &Context, now: Tick) -> Option<Tick> {
        self.list.iter().filter_map(|account| account.wake_at(people, cx, now)).min()
    }

    /// Lets the roster know whether commands can set somebody, and reports it when it changes.
    pub(super) fn permit(&self, place: Place, people: &mut Roster, cx: &mut Context) {
        let Some(person) = people.get(place) else { return };
        let Some(account) = self.list.get(person.account().index()) else { return };
        let settable = account.commands.may_set(person, &cx.settings);
        if people.permit(place, settable) {
            cx.report(Report::Settable(people.who(place, cx), settable));
        }
    }

    /// The same about everybody.
    pub(super) fn permit_everybody(&self, people: &mut Roster, cx: &mut Context) {
        let places: Vec<Place> = people.iter().map(|(place, _)| place).collect();
        places.into_iter().for_each(|place| self.permit(place, people, cx));
    }

    /// Somebody came or went: what is asked and commanded about them begins, or ends.
    pub(super) fn moved(&mut self, moves: &Moves, people: &Roster, outbox: &mut Outbox, cx: &mut Context) {
        let Moves { left, renamed, joined, read_anew, .. } = moves;
        for Account { requests, commands, .. } in &mut self.list {
            for gone in [left, read_anew].into_iter().filter(|gone| !gone.is_empty()) {
                requests.forget(gone);
            }
            commands.forget(left, outbox, cx);
            commands.forget(renamed, outbox, cx);
        }
        for &place in joined.iter().chain(read_anew) {
            let Some(person) = people.get(place) else { continue };
            if let Some(account) = self.get_mut(person.account()) {
                account.requests.watch(place, person, cx);
            }
        }
    }

    /// Plans when these groups are read.
    pub(super) fn watch_groups(&mut self, groups: impl Iterator<Item = (usize, AccountId, Tick)>) {
        for (group, account, due) in groups {
            if let Some(account) = self.get_mut(account) {
                account.requests.watch_group(group, due);
            }
        }
    }

    /// Sends the commands that wait, and then the reads that are due, each in turn; `true` if the interval is
    /// another by now. `next_page` is what is read of a group next.
    ///
    /// Whoever sends commands to one account without end cannot make the people of another stale that has the
    /// same budget: after a write it is a read's turn, whosever it is.
    pub(super) fn send(
        &mut self,
        people: &Roster,
        next_page: impl Fn(usize) -> Option<(ReadMembers, bool)>,
        outbox: &mut Outbox,
        cx: &mut Context,
    ) -> bool {
        let Self { list, reading, writing, .. } = self;
        list.iter_mut().for_each(|account| account.commands.give_up_late(outbox, cx));
        writing.round(|index| {
            let wrote_last = cx.budgets.of(AccountId::new(index)).wrote_last();
            if wrote_last && sharing(list, index, cx).any(|other| other.is_read_due(cx)) {
                return false;
            }
            let Account { requests, commands, .. } = &mut list[index];
            commands.send_next(people, requests, outbox, cx)
        });
        let is_another = fit(list, cx);
        reading.round(|index| list[index].requests.read_next(people, &next_page, cx));
        is_another
    }

    /// Begins invitations that are needed, and takes back those that are not.
    pub(super) fn invite(&mut self, is_stopping: bool, outbox: &mut Outbox, cx: &mut Context) {
        for account in &mut self.list {
            let needed = account.needs_sign_in(&cx.settings).filter(|_| !is_stopping);
            account.sign_in.invite(needed, outbox, cx);
        }
    }

    /// Queues the invitations that are shown.
    pub(super) fn publish_shown(&self, outbox: &mut Outbox, cx: &Context) {
        self.list.iter().for_each(|account| account.sign_in.publish_shown(outbox, cx));
    }

    /// Takes back a code that is retained, if an earlier run did not live to do it.
    pub(super) fn found(&self, heard: &Heard, message: &Incoming, outbox: &mut Outbox, cx: &Context) {
        let is_shown = |account: &Account| account.sign_in.shown().is_some();
        let is_own = cx.settings.is_single() && self.list.iter().any(is_shown);
        if *heard == Heard::Own(BridgeField::SignIn) && !is_own {
            outbox.remove(message.topic.clone());
        }
    }

    /// Somebody wants everybody to be read now, and the groups that are worth it.
    pub(super) fn refresh(&mut self, is_worth_it: impl Fn(usize) -> bool, now: Tick) {
        self.list.iter_mut().for_each(|account| account.requests.refresh(&is_worth_it, now));
    }

    /// Nothing that is under way will be answered, or must be.
    pub(super) fn cut_off(&mut self, why: &str, outbox: &mut Outbox, cx: &mut Context) {
        self.list.iter_mut().for_each(|account| account.cut_off(why, outbox, cx));
    }

    /// Time went on unseen: everybody is read at once.
    pub(super) fn slept(&mut self, outbox: &mut Outbox, cx: &mut Context) {
        self.cut_off("the machine slept meanwhile; the result is not known", outbox, cx);
        self.list.iter_mut().for_each(|account| account.requests.slept(cx.now));
    }

    /// Whether Graph answers to this account, as far as is known.
    pub(super) fn is_well(&self, of: AccountId) -> bool {
        let state = self.list.get(of.index()).map(|account| account.requests.source().state());
        matches!(state, Some(GraphState::Starting | GraphState::Ok))
    }

    /// What empties the topics of the invitations that are announced.
    pub(super) fn goodbye(&self, cx: &Context) -> impl Iterator<Item = Message> {
        self.list.iter().filter_map(|account| account.sign_in.goodbye(cx))
    }
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
