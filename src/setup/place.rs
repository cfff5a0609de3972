//! Where the files go, whether there are any yet, and writing them.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use secrecy::ExposeSecret;

use super::draft::{Draft, PASSWORD_FILE, SCHEMA_FILE};
use crate::config::{self, ConfigErrors, Environment};
use crate::disk::whole::{self, Readers};

/// The configuration that the system's unit reads.
pub(crate) const SYSTEM_FILE: &str = "/etc/presence2mqtt/config.toml";

/// A file or folder that the disk does not take.
#[derive(Debug, thiserror::Error)]
#[error("{} cannot be written", path.display())]
pub struct NotWritten {
    path: PathBuf,
    source: io::Error,
}

/// Why there is no configuration yet.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NoConfiguration {
    #[error(transparent)]
    NotWritten(#[from] NotWritten),
    /// The program would not read it, with the environment as it is.
    #[error(transparent)]
    Refused(#[from] ConfigErrors),
}

/// What is on the disk where the files will be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Present {
    /// The text of the configuration, empty if there is none; nothing if it cannot be read.
    pub(crate) text: Option<String>,
    /// The file of a password.
    pub(crate) password: Option<PathBuf>,
}

impl Present {
    /// As it is now.
    pub(crate) fn at(file: &Path) -> Self {
        Self { text: config::text_of(file), password: password(file) }
    }

    /// What the configuration has.
    pub(crate) fn sections(&self) -> Vec<String> {
        let unread = || vec!["text that cannot be read".to_owned()];
        self.text.as_deref().map_or_else(unread, config::sections)
    }
}

/// The configuration's file: the one that is named, else the one that the program finds first wherever it is
/// started, for this user or, where this is root, for the system.
pub(crate) fn file(explicit: Option<&Path>, environment: &Environment, is_root: bool) -> PathBuf {
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
        _ if is_root => PathBuf::from(SYSTEM_FILE),
        Some(folder) => folder.join("presence2mqtt/config.toml"),
        None => here,
    }
}

/// Whether this process is root's.
pub(crate) fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// The file of the password beside a configuration, if it is there.
pub(crate) fn password(file: &Path) -> Option<PathBuf> {
    Some(file.with_file_name(PASSWORD_FILE)).filter(|path| path.symlink_metadata().is_ok())
}

/// Finds out, before anybody goes to any trouble, whether the files could be written. A folder that is not
/// there yet is made when there is something to put into it.
pub(crate) fn try_out(file: &Path) -> Result<(), NotWritten> {
    let name = file.file_name().unwrap_or_default();
    let there = folder(file).ancestors().map(or_here).find(|folder| folder.is_dir());
    let path = there.unwrap_or(Path::new(".")).join(name);
    whole::try_out(&path).map_err(|source| NotWritten { path: file.to_owned(), source })
}

/// The files of a set-up that are there and hold something of people: the configuration and the password.
pub(crate) fn there(file: &Path) -> Vec<PathBuf> {
    let configuration = Some(file.to_owned()).filter(|path| path.symlink_metadata().is_ok());
    configuration.into_iter().chain(password(file)).collect()
}

/// Writes all files, the configuration last: without it the others mean nothing. One that the next start
/// would refuse is not written. A file is replaced only if it is one of `replaced`.
pub(crate) fn write(
    draft: &Draft,
    file: &Path,
    environment: &Environment,
    replaced: &[PathBuf],
) -> Result<(), NoConfiguration> {
    let write = |path: &Path, content: &[u8], readers: Readers| match replaced.iter().any(|one| one == path) {
        true => whole::write(path, content, readers),
        false => whole::write_new(path, content, readers),
    };
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |source| NotWritten { path, source }
    };
    let text = draft.written();
    fs::create_dir_all(folder(file)).map_err(failed(folder(file)))?;
    if let Some(password) = &draft.password {
        let path = file.with_file_name(PASSWORD_FILE);
        let line = format!("{}\n", password.expose_secret());
        write(&path, line.as_bytes(), Readers::Owner).map_err(failed(&path))?;
    }
    config::parse(&text, file, environment)?;
    let schema = file.with_file_name(SCHEMA_FILE);
    if may_be_schema(&schema) {
        let json = format!("{:#}\n", config::json_schema());
        whole::write(&schema, json.as_bytes(), Readers::Everybody).map_err(failed(&schema))?;
    }
    Ok(write(file, text.as_bytes(), Readers::Everybody).map_err(failed(file))?)
}

/// Whether there is nothing yet, or the schema of this or another version.
fn may_be_schema(path: &Path) -> bool {
    let schema = config::json_schema();
    let title = schema["description"].as_str().unwrap_or_default();
    path.symlink_metadata().is_err() || fs::read_to_string(path).is_ok_and(|text| text.contains(title))
}

/// Where the file is.
fn folder(file: &Path) -> &Path {
    or_here(file.parent().unwrap_or(Path::new("")))
}

fn or_here(folder: &Path) -> &Path {
    if folder.as_os_str().is_empty() { Path::new(".") } else { folder }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::setup::address;

    fn draft() -> Draft {
        Draft::new().begun(address::read("a@b.example").unwrap())
    }

    #[test]
    fn the_file_is_one_that_the_program_finds() {
        let at = |variables: &[(&str, &str)], is_root| {
            let variables = variables.iter().map(|&(name, value)| (name.to_owned(), value.to_owned()));
            file(None, &variables.collect(), is_root).display().to_string()
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

    #[test]
    fn a_place_is_tried_out_and_nothing_is_left_there() {
        let home = tempfile::tempdir().unwrap();
        try_out(&home.path().join("not/there/yet/config.toml")).unwrap();
        assert_eq!(fs::read_dir(home.path()).unwrap().count(), 0);
        fs::write(home.path().join("file"), "").unwrap();
        let (draft, file) = (draft(), home.path().join("file/config.toml"));
        let error = write(&draft, &file, &Environment::default(), &[]).unwrap_err();
        assert!(error.to_string().ends_with("file cannot be written"), "{error}");
    }

    #[test]
    fn what_the_next_start_would_refuse_is_not_written() {
        let home = tempfile::tempdir().unwrap();
        let file = home.path().join("config.toml");
        let (username, password) = (Some("bridge".to_owned()), Some("s3cret".to_owned().into()));
        let draft = Draft { username, password, ..draft() };
        let variables = [("HOME", "/nowhere"), ("PRESENCE2MQTT__MQTT__PASSWORD", "other")];
        let environment = |count| -> Environment {
            let variables = variables.iter().take(count);
            variables.map(|&(name, value)| (name.to_owned(), value.to_owned())).collect()
        };
        let error = write(&draft, &file, &environment(2), &there(&file)).unwrap_err();
        assert!(error.to_string().contains("given too"), "{error}");
        assert_eq!(Present::at(&file).text.as_deref(), Some(""));
        write(&draft, &file, &environment(1), &there(&file)).unwrap();
        let present = Present::at(&file);
        assert_eq!(present.sections(), ["[graph]", "[mqtt]", "[users]"]);
        assert!(present.password.is_some());
        fs::write(&file, "[mqtt\n").unwrap();
        assert_eq!(Present::at(&file).sections(), ["text that is not TOML"]);
    }

    #[test]
    fn what_appears_meanwhile_and_a_schema_of_others_stay() {
        let home = tempfile::tempdir().unwrap();
        let [file, schema] = ["config.toml", SCHEMA_FILE].map(|name| home.path().join(name));
        let environment = [("HOME".to_owned(), "/nowhere".to_owned())].into_iter().collect();
        let set_up = |is_agreed| {
            let replaced = if is_agreed { there(&file) } else { Vec::new() };
            write(&draft(), &file, &environment, &replaced)
        };
        fs::write(&schema, "{}").unwrap();
        set_up(false).unwrap();
        assert!(set_up(false).unwrap_err().to_string().ends_with("config.toml cannot be written"));
        set_up(true).unwrap();
        assert_eq!(fs::read_to_string(&schema).unwrap(), "{}");
        let ours = config::json_schema().to_string();
        fs::write(&schema, &ours).unwrap();
        set_up(true).unwrap();
        assert_ne!(fs::read_to_string(&schema).unwrap(), ours);
    }
}
