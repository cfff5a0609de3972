//! `[[lights]]`: types and ranges; what a light can do is checked where lights are made.

use std::time::Duration;

use super::refusals::{HOUR, Refusals};
use crate::config::key::Key;
use crate::config::written::Light;
use crate::core::name::TopicLevel;

pub(super) fn check(written: &[Light], refusals: &mut Refusals<'_>) {
    for (i, light) in written.iter().enumerate() {
        check_light(light, &Key::from("lights").index(i), refusals);
    }
}

fn check_light(light: &Light, at: &Key, refusals: &mut Refusals<'_>) {
    if let Some(name) = refusals.require(at.name("name"), light.name.as_deref()) {
        refusals.parse::<TopicLevel>(at.name("name"), name);
    }
    if let Some(users) = refusals.require(at.name("users"), light.users.as_deref())
        && users.is_empty()
    {
        refusals.refuse(at.name("users"), "must name at least one user");
    }
    refusals.require(at.name("preset"), light.preset);
    if let Some(topic) = refusals.require(at.name("topic"), light.topic.as_deref()) {
        refusals.topic(at.name("topic"), topic);
    }
    if light.brightness.is_some_and(|per_cent| per_cent > 100) {
        refusals.refuse(at.name("brightness"), "must be 0 to 100");
    }
    if let Some(transition) = light.transition {
        refusals.within(at.name("transition"), transition, Duration::ZERO..=HOUR);
    }
    for (key, color) in [("stale_color", &light.stale_color), ("shutdown_color", &light.shutdown_color)] {
        if color.as_deref().is_some_and(|c| !is_color(c) && c != "unchanged") {
            refusals.refuse(at.name(key), "must be \"#rrggbb\", \"off\" or \"unchanged\"");
        }
    }
    for (word, color) in &light.colors {
        if !is_color(color) {
            refusals.refuse(at.name("colors").name(word), "must be \"#rrggbb\" or \"off\"");
        }
    }
}

fn is_color(text: &str) -> bool {
    let is_hex = |digits: &str| digits.len() == 6 && digits.chars().all(|c| c.is_ascii_hexdigit());
    text == "off" || text.strip_prefix('#').is_some_and(is_hex)
}
