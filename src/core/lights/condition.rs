//! A template that says of a payload whether it means yes. The payload is anybody's.

use std::collections::BTreeMap;

use minijinja::{Error, ErrorKind, Value, context};
use serde_json::Value as Json;

use super::template::{self, TemplateError};

/// Every name that such a template may use.
const NAMES: &str = "value, value_json";

/// Bytes of a payload that are looked at; a longer one means no.
const PAYLOAD_MAX: usize = 16 * 1024;

/// What a template writes to mean yes, in any case. Whatever else it writes, also nothing, means no.
const YES_WORDS: [&str; 4] = ["on", "true", "yes", "1"];

/// A template over `value`, the payload as text, and `value_json`, the same read as JSON.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition(Box<str>);

impl Condition {
    /// Reads a template.
    ///
    /// # Errors
    /// If it cannot be read, uses an unknown name, filter or test, or never ends. That a member is missing in
    /// a payload is no error: it means no.
    pub fn new(template: &str) -> Result<Self, TemplateError> {
        template::check(template, NAMES)?;
        match render(template, b"ON") {
            Err(error) if !may_depend_on_payload(error.kind()) => {
                Err(TemplateError::from_render(&error, "with the payload ON".into()))
            }
            Ok(_) | Err(_) => Ok(Self(template.into())),
        }
    }

    /// Whether the template says so of this payload.
    pub(super) fn holds(&self, payload: &[u8]) -> bool {
        let said = if payload.len() > PAYLOAD_MAX { None } else { render(&self.0, payload).ok() };
        said.is_some_and(|said| YES_WORDS.iter().any(|yes| said.trim().eq_ignore_ascii_case(yes)))
    }
}

fn may_depend_on_payload(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::UndefinedError | ErrorKind::InvalidOperation)
}

fn render(template: &str, payload: &[u8]) -> Result<String, Error> {
    let json: Option<Json> = serde_json::from_slice(payload).ok();
    let names = context! {
        value => String::from_utf8_lossy(payload),
        value_json => json.map_or(Value::UNDEFINED, value),
    };
    template::environment().render_str(template, names)
}

/// The parser lets it be only so deep.
fn value(json: Json) -> Value {
    match json {
        Json::Null => Value::from(()),
        Json::Bool(yes) => Value::from(yes),
        Json::Number(number) => match number.as_i64() {
            Some(whole) => Value::from(whole),
            None => number.as_f64().map_or(Value::UNDEFINED, Value::from),
        },
        Json::String(text) => Value::from(text),
        Json::Array(all) => Value::from(all.into_iter().map(value).collect::<Vec<Value>>()),
        Json::Object(members) => {
            let members = members.into_iter().map(|(name, json)| (name, value(json)));
            Value::from(members.collect::<BTreeMap<String, Value>>())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_means_yes() {
        let deep = format!("{}1{}", "[".repeat(5000), "]".repeat(5000));
        let long = format!("{{\"camera\":true,\"x\":\"{}\"}}", "x".repeat(PAYLOAD_MAX));
        for (template, payload, expected) in [
            ("{{ value_json.camera }}", r#"{"camera":true}"#, true),
            ("{{ value_json.camera }}", r#"{"camera":false}"#, false),
            ("{{ value_json.camera }}", r#"{"camera":"on"}"#, true),
            ("{{ value_json.camera }}", r#"{"camera":1}"#, true),
            ("{{ value_json.camera }}", r#"{"microphone":true}"#, false),
            ("{{ value_json.camera }}", "ON", false),
            ("{{ value_json.camera }}", "", false),
            ("{{ value_json.camera }}", "null", false),
            ("{{ value_json.camera }}", &deep, false),
            ("{{ value_json.camera }}", &long, false),
            ("{{ value_json.a.b == 'x' }}", r#"{"a":{"b":"x"}}"#, true),
            ("{{ value_json.a.b == 'x' }}", r#"{"a":1}"#, false),
            ("{{ value }}", " On\n", true),
            ("{{ value }}", "true", true),
            ("{{ value }}", "yes please", false),
            ("{{ value in ['open', 'ajar'] }}", "ajar", true),
            ("{{ value | int > 20 }}", "21", true),
            ("{{ value | int > 20 }}", "warm", false),
            ("{% if value == 'x' %}on{% endif %}", "y", false),
            ("{{ value * (value | length) * 1000 }}", "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", false),
        ] {
            let condition = Condition::new(template).unwrap();
            let start: String = payload.chars().take(40).collect();
            assert_eq!(condition.holds(payload.as_bytes()), expected, "{template} {start}");
        }
        assert!(!Condition::new("{{ value }}").unwrap().holds(&[0xff, 0xfe]));
    }

    #[test]
    fn what_cannot_be_meant_is_refused() {
        for (template, says) in [
            ("{{ value_json.camera", "line 1: syntax error: "),
            ("{{ value }}\n{{ camera }}", "line 2: there is no \"camera\"; the names are value, value_json"),
            ("{{ value | bool_of }}", "line 1: unknown filter: "),
            (
                "{% for a in range(10000) %}{% for b in range(10000) %}{% endfor %}{% endfor %}",
                "line 1: takes too long",
            ),
        ] {
            let error = Condition::new(template).unwrap_err().to_string();
            assert!(error.starts_with(says), "{template}: {error}");
        }
    }
}
