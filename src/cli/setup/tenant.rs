//! Whose presence, in which tenant and cloud: all of that is in a work e-mail address.

use std::io::Write;
use std::path::Path;

use super::ask::{Question, Questions, refused};
use crate::cli::exit::{self, Failure};
use crate::cli::progress::Progress;
use crate::config::Environment;
use crate::core::model::account::AccountId;
use crate::graph::sign_in::discovery::{Discovered, NotDiscovered, discover};
use crate::run;
use crate::setup::address::read;
use crate::setup::draft::Draft;

const QUESTION: Question<'_> = Question { words: "Your work e-mail address", option: "--email" };

/// Asks for an address until there is a tenant for it.
pub(super) async fn find(
    (file, environment): (&Path, &Environment),
    email: Option<&str>,
    questions: &mut Questions,
    progress: Progress,
    out: &mut impl Write,
) -> Result<Draft, Failure> {
    loop {
        let address = match email {
            Some(email) => read(email).map_err(|error| refused(QUESTION.option, &error))?,
            None => questions.ask(out, QUESTION, None, read).await?,
        };
        let mut draft = Draft::of(&address);
        let config = draft.config(file, environment)?;
        let client = run::graph_client(&config, AccountId::FIRST)
            .map_err(|error| Failure::new(exit::CONFIG, error))?;
        let asking = async { Ok(discover(client.authority()).await) };
        match questions.stop.or(progress.during("looking for the tenant", asking)).await? {
            Ok(Discovered { tenant, cloud }) => {
                writeln!(out, "Tenant {tenant} in the {} cloud.", cloud.as_str())?;
                draft.tenant = tenant.to_string();
                draft.cloud = cloud;
                return Ok(draft);
            }
            Err(error @ NotDiscovered::Unknown(_)) if email.is_none() => writeln!(out, "  {error}")?,
            Err(error) => {
                let code = match error {
                    NotDiscovered::Unknown(_) => exit::USAGE,
                    NotDiscovered::China => exit::CONFIG,
                    NotDiscovered::Passing(_) | NotDiscovered::NotAnAnswer => exit::UNREACHABLE,
                };
                return Err(Failure::new(code, error));
            }
        }
    }
}
