//! Collects everything that is wrong, and holds the checks that several parts need.

use std::ffi::OsStr;
use std::fmt::Display;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use secrecy::SecretString;

use crate::config::document::{Document, looks_like_a_path};
use crate::config::error::{ConfigError, ConfigErrors};
use crate::config::files::Places;
use crate::config::key::Key;
use crate::config::secret::{Secret, SecretError};
use crate::core::model::name::{BaseTopic, InvalidName};
use crate::core::model::report::words;

pub(super) const SECOND: Duration = Duration::from_secs(1);
pub(super) const MINUTE: Duration = Duration::from_secs(60);
pub(super) const HOUR: Duration = Duration::from_secs(3600);
pub(super) const WEEK: Duration = Duration::from_secs(7 * 24 * 3600);

/// The mistakes found so far.
pub(in crate::config) struct Refusals<'d> {
    document: &'d Document<'d>,
    places: &'d Places,
    /// The entry of `[[accounts]]` that is being checked. It has the keys of `[graph]`, and may override
    /// some.
    account: Option<usize>,
    found: Vec<ConfigError>,
}

impl<'d> Refusals<'d> {
    pub(super) fn new(document: &'d Document<'d>, places: &'d Places) -> Self {
        Self { document, places, account: None, found: Vec::new() }
    }

    /// Refuses a key; `says` is what is allowed.
    pub(in crate::config) fn refuse(&mut self, key: impl Into<Key>, says: impl Display) {
        let error = self.document.error(self.written_at(key.into()), says);
        self.push(error);
    }

    /// From now on checks the account with this index, or `[graph]` itself.
    pub(super) fn in_account(&mut self, account: Option<usize>) {
        self.account = account;
    }

    /// The place to name in an error: the account's own key if it is written, or if the key is written
    /// nowhere; otherwise the key of `[graph]`.
    fn written_at(&self, key: Key) -> Key {
        let own = self.account.and_then(|account| key.of_account(account));
        own.filter(|own| self.document.has(own) || !self.document.has(&key)).unwrap_or(key)
    }

    /// A mistake in a key that several accounts share is reported once.
    fn push(&mut self, error: ConfigError) {
        if !self.found.contains(&error) {
            self.found.push(error);
        }
    }

    /// The value, if there were no mistakes; otherwise all mistakes.
    pub(super) fn finish<T>(self, made: Option<T>) -> Result<T, ConfigErrors> {
        debug_assert!(
            made.is_some() || !self.found.is_empty(),
            "a part that gives nothing has refused something"
        );
        made.filter(|_| self.found.is_empty()).ok_or(ConfigErrors::new(self.found))
    }

    /// A key that must be written.
    pub(super) fn require<T>(&mut self, key: impl Into<Key>, value: Option<T>) -> Option<T> {
        if value.is_none() {
            self.refuse(key, "is required");
        }
        value
    }

    /// Parses a text as a name of some kind.
    pub(super) fn parse<T: FromStr<Err = InvalidName>>(
        &mut self,
        key: impl Into<Key>,
        text: &str,
    ) -> Option<T> {
        match text.parse() {
            Ok(name) => Some(name),
            Err(InvalidName(allowed)) => {
                self.refuse(key, format_args!("must be {allowed}"));
                None
            }
        }
    }

    /// A topic that is not published under the base topic.
    pub(super) fn topic(&mut self, key: impl Into<Key>, text: &str) -> Option<String> {
        self.parse::<BaseTopic>(key, text).map(|topic| topic.as_str().to_owned())
    }

    /// A duration with bounds.
    pub(super) fn within(
        &mut self,
        key: impl Into<Key>,
        duration: Duration,
        bounds: RangeInclusive<Duration>,
    ) {
        if !bounds.contains(&duration) {
            let (low, high) = (words(*bounds.start()), words(*bounds.end()));
            self.refuse(key, format_args!("must be {low} to {high}"));
        }
    }

    /// The path of a file that is read later.
    pub(super) fn place(&self, path: &Path) -> PathBuf {
        self.places.find(path)
    }

    /// A file whose content `look` must accept.
    pub(super) fn file(
        &mut self,
        key: impl Into<Key>,
        path: Option<&Path>,
        look: fn(&Path) -> Result<(), String>,
    ) -> Option<PathBuf> {
        let path = self.places.find(path?);
        if let Err(says) = look(&path) {
            self.refuse(key, says);
        }
        Some(path)
    }

    /// A secret, written at `key` or in the file named by `key` with `_file`; or none.
    pub(super) fn secret(
        &mut self,
        key: &str,
        inline: Option<&SecretString>,
        file: Option<&Path>,
    ) -> Option<Secret> {
        let file_key = format!("{key}_file");
        let (secret, key) = match (inline, file) {
            (None, None) => return None,
            (Some(_), Some(_)) => {
                let says = format!("{key} is given too; keep one of the two");
                self.refuse(file_key.as_str(), says);
                return None;
            }
            (Some(inline), None) => (Secret::Inline(inline.clone()), key),
            (None, Some(path)) => (Secret::File(self.places.find(path)), file_key.as_str()),
        };
        match (secret.read(), &secret) {
            (Ok(_), _) => {}
            (Err(SecretError::Empty), Secret::File(path)) => {
                self.refuse(key, format_args!("{} is empty", path.display()));
            }
            (Err(SecretError::Unreadable { path, .. }), _)
                if !path.file_name().and_then(OsStr::to_str).is_some_and(looks_like_a_path) =>
            {
                let says = "names a file that cannot be read; its text is not shown, because it may be the \
                secret itself";
                let error = self.document.error_unseen(self.written_at(key.into()), says);
                self.push(error);
            }
            (Err(error), _) => self.refuse(key, error),
        }
        Some(secret)
    }
}
