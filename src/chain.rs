//! An error together with what caused it, in one line.

use std::error::Error;

/// The message of an error, followed by those of its causes.
pub(crate) fn chain(error: &dyn Error) -> String {
    with_causes(error.to_string(), causes(error))
}

/// These words, followed by the message of each cause that they do not contain already.
pub(crate) fn with_causes(words: String, causes: impl Iterator<Item = String>) -> String {
    causes
        .fold(words, |words, cause| if words.contains(&cause) { words } else { format!("{words}: {cause}") })
}

/// What caused an error, from the nearest cause to the first.
pub(crate) fn causes(error: &dyn Error) -> impl Iterator<Item = String> {
    std::iter::successors(error.source(), |&cause| cause.source()).map(ToString::to_string)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("{words}")]
    struct Told {
        words: &'static str,
        #[source]
        cause: Option<Box<Told>>,
    }

    fn told(words: &'static str, cause: Option<Told>) -> Told {
        Told { words, cause: cause.map(Box::new) }
    }

    #[test]
    fn every_cause_follows_what_it_caused_and_nothing_is_said_twice() {
        let first = || told("no such file", None);
        assert_eq!(chain(&first()), "no such file");
        assert_eq!(chain(&told("cannot start", Some(first()))), "cannot start: no such file");
        let quoting = told("cannot read it: no such file", Some(first()));
        assert_eq!(chain(&told("cannot start", Some(quoting))), "cannot start: cannot read it: no such file");
    }
}
