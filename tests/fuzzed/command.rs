//! Commands to set presence, from anybody who may publish.

use std::time::Duration;

use presence2mqtt::core::model::event::{Event, Incoming, ReplyTo};
use presence2mqtt::core::model::heard::Heard;
use presence2mqtt::core::model::presence_change::{LONGEST_COMMAND, PresenceChange};
use presence2mqtt::core::model::request::{ReadFailure, Whom};
use presence2mqtt::core::model::topic::{SET, SET_STATUS_MESSAGE, Topics};
use serde_json::Value;

use super::said;
use super::world::{World, alice, nine};

/// Room for 1 KiB of a command, each byte of it written as `\u0000`, and a sentence.
const LARGEST_RESULT: usize = 16 * 1024;

/// `input` is a line with the last level of the topic, and the payload. After the level and a space the line
/// may have a response topic; its correlation data are the payload, too.
pub(super) fn check(input: &[u8]) {
    let end = input.iter().position(|&byte| byte == b'\n').unwrap_or(input.len());
    let payload = &input[input.len().min(end + 1)..];
    let line = String::from_utf8_lossy(&input[..end]);
    let (level, reply_to) = line.split_once(' ').unwrap_or((&line, ""));
    let level = if level == SET_STATUS_MESSAGE { SET_STATUS_MESSAGE } else { SET };
    let reply_to =
        line.contains(' ').then(|| ReplyTo { topic: reply_to.into(), correlation: Some(payload.into()) });
    let meant = if level == SET {
        PresenceChange::from_presence(payload)
    } else {
        PresenceChange::from_status_message(payload, nine())
    };
    let message = Incoming {
        topic: format!("presence/alice/{level}"),
        payload: payload.to_vec(),
        retained: false,
        reply_to,
    };
    match meant {
        Ok(Some(setting)) => {
            makes_sense(&setting);
            for outcome in [Ok(()), Err(ReadFailure::NotFound)] {
                let mut world = told(&message);
                let (whom, ordered) = world.write_under_way().expect("nothing is written");
                assert_eq!((whom, ordered.kind()), (Whom::User(alice()), setting.kind()));
                assert!(world.results.is_empty(), "answered before it is done");
                let ok = outcome.is_ok();
                world.written(outcome);
                answered(&world, &message, ok);
            }
        }
        Ok(None) => {
            let world = told(&message);
            assert!(world.write_under_way().is_none() && world.results.is_empty());
            assert!(String::from_utf8_lossy(payload).trim().is_empty(), "not empty: {payload:?}");
        }
        Err(why) => {
            said::sentence(&why);
            let world = told(&message);
            assert!(world.write_under_way().is_none(), "{why}");
            answered(&world, &message, false);
        }
    }
}

fn told(message: &Incoming) -> World {
    let mut world = World::online();
    world.tell(Event::Message(Incoming { retained: true, ..message.clone() }));
    assert!(world.write_under_way().is_none() && world.results.is_empty(), "a retained command was obeyed");
    world.tell(Event::Message(message.clone()));
    world
}

/// What Graph takes.
fn makes_sense(setting: &PresenceChange) {
    let within = |lasts: &Option<Duration>, hours: u64| {
        lasts.is_none_or(|lasts| (300..=hours * 3600).contains(&lasts.as_secs()) && lasts.subsec_nanos() == 0)
    };
    match setting {
        PresenceChange::Session { pair, lasts } => {
            assert!(within(lasts, 4) && !["BeRightBack", "Offline"].contains(&pair.0), "{setting:?}");
        }
        PresenceChange::Prefer { pair, lasts } => {
            assert!(within(lasts, 7 * 24), "{setting:?}");
            assert!(pair.0 == pair.1 || *pair == ("Offline", "OffWork"), "{setting:?}");
        }
        PresenceChange::EndSession | PresenceChange::ClearPreferred => {}
        PresenceChange::StatusMessage { text, expires } => {
            assert!(text.len() <= LONGEST_COMMAND);
            assert!(expires.is_none_or(|expires| expires > nine()), "{expires:?}");
        }
    }
}

/// One result for all, and perhaps the same for the sender, where nobody else believes the bridge.
fn answered(world: &World, message: &Incoming, ok: bool) {
    let result = "presence/alice/set/result";
    let [(first, payload), rest @ ..] = &world.results[..] else { panic!("no result") };
    assert_eq!(first, result);
    assert!(payload.len() <= LARGEST_RESULT, "{} bytes", payload.len());
    let value: Value = serde_json::from_str(payload).expect(payload);
    let mut names: Vec<&str> = value.as_object().unwrap().keys().map(String::as_str).collect();
    names.sort_unstable();
    assert_eq!((&value["ok"], names.contains(&"error")), (&Value::Bool(ok), !ok), "{payload}");
    assert_eq!(names, if ok { vec!["ok", "request"] } else { vec!["error", "ok", "request"] });
    if let Ok(json) = serde_json::from_slice::<Value>(&message.payload)
        && message.payload.len() < 1024
    {
        assert_eq!(value["request"].to_string(), json.to_string());
    }
    assert!(rest.len() <= 1);
    let topics = Topics::new("presence".parse().unwrap(), "bridge".parse().unwrap());
    for (topic, same) in rest {
        let asked = message.reply_to.as_ref().expect("nobody asked for it");
        assert_eq!((topic, same), (&asked.topic, payload));
        assert!(!topic.is_empty() && !topic.contains(['+', '#', '\0']) && !topic.starts_with('$'));
        assert!(topic.starts_with("presence/") || topic.starts_with("answers/"), "{topic}");
        let is_result = topic.starts_with("presence/alice/set/result/");
        assert!(is_result || Heard::from_topic(topic, &topics) == Heard::Elsewhere, "{topic}");
    }
}
