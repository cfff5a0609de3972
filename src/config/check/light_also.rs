//! `[[lights.also]]`.

use std::time::Duration;

use super::refusals::{Refusals, SECOND, WEEK};
use crate::config::key::Key;
use crate::config::written::{self, Written};
use crate::core::lights::also::{Also, On};
use crate::core::lights::color::Shade;
use crate::core::lights::condition::Condition;
use crate::core::lights::preset::Device;
use crate::core::model::heard::Heard;
use crate::core::model::topic::Topics;

/// The bridge subscribes to each of these topics.
const ALSO_MAX: usize = 10;

pub(super) fn check(
    all: &[written::Also],
    light: &Key,
    written: &Written,
    device: Option<&Device>,
    refusals: &mut Refusals<'_>,
) -> Vec<Also> {
    let at = light.name("also");
    if all.len() > ALSO_MAX {
        refusals.refuse(at.clone(), format_args!("are {} of them; at most {ALSO_MAX}", all.len()));
    }
    let checked = all.iter().enumerate().filter_map(|(i, also)| {
        let at = at.index(i);
        let topic = topic(also, &at, written, refusals);
        let on = on(also, &at, refusals);
        let shade = shade(also, &at, refusals);
        let effect = effect(also, &at, device, refusals);
        let expires = expires(also, &at, refusals);
        Some(Also { topic: topic?, on: on?, shade: shade?, effect, expires })
    });
    checked.collect()
}

/// Refuses topics of bridges and people, which are presence already, and those that the bridge reads back
/// itself: their messages would be mistaken for a camera's.
fn topic(also: &written::Also, at: &Key, written: &Written, refusals: &mut Refusals<'_>) -> Option<String> {
    let key = at.name("topic");
    let text = refusals.require(key.clone(), also.topic.as_deref())?;
    let topic = refusals.topic(key.clone(), text)?;
    if topic == written.home_assistant.birth_topic {
        refusals.refuse(key.clone(), "is home_assistant.birth_topic; name another one");
    }
    // Mistakes in these two keys are reported by the check of `[mqtt]`.
    let mqtt = &written.mqtt;
    let (base, bridge) = (mqtt.base_topic.parse().ok()?, mqtt.bridge_name.parse().ok()?);
    if Heard::from_topic(&topic, &Topics::new(base, bridge)) != Heard::Elsewhere {
        let says = "is a topic of a bridge's own, a person's, or an announcement to Home Assistant; name another one";
        refusals.refuse(key, says);
    }
    Some(topic)
}

fn on(also: &written::Also, at: &Key, refusals: &mut Refusals<'_>) -> Option<On> {
    match (also.on.as_deref(), also.on_template.as_deref()) {
        (Some(_), Some(_)) => {
            refusals.refuse(at.name("on_template"), "on is given too; keep one of the two");
            None
        }
        (Some(payload), None) => Some(On::Payload(payload.into())),
        (None, Some(template)) => match Condition::new(template) {
            Ok(condition) => Some(On::Template(condition)),
            Err(error) => {
                refusals.refuse(at.name("on_template"), error);
                None
            }
        },
        (None, None) => {
            refusals.refuse(at.name("on"), "is required, or on_template");
            None
        }
    }
}

fn shade(also: &written::Also, at: &Key, refusals: &mut Refusals<'_>) -> Option<Option<Shade>> {
    match (also.color.as_deref(), &also.effect) {
        (Some(color), _) => refusals.parse(at.name("color"), color).map(Some),
        (None, Some(_)) => Some(None),
        (None, None) => {
            refusals.refuse(at.name("color"), "is required, or effect");
            None
        }
    }
}

fn effect(
    also: &written::Also,
    at: &Key,
    device: Option<&Device>,
    refusals: &mut Refusals<'_>,
) -> Option<Box<str>> {
    let effect = also.effect.as_deref()?;
    if let Some(Err(error)) = device.map(|device| device.check_effect(effect)) {
        refusals.refuse(at.name("effect"), format_args!("must be {error}"));
    }
    Some(effect.into())
}

fn expires(also: &written::Also, at: &Key, refusals: &mut Refusals<'_>) -> Option<Duration> {
    let expires = also.expires?;
    refusals.within(at.name("expires"), expires, SECOND..=WEEK);
    Some(expires)
}
