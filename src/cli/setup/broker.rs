//! The broker: looked for where it usually is, and tried as the bridge will use it.

use std::io::Write;
use std::path::Path;
use std::time::Duration;

use secrecy::SecretString;
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::ask::{Question, Questions, refused};
use super::draft::Draft;
use crate::cli::exit::{self, Failure};
use crate::cli::online;
use crate::cli::progress::Progress;
use crate::cli::terminal::Paper;
use crate::config::{Broker, Environment, InvalidBroker, Secret};
use crate::core::model::event::LinkFailure;
use crate::mqtt::address::Address;
use crate::mqtt::one_shot::{OneShot, OneShotError};

/// This machine, Home Assistant's own broker as its apps see it, and as the network sees it.
const USUAL: [&str; 3] = ["localhost", "core-mosquitto", "homeassistant.local"];

const PORT: u16 = 1883;

/// For an answer from one of them.
const PROBE_TIMEOUT: Duration = Duration::from_secs(2);

const BROKER: Question<'_> = Question { words: "MQTT broker", option: "--broker" };
const USERNAME: Question<'_> = Question { words: "User name at the broker", option: "--username" };
const PASSWORD: Question<'_> = Question { words: "Password (not shown)", option: "--password-file" };

/// What the command line says of it.
pub(super) struct Given<'a> {
    pub(super) broker: Option<&'a str>,
    pub(super) username: Option<&'a str>,
    pub(super) password_file: Option<&'a Path>,
}

/// Asks for a broker, and for a user name where it wants one, until it lets this program in. Then tries the rest.
pub(super) async fn settle(
    draft: &mut Draft,
    (file, environment): (&Path, &Environment),
    given: &Given<'_>,
    questions: &mut Questions,
    progress: Progress,
    out: &mut impl Write,
) -> Result<(), Failure> {
    let password = given.password_file.map(read_password).transpose()?;
    let usual = match given.broker {
        Some(_) => None,
        None => {
            let looking = async { Ok(usual().await) };
            questions.stop.or(progress.during("looking for a broker", looking)).await?
        }
    };
    let mut is_asked = true;
    loop {
        if is_asked {
            draft.broker = match given.broker {
                Some(text) => address(text).map_err(|error| refused(BROKER.option, &error))?,
                None => questions.ask(out, BROKER, usual, address).await?,
            };
            // What was typed for one broker is no other's business.
            draft.username = given.username.map(str::to_owned);
            draft.password = password.clone();
        }
        let config = draft.config(file, environment)?;
        let to = Address::of_command(&config.mqtt, "setup");
        let trying = async { Ok(OneShot::connect(&to).await) };
        let failure = match questions.stop.or(progress.during("connecting to the broker", trying)).await? {
            Ok(broker) => {
                broker.close().await;
                return online::run_broker(&config, (Paper::default(), progress), out).await;
            }
            Err(failure) => failure,
        };
        let is_known = given.username.is_some() && given.password_file.is_some();
        let wants_a_name = wants_a_name(&failure) && !is_known;
        if questions.are_answered() || given.broker.is_some() && !wants_a_name {
            return Err(exit::of_broker(failure));
        }
        match (wants_a_name, &draft.username) {
            (true, None) => writeln!(out, "The broker wants a user name and a password.")?,
            (true, Some(_)) => writeln!(out, "  The broker does not let this user in.")?,
            (false, _) => writeln!(out, "  {failure}")?,
        }
        is_asked = !wants_a_name;
        if wants_a_name {
            draft.username = Some(match given.username {
                Some(username) => username.to_owned(),
                None => questions.ask(out, USERNAME, None, name).await?,
            });
            draft.password = Some(questions.hidden(out, PASSWORD).await?);
        }
    }
}

/// The first that somebody listens at.
async fn usual() -> Option<&'static str> {
    let [first, second, third] = USUAL.map(answers);
    let (first, second, third) = tokio::join!(first, second, third);
    [first, second, third].into_iter().flatten().next()
}

async fn answers(host: &'static str) -> Option<&'static str> {
    let connected = timeout(PROBE_TIMEOUT, TcpStream::connect((host, PORT))).await;
    connected.is_ok_and(|connected| connected.is_ok()).then_some(host)
}

/// Whether it is there, and lets only those in whom it knows.
fn wants_a_name(failure: &OneShotError) -> bool {
    matches!(
        failure,
        OneShotError::Link(LinkFailure::Refused(_) | LinkFailure::NotLetIn | LinkFailure::Closed)
    )
}

/// A host, a host and a port, or a URL.
fn address(text: &str) -> Result<String, InvalidBroker> {
    let url = if text.contains("://") { text.to_owned() } else { format!("mqtt://{text}") };
    url.parse().map(|broker: Broker| broker.to_string())
}

fn name(text: &str) -> Result<String, std::convert::Infallible> {
    Ok(text.to_owned())
}

/// As the bridge reads it later.
fn read_password(file: &Path) -> Result<SecretString, Failure> {
    Secret::File(file.to_owned()).read().map_err(|error| refused(PASSWORD.option, &error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_enough() {
        for (typed, url) in [
            ("localhost", "mqtt://localhost:1883"),
            ("10.0.0.2:1884", "mqtt://10.0.0.2:1884"),
            ("mqtts://broker.example", "mqtts://broker.example:8883"),
        ] {
            assert_eq!(address(typed).unwrap(), url);
        }
        for bad in ["", "http://broker.example", "mqtt://a:b@broker.example"] {
            assert!(address(bad).is_err(), "{bad:?}");
        }
    }
}
