//! The configuration from the outside: texts in, `Config` or messages out.

mod accepted;
mod accounts;
mod app_methods;
mod environment;
mod http;
mod lights;
pub(crate) mod pem;
mod refused;
mod shown;

use std::path::Path;

use super::{Config, ConfigErrors, Environment, parse};

/// The least that is a configuration, without `[[users]]` at its end, so that sections can follow.
const SECTIONS: &str = r#"
[mqtt]
url = "mqtt://localhost"
[graph]
tenant_id = "contoso.onmicrosoft.com"
client_id = "11111111-2222-3333-4444-555555555555"
[graph.auth]
method = "client-secret"
client_secret = "s3cr3t-marker"
"#;

const ALICE: &str = r#"
[[users]]
name = "alice"
id = "66825e03-7ef5-42da-9069-724602c31f6b"
"#;

fn minimal() -> String {
    format!("{SECTIONS}{ALICE}")
}

fn environment(variables: &[(&str, &str)]) -> Environment {
    let owned = |&(name, value): &(&str, &str)| (name.to_owned(), value.to_owned());
    variables.iter().map(owned).collect()
}

fn read(text: &str) -> Result<Config, ConfigErrors> {
    read_with(text, &[])
}

fn read_with(text: &str, variables: &[(&str, &str)]) -> Result<Config, ConfigErrors> {
    let origin = Path::new("presence2mqtt.toml");
    parse(text, origin, &environment(variables))
}

/// The message, and a check that neither it nor `Debug` shows the planted secret.
fn message(result: Result<Config, ConfigErrors>) -> String {
    let error = result.unwrap_err();
    let shown = error.to_string();
    assert!(!shown.contains("s3cr3t-marker"), "{shown}");
    let debugged = format!("{error:?} {error:#?}");
    assert!(!debugged.contains("s3cr3t-marker"), "{debugged}");
    shown
}
