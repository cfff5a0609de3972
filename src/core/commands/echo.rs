//! What is answered to a command: `<base>/<user>/set/result`.

use serde::Serialize;
use serde_json::Value;
use serde_json::value::{RawValue, to_raw_value};

use crate::core::model::payload::json;

/// Bytes of a command that are said again; longer ones are cut.
const LONGEST_ECHO: usize = 1024;

/// A command as it came, to be said again with its result: its own value if it is JSON, else its text.
#[derive(Debug, Clone)]
pub(super) struct Echo(Option<Box<RawValue>>);

#[derive(Serialize)]
struct Outcome<'a> {
    ok: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a str>,
    request: Option<&'a RawValue>,
}

impl Echo {
    pub(super) fn from_payload(payload: &[u8]) -> Self {
        let text = String::from_utf8_lossy(payload);
        if text.len() > LONGEST_ECHO {
            let end = (0..=LONGEST_ECHO).rev().find(|&at| text.is_char_boundary(at)).unwrap_or_default();
            return Self(to_raw_value(&format!("{}…", &text[..end])).ok());
        }
        // JSON that only the raw form can hold, such as a very deep one, would trouble whoever reads the result.
        let is_json = serde_json::from_str::<Value>(&text).is_ok();
        let raw = if is_json { serde_json::from_str(&text) } else { to_raw_value(&text) };
        Self(raw.ok())
    }

    /// The payload of the result; `error` is why nothing was set.
    pub(super) fn with(&self, error: Option<&str>) -> String {
        json(&Outcome { ok: error.is_none(), error, request: self.0.as_deref() })
    }
}
