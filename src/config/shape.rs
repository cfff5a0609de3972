//! Whether a document has the shape the file may have: known keys, right types.

use serde_json::Value;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::document::Document;
use super::error::ConfigError;
use super::key::Key;
use super::schema;
use super::written::Written;

/// Turns a document into the written configuration. Reports all unknown keys; if there are none, the first
/// wrong type.
pub(super) fn read(
    schema: &Value,
    table: Spanned<DeTable<'_>>,
    document: &Document<'_>,
) -> Result<Written, Vec<ConfigError>> {
    let mut errors = Vec::new();
    refuse_unknown_keys(document, schema, table.get_ref(), &Key::default(), &mut errors);
    if !errors.is_empty() {
        return Err(errors);
    }
    let deserializer = toml::Deserializer::from(table);
    serde_path_to_error::deserialize(deserializer).map_err(|error| {
        let key = Key::from(error.path());
        // The parser's own message quotes the value, which may be a secret; the expected type does not.
        vec![match schema::node(schema, &key) {
            Some(node) if schema::is_scalar(node) => document.error(key, schema::wanted(node)),
            Some(node) => document.error_unseen(key, schema::wanted(node)),
            None => document.error_unseen(key, "has the wrong type"),
        }]
    })
}

fn refuse_unknown_keys(
    document: &Document<'_>,
    node: &Value,
    table: &DeTable<'_>,
    at: &Key,
    errors: &mut Vec<ConfigError>,
) {
    let Some(known) = node["properties"].as_object() else {
        return;
    };
    for (name, value) in table {
        let key = at.name(name.get_ref());
        let Some(node) = known.get(name.get_ref().as_ref()) else {
            let near = did_you_mean(name.get_ref(), known.keys().map(String::as_str));
            let allowed: Vec<_> = known.keys().map(String::as_str).collect();
            let says = format!("unknown key{near}; allowed: {}", allowed.join(", "));
            errors.push(document.error_unseen(key, says));
            continue;
        };
        if let Some(table) = value.get_ref().as_table() {
            refuse_unknown_keys(document, node, table, &key, errors);
        }
        let entries = value.get_ref().as_array().into_iter().flatten();
        for (i, entry) in entries.enumerate() {
            if let DeValue::Table(table) = entry.get_ref() {
                refuse_unknown_keys(document, &node["items"], table, &key.index(i), errors);
            }
        }
    }
}

/// ` (did you mean …?)` if one of the known names is near, else nothing.
pub(super) fn did_you_mean<'k>(name: &str, known: impl Iterator<Item = &'k str>) -> String {
    let near = known
        .map(|known| (strsim::damerau_levenshtein(name, known), known))
        .filter(|(distance, known)| *distance <= 3 && distance * 3 <= known.len())
        .min();
    near.map_or_else(String::new, |(_, known)| format!(" (did you mean \"{known}\"?)"))
}
