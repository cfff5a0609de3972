//! The person signs in, and sees their presence at once.

use std::io::Write;
use std::path::Path;

use clap::ValueEnum;

use super::ask::Questions;
use crate::cli::exit::Failure;
use crate::cli::progress::Progress;
use crate::cli::terminal::{Paper, Terminal};
use crate::cli::{get, login};
use crate::config::Environment;
use crate::core::model::sign_in::SignInBy;
use crate::setup::draft::Draft;
use crate::setup::words::no_presence;

/// How the person signs in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum SignIn {
    /// With a code, on any device; with a browser where the tenant blocks codes
    Code,
    /// With a browser
    Browser,
    /// Not now, but with `presence2mqtt login`
    Later,
}

/// Signs the person in, unless that shall be later.
pub(super) async fn now(
    draft: &mut Draft,
    (file, environment): (&Path, &Environment),
    (how, no_open): (SignIn, bool),
    questions: &mut Questions,
    (terminal, progress): (Terminal, Progress),
    out: &mut impl Write,
) -> Result<(), Failure> {
    draft.sign_in = match how {
        SignIn::Code | SignIn::Later => SignInBy::DeviceCode,
        SignIn::Browser => SignInBy::Browser,
    };
    if how == SignIn::Later {
        return Ok(());
    }
    let config = draft.config(file, environment)?;
    let login = login::Options {
        yes: questions.are_answered(),
        no_open,
        expected: Some(draft.email.clone()),
        or_browser: true,
        ..login::Options::default()
    };
    writeln!(out)?;
    let Questions { lines, stop, .. } = questions;
    draft.sign_in = stop.or(login::sign_in(&config, &login, (terminal, progress), lines, out)).await?;
    // The sign-in is stored: a hiccup of Graph, or a permission that is missing yet, does not take the rest away.
    let showing =
        async { Ok(get::run(&config, &get::Options::default(), (Paper::default(), progress), out).await) };
    if let Err(failure) = stop.or(showing).await? {
        writeln!(out, "{}", no_presence(&failure))?;
    }
    Ok(())
}
