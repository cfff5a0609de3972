//! The body of an answer as valid text, before JSON is read from it.

use std::borrow::Cow;
use std::ops::Range;

/// The replacement for a broken character.
const REPLACEMENT: &str = r"\ufffd";

/// The text of a body, without a byte order mark, which some proxies add. Bytes that are not UTF-8, and half
/// of a surrogate pair (`"\ud83d"` without its other half), become U+FFFD. JSON allows such a half, but
/// Rust's text cannot hold it, and one name that was cut inside an emoji must not make the answer about all
/// other people unreadable.
pub(super) fn readable(body: &[u8]) -> Cow<'_, str> {
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    match String::from_utf8_lossy(body) {
        Cow::Borrowed(text) => without_halves(text),
        Cow::Owned(text) => Cow::Owned(without_halves(&text).into_owned()),
    }
}

fn without_halves(text: &str) -> Cow<'_, str> {
    let (mut whole, mut copied) = (String::new(), 0);
    for half in halves(text) {
        whole.push_str(&text[copied..half.start]);
        whole.push_str(REPLACEMENT);
        copied = half.end;
    }
    if copied == 0 {
        return Cow::Borrowed(text);
    }
    whole.push_str(&text[copied..]);
    Cow::Owned(whole)
}

/// The positions of escaped halves of surrogate pairs whose other half is not beside them.
fn halves(text: &str) -> impl Iterator<Item = Range<usize>> {
    let mut from = 0;
    std::iter::from_fn(move || {
        loop {
            let at = from + text.get(from..)?.find('\\')?;
            let Some(unit) = escaped(text, at) else {
                // Skips the escaped character, which may be another backslash.
                let skipped = text[at + 1..].chars().next()?;
                from = at + 1 + skipped.len_utf8();
                continue;
            };
            from = at + REPLACEMENT.len();
            match unit {
                0xd800..=0xdbff if matches!(escaped(text, from), Some(0xdc00..=0xdfff)) => {
                    from += REPLACEMENT.len();
                }
                0xd800..=0xdfff => return Some(at..from),
                _ => {}
            }
        }
    })
}

/// The UTF-16 unit that is escaped here as `\uXXXX`.
fn escaped(text: &str, at: usize) -> Option<u16> {
    let digits = text.get(at..at + REPLACEMENT.len())?.strip_prefix(r"\u")?;
    digits.bytes().all(|byte| byte.is_ascii_hexdigit()).then(|| u16::from_str_radix(digits, 16).ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_a_pair_is_replaced_and_whatever_is_whole_stays() {
        for (body, text) in [
            (r#"{"a":"b"}"#, r#"{"a":"b"}"#),
            (r"\ud83d\ude00", r"\ud83d\ude00"),
            (r"\uD83D\uDE00 \u00e4", r"\uD83D\uDE00 \u00e4"),
            (r"\ud83d", r"\ufffd"),
            (r"\ude00", r"\ufffd"),
            (r"\ude00\ud83d", r"\ufffd\ufffd"),
            (r"\ud83d\ud83d\ude00", r"\ufffd\ud83d\ude00"),
            (r"\ud83dx\ude00", r"\ufffdx\ufffd"),
            (r"\\ud83d", r"\\ud83d"),
            (r"\\\ud83d", r"\\\ufffd"),
            (r"\ud83", r"\ud83"),
            (r"\ud8+d", r"\ud8+d"),
            (r"\ä\", r"\ä\"),
            ("", ""),
        ] {
            assert_eq!(readable(body.as_bytes()), text, "{body}");
        }
        assert!(matches!(readable(br#"{"a":"\ud83d\ude00"}"#), Cow::Borrowed(_)), "nothing is copied");
        assert_eq!(readable(b"\xef\xbb\xbf{}"), "{}");
        assert_eq!(readable(b"a\xffb\\ud83d"), r"a�b\ufffd");
    }
}
