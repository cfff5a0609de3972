//! One person's presence, normalised: what the fetcher hands to the core.

use serde::Serialize;

use super::name::TopicLevel;
use crate::core::model::sequence_number::SequenceNumber;
use crate::core::model::word::{Activity, Availability};
use crate::core::model::words::PresenceWords;

/// A usable answer about one person (Graph: `resources/presence`, v1.0).
///
/// What the cloud did not give is `None`: US Government clouds know no out-of-office settings, no work
/// location and no sequence number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Presence {
    /// Base state, of the closed list, and detail, of the open one.
    pub words: PresenceWords,
    /// `outOfOfficeSettings.isOutOfOffice`.
    pub out_of_office: Option<bool>,
    /// `workLocation.workLocationType`, if one is set.
    pub work_location: Option<WorkLocation>,
    /// `sequenceNumber`: says nothing about a person, so a change of it alone is not a change.
    pub sequence_number: Option<SequenceNumber>,
    /// What the person wrote, if they wrote anything.
    pub messages: Option<Box<Messages>>,
}

/// Free text of a person, of which there is at least one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Messages {
    /// `outOfOfficeSettings.message`
    pub out_of_office: Option<Box<str>>,
    /// `statusMessage`, and when it ends.
    pub status: Option<StatusMessage>,
}

/// A person's status message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatusMessage {
    /// The text.
    pub text: Box<str>,
    /// UTC (`2026-11-23T17:00:00Z`) where the zone is known, else as given with the zone's name.
    pub expires: Option<Box<str>>,
}

/// Where somebody works (Graph: `resources/userWorkLocation`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "the word is its meaning")]
pub enum WorkLocation {
    Office,
    Remote,
    TimeOff,
}

impl Presence {
    /// A presence of which nothing but the words is known.
    #[must_use]
    pub fn of(words: PresenceWords) -> Self {
        Self { words, out_of_office: None, work_location: None, sequence_number: None, messages: None }
    }

    /// The published availability.
    #[must_use]
    pub fn availability(&self) -> Availability {
        self.words.availability()
    }

    /// The published activity.
    #[must_use]
    pub fn activity(&self) -> Activity {
        self.words.activity()
    }

    /// What the automatic reply says.
    #[must_use]
    pub fn out_of_office_message(&self) -> Option<&str> {
        self.messages.as_ref()?.out_of_office.as_deref()
    }

    /// The status message.
    #[must_use]
    pub fn status_message(&self) -> Option<&StatusMessage> {
        self.messages.as_ref()?.status.as_ref()
    }

    /// The same presence without anything a person wrote.
    #[must_use]
    pub fn without_messages(self) -> Self {
        Self { messages: None, ..self }
    }

    /// Whether `other` has the same availability and activity.
    #[must_use]
    pub fn same_words(&self, other: &Self) -> bool {
        self.words.same_as(&other.words)
    }

    /// Whether `other` says the same about the person.
    #[must_use]
    pub fn same_as(&self, other: &Self) -> bool {
        let Self { words, out_of_office, work_location, sequence_number: _, messages } = self;
        *words == other.words
            && *out_of_office == other.out_of_office
            && *work_location == other.work_location
            && *messages == other.messages
    }
}

impl Messages {
    /// What a person wrote, if that is anything.
    #[must_use]
    pub fn of(out_of_office: Option<Box<str>>, status: Option<StatusMessage>) -> Option<Box<Self>> {
        (out_of_office.is_some() || status.is_some()).then(|| Box::new(Self { out_of_office, status }))
    }
}

/// What a light may show of somebody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// The person's topic level.
    pub user: TopicLevel,
    /// As on their topic.
    pub availability: Availability,
    /// As on their topic.
    pub activity: Activity,
}
