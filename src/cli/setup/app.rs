//! The app registration: its id, or how to make one.

use std::io::Write;

use super::ask::{Question, Questions, refused};
use crate::cli::exit::{self, Failure};
use crate::setup::app;
use crate::setup::draft::Draft;

const QUESTION: Question<'_> = Question { words: "Application (client) ID", option: "--client-id" };

/// Asks for the id of an app, if none is known.
pub(super) async fn ask(
    draft: &mut Draft,
    client_id: Option<&str>,
    questions: &mut Questions,
    out: &mut impl Write,
) -> Result<(), Failure> {
    if let Some(id) = client_id {
        draft.client_id = app::read(id).map_err(|error| refused(QUESTION.option, &error))?;
    } else if !draft.has_app() {
        if !questions.are_answered() {
            writeln!(out, "\n{}", app::steps(draft.cloud))?;
        }
        draft.client_id = questions.ask(out, QUESTION, None, app::read).await?;
    }
    Ok(())
}

/// Nobody could sign in: asks for the id again, which may have been another one's. With nobody to ask that
/// was the end.
pub(super) async fn ask_again(
    draft: &mut Draft,
    failure: Failure,
    questions: &mut Questions,
    out: &mut impl Write,
) -> Result<(), Failure> {
    questions.say(out, &failure)?;
    let words = "Application (client) ID; Enter signs in with this one again";
    let asked = questions.ask(out, Question { words, ..QUESTION }, Some(&draft.client_id), app::read).await;
    draft.client_id = match asked {
        Err(nobody) if nobody.code() == exit::USAGE => return Err(failure),
        asked => asked?,
    };
    Ok(())
}
