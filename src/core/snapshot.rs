//! What is said of the whole bridge: the words of health, and what is known at one moment.

use super::account::Account;
use super::broker::Broker;
use super::broker::outbox::Outbox;
use super::context::Context;
use super::graph_side::GraphSide;
use super::health::{AccountHealthWords, BridgeHealth, HealthWords};
use super::lights::lights::Lights;
use super::model::account::{AccountId, addressed};
use super::model::health::Health;
use super::model::people_page::PeopleQuery;
use super::model::snapshot::{AccountSnapshot, GraphSnapshot, Snapshot};
use super::model::time::Now;

/// The departments of which something is said.
pub(super) struct Departments<'a> {
    pub cx: &'a Context,
    pub graph: &'a GraphSide,
    pub broker: &'a Broker,
    pub outbox: &'a Outbox,
    pub lights: &'a Lights,
    pub health: &'a BridgeHealth,
}

impl Departments<'_> {
    /// What is published on `<bridge>/health`, and on that of each account.
    pub(super) fn health_words(&self) -> HealthWords {
        let cx = self.cx;
        let named = |(account, notice): (AccountId, String)| cx.named(account, notice);
        let of_accounts = self
            .graph
            .accounts()
            .flat_map(|account| self.notices_of(account).map(|notice| (account.id(), notice)));
        let of_commands = self
            .graph
            .accounts()
            .flat_map(|account| account.commands.notices(&cx.settings).map(|notice| (account.id(), notice)));
        let notices = (of_accounts.map(named))
            .chain(self.broker.refusal_notices())
            .chain(self.outbox.notice())
            .chain(self.health.notice())
            .chain(of_commands.map(named))
            .chain(self.broker.notices(&cx.settings))
            .collect();
        let words = |account: &Account| {
            let name = cx.settings.account(account.id()).name.clone();
            // Of the only one everything is said together.
            let own = name.iter().flat_map(|name| {
                let notices = self.notices_of(account).chain(account.commands.notices(&cx.settings));
                notices.map(|notice| addressed(name, &notice))
            });
            let words = AccountHealthWords {
                graph: account.requests.state(),
                detail: account.detail(&cx.settings),
                notices: own.collect(),
                since: account.requests.since(),
                last_success: account.requests.last_success(),
                may_move: name.is_none() || account.requests.answered_at() == Some(cx.now),
            };
            (name, words)
        };
        HealthWords { accounts: self.graph.accounts().map(words).collect(), notices }
    }

    /// What is said of one account.
    fn notices_of(&self, account: &Account) -> impl Iterator<Item = String> {
        let Account { requests, sign_in, .. } = account;
        (requests.notice(self.cx).into_iter())
            .chain(sign_in.notices(self.cx.wall))
            .chain(self.graph.people.notices(account.id(), requests.forbidden_advice()))
            .chain(self.graph.groups.notices(account.id()))
    }

    /// What is known now, with the people who are wanted in it. `now` counts the time that the machine slept.
    pub(super) fn snapshot(&self, wanted: &PeopleQuery, now: Now) -> Snapshot {
        let cx = self.cx;
        Snapshot {
            at: now.wall,
            version: cx.settings.version,
            accounts: self.graph.accounts().map(|account| self.account(account, now)).collect(),
            bridge: cx.settings.mqtt.client_id.clone(),
            started_at: self.health.started_at(),
            broker: self.broker.snapshot(self.outbox),
            notices: self.health_words().notices,
            people: self.graph.people.count(),
            current: self.graph.people.count_of(Health::Ok),
            census: Health::ALL.map(|health| (health.as_str(), self.graph.people.count_of(health))),
            people_page: self.graph.people.page(wanted, &cx.settings.mqtt.client_id),
            lights: self.lights.snapshots(),
        }
    }

    fn account(&self, account: &Account, now: Now) -> AccountSnapshot {
        let cx = self.cx;
        let settings = cx.settings.account(account.id());
        AccountSnapshot {
            name: settings.name.clone(),
            cloud: settings.app.cloud,
            auth_method: settings.auth_method,
            signed_in: account.sign_in.account().map(str::to_owned),
            graph: GraphSnapshot {
                detail: account.detail(&cx.settings),
                ..account.requests.snapshot(cx, now.tick)
            },
            sign_in: account.sign_in.shown().cloned(),
            sign_in_is_asked_for: account.sign_in.is_asked_for(),
            is_persons: settings.sign_in.invites.is_some(),
            change: account.sign_in.change().cloned(),
            certificate_ends: account.sign_in.certificate_end(),
        }
    }
}
