//! The configuration as far as it is known, as text.

use std::path::Path;

use secrecy::{ExposeSecret, SecretString};

use super::address::Beginning;
use super::lights::found::FoundLight;
use crate::config::{self, Cloud, Config, ConfigErrors, Environment, Given};
use crate::core::model::name::TopicLevel;
use crate::core::model::sign_in::SignInBy;

/// The file of the password, beside the configuration. The unit for systemd knows it by this name.
pub(crate) const PASSWORD_FILE: &str = "mqtt-password";

/// The file of the schema, beside the configuration.
pub(crate) const SCHEMA_FILE: &str = "presence2mqtt.schema.json";

/// Stands for an app as long as none is known.
pub(crate) const NO_APP: &str = "00000000-0000-0000-0000-000000000000";

/// Stands for a broker as long as none is known. Written so, it is no broker that anybody typed: those have a
/// port.
pub(crate) const NO_BROKER: &str = "mqtt://localhost";

/// The configuration as far as it is known.
#[derive(Debug)]
pub(crate) struct Draft {
    /// The work e-mail address; empty where an app was typed first.
    pub(crate) email: String,
    /// What the account is called that signed in.
    pub(crate) account: Option<String>,
    /// A domain of the tenant, for people.
    pub(crate) domain: String,
    pub(crate) cloud: Cloud,
    /// The id, or the domain as long as the id is not known.
    pub(crate) tenant: String,
    pub(crate) client_id: String,
    pub(crate) sign_in: SignInBy,
    pub(crate) broker: String,
    /// At the broker.
    pub(crate) username: Option<String>,
    pub(crate) password: Option<SecretString>,
    /// What the environment says, and the file need not.
    pub(crate) given: Given,
    pub(crate) light: Option<FoundLight>,
    /// What the file says already and goes on saying: sections that no question is about.
    pub(crate) kept: String,
}

impl Draft {
    /// Nothing is known.
    pub(crate) fn new() -> Self {
        Self {
            email: String::new(),
            account: None,
            domain: String::new(),
            cloud: Cloud::Global,
            tenant: String::new(),
            client_id: NO_APP.to_owned(),
            sign_in: SignInBy::DeviceCode,
            broker: NO_BROKER.to_owned(),
            username: None,
            password: None,
            given: Given::default(),
            light: None,
            kept: String::new(),
        }
    }

    /// The same with what was typed first.
    #[cfg(test)]
    pub(crate) fn begun(mut self, beginning: Beginning) -> Self {
        self.begin(beginning);
        self
    }

    /// Takes what was typed first, in the place of what was typed before.
    pub(crate) fn begin(&mut self, beginning: Beginning) {
        (self.email, self.domain) = match beginning {
            Beginning::Person(email) => {
                let domain = email.rsplit('@').next().unwrap_or_default().to_owned();
                (email, domain)
            }
            Beginning::App(id, domain) => {
                self.client_id = id;
                (String::new(), domain)
            }
        };
        (self.cloud, self.tenant) = (Cloud::Global, self.domain.clone());
    }

    /// Whether an app is known.
    pub(crate) fn has_app(&self) -> bool {
        self.given.client_id || self.client_id != NO_APP
    }

    /// Whether this account may be the one that was meant.
    pub(crate) fn expects(&self, username: &str) -> bool {
        self.email.is_empty() || self.email.eq_ignore_ascii_case(username)
    }

    /// The name on the topics: what stands before the @ of the account, and before anybody signed in of the
    /// address that was typed, which may be misspelt.
    pub(crate) fn name(&self) -> TopicLevel {
        let addresses = [self.account.as_deref(), Some(self.email.as_str())];
        let mut locals = addresses.into_iter().flatten().filter_map(|address| address.split('@').next());
        TopicLevel::made_of(locals.find(|local| !local.is_empty()).unwrap_or("me"), "bridge")
    }

    /// The same as the program reads it, before any file is written; `file` is where it will be.
    pub(crate) fn config(&self, file: &Path, environment: &Environment) -> Result<Config, ConfigErrors> {
        let password = self.password.as_ref().map(|password| ("password", password.expose_secret()));
        config::parse(&self.text(password), file, environment)
    }

    /// The file to write, without a secret.
    pub(crate) fn written(&self) -> String {
        self.text(self.password.as_ref().map(|_| ("password_file", PASSWORD_FILE)))
    }

    fn text(&self, password: Option<(&str, &str)>) -> String {
        let Self { cloud, tenant, client_id, broker, kept, given, .. } = self;
        let [tenant, client_id] = [tenant, client_id].map(|text| quoted(text));
        let mut text = format!(
            "#:schema ./{SCHEMA_FILE}\n\
             # Written by `presence2mqtt setup`; change what you like. `presence2mqtt check` says whether it is right.\n\
             \n{kept}[mqtt]\n"
        );
        if !given.url {
            text += &format!("url = {}\n", quoted(broker));
        }
        if let Some(username) = &self.username {
            text += &format!("username = {}\n", quoted(username));
        }
        if let Some((key, value)) = password {
            text += &format!("{key} = {}\n", quoted(value));
        }
        text += "\n[graph]\n";
        if self.cloud != Cloud::Global {
            text += &format!("cloud = \"{}\"\n", cloud.as_str());
        }
        if !given.tenant {
            text += &format!("tenant_id = {tenant} # {}\n", self.domain);
        }
        if !given.client_id {
            text += &format!("client_id = {client_id}\n");
        }
        text += "\n[graph.auth]\n";
        text += match self.sign_in {
            SignInBy::DeviceCode => {
                "method = \"device-code\" # or \"browser\", where the tenant blocks codes\n"
            }
            SignInBy::Browser => "method = \"browser\"\n",
        };
        let name = self.name();
        text += &format!(
            "\n[[users]]\nname = \"{name}\" # the topics: presence/{name}/…\nid = \"me\" # the account that signed in\n"
        );
        if let Some(FoundLight { preset, topic, object, .. }) = &self.light {
            let (light, topic) = (self.light.as_ref().map(FoundLight::name), quoted(topic));
            let light = light.as_ref().map_or("light", TopicLevel::as_str);
            text += &format!(
                "\n[[lights]]\nname = \"{light}\"\nusers = [\"{name}\"]\npreset = \"{preset}\"\ntopic = {topic}\n"
            );
            if let Some(object) = object {
                text += &format!("object = {}\n", quoted(object));
            }
            text += "#active = \"Mon-Fri 08:00-18:00\" # off outside these hours\n";
        }
        text
    }
}

/// As TOML.
fn quoted(text: &str) -> String {
    toml::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(email: &str) -> Draft {
        Draft::new().begun(Beginning::Person(email.to_owned()))
    }

    fn draft() -> Draft {
        Draft {
            cloud: Cloud::UsGovL4,
            tenant: "0f1e2d3c-4b5a-4678-9a0b-c1d2e3f4a5b6".to_owned(),
            client_id: "a1b2c3d4-e5f6-4a7b-8c9d-0e1f2a3b4c5d".to_owned(),
            username: Some("the \"bridge\"".to_owned()),
            password: Some("s\\e\"c".to_owned().into()),
            light: Some(FoundLight {
                preset: "esphome",
                topic: "home/office".to_owned(),
                label: "Büro".to_owned(),
                object: Some("strip".to_owned()),
            }),
            ..of("alice.adams@contoso.example")
        }
    }

    #[test]
    fn whatever_is_known_the_program_reads_it() {
        let environment = Environment::from_iter([("HOME".to_owned(), "/nowhere".to_owned())]);
        let file = Path::new("/nowhere/config.toml");
        let config = draft().config(file, &environment).unwrap();
        assert_eq!(config.users[0].name.as_str(), "alice_adams");
        assert_eq!(config.accounts[0].cloud, Cloud::UsGovL4);
        assert_eq!(config.mqtt.credentials.unwrap().username, "the \"bridge\"");
        assert_eq!(config.lights[0].name.as_str(), "B_ro");
        assert!(of("bridge@contoso.example").config(file, &environment).is_ok());
    }

    #[test]
    fn an_app_alone_is_a_beginning_and_who_signs_in_gives_the_name() {
        let (id, domain) = (draft().client_id, "contoso.onmicrosoft.com".to_owned());
        let mut draft = Draft::new().begun(Beginning::App(id.clone(), domain));
        assert_eq!((draft.name().as_str(), draft.has_app()), ("me", true));
        draft.account = Some("alice@contoso.example".to_owned());
        assert_eq!((draft.name().as_str(), draft.expects("bob@contoso.example")), ("alice", true));
        let written = draft.written();
        for line in
            ["tenant_id = \"contoso.onmicrosoft.com\" # contoso.onmicrosoft.com", &id, "name = \"alice\""]
        {
            assert!(written.contains(line), "{line} in {written}");
        }
        let draft = Draft { account: Some("bob@contoso.example".to_owned()), ..of("alice@contoso.example") };
        assert_eq!((draft.name().as_str(), draft.has_app()), ("bob", false));
        assert_eq!(
            ["Alice@contoso.example", "bob@contoso.example"].map(|who| draft.expects(who)),
            [true, false]
        );
    }

    #[test]
    fn what_the_environment_says_is_not_written() {
        let given = Given { tenant: true, client_id: true, ..Given::default() };
        let written = Draft { given, ..draft() }.written();
        assert!(!written.contains("tenant_id") && !written.contains("client_id"), "{written}");
        let variables = [("TENANT_ID", "contoso.example"), ("CLIENT_ID", NO_APP)];
        let variables =
            variables.map(|(key, value)| (format!("PRESENCE2MQTT__GRAPH__{key}"), value.to_owned()));
        let home = [("HOME".to_owned(), "/nowhere".to_owned())];
        let config = Draft { given, ..draft() }
            .config(Path::new("/nowhere/config.toml"), &variables.into_iter().chain(home).collect());
        assert_eq!(config.unwrap().accounts[0].tenant.as_str(), "contoso.example");
    }

    #[test]
    fn no_secret_is_in_the_file() {
        let written = draft().written();
        assert!(written.starts_with("#:schema ./presence2mqtt.schema.json\n"), "{written}");
        assert!(written.contains("password_file = \"mqtt-password\"\n"), "{written}");
        assert!(!written.contains("e\\\"c"), "{written}");
    }
}
