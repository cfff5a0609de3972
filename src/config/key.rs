//! Where in the configuration something is: `graph.auth.method`, `users[1].id`.

use std::fmt;

/// Which variables of the environment override keys.
pub(super) const PREFIX: &str = "PRESENCE2MQTT__";

/// The path to a key.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key(Vec<Step>);

/// One step of the way to a key.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Step {
    /// Into the table's key of this name.
    Name(String),
    /// Into the list's entry of this number, from 0.
    Index(usize),
}

impl Key {
    /// The way, from the top.
    pub(super) fn steps(&self) -> &[Step] {
        &self.0
    }

    /// The key of this name inside the table that `self` is.
    pub(super) fn name(&self, name: &str) -> Self {
        self.and(Step::Name(name.to_owned()))
    }

    /// The entry of this number inside the list that `self` is.
    pub(super) fn index(&self, index: usize) -> Self {
        self.and(Step::Index(index))
    }

    /// The same key of `[graph]` in the account with this index; nothing for a key elsewhere.
    pub(super) fn of_account(&self, index: usize) -> Option<Self> {
        let rest = self.0.strip_prefix(&[Step::Name("graph".to_owned())])?;
        let account = Self::from("accounts").index(index);
        Some(Self(account.0.into_iter().chain(rest.iter().cloned()).collect()))
    }

    /// The last name on the way.
    pub(super) fn last_name(&self) -> &str {
        let names = self.0.iter().rev();
        let mut names = names.filter_map(|step| match step {
            Step::Name(name) => Some(name.as_str()),
            Step::Index(_) => None,
        });
        names.next().unwrap_or_default()
    }

    /// The variable that overrides a key of a section; whole sections and lists have none.
    pub(super) fn variable(&self) -> Option<String> {
        let name = |step: &Step| match step {
            Step::Name(name) => Some(name.to_ascii_uppercase()),
            Step::Index(_) => None,
        };
        let names: Option<Vec<_>> = self.0.iter().map(name).collect();
        let names = names.filter(|names| names.len() > 1)?;
        Some(PREFIX.to_owned() + &names.join("__"))
    }

    fn and(&self, step: Step) -> Self {
        Self(self.0.iter().cloned().chain([step]).collect())
    }
}

/// For keys that the program itself names: words joined by dots.
impl From<&str> for Key {
    fn from(dotted: &str) -> Self {
        Self(dotted.split('.').map(|name| Step::Name(name.to_owned())).collect())
    }
}

impl From<&[Step]> for Key {
    fn from(steps: &[Step]) -> Self {
        Self(steps.to_vec())
    }
}

impl From<&serde_path_to_error::Path> for Key {
    fn from(path: &serde_path_to_error::Path) -> Self {
        use serde_path_to_error::Segment;
        let step = |segment: &Segment| match segment {
            Segment::Seq { index } => Some(Step::Index(*index)),
            Segment::Map { key } => Some(Step::Name(key.clone())),
            // A word of an enum is a value, not a further step of the path.
            Segment::Enum { .. } | Segment::Unknown => None,
        };
        Self(path.iter().filter_map(step).collect())
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bare = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
        for (i, step) in self.0.iter().enumerate() {
            match step {
                Step::Index(index) => write!(f, "[{index}]")?,
                Step::Name(name) => {
                    f.write_str(if i == 0 { "" } else { "." })?;
                    if !name.is_empty() && name.chars().all(bare) {
                        f.write_str(name)?;
                    } else {
                        write!(f, "{name:?}")?;
                    }
                }
            }
        }
        Ok(())
    }
}
