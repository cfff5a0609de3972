//! A bridge that watches Alice, its clock, and a broker that keeps what is retained. No socket, no real time.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use presence2mqtt::core::bridge::Bridge;
use presence2mqtt::core::model::account::AccountId;
use presence2mqtt::core::model::effect::{BrokerOrder, Effect, Ending, GraphOrder};
use presence2mqtt::core::model::event::{Event, LinkFailure, PresenceEvent};
use presence2mqtt::core::model::name::ObjectId;
use presence2mqtt::core::model::payload::RememberedState;
use presence2mqtt::core::model::presence_change::PresenceChange;
use presence2mqtt::core::model::request::{
    Ended, ReadFailure, ReadPresence, Reading, Request, RequestId, SetPresence, Whom,
};
use presence2mqtt::core::model::settings::{Commands, Endpoint, Settings, User};
use presence2mqtt::core::model::time::{Now, Tick};
use presence2mqtt::core::model::word::{Activity, Availability};
use serde_json::Value;

use super::said;

/// The client id of the bridge.
pub(super) const BRIDGE: &str = "presence2mqtt";

/// The members of `<base>/<user>/state`, sorted.
const STATE: [&str; 13] = [
    "activity",
    "availability",
    "bridge",
    "out_of_office",
    "out_of_office_message",
    "raw_activity",
    "raw_availability",
    "sequence_number",
    "since",
    "status_message",
    "status_message_expires",
    "user_id",
    "work_location",
];

/// The members of `<base>/<bridge>/info`, sorted.
const INFO: [&str; 11] = [
    "account",
    "achieved_interval",
    "auth_method",
    "bridge",
    "cloud",
    "discovery_prefix",
    "poll_interval",
    "protocol",
    "started_at",
    "users",
    "version",
];

/// The members of `<base>/<bridge>/health`, sorted.
const HEALTH: [&str; 5] = ["detail", "graph", "last_success", "notices", "since"];

/// Room for two messages of 4096 characters, each of them written as `\u0000`, and everything else.
const LARGEST_PAYLOAD: usize = 64 * 1024;

pub(super) struct World {
    bridge: Bridge,
    now: Now,
    /// What the broker keeps.
    pub(super) retained: BTreeMap<String, String>,
    /// Topics that were emptied.
    pub(super) emptied: Vec<String>,
    under_way: Option<RequestId<ReadPresence>>,
    write: Option<Request<SetPresence>>,
    /// Answers to commands, with their topics.
    pub(super) results: Vec<(String, String)>,
    /// When the last read ended, and how many were ordered by then.
    ended: (Tick, usize),
    subscriptions: usize,
    /// Reads ordered so far.
    pub(super) reads: usize,
    /// How the run ended, if it did.
    pub(super) ending: Option<Ending>,
}

/// The person who is watched.
pub(super) fn alice() -> ObjectId {
    "66825e03-7ef5-42da-9069-724602c31f6b".parse().unwrap()
}

/// When every run begins.
pub(super) fn nine() -> Timestamp {
    "2026-11-23T09:00:00Z".parse().unwrap()
}

impl World {
    /// Connected, listening to what an earlier run left.
    pub(super) fn reading_back() -> Self {
        let now = Now { tick: Tick::default(), wall: nine() };
        let mut world = Self {
            bridge: Bridge::new(settings(), 1, now),
            now,
            retained: BTreeMap::new(),
            emptied: Vec::new(),
            under_way: None,
            write: None,
            results: Vec::new(),
            ended: (now.tick, 0),
            subscriptions: 0,
            reads: 0,
            ending: None,
        };
        world.tell(Event::Started);
        // A visitor, who meets nobody.
        world.tell(Event::Connected);
        for _ in 0..2 {
            world.tell(Event::Subscribed { refused: Vec::new() });
        }
        world.pass(Duration::from_millis(50));
        world.subscriptions = 0;
        world.tell(Event::Connected);
        world
    }

    /// Has read back, says `online`.
    pub(super) fn online() -> Self {
        let mut world = Self::reading_back();
        world.read_back();
        assert_eq!(world.retained["presence/bridge/state"], "online");
        world
    }

    /// The broker has sent everything that it had.
    pub(super) fn read_back(&mut self) {
        assert!(self.retained.is_empty(), "something is published before reading back is through");
        for _ in 0..self.subscriptions {
            self.tell(Event::Subscribed { refused: Vec::new() });
        }
        self.pass(Duration::from_millis(50));
    }

    /// The read under way ends, a moment later.
    pub(super) fn answer(&mut self, outcome: Result<Vec<Reading>, ReadFailure>) {
        let request = self.under_way.take().expect("nobody is read");
        self.now = later(self.now, Duration::from_millis(100));
        self.ended = (self.now.tick, self.reads);
        self.tell(Event::Presence(
            AccountId::FIRST,
            PresenceEvent::Read(Ended { request, further: 0, outcome }),
        ));
    }

    /// What is being set, and about whom.
    pub(super) fn write_under_way(&self) -> Option<(Whom, &PresenceChange)> {
        self.write.as_ref().map(|Request { operation, .. }| (operation.whom, &operation.change))
    }

    /// The write under way ends, a moment later.
    pub(super) fn written(&mut self, outcome: Result<(), ReadFailure>) {
        let request = self.write.take().expect("nothing is written").id;
        self.now = later(self.now, Duration::from_millis(100));
        self.tell(Event::Presence(
            AccountId::FIRST,
            PresenceEvent::Set(Ended { request, further: 0, outcome }),
        ));
    }

    /// How long after the end of the last read somebody is read again.
    pub(super) fn until_next_read(&mut self) -> Duration {
        let (ended, reads) = self.ended;
        while self.reads == reads {
            let wake = self.bridge.wake_at(self.now.tick).expect("the bridge waits for nothing");
            // At least a millisecond, as the loop's timer has it.
            let wait = wake.since(self.now.tick).max(Duration::from_millis(1));
            assert!(wake.since(ended) < Duration::from_secs(3600), "nobody is read again");
            self.pass(wait);
        }
        self.now.tick.since(ended)
    }

    /// Time passes, and the bridge is woken.
    pub(super) fn pass(&mut self, wait: Duration) {
        self.now = later(self.now, wait);
        self.tell(Event::Woken);
    }

    /// Something happens; whatever the bridge orders must make sense.
    pub(super) fn tell(&mut self, event: Event) {
        let (mut acknowledged, mut closed) = (0, false);
        for command in self.bridge.on(event, self.now) {
            match command {
                Effect::Graph(_, GraphOrder::Read(read)) => {
                    self.reads += 1;
                    self.under_way = Some(read.id);
                }
                Effect::Graph(_, order @ (GraphOrder::Resolve(_) | GraphOrder::ReadMembers(_))) => {
                    panic!("Alice's id is known, and there are no groups: {order:?}");
                }
                Effect::Broker(BrokerOrder::Publish(messages)) => {
                    acknowledged += messages.len();
                    for message in messages {
                        if !message.retain {
                            self.results.push((message.topic, message.payload));
                        } else if message.payload.is_empty() {
                            self.emptied.push(message.topic);
                        } else {
                            payload(&message.topic, &message.payload, self.now.wall);
                            self.retained.insert(message.topic, message.payload);
                        }
                    }
                }
                Effect::Graph(_, GraphOrder::Set(write)) => {
                    assert!(self.write.replace(write).is_none(), "two writes at once");
                }
                Effect::Broker(BrokerOrder::Subscribe(_)) => self.subscriptions += 1,
                Effect::Report(report) => said::sentence(&report.to_string()),
                Effect::Finish(ending) => self.ending = Some(ending),
                Effect::Broker(BrokerOrder::Disconnect) => closed = true,
                Effect::Graph(_, GraphOrder::ForgetConnections | GraphOrder::WarmUp)
                | Effect::Broker(BrokerOrder::Connect(..) | BrokerOrder::Unsubscribe(_))
                | Effect::SignIn(_, _)
                | Effect::Answer(..) => {}
            }
        }
        if acknowledged > 0 {
            self.tell(Event::Acknowledged(acknowledged));
        }
        if closed {
            self.tell(Event::Disconnected(LinkFailure::Closed));
        }
    }
}

fn later(now: Now, wait: Duration) -> Now {
    Now { tick: now.tick + wait, wall: now.wall + wait }
}

/// The contract's word on what is published where.
fn payload(topic: &str, payload: &str, now: Timestamp) {
    assert!(payload.len() <= LARGEST_PAYLOAD, "{} bytes on {topic}", payload.len());
    match topic {
        "presence/alice/availability" => {
            assert!(Availability::ALL.iter().any(|word| word.as_str() == payload), "{payload:?}");
        }
        "presence/alice/activity" => activity(payload),
        "presence/alice/health" => {
            let words = ["ok", "stale", "sign_in_required", "forbidden", "not_found"];
            assert!(words.contains(&payload), "{payload:?}");
        }
        "presence/alice/state" => state(payload, now),
        "presence/bridge/state" => assert!(["online", "offline"].contains(&payload), "{payload:?}"),
        "presence/bridge/info" => {
            members(payload, &INFO);
        }
        "presence/bridge/health" => {
            let health = members(payload, &HEALTH);
            let words = ["starting", "ok", "throttled", "unreachable", "sign_in_required", "forbidden"];
            assert!(words.contains(&health["graph"].as_str().unwrap()), "{payload}");
            if let Some(detail) = health["detail"].as_str() {
                said::sentence(detail);
            }
        }
        other => panic!("published on {other}: {payload}"),
    }
}

fn activity(word: &str) {
    assert!((1..=64).contains(&word.chars().count()), "{word:?}");
    assert!(!word.contains(char::is_control) && word.trim() == word, "{word:?}");
    assert_eq!(Activity::from_graph(Some(word)).as_str(), word, "what is published is normal already");
}

fn state(payload: &str, now: Timestamp) {
    let state = members(payload, &STATE);
    assert_eq!(state["bridge"], BRIDGE);
    assert_eq!(state["user_id"], alice().to_string());
    assert!(Availability::ALL.iter().any(|word| state["availability"] == word.as_str()), "{payload}");
    activity(state["activity"].as_str().unwrap());
    let places = [Value::Null, "office".into(), "remote".into(), "time_off".into()];
    assert!(places.contains(&state["work_location"]), "{payload}");
    assert!(state["out_of_office"].is_boolean() || state["out_of_office"].is_null(), "{payload}");
    for free in ["out_of_office_message", "status_message", "status_message_expires", "sequence_number"] {
        assert!(state[free].is_string() || state[free].is_null(), "{payload}");
    }
    let remembered: RememberedState = serde_json::from_str(payload).expect("a later run reads this back");
    assert_eq!(state["since"], remembered.since.to_string());
    assert!(remembered.since <= now && remembered.since.subsec_nanosecond() == 0, "{payload}");
}

/// The payload as JSON, with exactly these members.
fn members(payload: &str, expected: &[&str]) -> Value {
    let value: Value = serde_json::from_str(payload).expect(payload);
    let mut names: Vec<&str> = value.as_object().unwrap().keys().map(String::as_str).collect();
    names.sort_unstable();
    assert_eq!(names, expected);
    assert_eq!(serde_json::from_str::<Value>(&value.to_string()).unwrap(), value);
    value
}

/// Alice, alone every five seconds, with what she writes.
pub(super) fn settings() -> Settings {
    let mut settings = Settings::for_tests();
    settings.accounts[0].reading.endpoint = Endpoint::Users;
    settings.graph.include_messages = true;
    settings.accounts[0].session_id = Some("11111111-2222-3333-4444-555555555555".into());
    settings.commands = Some(Commands { response_topic: Some("answers".into()) });
    settings.users = [User {
        name: "alice".parse().unwrap(),
        id: alice().to_string().parse().unwrap(),
        display_name: "Alice".to_owned(),
        discovery: true,
        account: AccountId::FIRST,
    }]
    .into();
    settings
}
