//! The service of this machine: a person signs in as its user, it is started, and shows that it works.

use std::io::{self, IsTerminal, Write};
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use tokio::process::Command;
use tokio::time::timeout;

use super::ask::{Questions, Stop};
use super::machine::credential;
use super::sign_in::SignIn;
use crate::cli::exit::{self, Failure};
use crate::cli::progress::Progress;
use crate::config::Config;
use crate::core::model::topic::{Field, Topics};
use crate::mqtt::address::Address;
use crate::mqtt::one_shot::OneShot;
use crate::setup::draft::Draft;

const SERVICE: &str = "presence2mqtt";

/// From the start of the service to the first presence: two requests to Graph and some packets.
const FIRST_PRESENCE: Duration = Duration::from_secs(20);

/// Signs the person in as the service's user, and starts it. A dynamic user exists only where systemd makes
/// it, so systemd runs `login`.
pub(super) async fn start(
    (draft, file, program): (&Draft, &Path, &str),
    (how, no_open): (SignIn, bool),
    stop: &mut Stop,
    out: &mut impl Write,
) -> Result<(), Failure> {
    // What was said so far comes first.
    out.flush()?;
    let is_terminal = io::stdin().is_terminal();
    let login = login((draft, file, program), (how, no_open), is_terminal);
    succeeds("systemd-run", &login, stop).await?;
    succeeds("systemctl", &words(&["enable", "--quiet", SERVICE]), stop).await?;
    // One that runs already reads the new configuration.
    succeeds("systemctl", &words(&["restart", SERVICE]), stop).await
}

/// As deploy/systemd/presence2mqtt.service describes it.
fn login(
    (draft, file, program): (&Draft, &Path, &str),
    (how, no_open): (SignIn, bool),
    is_terminal: bool,
) -> Vec<String> {
    let mut login = words(&[if is_terminal { "--pty" } else { "--pipe" }, "--wait", "--collect", "--quiet"]);
    let user = ["DynamicUser=yes", "User=presence2mqtt"];
    let folder = ["StateDirectory=presence2mqtt", "StateDirectoryMode=0700", "UMask=0077"];
    let properties = user.into_iter().chain(folder).map(str::to_owned);
    let password = draft.password.is_some().then(credential);
    login.extend(properties.chain(password).flat_map(|property| ["-p".to_owned(), property]));
    // Otherwise the journal gets the command line, with the person's address.
    login.push("--description=presence2mqtt login".to_owned());
    login.extend([program, "login", "--of-set-up", "--config"].map(str::to_owned));
    login.push(file.display().to_string());
    login.extend((how == SignIn::Browser).then(|| "--browser".to_owned()));
    login.extend(no_open.then(|| "--no-open".to_owned()));
    if !draft.email.is_empty() {
        login.extend(["--expected".to_owned(), draft.email.clone()]);
    }
    login
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|&word| word.to_owned()).collect()
}

async fn succeeds(program: &str, arguments: &[String], stop: &mut Stop) -> Result<(), Failure> {
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::inherit());
    let ended = stop.or(async { Ok(command.status().await) }).await?;
    let why = match ended {
        Ok(status) if status.success() => return Ok(()),
        Ok(status) => status.to_string(),
        Err(error) => error.to_string(),
    };
    Err(Failure::new(exit::UNEXPECTED, format!("{program}: {why}")))
}

/// Waits until the service has published the presence.
pub(super) async fn show(
    (config, draft): (&Config, &Draft),
    questions: &mut Questions,
    progress: Progress,
    out: &mut impl Write,
) -> Result<(), Failure> {
    let waiting = async {
        let waiting = timeout(FIRST_PRESENCE, presence(config, draft));
        Ok(progress.during("waiting for the first presence", waiting).await)
    };
    let says = match questions.stop.or(waiting).await? {
        Ok(Some(word)) => format!("The service runs. {} is {word}.", draft.name()),
        Ok(None) | Err(_) => format!("The service runs. How it is: journalctl --unit {SERVICE} --follow"),
    };
    Ok(questions.say(out, &says)?)
}

/// The availability, once it may be believed; nothing if the broker is gone.
async fn presence(config: &Config, draft: &Draft) -> Option<String> {
    let topics = Topics::from_settings(&config.mqtt.settings);
    let [availability, health] =
        [Field::Availability, Field::Health].map(|field| topics.of_user(&draft.name(), field));
    let mut broker = OneShot::connect(&Address::of_command(&config.mqtt, "setup")).await.ok()?;
    broker.subscribe(&availability).await.ok()?;
    broker.subscribe(&health).await.ok()?;
    let (mut word, mut is_well) = (String::new(), false);
    loop {
        let message = broker.message().await.ok()?;
        let text = String::from_utf8_lossy(&message.payload).into_owned();
        if message.topic == health {
            is_well = text == "ok";
        } else if message.topic == availability {
            word = text;
        }
        if is_well && !word.is_empty() {
            broker.close().await;
            return Some(word);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::setup::address;

    #[test]
    fn a_person_signs_in_as_the_user_of_the_service() {
        let draft = Draft::new().begun(address::read("alice@contoso.example").unwrap());
        let file = Path::new("/etc/presence2mqtt/config.toml");
        let line = |draft: &Draft, how, no_open| {
            login((draft, file, "/usr/bin/presence2mqtt"), (how, no_open), true).join(" ")
        };
        // As the unit's own description has it, but for the program.
        let unit = include_str!("../../../deploy/systemd/presence2mqtt.service");
        let described: Vec<&str> =
            unit.split_whitespace().filter(|word| !["#", "\\"].contains(word)).collect();
        let described = described.join(" ");
        let words = line(&draft, SignIn::Code, false);
        for part in [
            "--pty --wait --collect --quiet -p DynamicUser=yes -p User=presence2mqtt",
            "-p StateDirectory=presence2mqtt -p StateDirectoryMode=0700 -p UMask=0077",
        ] {
            assert!(words.contains(part) && described.contains(part), "{part} in {words}");
        }
        assert!(words.ends_with(
            "/usr/bin/presence2mqtt login --of-set-up --config /etc/presence2mqtt/config.toml --expected alice@contoso.example"
        ));
        let draft = Draft { password: Some("s3cret".to_owned().into()), ..draft };
        let words = line(&draft, SignIn::Browser, true);
        let password = "-p LoadCredential=mqtt-password:/etc/presence2mqtt/mqtt-password";
        assert!(words.contains(password) && described.contains(password), "{words}");
        assert!(words.contains("--browser --no-open") && !words.contains("s3cret"), "{words}");
    }

    #[tokio::test]
    async fn what_fails_is_named() {
        let mut stop = Stop::never();
        assert!(succeeds("true", &[], &mut stop).await.is_ok());
        let failure = succeeds("false", &[], &mut stop).await.unwrap_err();
        assert_eq!(failure.to_string(), "false: exit status: 1");
        assert!(succeeds("/not/there", &[], &mut stop).await.is_err());
    }
}
