//! The `Retry-After` header (RFC 9110, section 10.2.3): seconds, or a date.

use std::time::Duration;

use jiff::Timestamp;
use jiff::fmt::rfc2822;

/// How long the header asks to wait from `now`; nothing if it is absent or is neither form.
pub(super) fn parse(value: Option<&[u8]>, now: Timestamp) -> Option<Duration> {
    let text = std::str::from_utf8(value?).ok()?.trim();
    if let Ok(seconds) = text.parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    let date = rfc2822::DateTimeParser::new().parse_timestamp(text).ok()?;
    Some(date.duration_since(now).try_into().unwrap_or(Duration::ZERO))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_and_nonsense() {
        let now: Timestamp = "2026-11-23T09:00:00Z".parse().unwrap();
        for (value, seconds) in [
            ("10", Some(10)),
            (" 0 ", Some(0)),
            ("Mon, 23 Nov 2026 09:00:25 GMT", Some(25)),
            ("Mon, 23 Nov 2026 08:00:00 GMT", Some(0)),
            ("99999999999999999999", None),
            ("-5", None),
            ("1.5", None),
            ("soon", None),
            ("", None),
        ] {
            let wait = parse(Some(value.as_bytes()), now);
            assert_eq!(wait, seconds.map(Duration::from_secs), "{value:?}");
        }
        assert_eq!(parse(Some(&[0xff]), now), None);
        assert_eq!(parse(None, now), None);
    }
}
