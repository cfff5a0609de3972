//! Words of others, made harmless once, where they enter: a value of one of these types can only be made by
//! cleaning, so whoever shows it on a terminal, in a log, on a page, on a topic or as a QR code need not
//! clean it again.

use std::fmt;
use std::ops::Deref;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize};
use url::{Host, Url};

/// Characters of a sentence.
const LONGEST: usize = 1000;

/// Characters of a quotation within a sentence.
const LONGEST_QUOTATION: usize = 300;

/// Bytes of an address: the link of a sign-in in a browser has less than a thousand.
const LONGEST_ADDRESS: usize = 2048;

/// Bytes of an address that goes with a code. A QR code on a terminal still has room for it.
const LONGEST_TYPED: usize = 512;

/// Text on one line, of bounded length, without a character that a terminal or an eye obeys instead of
/// reading it. It may hold words of others inside our own sentence.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize)]
#[serde(transparent)]
pub struct Legible(Box<str>);

/// An address that people may be sent to: `https`, or `http` on a loopback address for a simulated tenant;
/// without user name and password, which make one host look like another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct WebAddress(Box<str>);

/// Why a text is no such address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an https address without user name and password is expected")]
pub struct NotAWebAddress;

impl Legible {
    /// A sentence, cut where it becomes unreadable.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self::at_most(text, LONGEST)
    }

    /// What others say inside a sentence of ours.
    #[must_use]
    pub fn quoted(text: &str) -> Self {
        Self::at_most(text, LONGEST_QUOTATION)
    }

    /// The same of so many characters; more is cut, and shows it.
    #[must_use]
    pub fn at_most(text: &str, characters: usize) -> Self {
        let mut harmless = text.trim().chars().map(harmless);
        let mut kept: String = harmless.by_ref().take(characters).collect();
        if harmless.next().is_some() {
            kept.push('…');
        }
        Self(kept.trim().into())
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What is shown in the place of a character.
fn harmless(character: char) -> char {
    match character {
        // Line ends, for one thing is said on one line; the last two are Unicode's own.
        '\t' | '\n' | '\r' | '\u{2028}' | '\u{2029}' => ' ',
        character if is_obeyed(character) => char::REPLACEMENT_CHARACTER,
        character => character,
    }
}

/// Whether something else happens at a character than that it is shown.
#[must_use]
pub fn is_obeyed(character: char) -> bool {
    match character {
        // These turn the direction of writing, so that a line reads other than it is (Unicode Annex 9,
        // section 2).
        '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => true,
        // These are not seen, or change how wide what is beside them is, and terminals do not agree by how
        // much.
        '\u{200b}' | '\u{200d}' | '\u{2028}' | '\u{2029}' | '\u{fe0f}' | '\u{feff}' => true,
        '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}' => true,
        // C0, which has the escape sequences, and C1, which has the short forms of them (ECMA-48).
        character => character.is_control(),
    }
}

/// JSON for a terminal: what would be obeyed there is written as JSON's own escapes, so that it still means
/// the same.
#[must_use]
pub fn escaped(json: &str) -> String {
    let mut escaped = String::with_capacity(json.len());
    for character in json.chars() {
        if is_obeyed(character) && character != '\n' {
            for unit in character.encode_utf16(&mut [0; 2]) {
                escaped.push_str(&format!("\\u{unit:04x}"));
            }
        } else {
            escaped.push(character);
        }
    }
    escaped
}

impl FromStr for WebAddress {
    type Err = NotAWebAddress;

    fn from_str(text: &str) -> Result<Self, NotAWebAddress> {
        // What the parser would leave out or write otherwise is no address that anybody sends in good faith.
        if text.len() > LONGEST_ADDRESS || text.chars().any(|c| is_obeyed(c) || c.is_whitespace()) {
            return Err(NotAWebAddress);
        }
        let url: Url = text.parse().map_err(|_| NotAWebAddress)?;
        let is_loopback = match url.host().ok_or(NotAWebAddress)? {
            Host::Domain(name) => name == "localhost",
            Host::Ipv4(address) => address.is_loopback(),
            Host::Ipv6(address) => address.is_loopback(),
        };
        let is_safe = url.scheme() == "https" || (url.scheme() == "http" && is_loopback);
        let is_anonymous = url.username().is_empty() && url.password().is_none();
        // As the parser writes it, so that letters of other scripts that look like Latin ones show (RFC
        // 3492).
        if is_safe && is_anonymous && url.as_str().len() <= LONGEST_ADDRESS {
            Ok(Self(url.as_str().into()))
        } else {
            Err(NotAWebAddress)
        }
    }
}

impl WebAddress {
    /// The address.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is short enough to be typed, or to be read off a terminal as a QR code.
    #[must_use]
    pub fn is_typed(&self) -> bool {
        self.0.len() <= LONGEST_TYPED
    }
}

impl Deref for Legible {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl From<&str> for Legible {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}

impl From<String> for Legible {
    fn from(text: String) -> Self {
        Self::new(&text)
    }
}

impl PartialEq<&str> for Legible {
    fn eq(&self, other: &&str) -> bool {
        &*self.0 == *other
    }
}

impl fmt::Display for Legible {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for Legible {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl fmt::Display for WebAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Legible {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::from)
    }
}

impl<'de> Deserialize<'de> for WebAddress {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn nothing_is_left_that_is_obeyed() {
        for (text, expected) in [
            ("", ""),
            ("Busy", "Busy"),
            (" Žofie 王 ", "Žofie 王"),
            (" Insufficient privileges.\r\n", "Insufficient privileges."),
            ("\x1b[2J\u{7}x", "\u{fffd}[2J\u{fffd}x"),
            ("a\r\nb\u{9b}c", "a  b\u{fffd}c"),
            ("one\u{2028}line", "one line"),
            ("\u{202e}ecila", "\u{fffd}ecila"),
            ("#\u{fe0f}1\u{200d}", "#\u{fffd}1\u{fffd}"),
            ("\u{e0041}x\u{feff}", "\u{fffd}x\u{fffd}"),
        ] {
            assert_eq!(Legible::new(text), expected);
        }
        let whole = "ä".repeat(LONGEST);
        assert_eq!(Legible::new(&whole).as_str(), whole);
        assert_eq!(Legible::new(&format!("{whole}ä")).as_str(), format!("{whole}…"));
        assert_eq!(Legible::at_most("abcdef", 3), "abc…");
    }

    #[test]
    fn only_addresses_that_a_browser_shows_as_they_are() {
        for (address, expected) in [
            ("https://microsoft.com/devicelogin", Some("https://microsoft.com/devicelogin")),
            ("HTTPS://Login.Example/%20?a=b#c", Some("https://login.example/%20?a=b#c")),
            ("http://127.0.0.1:8080/devicelogin", Some("http://127.0.0.1:8080/devicelogin")),
            ("http://[::1]/x", Some("http://[::1]/x")),
            ("http://localhost/", Some("http://localhost/")),
            ("https://microѕoft.com/", Some("https://xn--microoft-ohh.com/")),
            ("http://microsoft.com/devicelogin", None),
            ("javascript:alert(1)", None),
            ("file:///etc/passwd", None),
            ("https://microsoft.com@evil.example/", None),
            ("https://microsoft.com:x@evil.example/", None),
            ("https://a\n.example/", None),
            ("https://a.example/\u{202e}", None),
            (" https://a.example/", None),
            ("https://", None),
            ("devicelogin", None),
            ("", None),
        ] {
            let parsed = address.parse::<WebAddress>().ok();
            assert_eq!(parsed.as_ref().map(WebAddress::as_str), expected, "{address:?}");
        }
        let long = |n| format!("https://a.example/{}", "x".repeat(n)).parse::<WebAddress>();
        assert!(long(LONGEST_ADDRESS - 18).is_ok() && long(LONGEST_ADDRESS - 17).is_err());
        assert!(
            long(LONGEST_TYPED - 18).unwrap().is_typed() && !long(LONGEST_TYPED - 17).unwrap().is_typed()
        );
    }

    #[test]
    fn escaped_json_means_the_same() {
        let json = serde_json::to_string("a\u{9b}2J\u{202e}\u{e0041}ä\n").unwrap();
        let escaped = escaped(&json);
        assert_eq!(escaped, r#""a\u009b2J\u202e\udb40\udc41ä\n""#);
        assert_eq!(serde_json::from_str::<String>(&escaped).unwrap(), "a\u{9b}2J\u{202e}\u{e0041}ä\n");
    }

    proptest! {
        #[test]
        fn what_is_clean_stays_as_it_is(text in "\\PC{0,40}|.{0,40}") {
            let clean = Legible::new(&text);
            prop_assert!(!clean.chars().any(is_obeyed), "{clean:?}");
            prop_assert_eq!(Legible::new(&clean), clean.clone());
            let json = serde_json::to_string(&clean).unwrap();
            prop_assert_eq!(serde_json::from_str::<Legible>(&json).unwrap(), clean);
        }
    }
}
