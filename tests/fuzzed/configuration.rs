//! Configurations: each is accepted or refused with its mistakes, and no secret in it is shown.

use std::path::Path;

use presence2mqtt::config::{self, Environment};

use super::said::MARKER;

/// `input` is a configuration.
pub(super) fn check(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    // No file of this machine is named: what is in them is no part of the input.
    if text.contains("_file") || text.contains("include") {
        return;
    }
    let environment = Environment::from_iter([("HOME".to_owned(), "/nowhere".to_owned())]);
    match config::parse(text, Path::new("/nowhere/config.toml"), &environment) {
        Ok(config) => assert!(!is_secret(text) || !format!("{config:?}").contains(MARKER), "{config:?}"),
        Err(errors) => {
            let errors = errors.to_string();
            assert!(
                !errors.is_empty() && errors.lines().all(|line| line.starts_with("/nowhere/config.toml")),
                "{errors}"
            );
            assert!(!is_secret(text) || !errors.contains(MARKER), "{errors}");
        }
    }
}

/// Whether the marker stands only where a secret belongs.
fn is_secret(text: &str) -> bool {
    let mut marked = text.lines().filter(|line| line.contains(MARKER));
    let secrets = ["password", "client_secret"].map(|key| format!("{key} = \"{MARKER}\""));
    marked.all(|line| secrets.iter().any(|secret| secret == line))
}
