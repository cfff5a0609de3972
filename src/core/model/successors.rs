//! What becomes of the accounts when the configuration is read again.

use super::account::AccountId;
use super::event::Access;
use super::settings::AccountSettings;

/// Which account each of those before is now, and what that means for the way to Graph. An account stays the
/// same by its name.
#[derive(Debug)]
pub(in crate::core) struct Successors {
    /// By the place before.
    now: Vec<Option<AccountId>>,
    /// By the place now.
    access: Vec<Access>,
}

impl Successors {
    pub(in crate::core) fn new(
        before: &[AccountSettings],
        now: &[AccountSettings],
        access: Vec<Access>,
    ) -> Self {
        let index = |name| now.iter().position(|account| account.name == name).map(AccountId::new);
        Self { now: before.iter().map(|account| index(account.name.clone())).collect(), access }
    }

    /// Which account this one, of those before, is now.
    pub(in crate::core) fn now(&self, before: AccountId) -> Option<AccountId> {
        self.now.get(before.index()).copied().flatten()
    }

    /// Which of those before this one was.
    pub(in crate::core) fn before(&self, now: AccountId) -> Option<AccountId> {
        self.now.iter().position(|other| *other == Some(now)).map(AccountId::new)
    }

    /// What the configuration means for this one of those now.
    pub(in crate::core) fn access(&self, now: AccountId) -> Access {
        self.access.get(now.index()).copied().unwrap_or(Access::New)
    }
}
