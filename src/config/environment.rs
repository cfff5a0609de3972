//! The environment, handed in by main, and its overlay: `PRESENCE2MQTT__<SECTION>__<KEY>`.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use serde_json::Value;
use toml::de::{DeTable, DeValue};

use super::document::{self, Document};
use super::error::ConfigError;
use super::key::{Key, PREFIX};
use super::schema;
use super::shape::did_you_mean;

/// What a variable of an account would begin with.
const ACCOUNTS: &str = "PRESENCE2MQTT__ACCOUNTS";

/// What libraries read: proxies.
const PROXIES: [&str; 2] = ["HTTPS_PROXY", "ALL_PROXY"];

/// What libraries read: certificate authorities.
const AUTHORITIES: [&str; 2] = ["SSL_CERT_FILE", "SSL_CERT_DIR"];

/// The process's environment variables, and its host's name, read once by main.
#[derive(Clone, Default)]
pub struct Environment {
    variables: BTreeMap<String, String>,
    host: Option<String>,
}

impl Environment {
    /// The same on the host of this name.
    #[must_use]
    pub fn on_host(self, host: String) -> Self {
        Self { host: Some(host).filter(|host| !host.is_empty()), ..self }
    }

    /// The host's name, as far as it is known.
    pub(super) fn host(&self) -> &str {
        self.host.as_deref().unwrap_or("unknown")
    }

    /// The value of a variable, if it is set and not empty.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// The names of those that a bridge needs wherever it runs: keys of the configuration, and the way out.
    pub(crate) fn needed(&self) -> Vec<&str> {
        let names = || self.variables.keys().map(String::as_str).filter(|name| self.get(name).is_some());
        let is_of = |all: &[&str], name: &str| all.iter().any(|one| name.eq_ignore_ascii_case(one));
        let has_proxy = names().any(|name| is_of(&PROXIES, name));
        let is_needed = |name: &&str| {
            name.starts_with(PREFIX)
                || is_of(&PROXIES, name)
                || is_of(&AUTHORITIES, name)
                || has_proxy && is_of(&["NO_PROXY"], name)
        };
        names().filter(is_needed).collect()
    }

    /// Whether any variable overrides a key of the configuration.
    pub(super) fn overrides(&self) -> bool {
        self.overrides_given().next().is_some()
    }

    fn overrides_given(&self) -> impl Iterator<Item = (&str, &str)> {
        let all = self.variables.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        all.filter(|(name, _)| name.starts_with(PREFIX))
    }
}

/// Lays the environment over a document and its table; unknown variables and values of the wrong type are
/// errors.
pub(super) fn overlay<'t>(
    environment: &'t Environment,
    schema: &Value,
    document: &mut Document<'t>,
    table: &mut DeTable<'t>,
) -> Vec<ConfigError> {
    let known: BTreeMap<String, Key> = scalars_of_sections(schema, &Key::default())
        .into_iter()
        .filter_map(|key| Some((key.variable()?, key)))
        .collect();
    let mut errors = Vec::new();
    for (variable, value) in environment.overrides_given() {
        let Some(key) = known.get(variable) else {
            if variable.starts_with(ACCOUNTS) {
                let says = "a variable cannot set keys of one account in a list: write [[accounts]] in a \
                file, or, for a \
                            single account, use PRESENCE2MQTT__GRAPH__…";
                errors.push(ConfigError::new(variable.to_owned(), says));
                continue;
            }
            let near = did_you_mean(variable, known.keys().map(String::as_str));
            let says = format!("is not the variable of any key{near}");
            errors.push(ConfigError::new(variable.to_owned(), says));
            continue;
        };
        let node = schema::node(schema, key).unwrap_or(&Value::Null);
        let typed = typed(node, value);
        document.overlay(key, value);
        match typed {
            Some(typed) => document::put(table, key.steps(), typed),
            None => errors.push(document.error(key.clone(), schema::wanted(node))),
        }
    }
    errors
}

/// The keys that the environment can override.
fn scalars_of_sections(section: &Value, at: &Key) -> Vec<Key> {
    let mut keys = Vec::new();
    for (name, node) in section["properties"].as_object().into_iter().flatten() {
        let key = at.name(name);
        if schema::is_scalar(node) {
            keys.push(key);
        } else {
            // A list has no properties, and so gives none.
            keys.extend(scalars_of_sections(node, &key));
        }
    }
    keys
}

/// A variable's text as the type the key has, so that a password of digits stays text.
fn typed<'t>(node: &Value, text: &'t str) -> Option<DeValue<'t>> {
    match node["type"].as_str() {
        Some("boolean") => text.parse().ok().map(DeValue::Boolean),
        Some("integer") => {
            let value = DeValue::parse(text).ok()?.into_inner();
            value.is_integer().then_some(value)
        }
        _ => Some(DeValue::String(Cow::Borrowed(text))),
    }
}

impl FromIterator<(String, String)> for Environment {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(variables: I) -> Self {
        Self { variables: variables.into_iter().collect(), host: None }
    }
}

/// Names only: values may be secrets.
impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.variables.keys()).finish()
    }
}
