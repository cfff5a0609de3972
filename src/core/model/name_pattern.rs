//! How members of a group are named.

use std::str::FromStr;

use crate::core::model::members::Member;
use crate::core::model::name::{InvalidName, LONGEST_LEVEL, TopicLevel};

/// Characters of literal text, so that an object id, the longest that is always there, is never cut.
const LONGEST_LITERAL: usize = LONGEST_LEVEL - 36;

const ALLOWED: InvalidName = InvalidName(
    "made of {upn_local}, {id} and {display_name}, at least one of them, and of at most 28 of the characters A-Z, a-z, \
     0-9, _ and - beside them",
);

/// A pattern that makes a topic level of a member, such as `team-{upn_local}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamePattern(Box<[Part]>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Literal(Box<str>),
    /// The user principal name before its last `@`.
    UpnLocal,
    Id,
    DisplayName,
}

impl FromStr for NamePattern {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        let (mut parts, mut rest) = (Vec::new(), text);
        while let Some((before, inside)) = rest.split_once('{') {
            let (word, after) = inside.split_once('}').ok_or(ALLOWED)?;
            parts.push(literal(before)?);
            parts.push(Some(match word {
                "upn_local" => Part::UpnLocal,
                "id" => Part::Id,
                "display_name" => Part::DisplayName,
                _ => return Err(ALLOWED),
            }));
            rest = after;
        }
        let differs = !parts.is_empty();
        parts.push(literal(rest)?);
        let parts: Box<[Part]> = parts.into_iter().flatten().collect();
        let literals = parts.iter().map(|part| if let Part::Literal(text) = part { text.len() } else { 0 });
        if !differs || literals.sum::<usize>() > LONGEST_LITERAL {
            return Err(ALLOWED);
        }
        Ok(Self(parts))
    }
}

fn literal(text: &str) -> Result<Option<Part>, InvalidName> {
    if text.is_empty() {
        return Ok(None);
    }
    if text.chars().all(TopicLevel::may_have) { Ok(Some(Part::Literal(text.into()))) } else { Err(ALLOWED) }
}

impl NamePattern {
    /// The topic level of a member: never the bridge's, ignoring case. What Graph does not tell is replaced
    /// by the object id, which differs where an empty text would not.
    #[must_use]
    pub fn name(&self, member: &Member, bridge: &TopicLevel) -> TopicLevel {
        let mut text = String::new();
        for part in &self.0 {
            let told = match part {
                Part::Literal(literal) => Some(&**literal),
                Part::UpnLocal => member.principal_name.as_deref().map(local),
                Part::Id => None,
                Part::DisplayName => member.display_name.as_deref(),
            };
            match told.filter(|told| !told.is_empty()) {
                Some(told) => text.push_str(told),
                None => text.push_str(&member.id.to_string()),
            }
        }
        TopicLevel::made_of(&text, bridge.as_str())
    }

    /// Whether a member may have this name by the pattern, as far as its literal text says.
    #[must_use]
    pub fn may_make(&self, name: &TopicLevel) -> bool {
        let literal = |part: Option<&Part>| match part {
            Some(Part::Literal(text)) => text.to_string(),
            Some(Part::UpnLocal | Part::Id | Part::DisplayName) | None => String::new(),
        };
        let (first, last) = (literal(self.0.first()), literal(self.0.last()));
        let name = name.as_str();
        // One that is too long is cut, and one that would be the bridge's has a `_` behind it.
        let ends = |name: &str| name.ends_with(&last);
        name.starts_with(&first)
            && (name.len() >= LONGEST_LEVEL || ends(name) || name.strip_suffix('_').is_some_and(ends))
    }
}

fn local(principal_name: &str) -> &str {
    principal_name.rsplit_once('@').map_or(principal_name, |(local, _)| local)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn member(principal_name: Option<&str>, display_name: Option<&str>) -> Member {
        Member {
            id: "66825e03-7ef5-42da-9069-724602c31f6b".parse().unwrap(),
            principal_name: principal_name.map(Into::into),
            display_name: display_name.map(Into::into),
        }
    }

    fn named(pattern: &str, member: &Member) -> String {
        let pattern: NamePattern = pattern.parse().unwrap();
        pattern.name(member, &"bridge".parse().unwrap()).to_string()
    }

    #[test]
    fn names_are_topic_levels_whatever_people_are_called() {
        let guid = "66825e03-7ef5-42da-9069-724602c31f6b";
        let alice = member(Some("alice.adams@contoso.example"), Some("Alice Ädams / 主"));
        let guest = member(Some("bob_fabrikam.example#EXT#@contoso.example"), None);
        let long = "x".repeat(100);
        for (pattern, member, expected) in [
            ("{upn_local}", &alice, "alice_adams"),
            ("{display_name}", &alice, "Alice__dams____"),
            ("{id}", &alice, guid),
            ("a-{upn_local}-{display_name}_", &alice, "a-alice_adams-Alice__dams_____"),
            ("{upn_local}", &guest, "bob_fabrikam_example_EXT_"),
            ("{display_name}", &guest, guid),
            ("t-{display_name}", &guest, &format!("t-{guid}")),
            ("{upn_local}", &self::member(None, None), guid),
            ("{upn_local}", &self::member(Some("@x"), None), guid),
            ("{upn_local}", &self::member(Some("Bridge@x"), None), "Bridge_"),
            ("{upn_local}", &self::member(Some(&long), None), &long[..64]),
        ] {
            assert_eq!(named(pattern, member), expected, "{pattern} {member:?}");
        }
    }

    #[test]
    fn every_name_that_a_pattern_makes_may_be_of_it() {
        let long = "x".repeat(100);
        let members =
            [Some("alice.adams@contoso.example"), Some("Bridge@x"), Some("idge@x"), Some(&long), None];
        for pattern in
            ["{upn_local}", "br{upn_local}", "a-{upn_local}", "{upn_local}-a", "a-{id}{upn_local}-b"]
        {
            let parsed: NamePattern = pattern.parse().unwrap();
            for member in members.map(|name| member(name, None)) {
                let name = named(pattern, &member).parse().unwrap();
                assert!(parsed.may_make(&name), "{pattern}: {name}");
            }
        }
        for (pattern, other) in [("a-{upn_local}", "b-alice"), ("{upn_local}-a", "alice-b"), ("a{id}b", "ac")]
        {
            assert!(!pattern.parse::<NamePattern>().unwrap().may_make(&other.parse().unwrap()), "{pattern}");
        }
    }

    #[test]
    fn what_is_no_pattern() {
        let longest = format!("{}{{id}}", "x".repeat(28));
        assert!(longest.parse::<NamePattern>().is_ok());
        for bad in ["", "alice", "{upn}", "{}", "{id", "id}", "{id}}", "{{id}}", "a/{id}", "ä{id}", "{id} x"]
        {
            assert_eq!(bad.parse::<NamePattern>(), Err(ALLOWED), "{bad:?}");
        }
        assert!(format!("x{longest}").parse::<NamePattern>().is_err());
    }
}
