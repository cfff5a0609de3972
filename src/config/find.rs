//! Which file is the configuration.

use std::path::{Path, PathBuf};

use super::document::Origin;
use super::environment::Environment;
use super::error::ConfigErrors;
use crate::disk::named;

/// Limits the reading of a file that never ends. 100,000 people with one entry each take 8 MB.
pub(super) const MAX_BYTES: u64 = 64 * 1024 * 1024;

/// The name that is looked for in the working directory.
const HERE: &str = "presence2mqtt.toml";

/// The file named, else the first that exists, and its text.
pub(super) fn find(
    explicit: Option<&Path>,
    environment: &Environment,
) -> Result<(Origin, String), ConfigErrors> {
    if let Some(named) = named_file(explicit, environment) {
        return read(named.to_owned());
    }
    first_of(&usual_places(environment), environment)
}

/// The same, but a file that is named and missing counts as empty.
pub(super) fn find_or_none_yet(
    explicit: Option<&Path>,
    environment: &Environment,
) -> Result<(Origin, String), ConfigErrors> {
    match named_file(explicit, environment) {
        Some(named) if is_missing(named) => Ok((Origin::File(named.to_owned()), String::new())),
        Some(_) | None => find(explicit, environment),
    }
}

fn named_file<'p>(explicit: Option<&'p Path>, environment: &'p Environment) -> Option<&'p Path> {
    explicit.or_else(|| environment.get("PRESENCE2MQTT_CONFIG").map(Path::new))
}

fn is_missing(file: &Path) -> bool {
    file.symlink_metadata().is_err_and(|error| error.kind() == std::io::ErrorKind::NotFound)
}

/// The first of these files that exists. If none does, the environment alone, if it sets a key.
fn first_of(places: &[PathBuf], environment: &Environment) -> Result<(Origin, String), ConfigErrors> {
    // A link to a missing file counts as existing, so that its absence is reported and no other file is used
    // instead.
    if let Some(found) = places.iter().find(|place| place.symlink_metadata().is_ok()) {
        return if found == Path::new(HERE) { read_here() } else { read(found.clone()) };
    }
    if environment.overrides() {
        return Ok((Origin::Environment, String::new()));
    }
    let places: Vec<_> = places.iter().map(|p| p.display().to_string()).collect();
    Err(ConfigErrors::of_file(
        Path::new("configuration"),
        format_args!(
            "none found; looked for {}; run `presence2mqtt setup` to make one{}, or name one with --config",
            places.join(", "),
            if cfg!(feature = "demo") { " or `presence2mqtt demo` to see what it is for" } else { "" },
        ),
    ))
}

fn usual_places(environment: &Environment) -> Vec<PathBuf> {
    // The XDG specification says to ignore a relative path.
    let absolute = |path: &Path| path.is_absolute();
    let xdg = environment.get("XDG_CONFIG_HOME").map(PathBuf::from);
    let home = || Some(Path::new(environment.get("HOME")?).join(".config"));
    let user = xdg.filter(|path| absolute(path)).or_else(home);
    let of_user = user.map(|dir| dir.join("presence2mqtt/config.toml"));
    [PathBuf::from(HERE)]
        .into_iter()
        .chain(of_user)
        .chain([PathBuf::from("/etc/presence2mqtt/config.toml")])
        .collect()
}

fn read(file: PathBuf) -> Result<(Origin, String), ConfigErrors> {
    let read = named::read(&file, MAX_BYTES).map_err(|error| ConfigErrors::of_file(&file, error))?;
    text(file, read.bytes)
}

/// A file that was found, not named, is used only if no other user can have written it. In a shared folder it
/// could be any user's, and a configuration decides where secrets are sent. The owner and mode of the file
/// are enough, whatever the folder's are: a file that another user puts in its place belongs to that user.
fn read_here() -> Result<(Origin, String), ConfigErrors> {
    let file = Path::new(HERE);
    let read = named::read_unlinked(file, MAX_BYTES).map_err(|error| ConfigErrors::of_file(file, error))?;
    match read.access.others_write(file) {
        Some(says) => Err(ConfigErrors::of_file(
            file,
            format_args!(
                "is ignored, since other users may have written it: {says}; or name it with \
            --config"
            ),
        )),
        None => text(file.to_owned(), read.bytes),
    }
}

fn text(file: PathBuf, bytes: Vec<u8>) -> Result<(Origin, String), ConfigErrors> {
    match String::from_utf8(bytes) {
        Ok(text) => Ok((Origin::File(file), text)),
        Err(_) => Err(ConfigErrors::of_file(&file, "must be UTF-8 text")),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn environment(variables: &[(&str, &str)]) -> Environment {
        let owned = |&(name, value): &(&str, &str)| (name.to_owned(), value.to_owned());
        variables.iter().map(owned).collect()
    }

    /// Of 100,000 people with an entry each, written out at length.
    #[test]
    fn a_file_of_eight_megabytes_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("presence2mqtt.toml");
        fs::write(&file, "#\n".repeat(4_500_000)).unwrap();
        let (_, text) = find(Some(&file), &environment(&[])).unwrap();
        assert_eq!(text.len(), 9_000_000);
    }

    #[test]
    fn the_usual_places_in_order() {
        let at = |variables| {
            let places = usual_places(&environment(variables));
            places.iter().map(|p| p.display().to_string()).collect::<Vec<_>>().join(" ")
        };
        let here = "presence2mqtt.toml";
        let etc = "/etc/presence2mqtt/config.toml";
        let in_home = "/h/.config/presence2mqtt/config.toml";
        assert_eq!(at(&[]), format!("{here} {etc}"));
        assert_eq!(at(&[("HOME", "/h")]), format!("{here} {in_home} {etc}"));
        assert_eq!(
            at(&[("HOME", "/h"), ("XDG_CONFIG_HOME", "/x")]),
            format!("{here} /x/presence2mqtt/config.toml {etc}")
        );
        assert_eq!(at(&[("HOME", "/h"), ("XDG_CONFIG_HOME", "x")]), format!("{here} {in_home} {etc}"));
    }

    #[test]
    fn a_file_that_is_named_must_exist() {
        let by_variable = environment(&[("PRESENCE2MQTT_CONFIG", "/nowhere/b.toml")]);
        let explicit = Some(Path::new("/nowhere/a.toml"));
        for (explicit, named) in [(explicit, "/nowhere/a.toml"), (None, "/nowhere/b.toml")] {
            let error = find(explicit, &by_variable).unwrap_err().to_string();
            assert!(error.starts_with(&format!("{named}: cannot be read")), "{error}");
        }
    }

    #[test]
    fn the_first_place_wins_and_none_lists_them_all() {
        let dir = tempfile::tempdir().unwrap();
        let [a, b] = ["a.toml", "b.toml"].map(|name| dir.path().join(name));
        let places = [a.clone(), b.clone()];
        let nothing = Environment::default();

        let error = first_of(&places, &nothing).unwrap_err().to_string();
        assert!(error.contains(&*a.to_string_lossy()), "{error}");
        assert!(error.contains(&*b.to_string_lossy()), "{error}");

        let overriding = environment(&[("PRESENCE2MQTT__MQTT__QOS", "0")]);
        let alone = first_of(&places, &overriding).unwrap();
        assert_eq!(alone, (Origin::Environment, String::new()));

        fs::write(&b, "# b").unwrap();
        let found = first_of(&places, &nothing).unwrap();
        assert_eq!(found, (Origin::File(b), "# b".to_owned()));
        fs::write(&a, "# a").unwrap();
        assert_eq!(first_of(&places, &nothing).unwrap().1, "# a");
    }
}
