//! Whether the files may be written.

use std::io::Write;
use std::path::{Path, PathBuf};

use super::ask::Questions;
use crate::cli::exit::{self, Failure};
use crate::setup::place::{self, NoConfiguration, NotWritten};

const REPLACE: &str = "--replace";

/// Makes sure, before anybody goes to any trouble, that a file can be written, and that nothing is replaced
/// which somebody wants to keep. Returns whether something may be replaced.
pub(super) async fn may_be_written(
    file: &Path,
    replace: bool,
    questions: &mut Questions,
    out: &mut impl Write,
) -> Result<Vec<PathBuf>, Failure> {
    place::try_out(file)?;
    let there = place::there(file);
    if there.is_empty() || replace {
        return Ok(there);
    }
    let names: Vec<String> = there.iter().map(|path| path.display().to_string()).collect();
    let names = names.join(" and ");
    if !questions.are_answered() && questions.agrees(out, &format!("Replace {names}?")).await? {
        return Ok(there);
    }
    Err(Failure::new(
        exit::USAGE,
        format!("{names} would be replaced; allow it with {REPLACE}, or name another file with --config"),
    ))
}

impl From<NotWritten> for Failure {
    fn from(error: NotWritten) -> Self {
        Self::new(exit::UNEXPECTED, error)
    }
}

impl From<NoConfiguration> for Failure {
    fn from(why: NoConfiguration) -> Self {
        match why {
            NoConfiguration::NotWritten(error) => error.into(),
            NoConfiguration::Refused(errors) => errors.into(),
        }
    }
}
