//! What may be done with standard output and standard error.

use std::io::{self, IsTerminal};

use tokio::sync::mpsc;

use super::lines::Lines;
use super::paper::Paper;
use crate::config::Environment;
use crate::view::screen::Size;

/// What standard output and standard error are. Decided once, so that all commands agree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Terminal {
    /// Standard output can be drawn on.
    pub out: bool,
    /// Standard error can be drawn on.
    pub err: bool,
    /// Nobody asked to go without colours (<https://no-color.org>).
    colours: bool,
}

impl Terminal {
    /// Asks the system.
    pub(super) fn of_process(environment: &Environment) -> Self {
        Self::new(io::stdout().is_terminal(), io::stderr().is_terminal(), environment)
    }

    fn new(out: bool, err: bool, environment: &Environment) -> Self {
        // Editors and old machines, which print what others obey.
        let can_draw = environment.get("TERM") != Some("dumb");
        Self { out: out && can_draw, err: err && can_draw, colours: environment.get("NO_COLOR").is_none() }
    }

    /// Whether results are coloured.
    pub(super) fn colours_out(self) -> bool {
        self.out && self.colours
    }

    /// What results are printed on.
    pub(super) fn paper(self) -> Paper {
        Paper { width: self.out.then(|| Size::of_terminal().width), colours: self.colours_out() }
    }

    /// What is typed while results are drawn, where this program may read it.
    pub(super) fn typed(self) -> Option<mpsc::Receiver<String>> {
        (self.out && is_in_front()).then(Lines::all)
    }

    /// Whether logs are coloured.
    pub(super) fn colours_err(self) -> bool {
        self.err && self.colours
    }
}

/// Whether what is typed is for this program: whoever reads a terminal from the background is stopped.
fn is_in_front() -> bool {
    let stdin = std::io::stdin();
    rustix::termios::tcgetpgrp(&stdin).is_ok_and(|front| front == rustix::process::getpgrp())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_need_a_terminal_and_nobody_who_minds() {
        for (out, err, variables, expected) in [
            (true, true, &[][..], [true; 4]),
            (false, true, &[], [false, true, false, true]),
            (true, false, &[], [true, false, true, false]),
            (true, true, &[("NO_COLOR", "1")], [true, true, false, false]),
            (true, true, &[("NO_COLOR", "")], [true; 4]),
            (true, true, &[("TERM", "dumb")], [false; 4]),
            (true, true, &[("TERM", "xterm")], [true; 4]),
        ] {
            let variables = variables.iter().map(|&(name, value)| (name.to_owned(), value.to_owned()));
            let terminal = Terminal::new(out, err, &variables.collect());
            let found = [terminal.out, terminal.err, terminal.colours_out(), terminal.colours_err()];
            assert_eq!(found, expected, "{out} {err}");
        }
    }
}
