//! Where the files go, and whether there are any yet.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use secrecy::ExposeSecret;

use super::ask::{Question, Questions};
use super::draft::{Draft, PASSWORD_FILE, SCHEMA_FILE};
use super::machine::{Machine, SYSTEM_FILE};
use crate::cli::exit::{self, Failure};
use crate::config::{self, Environment};
use crate::disk::whole::{self, Readers};

const REPLACE: &str = "--replace";

/// The configuration's file: the one that is named, else the one that the program finds first wherever it is started, for this
/// user or, where this is root, for the system.
pub(super) fn file(explicit: Option<&Path>, environment: &Environment, machine: &Machine) -> PathBuf {
    let by_variable = || environment.get("PRESENCE2MQTT_CONFIG").map(Path::new);
    if let Some(named) = explicit.or_else(by_variable) {
        return named.to_owned();
    }
    let here = PathBuf::from("presence2mqtt.toml");
    if here.symlink_metadata().is_ok() {
        return here;
    }
    let absolute = |path: &PathBuf| path.is_absolute();
    let xdg = environment.get("XDG_CONFIG_HOME").map(PathBuf::from).filter(absolute);
    let home = || Some(Path::new(environment.get("HOME")?).join(".config"));
    match xdg.or_else(home) {
        _ if machine.is_root => PathBuf::from(SYSTEM_FILE),
        Some(folder) => folder.join("presence2mqtt/config.toml"),
        None => here,
    }
}

/// Makes sure, before anybody goes to any trouble, that a file can be written, and that nothing is replaced which somebody wants
/// to keep.
pub(super) async fn may_be_written(
    file: &Path,
    replace: bool,
    questions: &mut Questions,
    out: &mut impl Write,
) -> Result<(), Failure> {
    // A folder that is not there yet is made when there is something to put into it.
    if folder(file).is_dir() {
        whole::try_out(file).map_err(|error| failed(file, error))?;
    }
    let is_there = |path: &PathBuf| path.symlink_metadata().is_ok();
    let there: Vec<PathBuf> =
        [file.to_owned(), file.with_file_name(PASSWORD_FILE)].into_iter().filter(is_there).collect();
    if there.is_empty() || replace {
        return Ok(());
    }
    let names: Vec<String> = there.iter().map(|path| path.display().to_string()).collect();
    let names = names.join(" and ");
    let words = format!("Replace {names}?");
    if !questions.are_answered() && questions.agrees(out, Question { words: &words, option: REPLACE }).await?
    {
        return Ok(());
    }
    Err(Failure::new(
        exit::USAGE,
        format!("{names} would be replaced; allow it with {REPLACE}, or name another file with --config"),
    ))
}

/// Writes all files, the configuration last: without it the others mean nothing.
pub(super) fn write(draft: &Draft, file: &Path, out: &mut impl Write) -> Result<(), Failure> {
    fs::create_dir_all(folder(file)).map_err(|error| failed(folder(file), error))?;
    let password = draft
        .password
        .as_ref()
        .map(|password| (PASSWORD_FILE, format!("{}\n", password.expose_secret()), Readers::Owner));
    let schema = (SCHEMA_FILE, format!("{:#}\n", config::json_schema()), Readers::Everybody);
    for (name, content, readers) in password.into_iter().chain([schema]) {
        let path = file.with_file_name(name);
        whole::write(&path, content.as_bytes(), readers).map_err(|error| failed(&path, error))?;
    }
    whole::write(file, draft.written().as_bytes(), Readers::Everybody)
        .map_err(|error| failed(file, error))?;
    let password = if draft.password.is_some() { ", and the password beside it" } else { "" };
    Ok(writeln!(out, "\nWrote {}{password}.", file.display())?)
}

/// Where the file is.
fn folder(file: &Path) -> &Path {
    match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        Some(_) | None => Path::new("."),
    }
}

fn failed(path: &Path, error: io::Error) -> Failure {
    Failure::new(exit::UNEXPECTED, format!("{} cannot be written: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_is_one_that_the_program_finds() {
        let machine = |is_root| Machine { is_root, has_systemd: false, has_unit: false };
        let at = |variables: &[(&str, &str)], is_root| {
            let variables = variables.iter().map(|&(name, value)| (name.to_owned(), value.to_owned()));
            file(None, &variables.collect(), &machine(is_root)).display().to_string()
        };
        assert_eq!(at(&[], false), "presence2mqtt.toml");
        assert_eq!(at(&[("HOME", "/h")], false), "/h/.config/presence2mqtt/config.toml");
        assert_eq!(at(&[("HOME", "/h"), ("XDG_CONFIG_HOME", "/x")], false), "/x/presence2mqtt/config.toml");
        assert_eq!(
            at(&[("HOME", "/h"), ("XDG_CONFIG_HOME", "x")], false),
            "/h/.config/presence2mqtt/config.toml"
        );
        assert_eq!(at(&[("HOME", "/root")], true), "/etc/presence2mqtt/config.toml");
        assert_eq!(at(&[("HOME", "/h"), ("PRESENCE2MQTT_CONFIG", "/c.toml")], true), "/c.toml");
    }
}
