//! Templates of our user's own (template language: `docs.rs/minijinja`, "syntax"), which may cost only so
//! much.

use minijinja::value::ValueKind;
use minijinja::{Environment, Error, ErrorKind, UndefinedBehavior, escape_formatter};

/// Bytes of a template. Each operation in a chain takes room on the stack, and no fuel, while it is compiled;
/// this many fit.
pub(super) const LONGEST_TEMPLATE: usize = 4096;
/// Steps that a template may take. A long one takes some hundreds.
const FUEL: u64 = 20_000;
/// Bytes of a payload. More than any light understands, less than small devices choke on.
pub(super) const LONGEST_PAYLOAD: usize = 4096;

/// Why a template is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// It cannot be read.
    #[error("line {line}: {problem}")]
    Unreadable {
        /// Counted from 1.
        line: usize,
        /// What is wrong there.
        problem: Box<str>,
    },
    /// It is too long to be read.
    #[error("has {length} bytes; at most {LONGEST_TEMPLATE} are read")]
    TooLarge {
        /// In bytes.
        length: usize,
    },
    /// It uses a name that does not exist.
    #[error("line {line}: there is no {name:?}; the names are {names}")]
    UnknownName {
        /// Counted from 1.
        line: usize,
        /// The name.
        name: Box<str>,
        /// Those there are.
        names: &'static str,
    },
    /// It can be read but fails when it is tried.
    #[error("line {line}: {problem} ({state})")]
    Fails {
        /// Counted from 1.
        line: usize,
        /// What is wrong there.
        problem: Box<str>,
        /// What it was tried with.
        state: Box<str>,
    },
    /// It takes too many steps, such as by a loop over a long range.
    #[error("line {line}: takes too long; a template that only writes a payload is done within {FUEL} steps")]
    Endless {
        /// Counted from 1.
        line: usize,
    },
    /// Its payload is too long.
    #[error("writes {length} bytes ({state}); at most {LONGEST_PAYLOAD} are sent")]
    TooLong {
        /// In bytes.
        length: usize,
        /// What it was tried with.
        state: Box<str>,
    },
}

impl TemplateError {
    /// What went wrong while `state` was rendered.
    pub(super) fn from_render(error: &Error, state: Box<str>) -> Self {
        if error.kind() == ErrorKind::OutOfFuel {
            return Self::Endless { line: line(error) };
        }
        Self::Fails { line: line(error), problem: problem(error), state }
    }
}

/// Reads a template that may use `names`. Looks into branches too that are never taken.
pub(super) fn check(template: &str, names: &'static str) -> Result<(), TemplateError> {
    if template.len() > LONGEST_TEMPLATE {
        return Err(TemplateError::TooLarge { length: template.len() });
    }
    let environment = environment();
    let read = environment.template_from_str(template);
    let read =
        read.map_err(|error| TemplateError::Unreadable { line: line(&error), problem: problem(&error) })?;
    let known = |name: &str| {
        names.split(", ").any(|known| known == name)
            || environment.globals().any(|(global, _)| global == name)
    };
    let unknown = read.undeclared_variables(false).into_iter().filter(|name| !known(name));
    match unknown.map(|name| (line_of(template, &name), name)).min() {
        Some((line, name)) => Err(TemplateError::UnknownName { line, name: name.into(), names }),
        None => Ok(()),
    }
}

/// What templates are rendered in.
pub(super) fn environment() -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_fuel(Some(FUEL));
    // Jinja would write True, as Python does; most payloads are JSON, where that is an error.
    environment.set_formatter(|out, state, value| {
        if value.kind() == ValueKind::Bool {
            return Ok(out.write_str(if value.is_true() { "true" } else { "false" })?);
        }
        escape_formatter(out, state, value)
    });
    environment
}

/// The first line in which a name stands as a word of its own.
fn line_of(template: &str, name: &str) -> usize {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let has_it = |line: &str| line.split(|c| !is_word(c)).any(|word| word == name);
    template.lines().position(has_it).map_or(1, |index| index + 1)
}

fn line(error: &Error) -> usize {
    error.line().unwrap_or(1)
}

fn problem(error: &Error) -> Box<str> {
    match error.detail() {
        Some(detail) => format!("{}: {detail}", error.kind()).into(),
        None => error.kind().to_string().into(),
    }
}
