//! The person signs in, and sees their presence at once.

use std::io::Write;
use std::path::Path;

use clap::ValueEnum;

use super::app;
use super::ask::Questions;
use crate::cli::exit::{self, Failure};
use crate::cli::progress::Progress;
use crate::cli::terminal::Terminal;
use crate::cli::{get, login};
use crate::config::Environment;
use crate::core::model::sign_in::SignInBy;
use crate::setup::draft::Draft;
use crate::setup::words::no_presence;

/// How the person signs in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum SignIn {
    /// With a code, on any device; with a browser where codes are not allowed
    Code,
    /// With a browser
    Browser,
    /// Not now, but with `presence2mqtt login`
    Later,
}

impl SignIn {
    /// What the configuration says of it.
    pub(super) fn method(self) -> SignInBy {
        match self {
            Self::Code | Self::Later => SignInBy::DeviceCode,
            Self::Browser => SignInBy::Browser,
        }
    }
}

/// Signs the person in. Where nobody can, the app may be another one: then it is asked for again, if somebody
/// may be asked.
pub(super) async fn now(
    draft: &mut Draft,
    on: (&Path, &Environment),
    (no_open, asks): (bool, bool),
    questions: &mut Questions,
    on_terminal: (Terminal, Progress),
    out: &mut impl Write,
) -> Result<(), Failure> {
    loop {
        match once(draft, on, no_open, questions, on_terminal, out).await {
            Err(failure) if asks && failure.code() == exit::SIGN_IN => {
                app::ask_again(draft, failure, questions, out).await?;
            }
            ended => return ended,
        }
    }
}

async fn once(
    draft: &mut Draft,
    (file, environment): (&Path, &Environment),
    no_open: bool,
    questions: &mut Questions,
    (terminal, progress): (Terminal, Progress),
    out: &mut impl Write,
) -> Result<(), Failure> {
    let config = draft.config(file, environment)?;
    let login = login::Options {
        yes: questions.are_answered(),
        no_open,
        expected: Some(draft.email.clone()),
        of_set_up: true,
        ..login::Options::default()
    };
    writeln!(out)?;
    let Questions { lines, stop, paper, .. } = questions;
    let (by, account) = stop.or(login::sign_in(&config, &login, (terminal, progress), lines, out)).await?;
    (draft.sign_in, draft.account) = (by, Some(account.to_string()));
    // The sign-in is stored: a hiccup of Graph, or a permission that is missing yet, does not take the rest
    // away.
    let config = draft.config(file, environment)?;
    let showing = async { Ok(get::run(&config, &get::Options::default(), (*paper, progress), out).await) };
    if let Err(failure) = stop.or(showing).await? {
        questions.say(out, &no_presence(&failure))?;
    }
    Ok(())
}
