//! Names that are checked once, where they enter: topic levels, users, object ids.
//!
//! A value of one of these types is valid; nothing after the entrance checks again.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize};

/// Why a text is not the name it was meant to be: a fragment that says what is allowed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidName(pub &'static str);

/// One level of an MQTT topic that Home Assistant's discovery accepts too: `[A-Za-z0-9_-]{1,64}`.
///
/// Used for `<user>` and `<bridge>`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct TopicLevel(Box<str>);

/// The topic everything is published under: one or more levels, without wildcards, without `$` in front.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct BaseTopic(Box<str>);

/// The MQTT client id, which is also the `bridge` id in payloads: 1 to 64 printable ASCII characters without
/// `/`, `+`, `#`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct ClientId(Box<str>);

/// An Entra object id: a GUID, kept in lower case because Graph compares it ignoring case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectId(uuid::Uuid);

/// A user principal name, such as `alice@contoso.example`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PrincipalName(Box<str>);

/// How the configuration says who somebody is.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum UserId {
    /// The signed-in person, read at `/me`.
    Me,
    /// The immutable object id.
    Object(ObjectId),
    /// A user principal name, turned into the object id once per run.
    Principal(PrincipalName),
}

/// Characters of a topic level.
pub const LONGEST_LEVEL: usize = 64;

impl TopicLevel {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Names that differ only in case are one to people.
    #[must_use]
    pub fn folded(&self) -> String {
        self.0.to_ascii_lowercase()
    }

    /// Whether a topic level may have this character.
    #[must_use]
    pub fn may_have(c: char) -> bool {
        c.is_ascii_alphanumeric() || c == '_' || c == '-'
    }

    /// Makes a level of any text but an empty one: what may not be in it becomes `_`, and it is cut. What
    /// would be `taken`, ignoring case, is changed at its end.
    #[must_use]
    pub fn made_of(text: &str, taken: &str) -> Self {
        let allowed = |c| if Self::may_have(c) { c } else { '_' };
        let mut level: String = text.chars().take(LONGEST_LEVEL).map(allowed).collect();
        if level.eq_ignore_ascii_case(taken) {
            let cut = if level.len() == LONGEST_LEVEL { level.pop() } else { None };
            level.push(if cut == Some('_') { '-' } else { '_' });
        }
        if level.is_empty() {
            level.push('_');
        }
        Self(level.into())
    }
}

/// A name as people compare it, ignoring case. Of a whole tenant no second copy is made to compare them.
#[derive(Debug, Clone, Copy)]
pub struct Folded<'a>(pub &'a TopicLevel);

impl PartialEq for Folded<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.0.as_str().eq_ignore_ascii_case(other.0.as_str())
    }
}

impl Eq for Folded<'_> {}

impl Hash for Folded<'_> {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        self.0.as_str().bytes().for_each(|byte| hasher.write_u8(byte.to_ascii_lowercase()));
    }
}

impl FromStr for TopicLevel {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        if (1..=LONGEST_LEVEL).contains(&text.len()) && text.chars().all(Self::may_have) {
            Ok(Self(text.into()))
        } else {
            Err(InvalidName("1 to 64 of the characters A-Z, a-z, 0-9, _ and -"))
        }
    }
}

impl BaseTopic {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for BaseTopic {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        let level = |l: &str| !l.is_empty() && !l.contains(['+', '#']) && !l.contains(char::is_control);
        if text.len() <= 256 && !text.starts_with('$') && text.split('/').all(level) {
            Ok(Self(text.into()))
        } else {
            Err(InvalidName(
                "topic levels joined by /, none empty, without + and #, not starting with $, at most 256 bytes",
            ))
        }
    }
}

impl ClientId {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ClientId {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        let allowed = |c: char| c.is_ascii_graphic() && !matches!(c, '/' | '+' | '#');
        if (1..=64).contains(&text.len()) && text.chars().all(allowed) {
            Ok(Self(text.into()))
        } else {
            Err(InvalidName("1 to 64 printable ASCII characters without spaces, /, + and #"))
        }
    }
}

impl FromStr for ObjectId {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        // Only the hyphenated form: the uuid crate would also take braces, URNs and bare digits, which Graph
        // does not.
        if text.len() == 36
            && let Ok(id) = uuid::Uuid::try_parse(text)
        {
            return Ok(Self(id));
        }
        Err(InvalidName("a GUID such as 66825e03-7ef5-42da-9069-724602c31f6b"))
    }
}

impl From<uuid::Uuid> for ObjectId {
    fn from(id: uuid::Uuid) -> Self {
        Self(id)
    }
}

impl fmt::Display for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.as_hyphenated().fmt(f)
    }
}

impl Serialize for ObjectId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ObjectId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

impl PrincipalName {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for PrincipalName {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        let sane = |c: char| !c.is_whitespace() && !c.is_control() && !matches!(c, '/' | '?' | '%');
        match text.split_once('@') {
            Some((local, domain))
                if !local.is_empty()
                    && !domain.is_empty()
                    && !domain.contains('@')
                    && text.len() <= 320
                    && text.chars().all(sane) =>
            {
                Ok(Self(text.into()))
            }
            _ => Err(InvalidName("a user principal name such as alice@contoso.example")),
        }
    }
}

impl FromStr for UserId {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        if text == "me" {
            return Ok(Self::Me);
        }
        if let Ok(id) = text.parse() {
            return Ok(Self::Object(id));
        }
        text.parse().map(Self::Principal).map_err(|InvalidName(_)| {
            InvalidName("an object id (GUID), a user principal name (name@domain) or \"me\"")
        })
    }
}

impl fmt::Display for UserId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Me => f.write_str("me"),
            Self::Object(id) => id.fmt(f),
            Self::Principal(name) => f.write_str(name.as_str()),
        }
    }
}

impl fmt::Display for TopicLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for BaseTopic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for ClientId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn topic_levels() {
        for good in ["a", "alice", "Alice_B-2", &"x".repeat(64)] {
            assert_eq!(good.parse::<TopicLevel>().unwrap().as_str(), good);
        }
        for bad in ["", "a/b", "a+", "#", "ä", "a b", "a.b", &"x".repeat(65)] {
            assert!(bad.parse::<TopicLevel>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn base_topics() {
        for good in ["presence", "home/teams", "a b"] {
            assert!(good.parse::<BaseTopic>().is_ok(), "{good:?}");
        }
        for bad in ["", "/a", "a/", "a//b", "$SYS", "a/+", "#", "a\u{0}"] {
            assert!(bad.parse::<BaseTopic>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn who_somebody_is() {
        let guid = "66825E03-7ef5-42da-9069-724602c31f6b";
        assert_eq!("me".parse(), Ok(UserId::Me));
        assert_eq!(guid.parse::<UserId>().unwrap().to_string(), guid.to_lowercase());
        assert!(matches!("alice@contoso.example".parse(), Ok(UserId::Principal(_))));
        for bad in
            ["", "Me", "alice", "@", "a@", "a b@c", "a@b@c", "66825e037ef542da9069724602c31f6b", "a/b@c"]
        {
            assert!(bad.parse::<UserId>().is_err(), "{bad:?}");
        }
    }
}
