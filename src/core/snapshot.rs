//! What is said of the whole bridge: the words of health, its `info`, and what is known at one moment.

use super::accounts::Accounts;
use super::accounts::account::Account;
use super::broker::Broker;
use super::context::Context;
use super::groups::Groups;
use super::health::{AccountHealthWords, BridgeHealth, HealthWords};
use super::lights::lights::Lights;
use super::model::account::addressed;
use super::model::health::Health;
use super::model::people_page::PeopleQuery;
use super::model::snapshot::Snapshot;
use super::model::time::Now;
use super::people::Roster;

/// The departments of which something is said.
pub(super) struct Departments<'a> {
    pub cx: &'a Context,
    pub accounts: &'a Accounts,
    pub people: &'a Roster,
    pub groups: &'a Groups,
    pub broker: &'a Broker,
    pub lights: &'a Lights,
    pub health: &'a BridgeHealth,
}

impl Departments<'_> {
    /// What is published on `<bridge>/health`, and on that of each account.
    pub(super) fn health_words(&self) -> HealthWords {
        let Self { cx, accounts, broker, health, .. } = self;
        let of_accounts = accounts
            .iter()
            .flat_map(|account| self.notices_of(account).map(|notice| cx.named(account.id(), notice)));
        let of_commands = accounts.iter().flat_map(|account| {
            account.command_notices(&cx.settings).map(|notice| cx.named(account.id(), notice))
        });
        let notices = of_accounts
            .chain(broker.refusal_notices())
            .chain(health.notice())
            .chain(of_commands)
            .chain(broker.notices(&cx.settings))
            .collect();
        let words = |account: &Account| {
            let (name, source) =
                (cx.settings.account(account.id()).name.clone(), account.requests().source());
            // Of the only one everything is said together.
            let own = name.iter().flat_map(|name| {
                let notices = self.notices_of(account).chain(account.command_notices(&cx.settings));
                notices.map(|notice| addressed(name, &notice))
            });
            let words = AccountHealthWords {
                graph: source.state(),
                detail: account.detail(&cx.settings),
                notices: own.collect(),
                since: source.since(),
                last_success: source.last_success(),
                may_move: name.is_none() || source.answered_at() == Some(cx.now),
            };
            (name, words)
        };
        HealthWords { accounts: accounts.iter().map(words).collect(), notices }
    }

    /// What is said of one account.
    fn notices_of(&self, account: &Account) -> impl Iterator<Item = String> {
        (account.notices(self.cx))
            .chain(self.people.notices(account.id(), account.requests().forbidden_advice()))
            .chain(self.groups.notices(account.id()))
    }

    /// What `<bridge>/info` holds.
    pub(super) fn info(&self) -> String {
        let Self { cx, accounts, people, broker, health, .. } = self;
        let (interval, of_broker) = (accounts.achieved_interval(), broker.info(&cx.settings));
        health.info(accounts.signed_in(), people.count(), interval, of_broker, &cx.settings)
    }

    /// What is known now, with the people who are wanted in it. `now` counts the time that the machine slept.
    pub(super) fn snapshot(&self, wanted: &PeopleQuery, now: Now) -> Snapshot {
        let Self { cx, accounts, people, broker, lights, health, .. } = self;
        Snapshot {
            at: now.wall,
            version: cx.settings.version,
            accounts: accounts.iter().map(|account| account.snapshot(cx, now.tick)).collect(),
            bridge: cx.settings.mqtt.client_id.clone(),
            started_at: health.started_at(),
            broker: broker.snapshot(),
            notices: self.health_words().notices,
            people: people.count(),
            current: people.count_of(Health::Ok),
            census: Health::ALL.map(|health| (health.as_str(), people.count_of(health))),
            people_page: people.page(wanted, &cx.settings.mqtt.client_id),
            lights: lights.snapshots(),
        }
    }
}
