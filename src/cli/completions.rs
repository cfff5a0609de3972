//! `presence2mqtt completions`

use std::io::{self, Write};

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use super::Arguments;

/// For whom.
#[derive(Debug, Args)]
pub(super) struct Options {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

/// Prints what a shell needs to complete commands and options.
pub(super) fn run(options: &Options, out: &mut impl Write) -> io::Result<()> {
    let mut command = Arguments::command();
    // Straight to the output, it would panic where the output is closed.
    let mut script = Vec::new();
    clap_complete::generate(options.shell, &mut command, "presence2mqtt", &mut script);
    out.write_all(&script)
}
