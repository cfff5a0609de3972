//! What a person types, line by line.
//!
//! One reader serves a whole command: a line that one question no longer waits for is there for the next.

use std::io::{self, BufRead, Write};
use std::thread;

use tokio::sync::mpsc;

use super::paper::Paper;

/// Lines read ahead. When it is full, what is typed waits in the terminal.
const AHEAD: usize = 1;

/// The lines of standard input, each read when it is wanted: between two of them the terminal is another
/// program's, if need be.
#[derive(Debug, Default)]
pub(super) struct Lines {
    typed: Option<Typed>,
    are_over: bool,
}

#[derive(Debug)]
struct Typed {
    wanted: std::sync::mpsc::Sender<()>,
    lines: mpsc::Receiver<String>,
    /// One was wanted and did not come yet.
    is_awaited: bool,
}

impl Lines {
    /// All lines, as they come.
    pub(super) fn all() -> mpsc::Receiver<String> {
        of_stdin(|| true)
    }

    /// The next line; nothing when there is no more. Waiting can be given up, and loses nothing.
    pub(super) async fn next(&mut self) -> Option<String> {
        let Typed { wanted, lines, is_awaited } = self.typed.get_or_insert_with(Typed::of_stdin);
        if !std::mem::replace(is_awaited, true) {
            // Who reads no more has no more.
            let _gone = wanted.send(());
        }
        let line = lines.recv().await;
        *is_awaited = false;
        line
    }

    /// Whether a question was answered by the end of the input.
    pub(super) fn are_over(&self) -> bool {
        self.are_over
    }

    /// Asks until the answer is yes or no; an empty one is `default`, and none at all is no.
    pub(super) async fn ask(
        &mut self,
        (paper, out): (Paper, &mut impl Write),
        question: &str,
        default: bool,
    ) -> io::Result<bool> {
        let choice = if default { "[Y/n]" } else { "[y/N]" };
        loop {
            paper.ask(out, &format!("{question} {choice}"))?;
            let Some(line) = self.next().await else {
                self.are_over = true;
                return Ok(false);
            };
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
        let typed = Typed { wanted: std::sync::mpsc::channel().0, lines: typed, is_awaited: false };
        Self { typed: Some(typed), are_over: false }
    }
}

impl Typed {
    fn of_stdin() -> Self {
        let (wanted, want) = std::sync::mpsc::channel();
        Self { wanted, lines: of_stdin(move || want.recv().is_ok()), is_awaited: false }
    }
}

/// Reading a terminal cannot be cancelled, and a task that does it would keep the program from ending. So a
/// thread reads, which ends with the process; it reads a line whenever `wants` says so.
#[expect(clippy::disallowed_methods, reason = "it ends with the process")]
fn of_stdin(wants: impl Fn() -> bool + Send + 'static) -> mpsc::Receiver<String> {
    let (to, lines) = mpsc::channel(AHEAD);
    let read = move || {
        let mut typed = io::stdin().lock().lines().map_while(Result::ok);
        while wants() {
            let Some(line) = typed.next() else { return };
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
            let answer =
                Lines::typed(typed).ask((Paper::default(), &mut out), "Really?", default).await.unwrap();
            assert_eq!(answer, expected, "{typed:?} with {default}");
            let choice = if default { "Really? [Y/n] " } else { "Really? [y/N] " };
            let asked = if typed.contains(&"maybe") { 2 } else { 1 };
            assert_eq!(String::from_utf8(out).unwrap(), choice.repeat(asked));
        }
    }

    #[tokio::test]
    async fn a_line_that_nobody_waits_for_any_more_is_there_for_the_next_question() {
        let (to, lines) = mpsc::channel(AHEAD);
        let (wanted, want) = std::sync::mpsc::channel();
        let typed = Typed { wanted, lines, is_awaited: false };
        let mut lines = Lines { typed: Some(typed), are_over: false };
        assert!(want.try_recv().is_err(), "nobody waits for a line yet");
        for _ in 0..2 {
            tokio::select! {
                biased;
                line = lines.next() => panic!("{line:?}"),
                () = std::future::ready(()) => {}
            }
        }
        to.try_send("y".to_owned()).unwrap();
        assert!(lines.ask((Paper::default(), &mut Vec::new()), "Really?", false).await.unwrap());
        assert_eq!(want.try_iter().count(), 1, "the terminal is free for others");
    }
}
