//! What is shown: never a secret, and a schema that editors understand.

use proptest::prelude::*;
use serde_json::Value;

use super::{environment, message, minimal, read, read_with};
use crate::config::json_schema;

#[test]
fn an_accepted_configuration_shows_no_secret() {
    let text = minimal().replace("[mqtt]", "[mqtt]\nusername = \"bob\"\npassword = \"s3cr3t-marker\"");
    let config = read(&text).unwrap();
    let shown = format!("{config:?} {config:#?}");
    assert!(shown.contains("bob"), "{shown}");
    assert!(!shown.contains("s3cr3t-marker"), "{shown}");
}

#[test]
fn the_environment_shows_names_only() {
    let shown = format!("{:?}", environment(&[("A_TOKEN", "s3cr3t-marker")]));
    assert_eq!(shown, "{\"A_TOKEN\"}");
}

#[test]
fn the_schema_knows_every_section_and_closes_every_table() {
    let schema = json_schema();
    let sections: Vec<_> = schema["properties"].as_object().unwrap().keys().collect();
    assert_eq!(
        sections,
        ["accounts", "commands", "graph", "groups", "home_assistant", "http", "lights", "mqtt", "users"]
    );
    assert_eq!(schema["additionalProperties"], false);
    let tables = ["mqtt", "graph", "home_assistant", "commands", "http"];
    for table in tables.map(|name| &schema["properties"][name]) {
        assert_eq!(table["additionalProperties"], false, "{table}");
    }
    for list in ["users", "groups", "lights"].map(|name| &schema["properties"][name]) {
        assert_eq!(list["items"]["additionalProperties"], false, "{list}");
    }
    let mqtt = &schema["properties"]["mqtt"];
    assert_eq!(mqtt["required"], serde_json::json!(["url"]));
    assert_eq!(mqtt["properties"]["keep_alive"]["default"], "30s");
    assert_eq!(mqtt["properties"]["ca_file"]["type"], "string");
    assert!(!schema.to_string().contains("null"), "TOML has no null: {schema}");
    assert!(!schema.to_string().contains("china"));
}

#[test]
fn the_schema_says_something_about_every_key() {
    fn visit(node: &Value, at: &str) {
        for (name, node) in node["properties"].as_object().into_iter().flatten() {
            let at = format!("{at}.{name}");
            assert!(node["description"].is_string(), "{at}: {node}");
            visit(node, &at);
            visit(&node["items"], &at);
        }
    }
    visit(&json_schema(), "");
}

proptest! {
    /// Whatever a secret is made of, a message about it or beside it does not show it.
    #[test]
    fn no_secret_is_ever_shown(secret in "[ -~]{12,40}") {
        let written = Value::from(secret.clone()).to_string();
        let text = minimal()
            .replace("[mqtt]", &format!("[mqtt]\nqos = 9\npassword = {written}"))
            .replace("\"s3cr3t-marker\"", &written);
        let error = read(&text).unwrap_err();
        let shown = format!("{error} {error:?}");
        prop_assert!(!shown.contains(&secret), "{}", shown);
    }

    /// A duration is accepted exactly within its bounds.
    #[test]
    fn durations_are_bounded(seconds in 0u64..5000) {
        let variable = [("PRESENCE2MQTT__GRAPH__POLL_INTERVAL", format!("{seconds}s"))];
        let variable = variable.each_ref().map(|(name, value)| (*name, value.as_str()));
        let is_allowed = (1..=3600).contains(&seconds);
        prop_assert_eq!(read_with(&minimal(), &variable).is_ok(), is_allowed);
        if !is_allowed {
            prop_assert!(message(read_with(&minimal(), &variable)).contains("must be 1s to 1h"));
        }
    }
}

#[test]
fn a_secret_in_the_place_of_its_files_name_is_not_shown() {
    for key in ["client_secret_file", "client_secret"] {
        let text =
            format!("[graph.auth]\nmethod = \"client-secret\"\n{key} = \"Xy78Q~Marker.Of+A/Secret\"\n");
        let error = crate::config::parse(&text, std::path::Path::new("p.toml"), &[].into_iter().collect())
            .unwrap_err();
        assert!(!format!("{error}{error:?}").contains("Marker"), "{error}");
    }
}
