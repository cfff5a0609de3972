//! Keys whose feature is not in this version: known, and refused by name rather than ignored.
//!
//! A line goes when its feature comes.

use toml::de::DeValue;

use super::check::Refusals;
use super::document::Document;
use super::key::Key;

struct NotYet {
    key: &'static str,
    /// Whether a value asks for nothing that is missing.
    asks_nothing: fn(&DeValue<'_>) -> bool,
    says: &'static str,
}

const NEVER: fn(&DeValue<'_>) -> bool = |_| false;

#[rustfmt::skip] // A table: one line for each feature.
const NOT_YET: &[NotYet] = &[
    NotYet { key: "http.listen", asks_nothing: NEVER, says: "metrics and health checks are not in this version yet; remove the key" },
    NotYet { key: "http.password_file", asks_nothing: NEVER, says: "metrics and health checks are not in this version yet; remove the key" },
];

/// Refuses what this version cannot do.
pub(super) fn refuse(document: &Document<'_>, refusals: &mut Refusals<'_>) {
    for NotYet { key, asks_nothing, says } in NOT_YET {
        match document.value(&Key::from(*key)) {
            Some(value) if !asks_nothing(value) => refusals.refuse(*key, says),
            Some(_) | None => {}
        }
    }
}
