//! A light in Home Assistant: entities of the bridge, which drives it.

use std::borrow::Cow;

use super::entity::{Entities, Entity, Ids, TEXT};
use crate::core::model::name::TopicLevel;
use crate::core::model::topic::{LightField, Topics};

/// The key of the switch that pauses a light begins with it.
pub(super) const FOLLOW: &str = "follow_";

/// The topics of one light.
pub(super) struct Named<'a> {
    name: &'a TopicLevel,
    state: String,
    follow: String,
    pause: String,
}

impl<'a> Named<'a> {
    pub(super) fn new(name: &'a TopicLevel, topics: &Topics) -> Self {
        Self {
            name,
            state: topics.of_light(name, LightField::State),
            follow: topics.of_light(name, LightField::Follow),
            pause: topics.pause_light(name),
        }
    }
}

/// Its colour, and a switch that pauses it.
pub(super) fn entities<'a>(ids: &Ids<'_>, light: &'a Named<'_>) -> [(String, Entity<'a>); 2] {
    let [color, follow] = keys(light.name);
    let color_entity = Entity {
        icon: Some("mdi:lightbulb"),
        entity_category: Some("diagnostic"),
        state_topic: Some(&light.state),
        value_template: Some(TEXT.to_owned()),
        ..ids.entity(color.1, &color.0, Cow::Owned(format!("{} colour", light.name)))
    };
    let follow_entity = Entity {
        icon: Some("mdi:lightbulb-auto"),
        entity_category: Some("config"),
        state_topic: Some(&light.follow),
        value_template: Some(TEXT.to_owned()),
        command_topic: Some(&light.pause),
        ..ids.entity(follow.1, &follow.0, Cow::Owned(format!("{} follow presence", light.name)))
    };
    [(color.0, color_entity), (follow.0, follow_entity)]
}

/// What was announced of a light: keys and platforms.
pub(super) fn announced(name: &TopicLevel) -> Entities {
    keys(name).into_iter().map(|(key, platform)| (key, platform.to_owned())).collect()
}

fn keys(name: &TopicLevel) -> [(String, &'static str); 2] {
    [(format!("light_{name}"), "sensor"), (format!("{FOLLOW}{name}"), "switch")]
}
