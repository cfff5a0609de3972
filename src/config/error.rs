//! What is wrong with a configuration, in messages that show how to correct it.

use std::fmt;
use std::path::Path;

use super::key::Key;

/// Everything that was found wrong with a configuration; `Display` gives one line for each.
#[derive(Debug)]
pub struct ConfigErrors(Vec<ConfigError>);

/// One mistake: where it is, what is written there, and what is allowed.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct ConfigError {
    /// `file:line`, `file`, or the name of an environment variable.
    place: String,
    /// The line in the file that the error belongs to, for the order of errors.
    line: Option<usize>,
    /// `None` if the whole file is wrong.
    key: Option<Key>,
    /// The value as written. `None` if the key is absent, a table, or may be a secret.
    value: Option<String>,
    says: String,
}

impl ConfigErrors {
    /// Puts errors in the order of the file.
    pub(super) fn new(mut errors: Vec<ConfigError>) -> Self {
        errors.sort_by_key(|error| error.line);
        Self(errors)
    }

    /// A file that cannot be used at all.
    pub(super) fn of_file(file: &Path, says: impl fmt::Display) -> Self {
        Self(vec![ConfigError::new(file.display().to_string(), says)])
    }

    /// Whether each is about such a key.
    pub(super) fn are_all_about(&self, such: impl Fn(&Key) -> bool) -> bool {
        self.0.iter().all(|error| error.key.as_ref().is_some_and(&such))
    }
}

impl ConfigError {
    pub(super) fn new(place: String, says: impl fmt::Display) -> Self {
        Self { place, line: None, key: None, value: None, says: says.to_string() }
    }

    pub(super) fn of_key(self, key: Key, line: Option<usize>) -> Self {
        Self { line, key: Some(key), ..self }
    }

    pub(super) fn showing(self, value: Option<String>) -> Self {
        Self { value, ..self }
    }
}

impl fmt::Display for ConfigErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, error) in self.0.iter().enumerate() {
            f.write_str(if i == 0 { "" } else { "\n" })?;
            error.fmt(f)?;
        }
        Ok(())
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.place)?;
        match (&self.key, &self.value) {
            (Some(key), Some(value)) => write!(f, "{key} = {value}: ")?,
            (Some(key), None) => write!(f, "{key}: ")?,
            (None, _) => {}
        }
        f.write_str(&self.says)
    }
}

impl std::error::Error for ConfigErrors {}
