//! Checks `[[accounts]]`, each with the keys that it takes over from `[graph]`; or the one implied account,
//! if there is no `[[accounts]]`.

use std::collections::BTreeSet;

use super::refusals::Refusals;
use super::{auth, graph};
use crate::config::environment::Environment;
use crate::config::key::Key;
use crate::config::known::{Account, Auth};
use crate::config::written::{self, Method, Written};
use crate::core::model::account::AccountId;
use crate::core::model::name::TopicLevel;
use crate::core::model::settings::App;

/// Each account has two tasks and its own connections.
const MOST: usize = 100;

/// The accounts that users and groups may name, before the accounts themselves are checked.
pub(super) struct Known {
    names: Vec<Option<TopicLevel>>,
    /// `[graph]` as it applies to each account.
    graphs: Vec<written::Graph>,
    /// Whether a user or group is read by the account.
    is_used: Vec<bool>,
}

pub(super) fn names(written: &Written, refusals: &mut Refusals<'_>) -> Known {
    if written.accounts.is_empty() {
        return Known { names: vec![None], graphs: vec![written.graph.clone()], is_used: vec![false] };
    }
    if written.accounts.len() > MOST {
        refusals.refuse("accounts", format_args!("are {} of them; at most {MOST}", written.accounts.len()));
    }
    let mut taken = BTreeSet::new();
    let name = |(i, account): (usize, &written::Account)| {
        let key = Key::from("accounts").index(i).name("name");
        let text = refusals.require(key.clone(), account.name.as_deref())?;
        let name = refusals.parse(key.clone(), text)?;
        if !taken.insert(text.to_lowercase()) {
            refusals.refuse(key, "must differ, ignoring case, from every other account's name");
        }
        Some(name)
    };
    let names: Vec<Option<TopicLevel>> = written.accounts.iter().enumerate().map(name).collect();
    let methods: Vec<Method> =
        written.accounts.iter().map(|account| account.method(&written.graph)).collect();
    auth::refuse_keys_of_no_account(&written.graph.auth, &methods, refusals);
    let signs_in = methods.iter().any(|method| method.signs_in());
    let graphs = written.accounts.iter().map(|account| {
        let graph = account.over(&written.graph);
        // `state_dir` applies only to accounts with a person's sign-in.
        let state_dir = graph.state_dir.clone().filter(|_| graph.auth.method.signs_in() || !signs_in);
        written::Graph { state_dir, ..graph }
    });
    Known { is_used: vec![false; names.len()], graphs: graphs.collect(), names }
}

impl Known {
    /// The account that the key `key` of a user or group names.
    pub(super) fn named(
        &mut self,
        key: &Key,
        written: Option<&str>,
        refusals: &mut Refusals<'_>,
    ) -> Option<AccountId> {
        let list = || {
            let names = self.names.iter().flatten().map(|name| format!("\"{name}\""));
            names.collect::<Vec<_>>().join(", ")
        };
        let index = match (written, &self.names[..]) {
            (None, [_]) => Some(0),
            (None, _) => {
                refusals.refuse(
                    key.clone(),
                    format_args!("is required, since there are several accounts: {}", list()),
                );
                None
            }
            (Some(_), [None]) => {
                refusals.refuse(key.clone(), "names one of [[accounts]], and there are none; remove the key");
                None
            }
            (Some(text), names) => {
                let is_it =
                    |name: &Option<TopicLevel>| name.as_ref().is_some_and(|name| name.as_str() == text);
                let found = names.iter().position(is_it);
                if found.is_none() {
                    refusals.refuse(key.clone(), format_args!("must be one of the accounts: {}", list()));
                }
                found
            }
        };
        let index = index?;
        self.is_used[index] = true;
        Some(AccountId::new(index))
    }

    /// `[graph]` as this account has it.
    pub(super) fn graph(&self, account: AccountId) -> &written::Graph {
        &self.graphs[account.index()]
    }

    /// The sign-in method of this account.
    pub(super) fn method(&self, account: AccountId) -> Method {
        self.graph(account).auth.method
    }

    /// The accounts that no user and no group names, each with its name if it has one.
    pub(super) fn unused(&self) -> impl Iterator<Item = (AccountId, Option<&TopicLevel>)> {
        let all = self.names.iter().zip(&self.is_used).enumerate();
        all.filter(|(_, (_, is_used))| !**is_used).map(|(i, (name, _))| (AccountId::new(i), name.as_ref()))
    }

    pub(super) fn check(
        &self,
        environment: &Environment,
        refusals: &mut Refusals<'_>,
    ) -> Option<Vec<Account>> {
        let is_listed = !matches!(self.names[..], [None]);
        let mut accounts = Vec::new();
        for (i, (graph, name)) in self.graphs.iter().zip(&self.names).enumerate() {
            refusals.in_account(is_listed.then_some(i));
            accounts.push(graph::check(graph, name.as_ref(), environment, refusals));
        }
        refusals.in_account(None);
        let mut accounts: Vec<Account> = accounts.into_iter().collect::<Option<_>>()?;
        // If two accounts have the same app, either could have made the earlier sign-in, so neither gets it.
        let apps: Vec<App> = accounts.iter().map(Account::app).collect();
        for (i, account) in accounts.iter_mut().enumerate() {
            let is_alone = apps.iter().filter(|app| **app == apps[i]).count() == 1;
            if let Auth::Person { earlier, .. } = &mut account.auth {
                *earlier = earlier.take().filter(|_| is_alone);
            }
        }
        Some(accounts)
    }
}
