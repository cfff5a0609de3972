//! The configuration: what may be written in the file becomes what the program may rely on.
//!
//! In reading order: `find` says which file, `document` parses it and knows where everything was
//! written, `environment` lays `PRESENCE2MQTT__*` over it, `shape` turns it into what is `written`
//! (and `written_graph`, `written_accounts` and `written_tables`, with `duration_words`) by the list of keys
//! in `schema`, and `check` makes of it what is `known`, with `broker`, `ids`, `secret`, `certificate` and
//! `files` for the parts; `listening` is the part for who only listens, `asking` for who only asks,
//! `first_start` for who has nothing to sign in with yet, `exposed` says who else can read or change the
//! files, `unzoned` which lights have hours without a clock. `error` and `key` say what is wrong, and where.
//!
//! Nothing here reads the process's environment, a clock or the network. No error and no `Debug`
//! shows a secret.

mod asking;
mod broker;
mod certificate;
mod check;
mod document;
mod duration_words;
mod environment;
mod error;
mod exposed;
mod files;
mod find;
mod first_start;
mod ids;
mod key;
mod known;
mod listening;
mod schema;
mod secret;
mod shape;
#[cfg(test)]
pub(crate) mod tests;
mod unzoned;
mod urls;
mod written;
mod written_accounts;
mod written_graph;
mod written_tables;

use std::path::Path;

pub use asking::load_listen;
pub use broker::{Broker, Brokers, InvalidBroker, Scheme};
pub use certificate::{Certificate, CertificateError, KeyedCertificate};
pub use document::Origin;
pub use environment::Environment;
pub use error::ConfigErrors;
pub use exposed::exposed;
pub use first_start::{FirstStart, Given, first_start};
pub(crate) use first_start::{sections, text_of};
pub use ids::{ApplicationId, TenantId};
pub use known::{
    Account, Auth, ClientIdentity, Cloud, Commands, Config, Credentials, HomeAssistant, Http,
    IdentityService, Mqtt,
};
pub use listening::{Listening, load_listening};
pub use schema::json_schema;
pub use secret::{Secret, SecretError};
pub use unzoned::unzoned;

use document::Document;
use written::Written;

/// Finds the configuration file, reads it, applies the environment and checks the result.
///
/// The file is `explicit` (`--config`), else `$PRESENCE2MQTT_CONFIG`, else `./presence2mqtt.toml`,
/// else `$XDG_CONFIG_HOME/presence2mqtt/config.toml` (`~/.config`), else
/// `/etc/presence2mqtt/config.toml`, else none if the environment overrides anything.
///
/// # Errors
///
/// Everything that is wrong with it: exit code 78.
pub fn load(explicit: Option<&Path>, environment: &Environment) -> Result<Config, ConfigErrors> {
    let (origin, text) = find::find(explicit, environment)?;
    read(&text, origin, environment)
}

/// Does the same with a text; `origin` is the file named in messages and searched beside.
///
/// # Errors
///
/// Everything that is wrong with it.
pub fn parse(text: &str, origin: &Path, environment: &Environment) -> Result<Config, ConfigErrors> {
    read(text, Origin::File(origin.to_owned()), environment)
}

fn read(text: &str, origin: Origin, environment: &Environment) -> Result<Config, ConfigErrors> {
    let (document, written) = written(text, origin, environment)?;
    check::check(&written, &document, environment)
}

fn written<'t>(
    text: &'t str,
    origin: Origin,
    environment: &'t Environment,
) -> Result<(Document<'t>, Written), ConfigErrors> {
    let schema = json_schema();
    let (mut document, mut table) = Document::parse(text, origin)?;
    let overlay_errors = environment::overlay(environment, &schema, &mut document, table.get_mut());
    if !overlay_errors.is_empty() {
        return Err(ConfigErrors::new(overlay_errors));
    }
    let written = shape::read(&schema, table, &document).map_err(ConfigErrors::new)?;
    Ok((document, written))
}
