//! Sentences that the terminal and the page both say, without their end.

use std::fmt::Display;

/// What is asked first. An app as ID@domain is what the line for the Azure CLI prints.
pub(crate) const WHOSE: &str = "Your work e-mail address, or an app as ID@domain";

/// What advice names, and what it is called in a set-up: nobody there knows keys of a configuration yet, nor
/// leaves it to run another command. Longer ones stand before their parts.
const IN_A_SET_UP: [(&str, &str); 25] = [
    ("graph.cloud and graph.tenant_id are those of the tenant", "the tenant is the right one"),
    ("and graph.tenant_id is another one", "which is not the one of this set-up"),
    (
        "one of graph.tenant_id, or change that to the account's own",
        "one of the tenant, or begin with its own address",
    ),
    (" in graph.tenant_id", " in PRESENCE2MQTT__GRAPH__TENANT_ID"),
    ("graph.tenant_id", "the tenant"),
    ("graph.client_id", "the app's ID"),
    ("graph.cloud", "PRESENCE2MQTT__GRAPH__CLOUD"),
    ("graph.graph_url", "PRESENCE2MQTT__GRAPH__GRAPH_URL"),
    ("graph.ca_file", "PRESENCE2MQTT__GRAPH__CA_FILE"),
    (", and set graph.auth.method = \"browser\"", ""),
    ("graph.auth.certificate_file", "the certificate's file"),
    ("graph.auth.federated_token_file", "the token's file"),
    ("graph.auth.method", "the way to sign in"),
    ("[graph.auth]", "the way to sign in"),
    ("mqtt.url", "the broker's address"),
    ("mqtt.username", "the user name"),
    ("mqtt.password_file", "the password"),
    ("mqtt.client_id", "PRESENCE2MQTT__MQTT__CLIENT_ID"),
    ("mqtt.protocol to", "PRESENCE2MQTT__MQTT__PROTOCOL to"),
    ("mqtt.ca_file", "PRESENCE2MQTT__MQTT__CA_FILE"),
    ("check [mqtt],", "check its address,"),
    ("`presence2mqtt login --browser --no-open` with a browser", "a browser"),
    ("`presence2mqtt login --browser`", "a browser"),
    (" with `presence2mqtt login`", ""),
    ("run `presence2mqtt login`", "sign in again"),
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
    use crate::graph::sign_in::to_people;

    #[test]
    fn no_advice_about_a_sign_in_names_a_key_or_a_command() {
        for says in to_people() {
            let in_words = in_a_set_up(&says);
            let names = ["graph.", "[graph", "mqtt.", "`presence2mqtt"].map(|name| in_words.contains(name));
            assert_eq!(names, [false; 4], "{in_words}");
        }
    }

    #[test]
    fn keys_and_commands_are_called_otherwise() {
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
