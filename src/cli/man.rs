//! `presence2mqtt man`: one page for everything, made of the same definitions as the help texts.

use std::io::{self, Write};

use clap::Command;
use clap_mangen::Man;
use clap_mangen::roff::{Inline, Roff, bold, italic, roman};

/// Words in bold, and what they mean.
type Entries = [(&'static str, &'static str)];

const EXIT_STATUS: &Entries = &[
    ("0", "Done, or stopped on request."),
    ("1", "An unexpected error."),
    ("2", "Wrong usage."),
    ("69", "Graph or the broker cannot be used. One-shot commands only."),
    ("77", "A sign-in or a permission is missing. One-shot commands only."),
    ("78", "The configuration is wrong, or another bridge already runs with it."),
];

const ENVIRONMENT: &Entries = &[
    ("PRESENCE2MQTT_CONFIG", "The configuration file, unless --config names one."),
    (
        "PRESENCE2MQTT__SECTION__KEY",
        "Overrides a key of a section, such as PRESENCE2MQTT__MQTT__URL. An unknown one is an error.",
    ),
    ("CREDENTIALS_DIRECTORY", "The folder that is searched first for relative secret files; set by systemd."),
    (
        "STATE_DIRECTORY",
        "The folder of a person's sign-in, unless graph.state_dir names one; set by systemd.",
    ),
    ("AZURE_FEDERATED_TOKEN_FILE", "The token of workload-identity, unless the configuration names one."),
    ("RUST_LOG", "What is logged; takes precedence over -v and -q."),
    ("NO_COLOR", "If it is set, the output has no colours."),
    ("HTTPS_PROXY, NO_PROXY", "The proxy for Graph, and exceptions."),
];

const FILES: &Entries = &[
    (
        "presence2mqtt.toml",
        "The configuration in the working directory; the first of these that exists is used.",
    ),
    ("$XDG_CONFIG_HOME/presence2mqtt/config.toml", "The user's own; ~/.config unless set."),
    ("/etc/presence2mqtt/config.toml", "The system's."),
    (
        "$XDG_STATE_HOME/presence2mqtt",
        "The stored sign-in of a person: tokens only, readable by its owner; ~/.local/state unless set. \
        `login` must use the same \
         folder as the service.",
    ),
];

/// Prints the page about the program's `command`.
pub(super) fn run(command: Command, out: &mut impl Write) -> io::Result<()> {
    let mut command = command.disable_help_subcommand(true);
    command.build();
    let man = Man::new(command.clone());
    let mut page = Vec::new();
    man.render_title(&mut page)?;
    man.render_name_section(&mut page)?;
    man.render_synopsis_section(&mut page)?;
    man.render_description_section(&mut page)?;
    man.render_options_section(&mut page)?;
    commands(&command).to_writer(&mut page)?;
    entries("EXIT STATUS", EXIT_STATUS).to_writer(&mut page)?;
    entries("ENVIRONMENT", ENVIRONMENT).to_writer(&mut page)?;
    entries("FILES", FILES).to_writer(&mut page)?;
    man.render_version_section(&mut page)?;
    out.write_all(&page)
}

/// Every command with its own options and examples: there are no other pages to look at.
fn commands(program: &Command) -> Roff {
    let mut roff = Roff::new();
    roff.control("SH", ["COMMANDS"]);
    for command in program.get_subcommands() {
        describe(command, command.get_name(), &mut roff);
    }
    roff
}

fn describe(command: &Command, path: &str, roff: &mut Roff) {
    let within: Vec<&Command> = command.get_subcommands().collect();
    for inner in &within {
        describe(inner, &format!("{path} {}", inner.get_name()), roff);
    }
    if !within.is_empty() {
        return;
    }
    roff.control("SS", [format!("presence2mqtt {path}").as_str()]);
    roff.text([roman(command.get_about().map(ToString::to_string).unwrap_or_default())]);
    let own = command.get_arguments().filter(|argument| {
        // Those of every command are above.
        !argument.is_global_set() && !matches!(argument.get_id().as_str(), "help" | "version")
    });
    for argument in own {
        let help = argument.get_help().map(ToString::to_string).unwrap_or_default();
        tagged(&signature(argument), &format!("{help}{}", default(argument)), roff);
    }
    if let Some(examples) = command.get_after_help() {
        roff.control("PP", []).control("nf", []);
        for line in examples.to_string().lines() {
            roff.text([roman(line)]);
        }
        roff.control("fi", []);
    }
}

fn signature(argument: &clap::Arg) -> Vec<Inline> {
    let values = argument.get_value_names().unwrap_or_default().iter().map(|name| name.to_string());
    let values = values.collect::<Vec<_>>().join(" ");
    match argument.get_long() {
        None => vec![italic(values)],
        Some(long) if argument.get_action().takes_values() => {
            vec![bold(format!("--{long}")), roman(" "), italic(values)]
        }
        Some(long) => vec![bold(format!("--{long}"))],
    }
}

/// What is taken where the option is not given, as the help texts have it.
fn default(argument: &clap::Arg) -> String {
    let values = argument.get_default_values();
    let shown = argument.get_action().takes_values() && !argument.is_hide_default_value_set();
    let Some(value) = values.first().filter(|_| shown) else { return String::new() };
    format!(" [default: {}]", value.to_string_lossy())
}

fn entries(title: &str, entries: &Entries) -> Roff {
    let mut roff = Roff::new();
    roff.control("SH", [title]);
    for (word, meaning) in entries {
        tagged(&[bold(*word)], meaning, &mut roff);
    }
    roff
}

fn tagged(word: &[Inline], meaning: &str, roff: &mut Roff) {
    roff.control("TP", []).text(word.to_vec()).text([roman(meaning)]);
}
