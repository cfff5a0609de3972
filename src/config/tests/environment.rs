//! `PRESENCE2MQTT__*` over the file.

use std::time::Duration;

use secrecy::ExposeSecret;

use super::{environment, message, minimal, read_with};
use crate::config::{self, Auth, Origin};
use crate::core::model::mqtt::Qos;

#[test]
fn a_variable_wins_over_the_file_and_has_the_type_of_its_key() {
    let text = minimal().replace("[mqtt]", "[mqtt]\nqos = 1\nusername = \"bob\"");
    let config = read_with(
        &text,
        &[
            ("PRESENCE2MQTT__MQTT__QOS", "0"),
            ("PRESENCE2MQTT__MQTT__PASSWORD", "0123"),
            ("PRESENCE2MQTT__MQTT__KEEP_ALIVE", "1m"),
            ("PRESENCE2MQTT__GRAPH__INCLUDE_MESSAGES", "true"),
            ("PRESENCE2MQTT__GRAPH__CLOUD", "us-gov-l4"),
            ("PRESENCE2MQTT__GRAPH__AUTH__CLIENT_SECRET", "true"),
            ("PRESENCE2MQTT__HOME_ASSISTANT__DISCOVERY", "false"),
            ("PRESENCE2MQTT__COMMANDS__ENABLED", "true"),
            ("PRESENCE2MQTT_CONFIG", "read by load alone"),
            ("MQTT__QOS", "nobody's"),
        ],
    )
    .unwrap();
    assert_eq!(config.mqtt.settings.qos, Qos::AtMostOnce);
    assert_eq!(config.mqtt.settings.keep_alive, Duration::from_secs(60));
    let password = config.mqtt.credentials.unwrap().password.unwrap();
    assert_eq!(password.read().unwrap().expose_secret(), "0123");
    let Auth::ClientSecret { secret, .. } = &config.accounts[0].auth else { panic!("a secret") };
    assert_eq!(secret.read().unwrap().expose_secret(), "true");
    assert!(config.graph.include_messages);
    assert!(!config.home_assistant.discovery);
    assert!(config.commands.enabled && !read_with(&text, &[]).unwrap().commands.enabled);
}

#[test]
fn a_bad_variable_is_named_instead_of_the_file() {
    #[rustfmt::skip]
    let rows = [
        ("PRESENCE2MQTT__MQTT__QOS", "one", "mqtt.qos = \"one\": must be a whole number, 0 to 1"),
        ("PRESENCE2MQTT__MQTT__QOS", "", "mqtt.qos = \"\": must be a whole number, 0 to 1"),
        ("PRESENCE2MQTT__MQTT__QOS", "2", "mqtt.qos = \"2\": must be 0 or 1"),
        ("PRESENCE2MQTT__MQTT__URL", "mqtt://a:s3cr3t-marker@b", "mqtt.url: must not hold"),
        ("PRESENCE2MQTT__MQTT__PASSWORD", "s3cr3t-marker", "mqtt.password: needs mqtt.username"),
        ("PRESENCE2MQTT__MQTT__KEEP_ALIVE", "1", "mqtt.keep_alive = \"1\": must be text such as"),
        ("PRESENCE2MQTT__MQTT__KEEP_ALIVE", "1s", "mqtt.keep_alive = \"1s\": must be 5s to 1h"),
        ("PRESENCE2MQTT__MQTT__MESSAGE_EXPIRY", "1h", "mqtt.message_expiry = \"1h\": needs mqtt.protocol = \"5\""),
        ("PRESENCE2MQTT__GRAPH__CLOUD", "mars", "graph.cloud = \"mars\": must be one of"),
        ("PRESENCE2MQTT__GRAPH__AUTH__ANNOUNCE_SIGN_IN", "yes", "graph.auth.announce_sign_in = \"yes\": must be true or false"),
        ("PRESENCE2MQTT__GRAPH__AUTH__CLIENT_SECRET_FILE", "x", "graph.auth.client_secret_file = \"x\": graph.auth.client_secret is given too"),
        ("PRESENCE2MQTT__MQTT__ULR", "s3cr3t-marker", "is not the variable of any key (did you mean \"PRESENCE2MQTT__MQTT__URL\"?)"),
        ("PRESENCE2MQTT__GRAPH__AUTH", "s3cr3t-marker", "is not the variable of any key"),
        ("PRESENCE2MQTT__USERS__NAME", "alice", "is not the variable of any key"),
        ("PRESENCE2MQTT__mqtt__url", "x", "is not the variable of any key"),
    ];
    for (variable, value, says) in rows {
        let message = message(read_with(&minimal(), &[(variable, value)]));
        let wanted = format!("{variable}: {says}");
        assert!(message.lines().any(|l| l.starts_with(&wanted)), "wanted {wanted:?}, got:\n{message}");
    }
}

#[test]
fn a_section_of_another_type_in_the_file_is_still_refused() {
    let message = message(read_with("mqtt = 1", &[("PRESENCE2MQTT__MQTT__QOS", "1")]));
    assert!(message.contains("presence2mqtt.toml:1: mqtt: must be a table"), "{message}");
}

#[test]
fn an_environment_alone_says_what_it_lacks_by_the_names_of_variables() {
    let alone = environment(&[
        ("PRESENCE2MQTT__MQTT__URL", "mqtt://localhost"),
        ("PRESENCE2MQTT__GRAPH__AUTH__METHOD", "client-secret"),
        ("PRESENCE2MQTT__GRAPH__AUTH__CLIENT_SECRET", "s3cr3t-marker"),
    ]);
    let message = message(config::read("", Origin::Environment, &alone));
    for wanted in [
        "PRESENCE2MQTT__GRAPH__TENANT_ID: graph.tenant_id: is required",
        "PRESENCE2MQTT__GRAPH__CLIENT_ID: graph.client_id: is required",
        "environment: users: no people to follow: add [[users]]",
    ] {
        assert!(message.lines().any(|l| l.starts_with(wanted)), "{message}");
    }
}
