//! The broker: looked for where it usually is, and tried as the bridge will use it.

use std::io::Write;
use std::path::Path;

use secrecy::SecretString;

use super::ask::{Question, Questions, refused};
use crate::cli::exit::{self, Failure};
use crate::cli::online;
use crate::cli::progress::Progress;
use crate::config::{Environment, Secret};
use crate::setup::broker::{connect, url, usual, wants_a_name};
use crate::setup::draft::Draft;
use crate::setup::words::{in_a_set_up, not_let_in};

const BROKER: Question<'_> = Question { words: "MQTT broker (host, host:port or URL)", option: "--broker" };
const USERNAME: Question<'_> = Question { words: "User name at the broker", option: "--username" };
const PASSWORD: Question<'_> = Question { words: "Password (not shown)", option: "--password-file" };

/// What the command line says of it.
pub(super) struct Given<'a> {
    pub(super) broker: Option<&'a str>,
    pub(super) username: Option<&'a str>,
    pub(super) password_file: Option<&'a Path>,
}

/// Asks for a broker unless one is found, and for a user name where it wants one, until it lets this program
/// in. Then tries the rest.
pub(super) async fn settle(
    draft: &mut Draft,
    (file, environment): (&Path, &Environment),
    given: &Given<'_>,
    questions: &mut Questions,
    progress: Progress,
    out: &mut impl Write,
) -> Result<(), Failure> {
    let password = given.password_file.map(read_password).transpose()?;
    let of_environment = draft.given;
    let mut found = match given.broker {
        None if !of_environment.url => {
            let looking = async { Ok(usual(environment).await) };
            questions.stop.or(progress.during("looking for a broker", looking)).await?
        }
        Some(_) | None => None,
    };
    let mut is_asked = true;
    loop {
        if is_asked {
            match (given.broker, found.take()) {
                (Some(text), _) => {
                    draft.broker = url(text).map_err(|error| refused(BROKER.option, &error))?;
                }
                (None, Some(place)) => {
                    draft.broker = url(&place).map_err(|error| refused(BROKER.option, &error))?;
                    questions.say(out, &format!("Found the broker {}.", draft.broker))?;
                }
                (None, None) if of_environment.url => {}
                (None, None) => draft.broker = questions.ask(out, BROKER, None, url).await?,
            }
            // What was typed for one broker is no other's business.
            draft.username = given.username.map(str::to_owned).filter(|_| !of_environment.username);
            draft.password = password.clone().filter(|_| !of_environment.password);
        }
        let config = draft.config(file, environment)?;
        let trying = async { Ok(connect(&config).await) };
        let failure = match questions.stop.or(progress.during("connecting to the broker", trying)).await? {
            Ok(broker) => {
                broker.close().await;
                return online::run_broker(&config, (questions.paper, progress), &in_a_set_up, out).await;
            }
            Err(failure) => failure,
        };
        let has_username = given.username.is_some() || of_environment.username;
        let has_password = given.password_file.is_some() || of_environment.password;
        let wants_a_name = wants_a_name(&failure) && !(has_username && has_password);
        let is_given = given.broker.is_some() || of_environment.url;
        if questions.are_answered() || is_given && !wants_a_name {
            return Err(exit::of_broker(failure));
        }
        if wants_a_name {
            let has_a_name = draft.username.is_some() || of_environment.username;
            questions.say(out, &format!("{}.", not_let_in(has_a_name)))?;
        } else {
            questions.say(out, &failure)?;
        }
        is_asked = !wants_a_name;
        if wants_a_name {
            if !has_username {
                draft.username = Some(questions.ask(out, USERNAME, None, name).await?);
            }
            if !has_password {
                draft.password = Some(questions.hidden(out, PASSWORD).await?);
            }
        }
    }
}

fn name(text: &str) -> Result<String, std::convert::Infallible> {
    Ok(text.to_owned())
}

/// As the bridge reads it later.
fn read_password(file: &Path) -> Result<SecretString, Failure> {
    Secret::File(file.to_owned()).read().map_err(|error| refused(PASSWORD.option, &error))
}
