//! Which file is the configuration.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::document::Origin;
use super::environment::Environment;
use super::error::ConfigErrors;

/// The file named, else the first that exists, and its text.
pub(super) fn find(
    explicit: Option<&Path>,
    environment: &Environment,
) -> Result<(Origin, String), ConfigErrors> {
    let by_variable = || environment.get("PRESENCE2MQTT_CONFIG").map(Path::new);
    if let Some(named) = explicit.or_else(by_variable) {
        return read(named.to_owned());
    }
    first_of(&usual_places(environment), environment)
}

/// The first of these files that exists, else the environment alone if it says anything.
fn first_of(places: &[PathBuf], environment: &Environment) -> Result<(Origin, String), ConfigErrors> {
    if let Some(found) = places.iter().find(|place| place.exists()) {
        return read(found.clone());
    }
    if environment.overrides() {
        return Ok((Origin::Environment, String::new()));
    }
    let places: Vec<_> = places.iter().map(|p| p.display().to_string()).collect();
    Err(ConfigErrors::of_file(
        Path::new("configuration"),
        format_args!(
            "none found; looked for {}; write one of these or name another with --config",
            places.join(", ")
        ),
    ))
}

fn usual_places(environment: &Environment) -> Vec<PathBuf> {
    // The XDG specification: a relative path is to be ignored.
    let absolute = |path: &Path| path.is_absolute();
    let xdg = environment.get("XDG_CONFIG_HOME").map(PathBuf::from);
    let home = || Some(Path::new(environment.get("HOME")?).join(".config"));
    let user = xdg.filter(|path| absolute(path)).or_else(home);
    let of_user = user.map(|dir| dir.join("presence2mqtt/config.toml"));
    [PathBuf::from("presence2mqtt.toml")]
        .into_iter()
        .chain(of_user)
        .chain([PathBuf::from("/etc/presence2mqtt/config.toml")])
        .collect()
}

fn read(file: PathBuf) -> Result<(Origin, String), ConfigErrors> {
    match fs::read_to_string(&file) {
        Ok(text) => Ok((Origin::File(file), text)),
        Err(error) if error.kind() == io::ErrorKind::InvalidData => {
            Err(ConfigErrors::of_file(&file, "must be UTF-8 text"))
        }
        Err(error) => Err(ConfigErrors::of_file(&file, format_args!("cannot be read: {error}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(variables: &[(&str, &str)]) -> Environment {
        let owned = |&(name, value): &(&str, &str)| (name.to_owned(), value.to_owned());
        variables.iter().map(owned).collect()
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
