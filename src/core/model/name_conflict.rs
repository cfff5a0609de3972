//! Two people whom a pattern gives the same name.

use std::fmt;

use crate::core::model::name::TopicLevel;

/// Two people of one name. `Display` is the sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NameConflict {
    /// The name.
    pub name: TopicLevel,
    /// Who has it, and who would have it, too.
    pub people: [String; 2],
}

impl NameConflict {
    /// How one of them is called: what is shown of them, and their id.
    #[must_use]
    pub fn who(shown: &str, id: &impl fmt::Display) -> String {
        format!("{shown} ({id})")
    }
}

impl fmt::Display for NameConflict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, people: [one, other] } = self;
        write!(
            f,
            "{one} and {other} would both be named {name:?}; list one of them under [[users]] with another name, or give \
             the group's name another pattern, such as \"{{id}}\"",
            name = name.as_str()
        )
    }
}
