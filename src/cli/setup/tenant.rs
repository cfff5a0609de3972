//! Whose presence, in which tenant and cloud: all of that is in a work e-mail address, or shows when somebody
//! signs in to an app.

use std::io::Write;
use std::path::Path;

use super::ask::{Question, Questions, refused};
use crate::cli::exit::{self, Failure};
use crate::cli::progress::Progress;
use crate::config::{Environment, Given};
use crate::core::model::account::AccountId;
use crate::graph::sign_in::discovery::{Discovered, NotDiscovered, discover};
use crate::run;
use crate::setup::address::{Beginning, read};
use crate::setup::draft::Draft;
use crate::setup::words::WHOSE;

const QUESTION: Question<'_> = Question { words: WHOSE, option: "--email" };

/// Asks for an address until there is a tenant for it, unless the environment or the app says which.
pub(super) async fn find(
    (file, environment): (&Path, &Environment),
    (email, client_id): (Option<&str>, Option<&str>),
    questions: &mut Questions,
    progress: Progress,
    out: &mut impl Write,
) -> Result<Draft, Failure> {
    let app = client_id.and_then(|id| read(id).ok()).filter(|app| matches!(app, Beginning::App(..)));
    let given = Given::by(environment);
    loop {
        let mut draft = Draft { given, ..Draft::new() };
        match (email, &app) {
            (Some(email), _) => draft.begin(read(email).map_err(|error| refused(QUESTION.option, &error))?),
            (None, Some(app)) => draft.begin(app.clone()),
            (None, None) if given.tenant => {}
            (None, None) => draft.begin(questions.ask(out, QUESTION, None, read).await?),
        }
        let is_asked = email.is_none() && app.is_none() && !given.tenant;
        let config = draft.config(file, environment)?;
        let client = run::graph_client(&config, AccountId::FIRST)
            .map_err(|error| Failure::new(exit::CONFIG, error))?;
        let asking = async { Ok(discover(client.authority()).await) };
        match questions.stop.or(progress.during("looking for the tenant", asking)).await? {
            Ok(Discovered { tenant, cloud }) => {
                let found = format!("Tenant {tenant} in the {} cloud.", cloud.as_str());
                questions.say(out, &found)?;
                draft.tenant = tenant.to_string();
                draft.cloud = cloud;
                return Ok(draft);
            }
            Err(error @ NotDiscovered::Unknown(_)) if is_asked => questions.say(out, &error)?,
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
