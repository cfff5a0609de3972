//! Warnings about files of a configuration that other users can read or change, and about typing slips in
//! secrets.

use std::path::Path;

use secrecy::ExposeSecret;

use super::document::Origin;
use super::find;
use super::known::{Auth, Config};
use super::secret::Secret;
use crate::disk::{Holds, named};

/// One sentence for each file that others can read or write and should not, with the command that corrects
/// it, and one for each secret with quotes or spaces around it. The bridge works nevertheless.
#[must_use]
pub fn exposed(config: &Config) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for (path, holds) in files(config) {
        found.extend(named::access(path).and_then(|access| access.warning(path, holds)));
    }
    found.extend(secrets(config).into_iter().filter_map(Secret::slip));
    found
}

fn files(config: &Config) -> Vec<(&Path, Holds)> {
    let Config { origin, mqtt, accounts, .. } = config;
    let mut files = Vec::new();
    if let Origin::File(path) = origin {
        files.push((path.as_path(), holds(path, config)));
    }
    for secret in secrets(config) {
        if let Secret::File(path) = secret {
            files.push((path, Holds::Secret));
        }
    }
    files.extend(accounts.iter().filter_map(|account| match &account.auth {
        Auth::Certificate { certificate, .. } => {
            let key = certificate.private_key_file.as_ref().unwrap_or(&certificate.certificate_file);
            Some((key.as_path(), Holds::Secret))
        }
        // The platform writes this file with its own mode, and its token is valid for an hour.
        Auth::WorkloadIdentity { token: Secret::File(path), .. } => Some((path.as_path(), Holds::Settings)),
        Auth::WorkloadIdentity { token: Secret::Inline(_), .. }
        | Auth::Person { .. }
        | Auth::ClientSecret { .. }
        | Auth::ManagedIdentity { .. } => None,
    }));
    files.extend(mqtt.client_identity.iter().map(|identity| (identity.key_file.as_path(), Holds::Secret)));
    // A user who can write these files decides which server is trusted as Graph or as the broker.
    let authorities = accounts.iter().map(|account| &account.ca_file).chain([&mqtt.ca_file]).flatten();
    files.extend(authorities.map(|path| (path.as_path(), Holds::Settings)));
    // Accounts may share theirs.
    let mut seen = Vec::new();
    files.retain(|file| {
        let is_new = !seen.contains(&file.0);
        seen.push(file.0);
        is_new
    });
    files
}

/// The secrets that people write themselves.
fn secrets(config: &Config) -> Vec<&Secret> {
    let Config { mqtt, accounts, http, .. } = config;
    let broker = mqtt.credentials.as_ref().and_then(|credentials| credentials.password.as_ref());
    let apps = accounts.iter().filter_map(|account| match &account.auth {
        Auth::ClientSecret { secret, .. } => Some(secret),
        Auth::Person { .. }
        | Auth::Certificate { .. }
        | Auth::WorkloadIdentity { .. }
        | Auth::ManagedIdentity { .. } => None,
    });
    let page = http.as_ref().and_then(|http| http.password.as_ref());
    let mut secrets: Vec<&Secret> = broker.into_iter().chain(apps).chain(page).collect();
    secrets.dedup();
    secrets
}

/// If the environment sets the secret, the file does not hold it.
fn holds(path: &Path, config: &Config) -> Holds {
    let text = named::read(path, find::MAX_BYTES).map(|read| read.bytes).unwrap_or_default();
    let is_in = |secret: &&Secret| match secret {
        Secret::Inline(secret) => {
            let secret = secret.expose_secret().as_bytes();
            !secret.is_empty() && text.windows(secret.len()).any(|part| part == secret)
        }
        Secret::File(_) => false,
    };
    if secrets(config).iter().any(is_in) { Holds::Secret } else { Holds::Settings }
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::config::{Environment, load};

    const TEXT: &str = "[mqtt]\nurl = \"mqtt://broker.example\"\nusername = \"bridge\"\npassword_file = \"mqtt\"\n\
        [graph]\ntenant_id = \"contoso.example\"\nclient_id = \"11111111-2222-3333-4444-555555555555\"\n\
        [graph.auth]\nmethod = \"client-secret\"\n\
        [[users]]\nname = \"alice\"\nid = \"66825e03-7ef5-42da-9069-724602c31f6b\"\n";

    /// What is said of a configuration with these modes of its file and of the password's.
    fn said(text: &str, modes: [u32; 2], password: &str) -> Vec<String> {
        let folder = tempfile::tempdir().unwrap();
        let files = ["config.toml", "mqtt"].map(|name| folder.path().join(name));
        for ((file, content), mode) in files.iter().zip([text, password]).zip(modes) {
            fs::write(file, content).unwrap();
            fs::set_permissions(file, Permissions::from_mode(mode)).unwrap();
        }
        let variables = [("PRESENCE2MQTT__GRAPH__AUTH__CLIENT_SECRET".to_owned(), "by-variable".to_owned())];
        let config = load(Some(&files[0]), &Environment::from_iter(variables)).unwrap();
        let place = folder.path().display().to_string();
        exposed(&config).into_iter().map(|says| says.replace(&place, "")).collect()
    }

    #[test]
    fn what_others_can_do_is_said_once_for_each_file() {
        assert_eq!(said(TEXT, [0o644, 0o640], "secret\n"), [""; 0]);
        let [config, password] = &said(TEXT, [0o666, 0o644], "secret\n")[..] else { panic!() };
        assert!(config.starts_with("others can write /config.toml (mode 0666)"), "{config}");
        assert!(password.contains("can read /mqtt, which holds a secret (mode 0644)"), "{password}");
        assert!(password.ends_with("chmod go-w,o-r '/mqtt'"), "{password}");
    }

    #[test]
    fn a_configuration_with_a_secret_in_it_is_one() {
        let inline = TEXT.replace("password_file = \"mqtt\"", "password = \"inline\"");
        let [config] = &said(&inline, [0o644, 0o600], "")[..] else { panic!() };
        assert!(config.contains("can read /config.toml, which holds a secret"), "{config}");
    }

    #[test]
    fn a_slip_is_said() {
        let [slip] = &said(TEXT, [0o644, 0o600], "\"secret\"\n")[..] else { panic!() };
        assert!(slip.contains("/mqtt is in quotes") && !slip.contains("secret\""), "{slip}");
    }
}
