//! A line for each step, and the exit code that all of them come to.

use std::io::{self, Write};

use crate::cli::exit::{self, Failure};
use crate::cli::paper::Paper;
use crate::core::model::account::addressed;
use crate::core::model::name::TopicLevel;
use crate::core::model::request::ReadFailure;
use crate::hearing::Verdict;
use crate::mqtt::one_shot::OneShotError;
use crate::view::line::{Ink, Line, wrapped};

/// Names and groups that are tried at most: enough to see whether it works.
pub(super) const MOST_TRIED: usize = 20;

/// What to look at where a request did not get through; how long to wait is nobody's fault.
const ON_THE_WAY: &str = "check the network, HTTPS_PROXY and graph.ca_file, and try again";

/// What came of a step.
#[derive(Debug)]
pub(super) enum Outcome {
    /// It works; what was found.
    Ok(String),
    /// It works, but for what is said.
    Note(String),
    /// It does not; why and what to do, and the exit code that this is.
    Failed(u8, String),
    /// It could not be tried; what it needs.
    Skipped(&'static str),
}

/// The columns before the words.
const INDENT: usize = 24;

/// How advice is put to whoever reads it.
pub(super) type InWords<'w> = &'w dyn Fn(&str) -> String;

/// The steps so far.
pub(super) struct Checklist<'o, Out> {
    out: &'o mut Out,
    in_words: InWords<'o>,
    /// Which of several accounts the steps are about.
    about: Option<TopicLevel>,
    paper: Paper,
    notes: usize,
    failed: Vec<Failed>,
}

/// A step that failed, and why.
struct Failed {
    step: String,
    code: u8,
    why: String,
}

impl Outcome {
    /// The broker cannot be used so.
    pub(super) fn from_broker(error: OneShotError) -> Self {
        let advice = match &error {
            OneShotError::Link(_) => "; check [mqtt], and that the broker runs and accepts this user",
            OneShotError::PublishRefused { .. } => "; allow it in the broker's access list",
            OneShotError::Address(_) | OneShotError::Refused(_) | OneShotError::Silent => "",
        };
        let failure = exit::of_broker(error);
        // One piece of advice is enough, and that of who knows more is better.
        let advice = if failure.to_string().contains("; ") { "" } else { advice };
        Self::Failed(failure.code(), format!("{failure}{advice}"))
    }

    /// What was heard of a light's device.
    pub(super) fn from_light(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Well(says) => Self::Ok(says),
            Verdict::Unknown(says) => Self::Note(says),
            Verdict::Wrong(says) => Self::Failed(exit::UNREACHABLE, says),
        }
    }

    /// The same, of one of several.
    pub(super) fn named(self, name: &TopicLevel) -> Self {
        match self {
            Self::Ok(says) => Self::Ok(format!("{name}: {says}")),
            Self::Note(says) => Self::Note(format!("{name}: {says}")),
            Self::Failed(code, says) => Self::Failed(code, format!("{name}: {says}")),
            Self::Skipped(needs) => Self::Skipped(needs),
        }
    }

    /// A failure with the code of whoever has to act; `otherwise` where it does not say.
    pub(super) fn from_failure(failure: &ReadFailure, otherwise: u8) -> Self {
        match failure {
            ReadFailure::Passing { .. } => {
                Self::Failed(exit::UNREACHABLE, format!("{failure}; {ON_THE_WAY}"))
            }
            ReadFailure::Throttled { .. } => {
                Self::Failed(exit::UNREACHABLE, format!("{failure}; wait a minute and try again"))
            }
            ReadFailure::TokenRefused { .. }
            | ReadFailure::SignInRequired { .. }
            | ReadFailure::Forbidden { .. } => Self::Failed(exit::SIGN_IN, failure.to_string()),
            ReadFailure::NotFound => Self::Failed(exit::CONFIG, failure.to_string()),
            ReadFailure::Refused { .. } => Self::Failed(otherwise, failure.to_string()),
        }
    }
}

impl<'o, Out: Write> Checklist<'o, Out> {
    pub(super) fn new(paper: Paper, in_words: InWords<'o>, out: &'o mut Out) -> Self {
        Self { out, in_words, about: None, paper, notes: 0, failed: Vec::new() }
    }

    /// The next steps are about this account.
    pub(super) fn about(&mut self, account: Option<&TopicLevel>) {
        self.about = account.cloned();
    }

    /// Prints a step at once: the next one may take its time.
    pub(super) fn add(&mut self, step: &'static str, outcome: Outcome) -> io::Result<()> {
        let of = self.about.as_ref().map_or(String::new(), |name| format!("{name}: "));
        let addressed = |words: String| match &self.about {
            Some(name) => addressed(name, &words),
            None => words,
        };
        let (mark, ink, words) = match outcome {
            Outcome::Ok(words) => ("ok", Ink::Green, words),
            Outcome::Note(words) => {
                self.notes += 1;
                ("note", Ink::Bold, addressed(words))
            }
            Outcome::Failed(code, words) => {
                let why = addressed(words);
                self.failed.push(Failed { step: format!("{of}{step}"), code, why: why.clone() });
                ("failed", Ink::Red, why)
            }
            Outcome::Skipped(needs) => ("skipped", Ink::Dim, format!("needs the step \"{needs}\"")),
        };
        self.print(mark, ink, step, &(self.in_words)(&format!("{of}{words}")))
    }

    fn print(&mut self, mark: &str, ink: Ink, step: &str, words: &str) -> io::Result<()> {
        let Paper { width, colours } = self.paper;
        let width = width.map(|width| width.saturating_sub(INDENT).max(INDENT));
        for (n, words) in wrapped(words, width).into_iter().enumerate() {
            let line = match n {
                0 => Line::of(format!("{mark:<9}"), ink).and(format!("{step:<15}{words}"), Ink::Plain),
                _ => Line::of(format!("{:INDENT$}{words}", ""), Ink::Plain),
            };
            writeln!(self.out, "{}", line.render(None, colours))?;
        }
        self.out.flush()
    }

    /// The end of all that there is to try.
    pub(super) fn conclude(mut self) -> Result<(), Failure> {
        if self.failed.is_empty() {
            let notes = match self.notes {
                0 => String::new(),
                1 => ", with the note above".to_owned(),
                many => format!(", with the {many} notes above"),
            };
            self.print("ready", Ink::Green, "", &format!("everything that was tried works{notes}"))?;
        }
        self.finish()
    }

    /// The end of the list. Whoever has to act first decides over the code: who wrote the configuration, then
    /// who grants permissions, then who runs the network.
    pub(super) fn finish(self) -> Result<(), Failure> {
        let by_urgency = [exit::CONFIG, exit::SIGN_IN, exit::UNREACHABLE];
        let mut most_urgent =
            by_urgency.iter().filter_map(|code| self.failed.iter().find(|of| of.code == *code));
        let Some(first) = most_urgent.next().or(self.failed.first()) else { return Ok(()) };
        let code = if by_urgency.contains(&first.code) { first.code } else { exit::UNEXPECTED };
        let steps: Vec<&str> = self.failed.iter().map(|of| of.step.as_str()).collect();
        let begin = if steps.len() > 1 { format!("begin with {}: ", first.step) } else { String::new() };
        Err(Failure::new(code, format!("failed: {}; {begin}{}", steps.join(", "), what_to_do(&first.why))))
    }
}

/// Of a sentence that says what is wrong, what to do, and perhaps in brackets how somebody put it.
fn what_to_do(why: &str) -> &str {
    let end = why.rfind(" (").filter(|_| why.ends_with(')')).unwrap_or(why.len());
    let says = &why[..end];
    says.split_once("; ").or_else(|| says.split_once(": ")).map_or(says, |(_, act)| act)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn on_a_terminal_sentences_are_broken_and_marks_coloured() {
        let mut out = Vec::new();
        let paper = Paper { width: Some(60), colours: true };
        let mut list = Checklist::new(paper, &|says| says.replace("wled", "the lamp"), &mut out);
        let words = "the device listens at wled/office, and is on the network since this morning";
        list.add("light", Outcome::Note(words.to_owned())).unwrap();
        list.conclude().unwrap();
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "\x1b[1mnote     \x1b[0mlight          the device listens at the\n\
             \x20                       lamp/office, and is on the network\n\
             \x20                       since this morning\n\
             \x1b[32mready    \x1b[0m               everything that was tried works,\n\
             \x20                       with the note above\n"
        );
    }

    #[test]
    fn a_line_each_and_the_most_urgent_code() {
        let failed = |code| Outcome::Failed(code, "why; what to do (AADSTS1; \"no\")".to_owned());
        for (codes, expected) in
            [(&[][..], None), (&[69], Some(69)), (&[69, 77], Some(77)), (&[77, 69, 78], Some(78))]
        {
            let mut out = Vec::new();
            let mut list = Checklist::new(Paper::default(), &str::to_owned, &mut out);
            list.add("sign-in", Outcome::Ok("as the app".to_owned())).unwrap();
            list.add("Graph", Outcome::Skipped("sign-in")).unwrap();
            for &code in codes {
                list.add("broker", failed(code)).unwrap();
            }
            let failure = list.conclude().err();
            assert_eq!(failure.as_ref().map(Failure::code), expected, "{codes:?}");
            let says = match codes.len() {
                0 => None,
                1 => Some("failed: broker; what to do".to_owned()),
                many => {
                    let steps = vec!["broker"; many].join(", ");
                    Some(format!("failed: {steps}; begin with broker: what to do"))
                }
            };
            assert_eq!(failure.map(|failure| failure.to_string()), says);
            let text = String::from_utf8(out).unwrap();
            let first =
                "ok       sign-in        as the app\nskipped  Graph          needs the step \"sign-in\"\n";
            let more = "failed   broker         why; what to do (AADSTS1; \"no\")\n".repeat(codes.len());
            let ready = "ready                   everything that was tried works\n";
            let verdict = if codes.is_empty() { ready } else { "" };
            assert_eq!(text, format!("{first}{more}{verdict}"));
        }
    }
}
