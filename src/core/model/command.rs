//! What somebody wants to be set about a person, whichever way they asked.

use jiff::Timestamp;

use super::act::ActId;
use super::event::ReplyTo;
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
    pub answer_to: AnswerTo,
}

/// Who is told how a command ends, besides everybody.
#[derive(Debug)]
pub(in crate::core) enum AnswerTo {
    /// Where the sender of a message wants an answer.
    Message(Option<ReplyTo>),
    /// The visitor of the status page who sent it.
    Visitor(ActId),
}

impl Command {
    /// As on `<base>/<user>/set`; nothing if the payload is empty.
    pub(in crate::core) fn presence(
        user: TopicLevel,
        payload: impl Into<Vec<u8>>,
        answer_to: AnswerTo,
    ) -> Option<Self> {
        let payload = payload.into();
        let change = PresenceChange::from_presence(&payload).transpose()?;
        Some(Self { user, change, payload, answer_to })
    }

    /// As on `<base>/<user>/set_status_message` at `wall`; nothing if the payload is empty.
    pub(in crate::core) fn status_message(
        user: TopicLevel,
        payload: impl Into<Vec<u8>>,
        answer_to: AnswerTo,
        wall: Timestamp,
    ) -> Option<Self> {
        let payload = payload.into();
        let change = PresenceChange::from_status_message(&payload, wall).transpose()?;
        Some(Self { user, change, payload, answer_to })
    }
}
