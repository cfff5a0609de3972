//! How durations are written in the file.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

/// A duration in words, as humantime reads it.
pub(super) struct DurationWords;

impl JsonSchema for DurationWords {
    fn schema_name() -> Cow<'static, str> {
        "Duration".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "examples": ["5s", "2m", "1h"] })
    }
}
