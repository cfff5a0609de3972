//! How Graph is doing by one account, in Home Assistant: entities of the bridge, also of the only account.

use std::borrow::Cow;

use super::entity::{Entities, Entity, Ids};
use crate::core::model::health::GraphState;
use crate::core::model::name::TopicLevel;
use crate::core::model::topic::{BridgeField, Topics};

const ATTRIBUTES: &str = "{{ value or '{}' }}";

/// Right after a start nobody knows yet; "off" would be news that somebody has signed in.
const SIGN_IN_NEEDED: &str = "{{ 'None' if not value or value_json.graph == 'starting' else \
                              'ON' if value_json.graph == 'sign_in_required' else 'OFF' }}";

/// The topics of one account; without a name those of the bridge, which are about all accounts together.
pub(super) struct Named<'a> {
    name: Option<&'a TopicLevel>,
    health: String,
    sign_in: String,
}

impl<'a> Named<'a> {
    pub(super) fn new(name: Option<&'a TopicLevel>, topics: &Topics) -> Self {
        Self {
            name,
            health: topics.of_account(name, BridgeField::Health),
            sign_in: topics.of_account(name, BridgeField::SignIn),
        }
    }
}

/// The state of Graph, and whether somebody has to sign in.
pub(super) fn entities<'a>(ids: &Ids<'_>, account: &'a Named<'_>) -> [(String, Entity<'a>); 2] {
    let [graph, sign_in] = keys(account.name);
    let called = |what: &'static str, after: &str| match account.name {
        Some(name) => Cow::Owned(format!("{name} {after}")),
        None => Cow::Borrowed(what),
    };
    let graph_entity = Entity {
        icon: Some("mdi:microsoft-teams"),
        device_class: Some("enum"),
        entity_category: Some("diagnostic"),
        options: GraphState::WORDS.to_vec(),
        state_topic: Some(&account.health),
        value_template: Some("{{ value_json.graph if value else 'None' }}".to_owned()),
        json_attributes_topic: Some(&account.health),
        json_attributes_template: Some(ATTRIBUTES),
        ..ids.entity(graph.1, &graph.0, called("Graph", "Graph"))
    };
    let sign_in_entity = Entity {
        device_class: Some("problem"),
        entity_category: Some("diagnostic"),
        state_topic: Some(&account.health),
        value_template: Some(SIGN_IN_NEEDED.to_owned()),
        json_attributes_topic: Some(&account.sign_in),
        json_attributes_template: Some(ATTRIBUTES),
        ..ids.entity(sign_in.1, &sign_in.0, called("Sign-in needed", "sign-in needed"))
    };
    [(graph.0, graph_entity), (sign_in.0, sign_in_entity)]
}

/// What was announced of an account: keys and platforms.
pub(super) fn announced(name: &TopicLevel) -> Entities {
    keys(Some(name)).into_iter().map(|(key, platform)| (key, platform.to_owned())).collect()
}

fn keys(name: Option<&TopicLevel>) -> [(String, &'static str); 2] {
    let of = |key: &str| name.map_or_else(|| key.to_owned(), |name| format!("{key}_{name}"));
    [(of("graph"), "sensor"), (of("sign_in_needed"), "binary_sensor")]
}
