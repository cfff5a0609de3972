//! The help texts as they are, so that a change is noticed. To take a change:
//!
//! ```text
//! UPDATE_GOLDEN=1 cargo test --test it help
//! ```

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use clap::{Command, CommandFactory, Parser};
use presence2mqtt::cli::Arguments;

use crate::program::{program, told};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/help")
}

/// The words of every command, the program's own included.
fn commands() -> Vec<Vec<String>> {
    fn add(command: &Command, path: &[String], all: &mut Vec<Vec<String>>) {
        all.push(path.to_vec());
        for inner in command.get_subcommands() {
            add(inner, &[path, &[inner.get_name().to_owned()]].concat(), all);
        }
    }
    let mut all = Vec::new();
    add(&Arguments::command(), &[], &mut all);
    assert!(all.len() > 10, "{all:?}");
    all
}

fn help(command: &[String]) -> String {
    help_in(command, "100")
}

/// In a terminal of so many columns.
fn help_in(command: &[String], columns: &str) -> String {
    let (code, out, err) = told(program().args(command).arg("--help").env("COLUMNS", columns));
    assert_eq!((code, err.as_str()), (Some(0), ""), "{command:?}");
    out
}

#[test]
fn every_help_text_is_as_it_was() {
    let mut files = BTreeSet::new();
    for command in commands() {
        let name = format!("{}.txt", [&["presence2mqtt".to_owned()], &command[..]].concat().join("-"));
        let (file, told) = (folder().join(&name), help(&command));
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            fs::create_dir_all(folder()).unwrap();
            fs::write(&file, &told).unwrap();
        }
        let golden = fs::read_to_string(&file).unwrap_or_default();
        assert!(told == golden, "tests/golden/help/{name} has to be:\n{told}");
        files.insert(name);
    }
    let kept: BTreeSet<String> = fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert_eq!(kept, files, "files of commands that are gone");
}

#[test]
fn every_example_in_a_help_text_is_a_command() {
    let mut examples = 0;
    for command in commands() {
        let help = help(&command);
        let lines = help.lines().filter_map(|line| line.trim().strip_prefix("presence2mqtt "));
        let found = lines.clone().count();
        // A command of commands shows these instead.
        assert!(found > 0 || help.contains("\nCommands:\n"), "{command:?} has no example");
        for line in lines {
            let words = line.split(['|', '>', '#']).next().unwrap().split("  ").next().unwrap();
            let parsed = Arguments::try_parse_from(format!("presence2mqtt {words}").split_whitespace());
            assert!(parsed.is_ok(), "{line:?}: {}", parsed.unwrap_err());
            examples += 1;
        }
    }
    assert!(examples > 20, "{examples}");
}

#[test]
fn help_fits_a_usual_terminal_and_says_every_exit_code() {
    for command in commands() {
        let (wide, usual) = (help(&command), help_in(&command, "80"));
        for line in usual.lines() {
            assert!(line.chars().count() <= 80, "{command:?}: {line}");
        }
        // What is to be copied is whole, and paragraphs have no breaks of their own.
        let example = |line: &&str| line.starts_with("  ") && line.contains("presence2mqtt ");
        assert!(wide.lines().filter(example).eq(usual.lines().filter(example)), "{usual}");
        let words = |text: &str| text.split_once("\nExamples:\n").map(|(_, end)| end.lines().count());
        assert!(words(&help_in(&command, "1000")) <= words(&wide), "{wide}");
    }
    let whole = help(&[]);
    for code in ["0 done", "1 unexpected", "2 wrong", "69 Graph", "77 sign-in", "78 configuration"] {
        assert!(whole.replace('\n', " ").contains(code), "{code} in {whole}");
    }
}

#[test]
fn the_manual_page_tells_every_command_exit_code_file_and_variable() {
    let (code, page, err) = told(program().arg("man"));
    assert_eq!((code, err.as_str()), (Some(0), ""));
    // What roff takes for its own is escaped.
    let page = page.replace('\\', "");
    assert!(page.contains(".TH presence2mqtt 1"), "{page}");
    for command in commands().iter().filter(|command| !command.is_empty() && command[..] != ["light"]) {
        assert!(page.contains(&format!(".SS \"presence2mqtt {}\"", command.join(" "))), "{command:?}");
    }
    for words in [
        ".SH \"EXIT STATUS\"",
        ".SH ENVIRONMENT",
        ".SH FILES",
        "/etc/presence2mqtt/config.toml",
        "PRESENCE2MQTT_CONFIG",
        "NO_COLOR",
        "RUST_LOG",
        "fB69fR",
        "fB77fR",
        "fB78fR",
        "--discovery-prefix",
    ] {
        assert!(page.contains(words), "{words} in {page}");
    }
}

#[test]
fn completions_know_the_commands_and_need_no_configuration() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let (code, script, err) = told(program().args(["completions", shell]));
        assert_eq!((code, err.as_str()), (Some(0), ""), "{shell}");
        for words in ["watch", "online", "discovery-prefix"] {
            assert!(script.contains(words), "{words} for {shell}");
        }
    }
    let (code, _, err) = told(program().args(["completions", "cobol"]));
    assert_eq!((code, err.contains("bash")), (Some(2), true), "{err}");
}
