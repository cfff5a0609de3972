//! Graph's refusals, with Graph's texts.

use hyper::header;

use super::message::Answer;
use super::wire::{self, Marks};

/// Why Graph does not answer, in its own words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    status: u16,
    code: &'static str,
    message: String,
    headers: Vec<(header::HeaderName, String)>,
}

impl Refusal {
    pub(super) fn new(status: u16, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into(), headers: Vec::new() }
    }

    /// The usual refusal with this status.
    pub(super) fn usual(status: u16) -> Self {
        let (code, message) = wire::usual_error(status);
        Self::new(status, code, message)
    }

    pub(super) fn bad(message: impl Into<String>) -> Self {
        Self::new(400, "BadRequest", message)
    }

    pub(super) fn bad_guid(text: &str) -> Self {
        Self::bad(format!("Id '{text}' is not a GUID."))
    }

    /// Graph's text about a resource that does not exist.
    pub(super) fn not_found(name: &str) -> Self {
        Self::new(
            404,
            "Request_ResourceNotFound",
            format!(
                "Resource '{name}' does not exist or one of its queried reference-property objects are not present."
            ),
        )
    }

    pub(super) fn with(mut self, name: header::HeaderName, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    pub(super) fn answer(&self, marks: &Marks) -> Answer {
        let mut body = wire::error(self.code, &self.message, marks);
        if self.status == 429 {
            let inner = &mut body["error"]["innerError"];
            inner["code"] = "429".into();
            inner["message"] = "Please retry after".into();
            inner["status"] = "429".into();
        }
        let mut answer = Answer::json(self.status, body);
        answer.headers.clone_from(&self.headers);
        answer
    }
}
