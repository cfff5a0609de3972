//! `presence2mqtt setup`: from nothing to a configuration that works.
//!
//! What a set-up knows is in `src/setup`; this is its face on a terminal. In reading order: `ask` puts
//! questions (with `echo` for passwords), `place` makes sure that the files may be written; `tenant`, `app`,
//! `broker`, `sign_in` and `lights` each ask for one part of the draft; `machine` knows what runs services
//! here, and `service` starts the system's one.
//!
//! Nothing is written before the last answer, but for the sign-in, which is stored as `login` does it: whole
//! or not at all. That of the system's service comes last.

mod app;
mod ask;
mod broker;
mod echo;
mod lights;
mod machine;
mod place;
mod service;
mod sign_in;
mod tenant;

use std::io::Write;
use std::path::{Path, PathBuf};

use clap::Args;

use super::exit::Failure;
use super::progress::Progress;
use super::terminal::Terminal;
use crate::config::{self, Environment};
use crate::core::model::topic::{Field, Topics};
use crate::setup::place::write;
use crate::setup::words::in_a_set_up;
use ask::Questions;
use broker::Given;
use machine::{Has, Machine};
use sign_in::SignIn;

/// An option for each question.
#[derive(Debug, Args)]
pub(super) struct Options {
    /// Your work e-mail address, which determines the tenant and its cloud
    #[arg(long, value_name = "ADDRESS")]
    email: Option<String>,
    /// The application (client) id of the app registration; as ID@DOMAIN it determines the tenant too
    #[arg(long, value_name = "ID")]
    client_id: Option<String>,
    /// The broker: a host, host:port or a URL [default: where one answers]
    #[arg(long, value_name = "URL")]
    broker: Option<String>,
    /// The user name at the broker
    #[arg(long, value_name = "NAME")]
    username: Option<String>,
    /// A file with the password at the broker
    #[arg(long, value_name = "FILE", requires = "username")]
    password_file: Option<PathBuf>,
    /// How to sign in [default: code; later where systemd runs services for root and no unit is installed, or
    /// with --yes]
    #[arg(long, value_enum, value_name = "WAY")]
    sign_in: Option<SignIn>,
    /// Only print the address for the browser; paste the one it ended on
    #[arg(long)]
    no_open: bool,
    /// The topic of a light that announces itself on the broker, or "none"
    #[arg(long, value_name = "TOPIC")]
    light: Option<String>,
    /// Replace files that are there
    #[arg(long)]
    replace: bool,
    /// Ask nothing: questions that no option answers have their default, or end with 2
    #[arg(long)]
    yes: bool,
}

/// Asks, tries, and writes.
pub(super) async fn run(
    options: &Options,
    from: (Option<&Path>, &Environment),
    on: (Terminal, Progress),
    out: &mut impl Write,
) -> Result<(), Failure> {
    let mut questions = Questions::new(options.yes, on.0.paper())?;
    let done = set_up(options, from, on, &mut questions, out).await;
    if questions.are_interrupted() {
        // Behind the question.
        writeln!(out)?;
    }
    done.map_err(|failure| failure.said(in_a_set_up))
}

async fn set_up(
    options: &Options,
    (explicit, environment): (Option<&Path>, &Environment),
    (terminal, progress): (Terminal, Progress),
    questions: &mut Questions,
    out: &mut impl Write,
) -> Result<(), Failure> {
    let machine = Machine::of_process();
    let file = crate::setup::place::file(explicit, environment, machine.is_root);
    if let Some(words) = machine.first_words().filter(|_| !options.yes) {
        questions.say(out, &words)?;
    }
    let replaced = place::may_be_written(&file, options.replace, questions, out).await?;
    let on = (file.as_path(), environment);

    let (email, client_id) = (options.email.as_deref(), options.client_id.as_deref());
    let mut draft = tenant::find(on, (email, client_id), questions, progress, out).await?;
    app::ask(&mut draft, client_id, questions, out).await?;
    let given = Given {
        broker: options.broker.as_deref(),
        username: options.username.as_deref(),
        password_file: options.password_file.as_deref(),
    };
    broker::settle(&mut draft, on, &given, questions, progress, out).await?;
    // Nobody signs in where nobody is asked, and what is to run as another user belongs to that.
    let is_service = machine.serves(&file);
    let usual = match machine.runs_it_as_another() && (options.yes || !is_service) {
        true => SignIn::Later,
        false => SignIn::Code,
    };
    let how = options.sign_in.unwrap_or(usual);
    draft.sign_in = how.method();
    let is_now = how != SignIn::Later && !is_service;
    if is_now {
        let asks = client_id.is_none() && !draft.given.client_id && !questions.are_answered();
        let way = (options.no_open, asks);
        sign_in::now(&mut draft, on, way, questions, (terminal, progress), out).await?;
    }
    lights::choose(&mut draft, on, options.light.as_deref(), questions, progress, out).await?;

    write(&draft, &file, environment, &replaced)?;
    let password = if draft.password.is_some() { ", and the password beside it" } else { "" };
    writeln!(out)?;
    questions.say(out, &format!("Wrote {}{password}.", file.display()))?;
    let config = config::load(Some(&file), environment)?;
    let topics = Topics::from_settings(&config.mqtt.settings);
    let topic = topics.of_user(&draft.name(), Field::Availability);
    questions.say(out, &format!("Your presence will be on {topic}."))?;
    let file = std::path::absolute(&file)?;
    let program = program();
    let variables = environment.needed();
    if let Some(says) = machine.of_variables(&variables) {
        questions.say(out, &says)?;
    } else if is_service && how != SignIn::Later {
        let way = (how, options.no_open);
        match service::start((&draft, &file, &program), way, &mut questions.stop, out).await {
            Ok(()) => return service::show((&config, &draft), questions, progress, out).await,
            Err(failure) => questions.say(out, &failure)?,
        }
    }
    let has = Has { sign_in: is_now, password: draft.password.is_some() };
    out.write_all(machine.next(&program, &file, has, &variables).as_bytes())?;
    Ok(())
}

/// What starts this program.
fn program() -> String {
    std::env::current_exe().map_or_else(|_| "presence2mqtt".to_owned(), |path| path.display().to_string())
}
