//! Questions, line by line: over SSH, in narrow windows, without colours, and from a pipe.
//!
//! Prompt libraries want a terminal of which they take hold. Here a line that is printed and a line that is
//! read are enough, and the reader is the one that `login` shares.

use std::fmt::Display;
use std::io::{self, IsTerminal, Write};
use std::pin::Pin;

use secrecy::SecretString;

use super::echo::EchoOff;
use crate::cli::exit::{self, Failure};
use crate::cli::lines::Lines;
use crate::cli::paper::Paper;
use crate::cli::signals;
use crate::setup::words::in_a_set_up;

/// Whoever answers.
pub(super) struct Questions {
    /// What is typed.
    pub(super) lines: Lines,
    /// How the program is asked to end.
    pub(super) stop: Stop,
    /// Every question has its default for an answer.
    yes: bool,
    /// A terminal shows what is typed, with the end of its line.
    is_shown: bool,
    /// What is said is printed on.
    pub(super) paper: Paper,
}

/// How the program is asked to end: no configuration was written until then.
pub(super) struct Stop {
    signal: Pin<Box<dyn Future<Output = ()> + Send>>,
    came: bool,
}

/// A question, and the option that answers it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Question<'a> {
    pub(super) words: &'a str,
    pub(super) option: &'static str,
}

impl Questions {
    pub(super) fn new(yes: bool, paper: Paper) -> io::Result<Self> {
        let is_shown = io::stdin().is_terminal();
        Ok(Self { lines: Lines::default(), stop: Stop::new(signals::stop()?), yes, is_shown, paper })
    }

    /// Says something that is no question.
    pub(super) fn say(&self, out: &mut impl Write, sentences: &dyn Display) -> io::Result<()> {
        self.paper.say(out, &in_a_set_up(&sentences.to_string()))
    }

    /// Whether the program was asked to end at a terminal.
    pub(super) fn are_interrupted(&self) -> bool {
        self.is_shown && self.stop.came
    }

    /// Whether nobody is asked.
    pub(super) fn are_answered(&self) -> bool {
        self.yes
    }

    /// Asks until there is an answer that `read` takes. An empty one is the default.
    pub(super) async fn ask<T, E: Display>(
        &mut self,
        out: &mut impl Write,
        question: Question<'_>,
        default: Option<&str>,
        read: impl Fn(&str) -> Result<T, E>,
    ) -> Result<T, Failure> {
        let Question { words, option } = question;
        if self.yes {
            let answer = default.ok_or_else(|| missing(words, option))?;
            return read(answer).map_err(|error| refused(option, &error));
        }
        loop {
            match default {
                Some(default) if !default.is_empty() => {
                    self.paper.ask(out, &format!("{words} [{default}]:"))?;
                }
                Some(_) | None => self.paper.ask(out, &format!("{words}:"))?,
            }
            let line = self.line(out).await?.ok_or_else(|| missing(words, option))?;
            let answer = match (line.trim(), default) {
                ("", None) => continue,
                ("", Some(default)) => default,
                (answer, _) => answer,
            };
            match read(answer) {
                Ok(answer) => return Ok(answer),
                Err(error) => self.say(out, &error)?,
            }
        }
    }

    /// Asks for what nobody shall see, until there is something.
    pub(super) async fn hidden(
        &mut self,
        out: &mut impl Write,
        question: Question<'_>,
    ) -> Result<SecretString, Failure> {
        let Question { words, option } = question;
        if self.yes {
            return Err(missing(words, option));
        }
        loop {
            self.paper.ask(out, &format!("{words}:"))?;
            let echo = EchoOff::start();
            let line = self.line(out).await?;
            // Enter was not seen either.
            if echo.is_off() {
                writeln!(out)?;
            }
            drop(echo);
            let line = line.ok_or_else(|| missing(words, option))?;
            if !line.is_empty() {
                return Ok(line.into());
            }
        }
    }

    /// Asks for a yes; where nobody answers it is a no.
    pub(super) async fn agrees(&mut self, out: &mut impl Write, question: &str) -> Result<bool, Failure> {
        let Self { lines, stop, paper, .. } = self;
        stop.or(async { Ok(lines.ask((*paper, out), question, false).await?) }).await
    }

    /// The next line; nothing when there is no more.
    async fn line(&mut self, out: &mut impl Write) -> Result<Option<String>, Failure> {
        let Self { lines, stop, is_shown, .. } = self;
        let line = stop.or(async { Ok(lines.next().await) }).await?;
        if !*is_shown {
            // Else one question would follow the other.
            writeln!(out)?;
        }
        Ok(line)
    }
}

impl Stop {
    fn new(signal: impl Future<Output = ()> + Send + 'static) -> Self {
        Self { signal: Box::pin(signal), came: false }
    }

    #[cfg(test)]
    pub(super) fn never() -> Self {
        Self::new(std::future::pending())
    }

    /// Waits for some work, or for the end.
    pub(super) async fn or<T>(
        &mut self,
        work: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Failure> {
        if !self.came {
            tokio::select! {
                biased;
                () = self.signal.as_mut() => self.came = true,
                done = work => return done,
            }
        }
        Err(Failure::new(exit::UNEXPECTED, "interrupted; the configuration was not written"))
    }
}

/// A question that nobody answers.
fn missing(words: &str, option: &str) -> Failure {
    Failure::new(exit::USAGE, format!("no answer to \"{words}\"; give it with {option}"))
}

/// An option that is not what it should be.
pub(super) fn refused(option: &str, error: &dyn Display) -> Failure {
    Failure::new(exit::USAGE, format!("{option}: {error}"))
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    fn answering(lines: &[&str], yes: bool) -> Questions {
        Questions {
            lines: Lines::typed(lines),
            stop: Stop::never(),
            yes,
            is_shown: false,
            paper: Paper::default(),
        }
    }

    const QUESTION: Question<'_> = Question { words: "How many", option: "--many" };

    #[tokio::test]
    async fn a_wrong_answer_is_asked_for_again_and_an_empty_one_is_the_default() {
        for (typed, default, yes, expected) in [
            (&["7"][..], None, false, Some(7)),
            (&["", " 7 "], None, false, Some(7)),
            (&["many", "7"], Some("5"), false, Some(7)),
            (&[""], Some("5"), false, Some(5)),
            (&["7"], Some("5"), true, Some(5)),
            (&["7"], None, true, None),
            (&[], Some("5"), false, None),
        ] {
            let mut out = Vec::new();
            let answer = answering(typed, yes).ask(&mut out, QUESTION, default, str::parse::<u8>).await;
            assert_eq!(answer.ok(), expected, "{typed:?}, {default:?}, {yes}");
        }
    }

    #[tokio::test]
    async fn an_empty_password_is_asked_for_again() {
        let typed = answering(&["", "s3cret"], false).hidden(&mut Vec::new(), QUESTION).await;
        assert_eq!(typed.unwrap().expose_secret(), "s3cret");
    }

    #[tokio::test]
    async fn what_is_missing_is_named_with_its_option() {
        let failure = answering(&[], false).hidden(&mut Vec::new(), QUESTION).await.unwrap_err();
        assert_eq!(failure.to_string(), "no answer to \"How many\"; give it with --many");
        assert_eq!(failure.code(), exit::USAGE);
    }

    #[tokio::test]
    async fn the_end_comes_before_any_answer() {
        let mut questions = answering(&["7", "8"], false);
        questions.stop = Stop::new(std::future::ready(()));
        for _ in 0..2 {
            let answer = questions.ask(&mut Vec::new(), QUESTION, None, str::parse::<u8>).await;
            assert!(answer.unwrap_err().to_string().contains("was not written"));
        }
    }
}
