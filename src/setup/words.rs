//! Sentences that the terminal and the page both say, without their end.

use std::fmt::Display;

/// What is asked first. An app as ID@domain is what the line for the Azure CLI prints.
pub(crate) const WHOSE: &str = "Your work e-mail address, or an app as ID@domain";

/// What advice names, and what it is called in a set-up: nobody there knows keys of a configuration yet, nor
/// leaves it to run another command.
const IN_A_SET_UP: [(&str, &str); 15] = [
    ("graph.cloud and graph.tenant_id are those of the tenant", "the tenant is the right one"),
    ("and graph.tenant_id is another one", "which is not the one of this set-up"),
    ("graph.client_id", "the app's ID"),
    ("graph.tenant_id", "the tenant"),
    ("graph.ca_file", "PRESENCE2MQTT__GRAPH__CA_FILE"),
    ("mqtt.url", "the broker's address"),
    ("mqtt.username", "the user name"),
    ("mqtt.password_file", "the password"),
    ("mqtt.client_id", "PRESENCE2MQTT__MQTT__CLIENT_ID"),
    ("mqtt.protocol to", "PRESENCE2MQTT__MQTT__PROTOCOL to"),
    ("mqtt.ca_file", "PRESENCE2MQTT__MQTT__CA_FILE"),
    ("check [mqtt],", "check its address,"),
    (", and set graph.auth.method = \"browser\"", ""),
    ("`presence2mqtt login --browser`", "a browser"),
    ("again with `presence2mqtt login`", "again"),
];

/// The same for people who have no configuration yet.
pub(crate) fn in_a_set_up(says: &str) -> String {
    IN_A_SET_UP.iter().fold(says.to_owned(), |says, (name, words)| says.replace(name, words))
}

/// Why a broker which is there does not let this program in.
pub(crate) fn not_let_in(has_a_name: bool) -> &'static str {
    if has_a_name {
        "The broker does not let this user in"
    } else {
        "The broker wants a user name and a password"
    }
}

/// Somebody signed in, and Graph says nothing of them.
pub(crate) fn no_presence(why: &impl Display) -> String {
    format!("Your presence cannot be shown now: {why}")
}

/// The broker did not say which lights there are.
pub(crate) fn no_lights(why: &impl Display) -> String {
    format!("Lights cannot be looked for now: {why}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_has_no_configuration_reads_of_none_of_its_keys() {
        for (says, expected) in [
            (
                "this tenant does not know graph.client_id: check it, and that graph.tenant_id is the app's tenant",
                "this tenant does not know the app's ID: check it, and that the tenant is the app's tenant",
            ),
            ("write mqtts:// (or wss://) in mqtt.url", "write mqtts:// (or wss://) in the broker's address"),
            (
                "check that graph.cloud and graph.tenant_id are those of the tenant, and more",
                "check that the tenant is the right one, and more",
            ),
            (
                "start again with `presence2mqtt login`; or use `presence2mqtt login --browser`",
                "start again; or use a browser",
            ),
        ] {
            assert_eq!(in_a_set_up(says), expected);
        }
    }
}
