//! Logs on standard error.

use std::io::{IsTerminal, Write};

use clap::{ArgAction, Args, ValueEnum};
use tracing::{Level, Metadata};
use tracing_subscriber::filter::{Targets, filter_fn};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use super::exit::Failure;
use super::paper::Paper;
use super::terminal::Terminal;
use crate::config::Environment;
use crate::core::model::foreign::Legible;
use crate::view::screen::Size;

/// The heading of options that every command has.
pub(super) const EVERYWHERE: &str = "Options of every command";

/// How much is said, and in which form.
#[derive(Debug, Args)]
pub(super) struct Options {
    /// Log more (twice: everything)
    #[arg(short, long, global = true, help_heading = EVERYWHERE, action = ArgAction::Count, conflicts_with = "quiet")]
    verbose: u8,
    /// Log less (twice: only errors)
    #[arg(short, long, global = true, help_heading = EVERYWHERE, action = ArgAction::Count)]
    quiet: u8,
    /// The form of log lines
    #[arg(long, global = true, help_heading = EVERYWHERE, value_name = "FORM", value_enum, default_value_t = Format::Text)]
    log_format: Format,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Text,
    Json,
}

/// Says why the program ends, in the form of the log.
#[derive(Debug, Clone, Copy)]
pub struct LastWords(Format);

impl LastWords {
    /// Says it.
    pub fn say(self, failure: &Failure) {
        match self.0 {
            Format::Text => {
                // Errors of a configuration are several lines, and may show what is written there.
                let failure = failure.to_string();
                let lines: Vec<String> =
                    failure.lines().map(|line| Legible::at_most(line, usize::MAX).to_string()).collect();
                let width = std::io::stderr().is_terminal().then(|| Size::of_terminal().width);
                let says = format!("presence2mqtt: {}", lines.join("\n"));
                // If even standard error is gone, the exit code still says it.
                let _told = Paper { width, colours: false }.say(&mut std::io::stderr(), &says);
            }
            Format::Json => tracing::error!(exit_code = failure.code(), "{failure}"),
        }
    }
}

impl Options {
    pub(super) fn last_words(&self) -> LastWords {
        LastWords(self.log_format)
    }

    /// Whether what is said on the way is for somebody who looks.
    pub(super) fn is_for_people(&self) -> bool {
        self.log_format == Format::Text && self.quiet == 0
    }
}

/// Libraries that say too much, or would show a password at `trace`: no more than warnings, whatever
/// `RUST_LOG` says.
const HELD: [&str; 3] = ["tokio_tungstenite", "tungstenite", "mqtt5"];

/// Says at each attempt, in words of its own, what the bridge says once in better ones.
const SILENT: &str = "rumqttc";

/// What is drawn on the terminal that the log would go to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Drawn {
    Nothing,
    /// Lines in place of those before, which log lines would smear.
    InPlace,
}

/// Starts to log. `RUST_LOG` wins over `-v` and `-q`, and what is drawn in place over all of them. A second
/// call changes nothing.
pub(super) fn start(options: &Options, environment: &Environment, terminal: Terminal, drawn: Drawn) {
    let default = match i16::from(options.verbose) - i16::from(options.quiet) {
        ..=-2 => "error",
        -1 => "warn",
        0 => "info",
        1 => "info,presence2mqtt=debug",
        2.. => "debug,presence2mqtt=trace",
    };
    let wanted = environment.get("RUST_LOG").filter(|wanted| !wanted.is_empty()).unwrap_or(default);
    let wanted = match drawn {
        Drawn::Nothing => wanted,
        Drawn::InPlace => {
            if options.verbose > 0 {
                let words = "the log is hidden while the table is shown; 2>FILE keeps it";
                // It is of no use to somebody who does not see it.
                let _told = writeln!(std::io::stderr(), "presence2mqtt: {words}");
            }
            // Why the program ends is said after the table.
            "error"
        }
    };
    let filter: Targets = wanted.parse().or_else(|_| default.parse()).unwrap_or_default();
    // Not a directive: one for a module within a library would win over it.
    let held = filter_fn(|line| !is_held(line));
    let lines =
        tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_ansi(terminal.colours_err());
    let chosen = tracing_subscriber::registry().with(filter).with(held);
    // Only a second start can fail, and the first one's settings stand.
    let _started = match options.log_format {
        Format::Text => chosen.with(lines.with_target(false)).try_init(),
        Format::Json => chosen.with(lines.json().flatten_event(true)).try_init(),
    };
}

fn is_held(line: &Metadata<'_>) -> bool {
    let library = line.target().split("::").next().unwrap_or_default();
    library == SILENT || *line.level() > Level::WARN && HELD.contains(&library)
}
