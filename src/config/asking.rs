//! The part of a configuration that a health check needs: `http.listen`.

use std::net::SocketAddr;
use std::path::Path;

use super::document::Document;
use super::environment::Environment;
use super::error::ConfigErrors;
use super::{Origin, check, environment, find, json_schema};

/// Finds the configuration as [`load`](super::load) does, and reads only `http.listen`, if it is set. Other
/// mistakes in the file do not matter, because a running bridge stays alive when the file changes; the file
/// must be TOML though. A file named on the command line may be missing: at a first start the bridge asks for
/// its content.
///
/// # Errors
///
/// If `http.listen` cannot be read: exit code 78.
pub fn load_listen(
    explicit: Option<&Path>,
    environment: &Environment,
) -> Result<Option<SocketAddr>, ConfigErrors> {
    let (origin, text) = find::find_or_none_yet(explicit, environment)?;
    read(&text, origin, environment)
}

fn read(text: &str, origin: Origin, environment: &Environment) -> Result<Option<SocketAddr>, ConfigErrors> {
    let (mut document, mut table) = Document::parse(text, origin)?;
    // Variables of other keys do not matter here. For this key any variable has the right type: text.
    let _of_others = environment::overlay(environment, &json_schema(), &mut document, table.get_mut());
    let http = table.get_ref().get("http").and_then(|http| http.get_ref().as_table());
    let Some(listen) = http.and_then(|http| http.get("listen")) else { return Ok(None) };
    let listen = listen.get_ref().as_str().unwrap_or_default();
    check::check_listen(listen, &document, environment).map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asking(text: &str, environment: &[(&str, &str)]) -> Result<Option<SocketAddr>, String> {
        let environment = environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let environment = Environment::from_iter(environment);
        read(text, Origin::File("x.toml".into()), &environment).map_err(|errors| errors.to_string())
    }

    #[test]
    fn whatever_else_is_wrong_the_address_is_had() {
        let wrong = "[http]\nlisten = \"0.0.0.0:9642\"\npassword_file = \"/nowhere/password\"\n[graph]\n\
                     poll_interval = true\n[graph.auth]\nmethod = \"client-secret\"\n\
                     client_secret_file = \"/nowhere/secret\"\n[mqqt]\n";
        assert_eq!(asking(wrong, &[]), Ok(Some(([0, 0, 0, 0], 9642).into())));
        let variables = [("PRESENCE2MQTT__HTTP__LISTEN", "[::1]:1"), ("PRESENCE2MQTT__HTPT__LISTEN", "x")];
        assert_eq!(asking(wrong, &variables), Ok(Some("[::1]:1".parse().unwrap())));
        assert_eq!(asking("[graph]\n", &[]), Ok(None));
    }

    #[test]
    fn what_is_wrong_with_the_address_is_said_with_its_place() {
        for (text, says) in [
            (
                "[http]\nlisten = \"localhost\"",
                "x.toml:2: http.listen = \"localhost\": must be an address and port",
            ),
            ("[http]\nlisten = 9642", "must be an address and port"),
            ("[http\n", "is not TOML"),
        ] {
            let error = asking(text, &[]).unwrap_err();
            assert!(error.contains(says), "{says} in {error}");
        }
    }
}
