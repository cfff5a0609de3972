//! What is answered to a command: `<base>/<user>/set/result`.

use serde::Serialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::payload::json;

/// Bytes of a command that are said again; longer ones are cut.
const LONGEST_ECHO: usize = 1024;

/// A command as it came, to be said again with its result.
#[derive(Debug, Clone)]
pub(super) enum Echo {
    Json(Box<RawValue>),
    Text(Box<str>),
}

#[derive(Serialize)]
struct Outcome<'a> {
    ok: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a str>,
    request: Said<'a>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Said<'a> {
    Json(&'a RawValue),
    Text(&'a str),
}

impl Echo {
    pub(super) fn of(payload: &[u8]) -> Self {
        let text = String::from_utf8_lossy(payload);
        if text.len() > LONGEST_ECHO {
            let end = (0..=LONGEST_ECHO).rev().find(|&at| text.is_char_boundary(at)).unwrap_or_default();
            return Self::Text(format!("{}…", &text[..end]).into());
        }
        // A value that only the raw form can hold, such as a very deep one, would trouble whoever reads the result.
        match (serde_json::from_str::<Value>(&text), serde_json::from_str(&text)) {
            (Ok(_), Ok(raw)) => Self::Json(raw),
            (Ok(_) | Err(_), _) => Self::Text(text.into()),
        }
    }

    /// The payload of the result; `error` is why nothing was set.
    pub(super) fn with(&self, error: Option<&str>) -> String {
        let request = match self {
            Self::Json(raw) => Said::Json(raw),
            Self::Text(text) => Said::Text(text),
        };
        json(&Outcome { ok: error.is_none(), error, request })
    }
}
