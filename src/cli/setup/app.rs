//! The app registration: its id, or how to make one.

use std::io::Write;

use super::ask::{Question, Questions, refused};
use crate::cli::exit::Failure;
use crate::setup::app;
use crate::setup::draft::Draft;

/// Asks for the id of an app.
pub(super) async fn ask(
    draft: &mut Draft,
    client_id: Option<&str>,
    questions: &mut Questions,
    out: &mut impl Write,
) -> Result<(), Failure> {
    let question = Question { words: "Application (client) ID", option: "--client-id" };
    draft.client_id = match client_id {
        Some(id) => app::read(id).map_err(|error| refused(question.option, &error))?,
        None => {
            if !questions.are_answered() {
                writeln!(out, "\n{}", app::steps(draft.cloud))?;
            }
            questions.ask(out, question, None, app::read).await?
        }
    };
    Ok(())
}
