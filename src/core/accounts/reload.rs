//! What becomes of the accounts when the configuration is read again.

use super::account::Account;
use super::turns::Turns;
use super::{Accounts, fit};
use crate::core::broker::outbox::Outbox;
use crate::core::context::Context;
use crate::core::model::account::AccountId;
use crate::core::model::event::Access;
use crate::core::model::name::TopicLevel;
use crate::core::model::settings::Settings;
use crate::core::model::successors::Successors;
use crate::core::model::time::Tick;
use crate::core::people::Roster;

/// What another configuration took the place of.
#[derive(Debug)]
pub(in crate::core) struct Reloaded {
    pub before: Settings,
    /// Accounts that are no more, by name.
    pub gone: Vec<TopicLevel>,
    pub successors: Successors,
}

impl Accounts {
    /// The configuration is this one from now on. An account that stays goes on as it was.
    pub(in crate::core) fn configured(
        &mut self,
        settings: Settings,
        access: Vec<Access>,
        outbox: &mut Outbox,
        cx: &mut Context,
    ) -> Reloaded {
        let successors = Successors::new(&cx.settings.accounts, &settings.accounts, access);
        let mut gone = Vec::new();
        for account in &mut self.list {
            let of = successors.now(account.id());
            let next = of.map(|of| (of, settings.account(of), successors.access(of)));
            gone.extend(cx.settings.account(account.id()).name.clone().filter(|_| next.is_none()));
            account.part_with_settings(next, outbox, cx);
        }
        let before = std::mem::replace(&mut cx.settings, settings);
        cx.budgets.configured(&cx.settings.accounts);
        let mut known: Vec<Option<Account>> = self.list.drain(..).map(Some).collect();
        for (of, settings) in cx.settings.accounts() {
            let known = successors.before(of).and_then(|before| known.get_mut(before.index())?.take());
            let mut account = known.unwrap_or_else(|| Account::new(of, settings, self.seed, cx.time()));
            account.requests.moved(of);
            self.list.push(account);
        }
        let count = self.list.len();
        (self.reading, self.writing) = (Turns::of_many(count), Turns::of_many(count));
        Reloaded { before, gone, successors }
    }

    /// Who is followed is handed on by now: everybody is planned anew whose account is read otherwise than
    /// before, and the groups that are read.
    pub(in crate::core) fn plan(
        &mut self,
        reloaded: &Reloaded,
        groups: impl Iterator<Item = (usize, AccountId, Tick)>,
        people: &Roster,
        cx: &mut Context,
    ) {
        let Reloaded { before, successors, .. } = reloaded;
        for account in &mut self.list {
            let (of, now) = (account.id(), &cx.settings.account(account.id()).reading);
            let before = successors.before(of).map(|known| &before.account(known).reading);
            let replanned = before.is_some_and(|before| {
                (before.poll_interval, before.endpoint) != (now.poll_interval, now.endpoint)
            });
            account.requests.configured(successors.access(of), replanned, people, cx);
        }
        self.watch_groups(groups);
        fit(&mut self.list, cx);
    }
}
