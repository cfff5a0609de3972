//! What may be in a sentence of ours, and what may not.

use serde_json::Value;

/// Stands for everything that must not be said: no input that is fuzzed has it by chance.
pub(super) const MARKER: &str = "s3cr3t-m4rk3r-of-the-fuzzers";

/// A line of a log and a payload: readable, whoever wrote parts of it.
pub(super) fn sentence(text: &str) {
    assert!(!text.is_empty(), "nothing is said");
    assert!(!text.contains(char::is_control), "not on one line: {text:?}");
    assert!(text.chars().count() < 2_000, "without end: {text:?}");
}

/// `body` with the marker in all members but these, and in some that it did not have; nothing if it is no
/// JSON object.
pub(super) fn planted(body: &[u8], but: &[&str], more: &[&str]) -> Option<Value> {
    let Ok(Value::Object(mut members)) = serde_json::from_slice(body) else { return None };
    for (name, value) in &mut members {
        if !but.contains(&name.as_str()) {
            *value = MARKER.into();
        }
    }
    members.extend(more.iter().map(|name| ((*name).to_owned(), MARKER.into())));
    Some(Value::Object(members))
}

/// The status in the first line, for the inputs that begin with one, and the body after it.
pub(super) fn with_status(input: &[u8]) -> Option<(u16, &[u8])> {
    let end = input.iter().position(|&byte| byte == b'\n')?;
    let status = std::str::from_utf8(&input[..end]).ok()?.trim().parse().ok()?;
    (100..600).contains(&status).then_some((status, &input[end + 1..]))
}
