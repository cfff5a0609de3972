//! The JSON payloads, field for field as the contract has them: what is not known is `null`, never missing.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};

use crate::core::model::name::{ClientId, ObjectId, TopicLevel};
use crate::core::model::presence::{Presence, WorkLocation};
use crate::core::model::report::words;
use crate::core::model::sequence_number::SequenceNumber;

/// `<base>/<user>/state`
#[derive(Debug, Serialize)]
pub struct State<'a> {
    availability: &'a str,
    activity: &'a str,
    since: Timestamp,
    out_of_office: Option<bool>,
    out_of_office_message: Option<&'a str>,
    status_message: Option<&'a str>,
    status_message_expires: Option<&'a str>,
    work_location: Option<WorkLocation>,
    raw_availability: &'a str,
    raw_activity: Option<&'a str>,
    sequence_number: Option<&'a str>,
    user_id: Option<ObjectId>,
    bridge: &'a ClientId,
}

impl<'a> State<'a> {
    /// What is known about a person. `since` is in whole seconds.
    #[must_use]
    pub fn new(
        presence: &'a Presence,
        since: Timestamp,
        user_id: Option<ObjectId>,
        bridge: &'a ClientId,
    ) -> Self {
        let status = presence.status_message();
        Self {
            availability: presence.availability().as_str(),
            activity: presence.words.activity_word(),
            since,
            out_of_office: presence.out_of_office,
            out_of_office_message: presence.out_of_office_message(),
            status_message: status.map(|message| &*message.text),
            status_message_expires: status.and_then(|message| message.expires.as_deref()),
            work_location: presence.work_location,
            raw_availability: presence.words.raw_availability(),
            raw_activity: presence.words.raw_activity(),
            sequence_number: presence.sequence_number.as_ref().map(SequenceNumber::as_str),
            user_id,
            bridge,
        }
    }
}

/// What the bridge reads back from a retained `state` of an earlier run.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct RememberedState {
    /// The published availability word.
    pub availability: String,
    /// The published activity word.
    pub activity: String,
    /// Since when both held together.
    pub since: Timestamp,
    /// The client id of the bridge that published it.
    pub bridge: String,
}

/// What the bridge reads back from a retained `info`: whose topics these are.
#[derive(Debug, Clone, Deserialize)]
pub struct RememberedInfo {
    /// The client id of the bridge that published it.
    pub bridge: String,
    /// Where it announced people to Home Assistant, if it did.
    #[serde(default)]
    pub discovery_prefix: Option<String>,
    /// The accounts that it had, by name.
    #[serde(default)]
    pub accounts: BTreeMap<String, IgnoredAny>,
}

/// `<base>/<bridge>/info`
#[derive(Debug, Serialize)]
pub(in crate::core) struct Info<'a> {
    pub version: &'a str,
    pub started_at: Timestamp,
    pub bridge: &'a ClientId,
    pub cloud: Option<&'a str>,
    pub auth_method: Option<&'a str>,
    pub account: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub accounts: Option<InOrder<'a, AccountInfo<'a>>>,
    pub users: usize,
    #[serde(serialize_with = "in_words")]
    pub poll_interval: Duration,
    #[serde(serialize_with = "in_words")]
    pub achieved_interval: Duration,
    pub protocol: &'a str,
    pub discovery_prefix: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub standby: Option<StandbyInfo<'a>>,
}

/// The instances that take turns, in `<base>/<bridge>/info`.
#[derive(Debug, Serialize)]
pub(in crate::core) struct StandbyInfo<'a> {
    pub active: &'a TopicLevel,
    pub waiting: Vec<&'a TopicLevel>,
}

/// One of several accounts in `<base>/<bridge>/info`.
#[derive(Debug, Serialize)]
pub(in crate::core) struct AccountInfo<'a> {
    pub cloud: &'a str,
    pub auth_method: &'a str,
    pub account: Option<&'a str>,
}

/// One of several accounts in `<base>/<bridge>/health`.
#[derive(Debug, Serialize)]
pub(in crate::core) struct AccountHealth<'a> {
    pub graph: &'a str,
    pub detail: Option<&'a str>,
}

/// What is said of each account, by name, in the order configured.
#[derive(Debug)]
pub(in crate::core) struct InOrder<'a, T>(pub Vec<(&'a TopicLevel, T)>);

impl<T: Serialize> Serialize for InOrder<'_, T> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name.as_str(), value)))
    }
}

/// `<base>/<bridge>/health`, and that of an account
#[derive(Debug, Serialize)]
pub(in crate::core) struct HealthPayload<'a> {
    pub graph: &'a str,
    pub since: Timestamp,
    pub last_success: Option<Timestamp>,
    pub detail: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub accounts: Option<InOrder<'a, AccountHealth<'a>>>,
    pub notices: &'a [String],
}

/// Bytes that a person's state has without messages; a larger payload grows as it needs to.
const USUAL: usize = 512;

/// A payload as text. Nothing that is published can fail to be written as JSON; if it ever did, an
/// empty object says so without taking the bridge down.
#[must_use]
pub fn json(value: &impl Serialize) -> String {
    let mut json = Vec::with_capacity(USUAL);
    let written = serde_json::to_writer(&mut json, value);
    let text = written.ok().and_then(|()| String::from_utf8(json).ok());
    text.unwrap_or_else(|| String::from("{}"))
}

fn in_words<S: serde::Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&words(*duration))
}
