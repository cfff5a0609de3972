//! The part of a configuration that a client needs which only listens at the broker: `[mqtt]`, and the names
//! of people, if there are any.

use std::collections::BTreeMap;
use std::path::Path;

use super::environment::Environment;
use super::error::ConfigErrors;
use super::known::Mqtt;
use super::written::Written;
use super::{Origin, check, find, written};
use crate::core::model::name::TopicLevel;

/// The broker, the topics, and what to call people.
#[derive(Debug, Clone)]
pub struct Listening {
    /// The broker and the topics.
    pub mqtt: Mqtt,
    /// The names to show, by topic level.
    pub names: BTreeMap<TopicLevel, String>,
    /// The people in the configuration.
    pub users: Vec<TopicLevel>,
    /// Whether there are more people, in groups.
    pub has_groups: bool,
}

/// Finds the configuration as [`load`](super::load) does, and reads only `[mqtt]` and names. The rest must
/// have the right shape, but may be missing or name missing files: listening needs no tenant.
///
/// # Errors
///
/// Everything that is wrong with it: exit code 78.
pub fn load_listening(explicit: Option<&Path>, environment: &Environment) -> Result<Listening, ConfigErrors> {
    let (origin, text) = find::find(explicit, environment)?;
    read(&text, origin, environment)
}

fn read(text: &str, origin: Origin, environment: &Environment) -> Result<Listening, ConfigErrors> {
    let (document, written) = written(text, origin, environment)?;
    let mqtt = check::check_mqtt(&written.mqtt, &document, environment)?;
    let users = written.users.iter().filter_map(|user| user.name.as_ref()?.parse().ok()).collect();
    Ok(Listening { mqtt, names: names(&written), users, has_groups: !written.groups.is_empty() })
}

/// People whose name is wrong here are left out. `check` reports that mistake.
fn names(written: &Written) -> BTreeMap<TopicLevel, String> {
    let named =
        written.users.iter().filter_map(|user| Some((user.name.as_ref()?, user.display_name.as_ref()?)));
    named.filter_map(|(name, shown)| Some((name.parse().ok()?, shown.clone()))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listening(text: &str) -> Result<Listening, ConfigErrors> {
        read(text, Origin::File("x.toml".into()), &Environment::default())
    }

    #[test]
    fn the_broker_alone_will_do() {
        let listening = listening("[mqtt]\nurl = \"mqtt://broker.example\"").unwrap();
        assert_eq!(listening.mqtt.brokers.to_string(), "mqtt://broker.example:1883");
        assert!(listening.names.is_empty());
    }

    #[test]
    fn secrets_of_the_bridge_need_not_be_here_and_names_are_taken() {
        let text = "[mqtt]\nurl = \"mqtt://broker.example\"\n[graph]\ntenant_id = \"contoso.example\"\n\
                    [graph.auth]\nmethod = \"client-secret\"\nclient_secret_file = \"/nowhere/secret\"\n\
                    [[users]]\nname = \"alice\"\ndisplay_name = \"Alice A.\"\n[[users]]\nname = \"bob\"\n";
        let names: Vec<_> = listening(text).unwrap().names.into_iter().collect();
        assert_eq!(names, [("alice".parse().unwrap(), "Alice A.".to_owned())]);
    }

    #[test]
    fn what_is_wrong_with_the_broker_is_said_with_its_place() {
        for (text, says) in [
            ("[mqtt]\nurl = \"mqtt://broker.example\"\nqos = 2", "x.toml:3: mqtt.qos = 2"),
            ("[graph]\n", "mqtt.url: is required"),
            ("[mqtt]\nurl = \"mqtt://broker.example\"\n[grph]\n", "grph: unknown key"),
        ] {
            let error = listening(text).unwrap_err().to_string();
            assert!(error.contains(says), "{says} in {error}");
        }
    }
}
