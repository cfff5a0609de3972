//! Presence as Graph sends it (Graph: `resources/presence`, v1.0). Read in one pass and borrowed from the
//! body.
//!
//! Members may come in any order, twice (the last one counts), or not at all.

use std::borrow::Cow;

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use serde::de::{IgnoredAny, MapAccess, SeqAccess};
use serde_json::value::RawValue;

use super::lenient::{self, Read, Text, Truth, Wanted};
use crate::core::model::name::ObjectId;
use crate::core::model::presence::{Messages, Presence, StatusMessage, WorkLocation};
use crate::core::model::request::Reading;
use crate::core::model::words::{LONGEST_RAW_WORD, PresenceWords, at_most};

/// The longest message that is kept, in characters: Graph allows 280 in a status message, more in an
/// automatic reply.
const LONGEST_MESSAGE: usize = 4096;

/// An object that may be one presence, a list of presences, or both.
#[derive(Default)]
pub(super) struct Body {
    pub(super) reading: Option<Reading>,
    /// `value`, if it is a list.
    pub(super) list: Option<Vec<Reading>>,
    /// The link to the next page, unchecked.
    pub(super) next: Option<Box<str>>,
}

/// Reads a whole answer; an answer that is no object has no people. In the careful mode only a list is
/// accepted.
pub(super) struct WholeBody(pub(super) People);

/// Reads the people in a list.
#[derive(Clone, Copy)]
pub(super) enum People {
    /// Fast: one unreadable entry makes the whole list unreadable.
    AtOnce,
    /// Careful: an unreadable entry affects only itself.
    EachAlone,
}

/// Reads one of the people in a list.
struct Person;

struct OutOfOffice;
struct Status;
struct Expiry;

/// Reads one text member of an object.
pub(super) struct Member(pub(super) &'static str);

/// The members of a presence that the bridge uses.
#[derive(Default)]
struct Members<'de> {
    id: Option<ObjectId>,
    availability: Option<Cow<'de, str>>,
    activity: Option<Cow<'de, str>>,
    out_of_office: (Option<bool>, Option<Cow<'de, str>>),
    status: Option<StatusMessage>,
    work_location: Option<WorkLocation>,
    sequence_number: Option<Cow<'de, str>>,
}

impl<'de> Members<'de> {
    fn take<A: MapAccess<'de>>(&mut self, name: &str, object: &mut A) -> Result<(), A::Error> {
        match name {
            "id" => self.id = object.next_value_seed(Read(Text))?.and_then(|id| id.parse().ok()),
            "availability" => self.availability = object.next_value_seed(Read(Text))?,
            "activity" => self.activity = object.next_value_seed(Read(Text))?,
            "outOfOfficeSettings" => self.out_of_office = object.next_value_seed(Read(OutOfOffice))?,
            "statusMessage" => self.status = object.next_value_seed(Read(Status))?,
            "workLocation" => {
                let word = object.next_value_seed(Read(Member("workLocationType")))?;
                self.work_location = word.as_deref().and_then(work_location);
            }
            "sequenceNumber" => self.sequence_number = object.next_value_seed(Read(Text))?,
            _ => {
                object.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }

    fn into_reading(self) -> Option<Reading> {
        Some(Reading { id: self.id?, presence: self.into_presence() })
    }

    fn into_presence(self) -> Option<Presence> {
        let words = PresenceWords::from_graph(&self.availability?, self.activity.as_deref())?;
        let (out_of_office, message) = self.out_of_office;
        Some(Presence {
            words,
            out_of_office,
            work_location: self.work_location,
            sequence_number: self.sequence_number.as_deref().map(Into::into),
            messages: Messages::of(message.as_deref().and_then(message_text), self.status),
        })
    }
}

impl<'de> Wanted<'de> for WholeBody {
    type Value = Body;

    fn object<A: MapAccess<'de>>(self, mut object: A) -> Result<Body, A::Error> {
        let mut members = Members::default();
        let (mut list, mut next) = (None, None);
        while let Some(name) = object.next_key_seed(Read(Text))? {
            match name.as_deref().unwrap_or_default() {
                "value" => list = object.next_value_seed(Read(self.0))?,
                "@odata.nextLink" => next = lenient::of(object.next_value()?),
                name => match self.0 {
                    People::AtOnce => members.take(name, &mut object)?,
                    People::EachAlone => {
                        object.next_value::<IgnoredAny>()?;
                    }
                },
            }
        }
        Ok(Body { reading: members.into_reading(), list, next })
    }
}

impl<'de> Wanted<'de> for People {
    type Value = Option<Vec<Reading>>;

    fn list<A: SeqAccess<'de>>(self, mut entries: A) -> Result<Self::Value, A::Error> {
        let mut people = Vec::new();
        match self {
            Self::AtOnce => {
                while let Some(person) = entries.next_element_seed(Read(Person))? {
                    people.extend(person);
                }
            }
            Self::EachAlone => {
                while let Some(entry) = entries.next_element::<&RawValue>()? {
                    people.extend(lenient::read(entry.get(), Person).ok().flatten());
                }
            }
        }
        Ok(Some(people))
    }
}

impl<'de> Wanted<'de> for Person {
    type Value = Option<Reading>;

    fn object<A: MapAccess<'de>>(self, mut object: A) -> Result<Self::Value, A::Error> {
        let mut members = Members::default();
        while let Some(name) = object.next_key_seed(Read(Text))? {
            members.take(name.as_deref().unwrap_or_default(), &mut object)?;
        }
        Ok(members.into_reading())
    }
}

impl<'de> Wanted<'de> for OutOfOffice {
    type Value = (Option<bool>, Option<Cow<'de, str>>);

    fn object<A: MapAccess<'de>>(self, mut object: A) -> Result<Self::Value, A::Error> {
        let (mut is_out, mut message) = (None, None);
        while let Some(name) = object.next_key_seed(Read(Text))? {
            match name.as_deref().unwrap_or_default() {
                "isOutOfOffice" => is_out = object.next_value_seed(Read(Truth))?,
                "message" => message = object.next_value_seed(Read(Text))?,
                _ => {
                    object.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok((is_out, message))
    }
}

impl<'de> Wanted<'de> for Status {
    type Value = Option<StatusMessage>;

    fn object<A: MapAccess<'de>>(self, mut object: A) -> Result<Self::Value, A::Error> {
        let (mut content, mut expires) = (None, None);
        while let Some(name) = object.next_key_seed(Read(Text))? {
            match name.as_deref().unwrap_or_default() {
                "message" => content = object.next_value_seed(Read(Member("content")))?,
                "expiryDateTime" => expires = object.next_value_seed(Read(Expiry))?,
                _ => {
                    object.next_value::<IgnoredAny>()?;
                }
            }
        }
        let text = content.as_deref().and_then(message_text);
        Ok(text.map(|text| StatusMessage { text, expires }))
    }
}

impl<'de> Wanted<'de> for Expiry {
    type Value = Option<Box<str>>;

    fn object<A: MapAccess<'de>>(self, mut object: A) -> Result<Self::Value, A::Error> {
        let (mut given, mut zone) = (None, None);
        while let Some(name) = object.next_key_seed(Read(Text))? {
            match name.as_deref().unwrap_or_default() {
                "dateTime" => given = object.next_value_seed(Read(Text))?,
                "timeZone" => zone = object.next_value_seed(Read(Text))?,
                _ => {
                    object.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(given.and_then(|given| expiry(&given, zone.as_deref().unwrap_or_default())))
    }
}

impl<'de> Wanted<'de> for Member {
    type Value = Option<Cow<'de, str>>;

    fn object<A: MapAccess<'de>>(self, mut object: A) -> Result<Self::Value, A::Error> {
        let mut member = None;
        while let Some(name) = object.next_key_seed(Read(Text))? {
            if name.as_deref() == Some(self.0) {
                member = object.next_value_seed(Read(Text))?;
            } else {
                object.next_value::<IgnoredAny>()?;
            }
        }
        Ok(member)
    }
}

/// In UTC if the zone is known. Windows zones are no names in the tz database, so such a time stays as it is.
/// `None` for the last possible day, which Graph uses for a message that never expires.
fn expiry(given: &str, zone: &str) -> Option<Box<str>> {
    let civil = given.parse::<DateTime>().ok();
    if civil.is_some_and(|civil| civil.date() == Date::MAX) {
        return None;
    }
    let utc = civil.and_then(|civil| {
        let zone = if zone.eq_ignore_ascii_case("utc") { TimeZone::UTC } else { TimeZone::get(zone).ok()? };
        let instant = zone.to_timestamp(civil).ok()?;
        Some(crate::core::model::time::whole_seconds(instant).to_string())
    });
    let text = utc.unwrap_or_else(|| format!("{given} {zone}"));
    Some(at_most(text.trim(), LONGEST_RAW_WORD).into())
}

fn work_location(word: &str) -> Option<WorkLocation> {
    let is = |name: &str| word.eq_ignore_ascii_case(name);
    if is("office") {
        Some(WorkLocation::Office)
    } else if is("remote") {
        Some(WorkLocation::Remote)
    } else if is("timeOff") {
        Some(WorkLocation::TimeOff)
    } else {
        None
    }
}

fn message_text(text: &str) -> Option<Box<str>> {
    (!text.is_empty()).then(|| at_most(text, LONGEST_MESSAGE).into())
}
