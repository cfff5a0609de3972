//! `presence2mqtt completions`

use std::io::{self, Write};

use clap::{Args, Command};
use clap_complete::Shell;

/// For whom.
#[derive(Debug, Args)]
pub(super) struct Options {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

/// Prints what a shell needs to complete the commands and options of the program's `command`.
pub(super) fn run(mut command: Command, options: &Options, out: &mut impl Write) -> io::Result<()> {
    // Straight to the output, it would panic where the output is closed.
    let mut script = Vec::new();
    clap_complete::generate(options.shell, &mut command, "presence2mqtt", &mut script);
    out.write_all(&script)
}
