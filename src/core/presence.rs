//! One person's presence, normalised: what the fetcher hands to the core.

use serde::Serialize;

use super::word::{Activity, Availability};

/// A usable answer about one person (Graph: `resources/presence`, v1.0).
///
/// What the cloud did not give is `None`: US Government clouds know no out-of-office settings, no work
/// location and no sequence number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Presence {
    /// Base state, of the closed list.
    pub availability: Availability,
    /// Detail, of the open list.
    pub activity: Activity,
    /// The availability as Graph spelled it, at most 256 characters.
    pub raw_availability: Box<str>,
    /// The activity as Graph spelled it, at most 256 characters.
    pub raw_activity: Option<Box<str>>,
    /// `outOfOfficeSettings.isOutOfOffice`.
    pub out_of_office: Option<bool>,
    /// `outOfOfficeSettings.message`: free text of a person.
    pub out_of_office_message: Option<Box<str>>,
    /// `statusMessage`: free text of a person, and when it ends.
    pub status_message: Option<StatusMessage>,
    /// `workLocation.workLocationType`, if one is set.
    pub work_location: Option<WorkLocation>,
    /// `sequenceNumber`: says nothing about a person, so a change of it alone is not a change.
    pub sequence_number: Option<Box<str>>,
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
    /// The same presence without anything a person wrote.
    #[must_use]
    pub fn without_messages(self) -> Self {
        Self { out_of_office_message: None, status_message: None, ..self }
    }

    /// Whether `other` has the same availability and activity.
    #[must_use]
    pub fn same_words(&self, other: &Self) -> bool {
        self.availability == other.availability && self.activity == other.activity
    }

    /// Whether `other` says the same about the person.
    #[must_use]
    pub fn same_as(&self, other: &Self) -> bool {
        let Self {
            availability,
            activity,
            raw_availability,
            raw_activity,
            out_of_office,
            out_of_office_message,
            status_message,
            work_location,
            sequence_number: _,
        } = self;
        *availability == other.availability
            && *activity == other.activity
            && *raw_availability == other.raw_availability
            && *raw_activity == other.raw_activity
            && *out_of_office == other.out_of_office
            && *out_of_office_message == other.out_of_office_message
            && *status_message == other.status_message
            && *work_location == other.work_location
    }
}
