//! What results are printed on: sentences and questions, broken between words.

use std::io::{self, Write};

use crate::view::line::wrapped;

/// What results are printed on.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Paper {
    /// Columns that there is room for; nothing where no person looks, but a program or a file.
    pub width: Option<usize>,
    /// With colours.
    pub colours: bool,
}

impl Paper {
    /// Prints sentences, broken between words where there is not room for all of a line.
    pub(super) fn say(self, out: &mut impl Write, sentences: &str) -> io::Result<()> {
        sentences
            .lines()
            .flat_map(|line| wrapped(line, self.width))
            .try_for_each(|line| writeln!(out, "{line}"))
    }

    /// Prints a question, broken in the same way; what is typed follows it.
    pub(super) fn ask(self, out: &mut impl Write, question: &str) -> io::Result<()> {
        let width = self.width.map(|width| width.saturating_sub(1));
        write!(out, "{} ", wrapped(question, width).join("\n"))?;
        out.flush()
    }
}
