//! The JSON Schema: for editors, and here the one list of keys and their types.

use schemars::Schema;
use schemars::generate::SchemaSettings;
use schemars::transform::{Transform, transform_subschemas};
use serde_json::Value;

use super::key::{Key, Step};
use super::written::Written;

/// The JSON Schema (draft 2020-12) of the configuration file.
#[must_use]
pub fn json_schema() -> Value {
    SchemaSettings::draft2020_12()
        .with(|settings| settings.inline_subschemas = true)
        .with_transform(WithoutNull)
        .into_generator()
        .into_root_schema_for::<Written>()
        .to_value()
}

/// What the schema says about a key, if it knows the key.
pub(super) fn node<'s>(schema: &'s Value, key: &Key) -> Option<&'s Value> {
    key.steps().iter().try_fold(schema, |node, step| match step {
        Step::Name(name) => node["properties"]
            .get(name)
            .or_else(|| node.get("additionalProperties").filter(|n| n.is_object())),
        Step::Index(_) => node.get("items"),
    })
}

/// Whether a key takes one value, neither a table nor a list.
pub(super) fn is_scalar(node: &Value) -> bool {
    !matches!(node["type"].as_str(), Some("object" | "array"))
}

/// What a key wants, as the end of an error: `must be text`.
pub(super) fn wanted(node: &Value) -> String {
    let listed = |values: &Value| -> Option<String> {
        let values: Vec<_> = values.as_array()?.iter().map(Value::to_string).collect();
        Some(values.join(", "))
    };
    // Variants with a doc comment are `oneOf` constants, those without an `enum`.
    let constants = |node: &Value| {
        let variants = node["oneOf"].as_array()?;
        Some(variants.iter().map(|v| v["const"].clone()).collect())
    };
    if let Some(words) = listed(&node["enum"]).or_else(|| listed(&constants(node)?)) {
        return format!("must be one of {words}");
    }
    match (node["type"].as_str(), listed(&node["examples"])) {
        (Some("string"), Some(examples)) => format!("must be text such as {examples}"),
        (Some("string"), None) => "must be text in quotes".to_owned(),
        (Some("boolean"), _) => "must be true or false".to_owned(),
        (Some("integer"), _) => match (&node["minimum"], &node["maximum"]) {
            (Value::Number(low), Value::Number(high)) => {
                format!("must be a whole number, {low} to {high}")
            }
            _ => "must be a whole number".to_owned(),
        },
        (Some("array"), _) if node["items"]["type"] == "object" => {
            "must be tables, each under its own [[…]]".to_owned()
        }
        (Some("array"), _) => "must be a list of texts".to_owned(),
        (None, _) if node["type"].is_array() => "must be text in quotes, or a list of such".to_owned(),
        _ => "must be a table".to_owned(),
    }
}

/// Takes `null` out of optional keys: TOML cannot write it.
#[derive(Clone)]
struct WithoutNull;

impl Transform for WithoutNull {
    fn transform(&mut self, schema: &mut Schema) {
        transform_subschemas(self, schema);
        if schema.get("default").is_some_and(Value::is_null) {
            schema.remove("default");
        }
        for list in ["type", "enum"] {
            if let Some(Value::Array(values)) = schema.get_mut(list) {
                values.retain(|v| !v.is_null() && v != "null");
            }
        }
        if let Some([single]) = schema.get("type").and_then(Value::as_array).map(Vec::as_slice) {
            let single = single.clone();
            schema.insert("type".to_owned(), single);
        }
    }
}
