//! Who asks whether a bridge lives, and who answers: a retained word may outlive everybody, an answer does
//! not.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::core::model::name::{ClientId, TopicLevel};
use crate::core::model::payload::json;
use crate::core::model::settings::MqttSettings;
use crate::core::model::topic::{BridgeField, Topics};

/// How long an answer is waited for. It takes milliseconds, on a bad line a second; and a bridge that has
/// just lost its connection, while the broker does not know it yet, usually has another one by then.
pub const ANSWER_WITHIN: Duration = Duration::from_secs(3);

/// Bytes of a ping that are repeated in its answer. Our own have at most 250.
const LONGEST_PING: usize = 512;

/// The payload of `<base>/<bridge>/standby/pong` where a holder goes.
pub const LEAVING: &str = "leaving";

/// One process that runs a bridge, or that asks for one. As JSON it is the payload of
/// `<base>/<bridge>/standby/ping`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Process {
    /// Whose place it takes.
    pub client_id: ClientId,
    /// Where it runs.
    pub instance: TopicLevel,
    /// Its own alone: two processes may have the rest in common.
    process: String,
}

/// `<base>/<bridge>/standby/pong`
#[derive(Serialize)]
struct Pong<'a> {
    client_id: &'a ClientId,
    instance: &'a TopicLevel,
    process: &'a str,
    /// What the ping said, so that its answer can be told from an older one.
    ping: Option<&'a RawValue>,
}

/// The same as others may have written it.
#[derive(Deserialize)]
struct ReadPong {
    client_id: String,
    instance: String,
    process: String,
    ping: serde_json::Value,
}

/// What a pong tells of whoever sent it.
#[derive(Debug, PartialEq, Eq)]
pub enum Spoken {
    /// This one itself, with the number that it repeats.
    Itself(u64),
    /// Another one, and whether it answers this one.
    Other(Process, bool),
}

impl Process {
    /// With an id made of `random`.
    #[must_use]
    pub fn new(settings: &MqttSettings, random: u64) -> Self {
        Self {
            client_id: settings.client_id.clone(),
            instance: settings.instance.clone(),
            process: format!("{random:016x}"),
        }
    }

    /// The payload that asks for whoever lives.
    #[must_use]
    pub fn ping(&self) -> String {
        json(self)
    }

    /// The payload that answers a ping. Of one that is long, or no JSON, nothing is repeated.
    #[must_use]
    pub fn pong(&self, ping: &[u8]) -> String {
        let Self { client_id, instance, process } = self;
        let ping = Some(ping).filter(|ping| ping.len() <= LONGEST_PING);
        let ping = ping.and_then(|ping| serde_json::from_slice(ping).ok());
        json(&Pong { client_id, instance, process, ping })
    }

    /// Why this one must not run beside the other, which lives. A sentence with the fix.
    #[must_use]
    pub fn conflict_with(&self, other: &Self, topics: &Topics) -> String {
        let Self { client_id, instance, .. } = other;
        if *client_id == self.client_id {
            return format!(
                "another presence2mqtt with this configuration runs on {instance}; stop it, or give this one its own \
                 mqtt.client_id and mqtt.bridge_name"
            );
        }
        format!(
            "another bridge, \"{client_id}\", is online at {} (on {instance}); give this one its own mqtt.bridge_name (it \
             has its own mqtt.client_id already), or stop the other",
            topics.of_bridge(BridgeField::State),
        )
    }

    /// Who answers this one's ping with the payload, if it is an answer to that and not of this one itself.
    #[must_use]
    pub fn answered_by(&self, pong: &[u8]) -> Option<Self> {
        match self.heard(pong)? {
            Spoken::Other(other, true) => Some(other),
            Spoken::Other(_, false) | Spoken::Itself(_) => None,
        }
    }

    /// Who sent a pong, asked or not.
    #[must_use]
    pub fn heard(&self, pong: &[u8]) -> Option<Spoken> {
        let ReadPong { client_id, instance, process, ping } = serde_json::from_slice(pong).ok()?;
        if process == self.process {
            return ping.as_u64().map(Spoken::Itself);
        }
        let is_answer = ping["process"].as_str() == Some(&self.process);
        let (client_id, instance) = (client_id.parse().ok()?, instance.parse().ok()?);
        Some(Spoken::Other(Self { client_id, instance, process }, is_answer))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::model::settings::Settings;

    fn process(random: u64) -> Process {
        Process::new(&Settings::for_tests().mqtt, random)
    }

    #[test]
    fn an_answer_is_known_by_the_ping_in_it() {
        let (asker, other) = (process(1), process(2));
        let pong = other.pong(asker.ping().as_bytes());
        assert_eq!(
            pong,
            r#"{"client_id":"presence2mqtt","instance":"unknown","process":"0000000000000002","ping":{"client_id":"presence2mqtt","instance":"unknown","process":"0000000000000001"}}"#
        );
        assert_eq!(asker.answered_by(pong.as_bytes()), Some(other.clone()));
        // To somebody else's ping, and by whoever asks.
        assert_eq!(process(3).answered_by(pong.as_bytes()), None);
        assert_eq!(asker.answered_by(asker.pong(asker.ping().as_bytes()).as_bytes()), None);
    }

    #[test]
    fn whatever_a_ping_says_is_answered() {
        let long = format!("\"{}\"", "x".repeat(LONGEST_PING));
        for (ping, repeated) in [
            (&b"{\"sent_at\": 17}"[..], "{\"sent_at\": 17}"),
            (b"17", "17"),
            (b"", "null"),
            (b"who is there", "null"),
            (b"\xff", "null"),
            (long.as_bytes(), "null"),
        ] {
            let pong = process(1).pong(ping);
            assert!(pong.ends_with(&format!(",\"ping\":{repeated}}}")), "{pong}");
        }
    }

    #[test]
    fn what_is_no_answer_is_nobody() {
        let asker = process(1);
        let pong = process(2).pong(asker.ping().as_bytes());
        for wrong in ["", "17", "{}", &pong.replace("unknown", "no/level"), &pong.replace("0001", "0004")] {
            assert_eq!(asker.answered_by(wrong.as_bytes()), None, "{wrong}");
        }
    }
}
