//! What somebody wants to be set about a person, whichever way they asked.

use jiff::Timestamp;

use super::act::ActId;
use super::event::{Incoming, ReplyTo};
use super::name::TopicLevel;
use super::presence_change::PresenceChange;

/// A command, and who is told how it ends.
#[derive(Debug)]
pub(in crate::core) struct Command {
    /// About whom.
    pub user: TopicLevel,
    /// What it asks for, or a sentence that says what is allowed.
    pub change: Result<PresenceChange, String>,
    /// The payload, as it came.
    pub payload: Vec<u8>,
    /// Where its sender wants an answer.
    pub reply_to: Option<ReplyTo>,
    /// The visitor of the status page who sent it.
    pub visitor: Option<ActId>,
}

impl Command {
    /// As it came on `<base>/<user>/set`; nothing if the payload is empty.
    pub(in crate::core) fn presence(user: TopicLevel, message: &Incoming) -> Option<Self> {
        Self::from_message(user, PresenceChange::from_presence(&message.payload), message)
    }

    /// As it came at `wall` on `<base>/<user>/set_status_message`; nothing if the payload is empty.
    pub(in crate::core) fn status_message(
        user: TopicLevel,
        message: &Incoming,
        wall: Timestamp,
    ) -> Option<Self> {
        Self::from_message(user, PresenceChange::from_status_message(&message.payload, wall), message)
    }

    /// As a visitor of the status page sends it, with a payload of those topics; nothing if that is empty.
    pub(in crate::core) fn from_visitor(
        user: TopicLevel,
        change: Result<Option<PresenceChange>, String>,
        payload: String,
        visitor: ActId,
    ) -> Option<Self> {
        let (payload, visitor) = (payload.into_bytes(), Some(visitor));
        Some(Self { user, change: change.transpose()?, payload, reply_to: None, visitor })
    }

    fn from_message(
        user: TopicLevel,
        change: Result<Option<PresenceChange>, String>,
        message: &Incoming,
    ) -> Option<Self> {
        let (payload, reply_to) = (message.payload.clone(), message.reply_to.clone());
        Some(Self { user, change: change.transpose()?, payload, reply_to, visitor: None })
    }
}
