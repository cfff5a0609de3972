//! A refusal of the sign-in service, by any channel: its error word, its numbers, and its own sentence.

use serde_json::value::RawValue;

use super::advice::{self, OnCode, Verdict};
use crate::core::model::foreign::Legible;
use crate::graph::caller::Caller;
use crate::graph::lenient::{self, Object};

/// The most numbers that are used. The service sends one or two.
const MOST_NUMBERS: usize = 8;

/// The longest error word, such as `access_denied` (RFC 6749, section 4.1.2.1).
const LONGEST_WORD: usize = 64;

/// The longest id, in characters; those of the service have 36.
const LONGEST_ID: usize = 64;

/// A refusal of the sign-in service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// Such as `invalid_grant` or `authorization_pending`; the numbers are more precise.
    error: String,
    /// AADSTS numbers.
    numbers: Vec<u32>,
    trace: Option<String>,
    correlation: Option<String>,
    /// The service's own sentence, on one line.
    words: Option<Legible>,
}

impl Refusal {
    /// Reads the body of an answer; `None` if it is not an error of the service.
    pub(super) fn of_body(body: &str) -> Option<Self> {
        let body = Object::of(body)?;
        let text = |name| body.get::<String>(name);
        let mut refusal = Self::of_words(text("error")?, text("error_description").as_deref());
        let numbers = body.get::<Vec<&RawValue>>("error_codes").unwrap_or_default();
        let numbers: Vec<u32> = numbers.into_iter().take(MOST_NUMBERS).filter_map(lenient::of).collect();
        if !numbers.is_empty() {
            refusal.numbers = numbers;
        }
        refusal.trace = text("trace_id").as_deref().and_then(id).or(refusal.trace);
        refusal.correlation = text("correlation_id").as_deref().and_then(id).or(refusal.correlation);
        Some(refusal)
    }

    /// Reads what a browser brought back, in which numbers and ids are only in the description.
    #[must_use]
    pub fn of_words(error: String, description: Option<&str>) -> Self {
        let description = description.unwrap_or_default();
        let behind = |mark: &str| description.split_once(mark).and_then(|(_, rest)| id(rest.trim_start()));
        Self {
            error,
            numbers: numbers(description),
            trace: behind("Trace ID:"),
            correlation: behind("Correlation ID:"),
            words: words(description),
        }
    }

    /// What this caller can do about it, with the numbers that support asks for and the service's own
    /// sentence.
    #[must_use]
    pub fn advice(&self, caller: Caller) -> Legible {
        let sentence = match self.verdict() {
            Some(Verdict::Act(advice)) => advice.sentence(caller),
            Some(Verdict::Passes | Verdict::PassesAfter(_)) | None => self.unknown(),
        };
        format!("{sentence} ({})", self.details()).into()
    }

    /// What to do about it, if its number is known.
    pub(super) fn advice_by_number(&self, caller: Caller) -> Option<String> {
        match advice::by_number(&self.numbers)? {
            Verdict::Act(advice) => Some(advice.sentence(caller)),
            Verdict::Passes | Verdict::PassesAfter(_) => None,
        }
    }

    /// Whether the tenant, or the app, blocks device codes. A browser may be allowed then.
    #[must_use]
    pub fn blocks_codes(&self) -> bool {
        advice::blocks_codes(&self.numbers)
    }

    /// The meaning of a refusal while waiting for a device code.
    pub(super) fn on_code(&self) -> OnCode {
        advice::on_code(&self.error, &self.numbers)
    }

    /// The numbers and ids that support asks for, and the service's sentence; without these, its error word.
    #[must_use]
    pub fn details(&self) -> Legible {
        let mut parts: Vec<String> = self.numbers.iter().map(|number| format!("AADSTS{number}")).collect();
        parts.extend(self.trace.iter().map(|id| format!("trace {id}")));
        parts.extend(self.correlation.iter().map(|id| format!("correlation {id}")));
        let parts = if parts.is_empty() { self.word().to_string() } else { parts.join(", ") };
        match &self.words {
            Some(words) => format!("{parts}; Microsoft says \"{words}\"").into(),
            None => parts.into(),
        }
    }

    /// The meaning for the bridge, if it is known.
    pub(super) fn verdict(&self) -> Option<Verdict> {
        advice::verdict(&self.error, &self.numbers)
    }

    /// A web page may have invented this text, of any length.
    fn word(&self) -> Legible {
        Legible::at_most(&self.error, LONGEST_WORD)
    }

    fn unknown(&self) -> String {
        let (word, page) = (self.word(), "https://login.microsoftonline.com/error");
        let number = self.numbers.first().map_or(String::new(), |number| format!("?code={number}"));
        format!("the sign-in is refused with {word:?}: look it up at {page}{number}")
    }
}

/// The AADSTS numbers in a text.
fn numbers(text: &str) -> Vec<u32> {
    let digits = |rest: &str| {
        let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        rest[..end].parse().ok()
    };
    text.split("AADSTS").skip(1).take(MOST_NUMBERS).filter_map(digits).collect()
}

/// An id at the beginning of a text.
fn id(text: &str) -> Option<String> {
    let is_of_id = |c: &char| c.is_ascii_alphanumeric() || *c == '-';
    let id: String = text.chars().take_while(is_of_id).take(LONGEST_ID).collect();
    (!id.is_empty()).then_some(id)
}

/// The description without the number before it and the ids after it, which are reported separately.
fn words(description: &str) -> Option<Legible> {
    let said = description.split("Trace ID:").next().unwrap_or_default();
    let said = match said.split_once(':') {
        Some((number, said)) if number.trim().starts_with("AADSTS") => said,
        Some(_) | None => said,
    };
    let said = Legible::quoted(&said.replace('"', "'"));
    (!said.is_empty()).then_some(said)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_is_read_out_of_a_body_and_out_of_an_address() {
        let description = "AADSTS65004: User declined to consent to access the app.\r\nTrace ID: t-1\r\n\
                           Correlation ID: c-2\r\nTimestamp: 2026-11-28 09:00:00Z";
        let body = serde_json::json!({
            "error": "access_denied", "error_description": description, "error_codes": [65004],
            "trace_id": "t-1", "correlation_id": "c-2",
        });
        let of_words = Refusal::of_words("access_denied".to_owned(), Some(description));
        assert_eq!(Refusal::of_body(&body.to_string()), Some(of_words.clone()));
        assert_eq!(
            of_words.details(),
            "AADSTS65004, trace t-1, correlation c-2; Microsoft says \"User declined to consent to access the app.\""
        );
        let bare = Refusal::of_words("server_error".to_owned(), None);
        assert_eq!(bare.details(), "server_error");
        assert!(bare.advice(Caller::Person).contains("https://login.microsoftonline.com/error ("));
        let unknown = Refusal::of_words("server_error".to_owned(), Some("AADSTS99: ?"));
        assert!(unknown.advice(Caller::App).contains("/error?code=99 (AADSTS99;"));
    }

    #[test]
    fn numbers_of_the_member_win_and_those_of_the_description_help_out() {
        for (codes, numbers) in [
            ("[530035]", vec![530_035]),
            ("null", vec![53003]),
            ("[]", vec![53003]),
            (r#"["530035"]"#, vec![53003]),
            (r#"[-1,1e999,{},530035]"#, vec![530_035]),
        ] {
            let body = format!(
                r#"{{"error":"x","error_codes":{codes},"error_description":"AADSTS53003: a \ud83d","trace_id":7}}"#
            );
            let refusal = Refusal::of_body(&crate::graph::text::readable(body.as_bytes())).unwrap();
            assert_eq!(refusal.numbers, numbers, "{codes}");
            assert!(refusal.blocks_codes());
        }
    }
}
