//! The `Retry-After` header (RFC 9110, section 10.2.3): seconds, or a date in one of three forms (section
//! 5.6.7).

use std::time::Duration;

use jiff::Timestamp;
use jiff::fmt::rfc2822;

/// How long the header asks to wait from `now`; `None` if it is absent or has neither form.
#[must_use]
pub fn parse(value: Option<&[u8]>, now: Timestamp) -> Option<Duration> {
    let text = std::str::from_utf8(value?).ok()?.trim();
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        return text.parse().ok().map(Duration::from_secs);
    }
    Some(date(text)?.duration_since(now).try_into().unwrap_or(Duration::ZERO))
}

fn date(text: &str) -> Option<Timestamp> {
    match httpdate::parse_http_date(text) {
        Ok(date) => date.try_into().ok(),
        // Some servers write the zone as in an e-mail's header.
        Err(_) => rfc2822::DateTimeParser::new().parse_timestamp(text).ok(),
    }
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
            ("Monday, 23-Nov-26 09:00:25 GMT", Some(25)),
            ("Mon Nov 23 09:00:25 2026", Some(25)),
            ("Wed Dec  2 09:00:00 2026", Some(9 * 24 * 3600)),
            ("Mon, 23 Nov 2026 10:00:25 +0100", Some(25)),
            ("Mon Nov 23 08:00:00 2026", Some(0)),
            ("Monday, 23-Nov-26 09:00:25", None),
            ("Mon Nov 23 09:00:25 2026 GMT", None),
            ("Tue Nov 23 09:00:25 2026", None),
            ("99999999999999999999", None),
            ("+5", None),
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
