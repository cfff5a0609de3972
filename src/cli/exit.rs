//! How the program ends.

use std::error::Error;
use std::fmt;
use std::path::Path;

use crate::chain::chain;
use crate::config::ConfigErrors;
use crate::core::model::account::addressed;
use crate::core::model::event::LinkFailure;
use crate::core::model::name::TopicLevel;
use crate::mqtt::address::AddressError;
use crate::mqtt::one_shot::OneShotError;

/// Something that nobody expected, or that may be well at the next try.
pub const UNEXPECTED: u8 = 1;
/// The command line is wrong; clap's own choice as well.
pub const USAGE: u8 = 2;
/// Graph or the broker cannot be reached (`EX_UNAVAILABLE`); one-shot commands only.
pub const UNREACHABLE: u8 = 69;
/// A sign-in or a permission is needed (`EX_NOPERM`); one-shot commands only.
pub const SIGN_IN: u8 = 77;
/// The configuration is wrong (`EX_CONFIG`).
pub const CONFIG: u8 = 78;

/// What a connection that the broker closes without a word may mean for a command beside the bridge.
const ONE_CLIENT: &str = "if it uses the user name as client id (Mosquitto: use_username_as_clientid), \
this command and the bridge disconnect each other: give the command a configuration with its own user name";

/// A failure with the exit code it ends in. `Display` gives the whole chain of causes.
#[derive(Debug)]
pub struct Failure {
    code: u8,
    error: Box<dyn Error>,
}

impl Failure {
    /// A failure that ends in `code`.
    pub fn new(code: u8, error: impl Into<Box<dyn Error>>) -> Self {
        Self { code, error: error.into() }
    }

    /// The same about one of several accounts: a command that is recommended names it.
    #[must_use]
    pub(super) fn of_account(self, account: Option<&TopicLevel>) -> Self {
        match account {
            Some(name) => self.said(|says| addressed(name, says)),
            None => self,
        }
    }

    /// The same in other words.
    #[must_use]
    pub(super) fn said(self, in_words: impl FnOnce(&str) -> String) -> Self {
        if self.is_broken_pipe() { self } else { Self::new(self.code, in_words(&self.to_string())) }
    }

    /// All of these as one, which ends in the code of the first.
    pub(super) fn together(failures: &[Self]) -> Option<Self> {
        let said: Vec<String> = failures.iter().map(Self::to_string).collect();
        Some(Self::new(failures.first()?.code, said.join("; ")))
    }

    /// Whether standard output was closed by whoever read it.
    #[must_use]
    pub fn is_broken_pipe(&self) -> bool {
        let error = self.error.downcast_ref::<std::io::Error>();
        error.is_some_and(|error| error.kind() == std::io::ErrorKind::BrokenPipe)
    }

    /// One of the constants above.
    #[must_use]
    pub fn code(&self) -> u8 {
        self.code
    }
}

/// A command could not talk to the broker: it cannot be used, or what was to be read for it is not there any
/// more.
pub(super) fn of_broker(error: OneShotError) -> Failure {
    if is_thrown_out(&error) {
        return Failure::new(UNREACHABLE, format!("{error}; {ONE_CLIENT}"));
    }
    let code = match error {
        OneShotError::Address(AddressError::Tls(_) | AddressError::Password(_)) => CONFIG,
        OneShotError::Address(AddressError::Line(_)) => UNEXPECTED,
        OneShotError::Link(_)
        | OneShotError::Refused(_)
        | OneShotError::PublishRefused { .. }
        | OneShotError::Silent => UNREACHABLE,
    };
    Failure::new(code, error)
}

/// What is said where a configuration was named: a command that is recommended names it too.
pub(super) fn naming(file: Option<&Path>, says: &str) -> String {
    let Some(file) = file.map(|file| file.display().to_string()) else { return says.to_owned() };
    let file = if file.contains(char::is_whitespace) { format!("'{file}'") } else { file };
    ["login", "run", "clean"].iter().fold(says.to_owned(), |says, command| {
        let command = format!("`presence2mqtt {command}");
        says.replace(&command, &format!("{command} -c {file}"))
    })
}

/// Whether the broker may have closed the connection because of another client.
pub(super) fn is_thrown_out(error: &OneShotError) -> bool {
    matches!(error, OneShotError::Link(LinkFailure::Closed | LinkFailure::TakenOver))
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&chain(self.error.as_ref()))
    }
}

impl From<ConfigErrors> for Failure {
    fn from(error: ConfigErrors) -> Self {
        Self::new(CONFIG, error)
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self::new(UNEXPECTED, error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recommended_command_names_the_configuration_that_was_named() {
        let says = "run `presence2mqtt login --browser`, or `presence2mqtt clean`";
        assert_eq!(naming(None, says), says);
        let expected = "run `presence2mqtt login -c a.toml --browser`, or `presence2mqtt clean -c a.toml`";
        assert_eq!(naming(Some(Path::new("a.toml")), says), expected);
        let says = "run `presence2mqtt run`";
        assert_eq!(naming(Some(Path::new("a b.toml")), says), "run `presence2mqtt run -c 'a b.toml'`");
    }
}
