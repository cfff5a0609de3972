//! Which account something is about.

use super::name::TopicLevel;

/// An account's place among those that are configured. Another configuration may give it another one.
///
/// In two bytes: everybody who is followed has one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccountId(u16);

impl AccountId {
    /// The first account, which is the only one unless there are several.
    pub const FIRST: Self = Self(0);

    /// The account with this index, from 0. The configuration allows far fewer than fit.
    #[must_use]
    pub fn new(index: usize) -> Self {
        Self(u16::try_from(index).unwrap_or(u16::MAX))
    }

    /// Its index.
    #[must_use]
    pub fn index(self) -> usize {
        usize::from(self.0)
    }
}

/// What is said of one of several accounts: a command that is recommended says which one it is about.
#[must_use]
pub fn addressed(account: &TopicLevel, sentence: &str) -> String {
    sentence.replace("`presence2mqtt login", &format!("`presence2mqtt login --account {account}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_says_which_account_it_is_about() {
        let bob = "bob".parse().unwrap();
        let says = "run `presence2mqtt login --browser`, or `presence2mqtt login` for another code";
        let expected = "run `presence2mqtt login --account bob --browser`, or `presence2mqtt login --account bob` for another code";
        assert_eq!(addressed(&bob, says), expected);
    }
}
