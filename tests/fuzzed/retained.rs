//! What comes from the broker: what earlier runs left, or somebody else put in its place, and requests to
//! refresh.

use std::collections::BTreeSet;
use std::time::Duration;

use presence2mqtt::core::model::effect::Ending;
use presence2mqtt::core::model::event::{Event, Incoming};
use presence2mqtt::core::model::health::Health;
use presence2mqtt::core::model::heard::Heard;
use presence2mqtt::core::model::payload::{RememberedInfo, RememberedState};
use presence2mqtt::core::model::presence::Presence;
use presence2mqtt::core::model::request::Reading;
use presence2mqtt::core::model::topic::{Field, Topics};
use presence2mqtt::core::model::words::PresenceWords;
use serde_json::json;

use super::world::{BRIDGE, World, alice};

/// `input` is messages with a line of `---` between them: a line with the topic, and the payload. A `!` in
/// front of a topic says that the message is live.
pub(super) fn check(input: &[u8]) {
    let messages = messages(input);
    for message in &messages {
        topic(&message.topic);
        payload(&message.payload);
    }
    let mut world = World::reading_back();
    heard(&mut world, &messages);
    world.read_back();
    if let Some(ending) = &world.ending {
        assert!(matches!(ending, Ending::Conflict(_)), "{ending:?}");
        assert!(messages.iter().any(names_another_bridge), "a conflict with nobody");
        return;
    }
    world.answer(Ok(vec![Reading { id: alice(), presence: Some(busy()) }]));
    heard(&mut world, &messages);
    world.pass(Duration::from_secs(5));
    assert_eq!(world.retained["presence/bridge/state"], "online");
    assert_eq!(world.retained["presence/alice/availability"], "Busy");
    assert_eq!(world.retained["presence/alice/health"], "ok");
    let removable = removable(&messages);
    for topic in &world.emptied {
        assert!(removable.contains(topic.as_str()), "{topic} was emptied");
    }
}

/// Feeds the messages; only a live one on the topic for it may have somebody read, and at most once per
/// interval.
fn heard(world: &mut World, messages: &[Incoming]) {
    let before = world.reads;
    for message in messages {
        let reads = world.reads;
        world.tell(Event::Message(message.clone()));
        let asked = message.topic == "presence/bridge/refresh" && !message.retained;
        assert!(asked || world.reads == reads, "{message:?} had somebody read");
    }
    assert!(world.reads <= before + 1, "more than one refresh in an interval");
}

pub(super) fn messages(input: &[u8]) -> Vec<Incoming> {
    let lines: Vec<&[u8]> = input.split(|&byte| byte == b'\n').collect();
    let message = |lines: &[&[u8]]| {
        let (topic, payload) = lines.split_first()?;
        let topic = String::from_utf8_lossy(topic);
        let live = topic.strip_prefix('!');
        let payload = payload.join(&b'\n');
        let topic_alone = live.unwrap_or(&topic).to_owned();
        Some(Incoming { topic: topic_alone, payload, retained: live.is_none(), reply_to: None })
    };
    lines.split(|line| *line == b"---").filter_map(message).take(16).collect()
}

fn topic(topic: &str) {
    for (base, bridge) in [("presence", "bridge"), ("home/teams", "b"), ("a b", "alice")] {
        let topics = Topics::new(base.parse().unwrap(), bridge.parse().unwrap());
        if let Heard::Person(user, Field::State) = Heard::from_topic(topic, &topics) {
            assert_eq!(topics.of_user(&user, Field::State), topic);
            assert!(user.as_str() != bridge && user.as_str().len() <= 64, "{user}");
        }
    }
}

fn payload(payload: &[u8]) {
    if let Ok(state) = serde_json::from_slice::<RememberedState>(payload) {
        let again = json!({
            "availability": state.availability,
            "activity": state.activity,
            "since": state.since,
            "bridge": state.bridge,
        });
        assert_eq!(serde_json::from_value::<RememberedState>(again).unwrap(), state);
        // A list is taken for the members in their order, which differs.
        if payload.trim_ascii_start().starts_with(b"{") {
            let info: RememberedInfo = serde_json::from_slice(payload).unwrap();
            assert_eq!(info.bridge, state.bridge, "both read the same member");
        }
    }
}

fn names_another_bridge(message: &Incoming) -> bool {
    let info = serde_json::from_slice::<RememberedInfo>(&message.payload);
    message.topic == "presence/bridge/info" && info.is_ok_and(|info| info.bridge != BRIDGE)
}

/// All that may be emptied: a code that was left, the topics of those whose state this bridge published, and
/// lone healths.
fn removable(messages: &[Incoming]) -> BTreeSet<String> {
    let topics = Topics::new("presence".parse().unwrap(), "bridge".parse().unwrap());
    let mut removable = BTreeSet::from(["presence/bridge/sign_in".to_owned()]);
    for message in messages.iter().filter(|message| message.retained) {
        let state = serde_json::from_slice::<RememberedState>(&message.payload);
        let heard = Heard::from_topic(&message.topic, &topics);
        if let Heard::Person(user, Field::State) = &heard
            && user.as_str() != "alice"
            && state.is_ok_and(|state| state.bridge == BRIDGE)
        {
            removable.extend(Field::IN_ORDER.map(|field| topics.of_user(user, field)));
        }
        // Of somebody who was never read there is only a health.
        if let Heard::Person(user, Field::Health) = &heard
            && user.as_str() != "alice"
            && Health::is_never_read(&message.payload)
        {
            removable.insert(message.topic.clone());
        }
    }
    removable
}

fn busy() -> Presence {
    Presence::of(PresenceWords::from_graph("Busy", Some("InACall")).unwrap())
}
