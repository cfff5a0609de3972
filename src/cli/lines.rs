//! What a person types, line by line.
//!
//! One reader serves a whole command: a line that one question no longer waits for is there for the next.

use std::io::{self, BufRead, Write};
use std::thread;

use tokio::sync::mpsc;

/// Lines read ahead. When it is full, what is typed waits in the terminal.
const AHEAD: usize = 1;

/// The lines of standard input, read from the first time that one is wanted.
#[derive(Debug, Default)]
pub(super) struct Lines(Option<mpsc::Receiver<String>>);

impl Lines {
    /// All lines, as they come.
    pub(super) fn into_typed(self) -> mpsc::Receiver<String> {
        self.0.unwrap_or_else(of_stdin)
    }

    /// The next line; nothing when there is no more. Waiting can be given up, and loses nothing.
    pub(super) async fn next(&mut self) -> Option<String> {
        self.0.get_or_insert_with(of_stdin).recv().await
    }

    /// Asks until the answer is yes or no; an empty one is `default`, and none at all is no.
    pub(super) async fn ask(
        &mut self,
        out: &mut impl Write,
        question: &str,
        default: bool,
    ) -> io::Result<bool> {
        let choice = if default { "[Y/n]" } else { "[y/N]" };
        loop {
            write!(out, "{question} {choice} ")?;
            out.flush()?;
            let Some(line) = self.next().await else { return Ok(false) };
            match line.trim().to_lowercase().as_str() {
                "" => return Ok(default),
                "y" | "yes" => return Ok(true),
                "n" | "no" => return Ok(false),
                _ => {}
            }
        }
    }

    /// What a test types.
    #[cfg(test)]
    pub(super) fn typed(lines: &[&str]) -> Self {
        let (to, typed) = mpsc::channel(lines.len().max(1));
        lines.iter().for_each(|line| to.try_send((*line).to_owned()).unwrap());
        Self(Some(typed))
    }
}

/// Reading a terminal cannot be cancelled, and a task that does it would keep the program from ending. So a thread reads,
/// which ends with the process.
fn of_stdin() -> mpsc::Receiver<String> {
    let (to, lines) = mpsc::channel(AHEAD);
    let read = move || {
        for line in io::stdin().lock().lines().map_while(Result::ok) {
            if to.blocking_send(line).is_err() {
                return;
            }
        }
    };
    if let Err(error) = thread::Builder::new().spawn(read) {
        tracing::debug!(%error, "cannot read from the terminal");
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn yes_and_no_in_any_case_and_the_default() {
        for (typed, default, expected) in [
            (&["y"][..], false, true),
            (&["YES "], false, true),
            (&["Yes"], false, true),
            (&["n"], true, false),
            (&["NO"], true, false),
            (&[""], true, true),
            (&[""], false, false),
            (&["maybe", "yes"], false, true),
            (&["yes", "no"], false, true),
            (&[], true, false),
        ] {
            let mut out = Vec::new();
            let answer = Lines::typed(typed).ask(&mut out, "Really?", default).await.unwrap();
            assert_eq!(answer, expected, "{typed:?} with {default}");
            let choice = if default { "Really? [Y/n] " } else { "Really? [y/N] " };
            let asked = if typed.contains(&"maybe") { 2 } else { 1 };
            assert_eq!(String::from_utf8(out).unwrap(), choice.repeat(asked));
        }
    }

    #[tokio::test]
    async fn a_line_that_nobody_waits_for_any_more_is_there_for_the_next_question() {
        let (to, typed) = mpsc::channel(AHEAD);
        let mut lines = Lines(Some(typed));
        tokio::select! {
            biased;
            line = lines.next() => panic!("{line:?}"),
            () = std::future::ready(()) => {}
        }
        to.try_send("y".to_owned()).unwrap();
        assert!(lines.ask(&mut Vec::new(), "Really?", false).await.unwrap());
    }
}
