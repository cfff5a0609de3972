//! `[graph.auth]` for the methods of an app.

use std::path::PathBuf;

use jiff::civil::date;
use secrecy::ExposeSecret;

use super::{environment, message, minimal, pem};
use crate::config::{Auth, Certificate, Config, ConfigErrors, IdentityService, parse};

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn write(&self, name: &str, content: &str) -> PathBuf {
        let path = self.0.path().join(name);
        std::fs::write(&path, content).unwrap();
        path
    }

    /// The minimal configuration in this folder, with these lines as its `[graph.auth]`.
    fn read(&self, auth: &str, variables: &[(&str, &str)]) -> Result<Config, ConfigErrors> {
        let lines = "method = \"client-secret\"\nclient_secret = \"s3cr3t-marker\"";
        self.parse(&minimal().replace(lines, auth), variables)
    }

    fn parse(&self, text: &str, variables: &[(&str, &str)]) -> Result<Config, ConfigErrors> {
        parse(text, &self.0.path().join("presence2mqtt.toml"), &environment(variables))
    }
}

#[test]
fn a_certificate_with_its_key_beside_the_configuration() {
    let folder = Folder::new();
    let (certificate, key) = pem::rsa();
    let both = folder.write("both.pem", &format!("{certificate}{key}"));
    let certificate_file = folder.write("app.pem", &certificate);
    let private_key_file = folder.write("app.key", &key);
    for (lines, expected) in [
        ("certificate_file = \"both.pem\"", Certificate { certificate_file: both, private_key_file: None }),
        (
            "certificate_file = \"app.pem\"\nprivate_key_file = \"app.key\"",
            Certificate { certificate_file, private_key_file: Some(private_key_file) },
        ),
    ] {
        let config = folder.read(&format!("method = \"certificate\"\n{lines}"), &[]).unwrap();
        assert_eq!(config.accounts[0].auth.as_str(), "certificate");
        let Auth::Certificate { client_id, certificate } = &config.accounts[0].auth else {
            panic!("a certificate")
        };
        assert_eq!((client_id.as_str(), certificate), ("11111111-2222-3333-4444-555555555555", &expected));
    }
}

#[test]
fn a_certificate_that_cannot_be_used_is_refused_at_the_key_that_names_it() {
    let folder = Folder::new();
    let (certificate, key) = pem::rsa();
    folder.write("app.pem", &certificate);
    folder.write("app.key", &key);
    folder.write("ec.key", &pem::ec().1);
    folder.write("other.key", &pem::rsa_of_another().1);
    folder
        .write("expired.pem", &format!("{}{key}", pem::rsa_between(date(2020, 1, 1), date(2021, 12, 13)).0));
    for (lines, named, says) in [
        ("", "7: graph.auth.certificate_file:", "is required by method \"certificate\""),
        (
            "certificate_file = \"app.pem\"",
            "9: graph.auth.certificate_file = \"app.pem\":",
            "private_key_file",
        ),
        ("certificate_file = \"missing.pem\"", "9: graph.auth.certificate_file", "cannot be read"),
        (
            "certificate_file = \"app.pem\"\nprivate_key_file = \"ec.key\"",
            "10: graph.auth.private_key_file",
            "not an RSA key",
        ),
        (
            "certificate_file = \"app.pem\"\nprivate_key_file = \"gone\"",
            "10: graph.auth.private_key_file",
            "cannot be read",
        ),
        (
            "certificate_file = \"app.pem\"\nprivate_key_file = \"other.key\"",
            "9: graph.auth.certificate_file",
            "does not belong",
        ),
    ] {
        let message = message(folder.read(&format!("method = \"certificate\"\n{lines}"), &[]));
        let place = format!("presence2mqtt.toml:{named}");
        assert!(
            message.lines().count() == 1 && message.contains(&place) && message.contains(says),
            "{message}"
        );
    }
    // Expired is no mistake in the configuration: it is said, and tried again when the file changes.
    folder.read("method = \"certificate\"\ncertificate_file = \"expired.pem\"", &[]).unwrap();
}

#[test]
fn a_federated_token_is_where_the_configuration_or_the_environment_says() {
    let folder = Folder::new();
    folder.write("token", "configured");
    let injected = folder.write("injected", "injected\n");
    let injected = [("AZURE_FEDERATED_TOKEN_FILE", injected.to_str().unwrap())];
    let method = "method = \"workload-identity\"";
    let written = format!("{method}\nfederated_token_file = \"token\"");
    for (auth, variables, expected) in [
        (written.as_str(), &[][..], "configured"),
        (&written, &injected, "configured"),
        (method, &injected, "injected"),
    ] {
        let config = folder.read(auth, variables).unwrap();
        assert_eq!(config.accounts[0].auth.as_str(), "workload-identity");
        let Auth::WorkloadIdentity { token, .. } = &config.accounts[0].auth else { panic!("a token") };
        assert_eq!(token.read().unwrap().expose_secret(), expected);
    }
    let nowhere = message(folder.read(method, &[]));
    assert!(
        nowhere.contains("graph.auth.federated_token_file: is required")
            && nowhere.contains("$AZURE_FEDERATED_TOKEN_FILE"),
        "{nowhere}"
    );
    let gone = message(folder.read(method, &[("AZURE_FEDERATED_TOKEN_FILE", "/nowhere/token")]));
    assert!(gone.contains("graph.auth.federated_token_file: /nowhere/token cannot be read"), "{gone}");
}

#[test]
fn a_managed_identity_asks_where_the_environment_says() {
    let folder = Folder::new();
    let method = "method = \"managed-identity\"";
    let service = |variables: &[(&str, &str)]| {
        let auth = folder.read(method, variables).unwrap().accounts[0].auth.clone();
        assert_eq!(auth.as_str(), "managed-identity");
        let Auth::ManagedIdentity { service, .. } = auth else { panic!("an identity") };
        service
    };
    let host = |variables: &[(&str, &str)]| match service(variables) {
        IdentityService::Metadata { host } => host.to_string(),
        IdentityService::App { endpoint, .. } => panic!("{endpoint}"),
    };
    let endpoint = ("IDENTITY_ENDPOINT", "http://127.0.0.1:41/msi/token");
    assert_eq!(host(&[]), "http://169.254.169.254/");
    assert_eq!(
        host(&[("AZURE_POD_IDENTITY_AUTHORITY_HOST", "http://127.0.0.1:40342")]),
        "http://127.0.0.1:40342/"
    );
    assert_eq!(host(&[endpoint]), "http://169.254.169.254/");
    assert_eq!(host(&[("IDENTITY_HEADER", "s3cr3t-marker")]), "http://169.254.169.254/");
    let app = service(&[endpoint, ("IDENTITY_HEADER", "s3cr3t-marker")]);
    assert!(!format!("{app:?}").contains("s3cr3t-marker"));
    let IdentityService::App { endpoint, header } = app else { panic!("{app:?}") };
    assert_eq!(
        (endpoint.as_str(), header.expose_secret()),
        ("http://127.0.0.1:41/msi/token", "s3cr3t-marker")
    );

    for (variables, named) in [
        (
            &[("AZURE_POD_IDENTITY_AUTHORITY_HOST", "169.254.169.254")][..],
            "$AZURE_POD_IDENTITY_AUTHORITY_HOST",
        ),
        (&[("IDENTITY_ENDPOINT", "s3cr3t-marker"), ("IDENTITY_HEADER", "x")], "$IDENTITY_ENDPOINT"),
    ] {
        let message = message(folder.read(method, variables));
        assert!(message.contains(&format!("needs an http URL in {named}")), "{message}");
    }
}

#[test]
fn a_managed_identity_needs_no_client_id() {
    let folder = Folder::new();
    let text = minimal()
        .replace("client-secret", "managed-identity")
        .replace("client_secret = \"s3cr3t-marker\"", "");
    let client_id = |text: &str| {
        let Auth::ManagedIdentity { client_id, .. } =
            folder.parse(text, &[]).unwrap().accounts[0].auth.clone()
        else {
            panic!()
        };
        client_id.map(|id| id.as_str().to_owned())
    };
    let written = "client_id = \"11111111-2222-3333-4444-555555555555\"";
    assert_eq!(client_id(&text).as_deref(), Some("11111111-2222-3333-4444-555555555555"));
    assert_eq!(client_id(&text.replace(written, "")), None);
    let wrong = message(folder.parse(&text.replace(written, "client_id = \"mine\""), &[]));
    assert!(wrong.contains("graph.client_id = \"mine\": must be the application (client) id"), "{wrong}");
}

#[test]
fn the_keys_of_another_method_are_refused() {
    let folder = Folder::new();
    let (certificate, key) = pem::rsa();
    folder.write("app.pem", &format!("{certificate}{key}"));
    folder.write("token", "token");
    let methods = [
        ("client-secret", "client_secret = \"s3cr3t-marker\""),
        ("certificate", "certificate_file = \"app.pem\""),
        ("workload-identity", "federated_token_file = \"token\""),
        ("managed-identity", ""),
    ];
    let keys = [
        ("client_secret", "client-secret"),
        ("client_secret_file", "client-secret"),
        ("certificate_file", "certificate"),
        ("private_key_file", "certificate"),
        ("federated_token_file", "workload-identity"),
    ];
    for (method, own) in methods {
        folder.read(&format!("method = \"{method}\"\n{own}"), &[]).unwrap();
        for (key, of) in keys.into_iter().filter(|(_, of)| *of != method) {
            let auth = format!("method = \"{method}\"\n{own}\n{key} = \"some-file\"");
            let message = message(folder.read(&auth, &[]));
            assert_eq!(message.lines().count(), 1, "{message}");
            let says = format!("belongs to method \"{of}\", and the method is \"{method}\"");
            assert!(message.contains(&format!("graph.auth.{key}")) && message.contains(&says), "{message}");
        }
        let me = folder
            .read(&format!("method = \"{method}\"\n{own}"), &[("PRESENCE2MQTT__GRAPH__ENDPOINT", "me")]);
        assert!(message(me).contains("needs a person who signs in"));
    }
}
