//! Which of several accounts a command is about.

use clap::Args;

use super::exit::{self, Failure};
use crate::config::{Account, Auth, Config};
use crate::core::model::account::AccountId;

/// Which account.
#[derive(Debug, Default, Args)]
pub(super) struct Which {
    /// One of the configured accounts
    #[arg(long, value_name = "NAME")]
    account: Option<String>,
}

impl Which {
    /// The accounts that are meant: the one that is named, or all.
    pub(super) fn all(&self, config: &Config) -> Result<Vec<AccountId>, Failure> {
        match &self.account {
            Some(name) => Ok(vec![find(name, config)?]),
            None => Ok(config.accounts().map(|(of, _)| of).collect()),
        }
    }

    /// The account that a person signs in to, or out of. It has to be named where that could be several.
    pub(super) fn one(&self, config: &Config) -> Result<AccountId, Failure> {
        if let Some(name) = &self.account {
            return find(name, config);
        }
        let of_people = config.accounts().filter(|(_, account)| matches!(account.auth, Auth::Person { .. }));
        match &of_people.collect::<Vec<_>>()[..] {
            [] => Ok(AccountId::FIRST),
            [(of, _)] => Ok(*of),
            several => {
                let names = names(several.iter().map(|(_, account)| *account));
                let why = format!(
                    "there are several accounts: select one with --account {}",
                    names.join(" or --account ")
                );
                Err(Failure::new(exit::USAGE, why))
            }
        }
    }
}

fn find(name: &str, config: &Config) -> Result<AccountId, Failure> {
    let is_it = |account: &Account| account.name.as_ref().is_some_and(|other| other.as_str() == name);
    let found = config.accounts().find(|(_, account)| is_it(account));
    found.map(|(of, _)| of).ok_or_else(|| {
        let names = names(config.accounts.iter());
        let there_are = match names.is_empty() {
            true => "the configuration has no [[accounts]]".to_owned(),
            false => format!("there are: {}", names.join(", ")),
        };
        Failure::new(exit::USAGE, format!("account {name:?} is not configured; {there_are}"))
    })
}

fn names<'a>(accounts: impl Iterator<Item = &'a Account>) -> Vec<&'a str> {
    accounts.filter_map(|account| Some(account.name.as_ref()?.as_str())).collect()
}
