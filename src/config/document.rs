//! The configuration file with the environment's values on top: the value of each key, and the line it is on.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;
use std::path::PathBuf;
use std::thread;

use toml::Spanned;
use toml::de::{DeTable, DeValue};
use url::Url;

use super::error::{ConfigError, ConfigErrors};
use super::key::{Key, Step};

/// In bytes: a few thousand people.
const LARGE_TEXT: usize = 256 * 1024;

/// Where a configuration came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// A file, perhaps with some keys overridden by the environment.
    File(PathBuf),
    /// `PRESENCE2MQTT__*` variables and no file.
    Environment,
}

/// What is written at a key.
struct Written {
    /// Where the key's name begins, or the entry of a list.
    start: usize,
    /// Where a value is that is neither a table nor a list, and what it means if it is text.
    value: Option<(Range<usize>, String)>,
}

/// A parsed file, and the values from the environment. For many people the parsed TOML takes far more memory
/// than the text, so only the text is kept, and it is parsed again where a message needs a value.
pub(super) struct Document<'t> {
    origin: Origin,
    text: &'t str,
    /// What is written at which key of the file.
    written: OnceCell<BTreeMap<Key, Written>>,
    /// The values from the environment, unchanged.
    overlaid: BTreeMap<Key, String>,
}

impl<'t> Document<'t> {
    /// Reads TOML and records where each key is. The error never shows a part of the text, which might be a
    /// secret.
    pub(super) fn parse(text: &'t str, origin: Origin) -> Result<(Self, Spanned<DeTable<'t>>), ConfigErrors> {
        let parsed = table(text).map_err(|error| {
            let line = error.span().map(|span| line_at(text, span.start));
            let place = place(&origin, line);
            ConfigErrors::new(vec![ConfigError::new(
                place,
                format_args!("is not TOML: {}", error.message().replace('\n', ", ")),
            )])
        })?;
        Ok((Self { origin, text, written: OnceCell::new(), overlaid: BTreeMap::new() }, parsed))
    }

    /// Remembers what the environment has for a key.
    pub(super) fn overlay(&mut self, key: &Key, text: &str) {
        self.overlaid.insert(key.clone(), text.to_owned());
    }

    fn written(&self, key: &Key) -> Option<&Written> {
        let all = || {
            let mut all = BTreeMap::new();
            if let Ok(table) = DeTable::parse(self.text) {
                walk(table.get_ref(), &Key::default(), &mut all);
            }
            all
        };
        self.written.get_or_init(all).get(key)
    }

    /// Whether something is written at a key, in the file or in the environment.
    pub(super) fn has(&self, key: &Key) -> bool {
        self.overlaid.keys().any(|overlaid| overlaid.steps().starts_with(key.steps()))
            || self.written(key).is_some()
    }

    /// Where the whole came from.
    pub(super) fn origin(&self) -> &Origin {
        &self.origin
    }

    /// An error about a key that shows what is written there, unless it may be a secret.
    pub(super) fn error(&self, key: Key, says: impl fmt::Display) -> ConfigError {
        let shown = self.shown(&key);
        self.error_unseen(key, says).showing(shown)
    }

    /// An error about a key that does not show what is written there.
    pub(super) fn error_unseen(&self, key: Key, says: impl fmt::Display) -> ConfigError {
        let by_variable = self.overlaid.contains_key(&key) || self.origin == Origin::Environment;
        let line = self.line_of(&key);
        let place = key.variable().filter(|_| by_variable).unwrap_or_else(|| place(&self.origin, line));
        ConfigError::new(place, says).of_key(key, line)
    }

    /// The line of a key. If the key is not written, the line of the innermost table around it that is.
    fn line_of(&self, key: &Key) -> Option<usize> {
        let steps = key.steps();
        let written = (1..=steps.len()).rev().find_map(|n| self.written(&Key::from(&steps[..n])))?;
        Some(line_at(self.text, written.start))
    }

    /// A value as it is written, if it is short, plain and cannot be a secret.
    fn shown(&self, key: &Key) -> Option<String> {
        let (written, meant) = match self.overlaid.get(key) {
            Some(text) => (format!("{text:?}"), text.as_str()),
            None => {
                let (span, meant) = self.written(key)?.value.as_ref()?;
                (self.text.get(span.clone())?.to_owned(), meant.as_str())
            }
        };
        let is_secret = match key.last_name() {
            "password" | "client_secret" => true,
            // A user may have written the secret itself instead of the file's name.
            "password_file" | "client_secret_file" => !looks_like_a_path(meant),
            "url" | "graph_url" | "login_url" => may_hold_password(meant),
            _ => false,
        };
        let is_plain = written.len() <= 120 && !written.contains(char::is_control);
        (is_plain && !is_secret).then_some(written)
    }
}

/// Parses a text; a large one in a thread of its own. What is parsed takes ten times the room of the text and
/// is soon dropped. glibc gives such room back if it is a thread's own, and keeps it where it lies among what
/// stays.
#[expect(clippy::disallowed_methods, reason = "it is joined before anything else begins")]
fn table(text: &str) -> Result<Spanned<DeTable<'_>>, toml::de::Error> {
    let parse = || DeTable::parse(text);
    if text.len() < LARGE_TEXT {
        return parse();
    }
    let parsed = thread::scope(|scope| thread::Builder::new().spawn_scoped(scope, parse).ok()?.join().ok());
    // Without another thread the bridge only needs more memory.
    parsed.unwrap_or_else(parse)
}

/// Whether a text looks like the name of a file, not like a generated secret.
pub(super) fn looks_like_a_path(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_./".contains(c);
    text.starts_with(['/', '.']) || text.chars().all(plain)
}

/// Whether a URL may hold a password: before the host, after the path, or in place of a missing host.
fn may_hold_password(url: &str) -> bool {
    let has_host = Url::parse(url).is_ok_and(|url| url.has_host());
    url.contains(['@', '?', '#']) || (url.contains(':') && !has_host)
}

/// `file:line`, as far as it is known.
fn place(origin: &Origin, line: Option<usize>) -> String {
    match line {
        Some(line) => format!("{origin}:{line}"),
        None => origin.to_string(),
    }
}

/// The number of the line, from 1, that a byte is on.
fn line_at(text: &str, byte: usize) -> usize {
    text.bytes().take(byte).filter(|&b| b == b'\n').count() + 1
}

/// Notes what is written in a table, and in those inside it.
fn walk(table: &DeTable<'_>, at: &Key, all: &mut BTreeMap<Key, Written>) {
    for (name, value) in table {
        note(value, at.name(name.get_ref()), name.span().start, all);
    }
}

fn note(value: &Spanned<DeValue<'_>>, key: Key, start: usize, all: &mut BTreeMap<Key, Written>) {
    let scalar = || (value.span(), value.get_ref().as_str().unwrap_or_default().to_owned());
    let mut is_scalar = false;
    match value.get_ref() {
        DeValue::Table(table) => walk(table, &key, all),
        DeValue::Array(list) => {
            for (index, entry) in list.iter().enumerate() {
                note(entry, key.index(index), entry.span().start, all);
            }
        }
        DeValue::String(_)
        | DeValue::Integer(_)
        | DeValue::Float(_)
        | DeValue::Boolean(_)
        | DeValue::Datetime(_) => is_scalar = true,
    }
    all.insert(key, Written { start, value: is_scalar.then(scalar) });
}

/// Writes a value. If the file has something else where the section should be, the type check reports it
/// later.
pub(super) fn put<'t>(table: &mut DeTable<'t>, steps: &[Step], value: DeValue<'t>) {
    let Some((Step::Name(name), rest)) = steps.split_first() else {
        return;
    };
    // No error needs the position of a value from the environment.
    let spanned = |value| Spanned::new(0..0, value);
    if rest.is_empty() {
        table.insert(Spanned::new(0..0, Cow::Owned(name.clone())), spanned(value));
        return;
    }
    if !table.contains_key(name.as_str()) {
        let section = spanned(DeValue::Table(DeTable::new()));
        table.insert(Spanned::new(0..0, Cow::Owned(name.clone())), section);
    }
    if let Some(DeValue::Table(section)) = table.get_mut(name.as_str()).map(Spanned::get_mut) {
        put(section, rest, value);
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => path.display().fmt(f),
            Self::Environment => f.write_str("environment"),
        }
    }
}
