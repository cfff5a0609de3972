//! Reads Microsoft's JSON, whose members may have another type than documented.
//!
//! A member of an unexpected type counts as missing. It is skipped, not built; but it must be valid JSON, so
//! that a body that was cut or damaged anywhere is never taken for an answer.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use serde::de::{DeserializeSeed, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

/// The members of an object in a small answer, each as its own text, so that an unreadable one does not
/// affect the others.
///
/// Of a member that appears twice, the last one counts.
pub(super) struct Object<'de>(BTreeMap<String, &'de RawValue>);

impl<'de> Object<'de> {
    /// `None` if the text is not an object.
    pub(super) fn of(text: &'de str) -> Option<Self> {
        serde_json::from_str(text).ok().map(Self)
    }

    /// A member of this type; `None` if it is missing, null or of another type.
    pub(super) fn get<T: Deserialize<'de>>(&self, name: &str) -> Option<T> {
        of(self.0.get(name)?)
    }

    /// The JSON text of a member, unless it is missing or null.
    pub(super) fn raw(&self, name: &str) -> Option<&'de RawValue> {
        self.0.get(name).copied().filter(|member| member.get() != "null")
    }

    /// A member that is an object.
    pub(super) fn inner(&self, name: &str) -> Option<Self> {
        Self::of(self.0.get(name)?.get())
    }
}

/// A value of this type; `None` if the JSON has another type.
pub(super) fn of<'de, T: Deserialize<'de>>(raw: &'de RawValue) -> Option<T> {
    serde_json::from_str(raw.get()).ok()
}

/// Whether a text is valid JSON.
pub(super) fn is_json(text: &str) -> bool {
    serde_json::from_str::<IgnoredAny>(text).is_ok()
}

/// Reads a whole text with a reader.
pub(super) fn read<'de, W: Wanted<'de>>(text: &'de str, wanted: W) -> Result<W::Value, serde_json::Error> {
    let mut json = serde_json::Deserializer::from_str(text);
    let value = Read(wanted).deserialize(&mut json)?;
    json.end().map(|()| value)
}

/// What a reader does with a value. It overrides only the kinds that it uses.
pub(super) trait Wanted<'de>: Sized {
    /// The result.
    type Value: Default;

    /// The value is a text. If it is borrowed, it outlives the reading.
    fn text(self, _text: Cow<'de, str>) -> Self::Value {
        Self::Value::default()
    }

    /// The value is a boolean.
    fn truth(self, _truth: bool) -> Self::Value {
        Self::Value::default()
    }

    /// The value is an object.
    fn object<A: MapAccess<'de>>(self, mut members: A) -> Result<Self::Value, A::Error> {
        while members.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Self::Value::default())
    }

    /// The value is a list.
    fn list<A: SeqAccess<'de>>(self, mut entries: A) -> Result<Self::Value, A::Error> {
        while entries.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Self::Value::default())
    }
}

/// Reads a text.
pub(super) struct Text;

impl<'de> Wanted<'de> for Text {
    type Value = Option<Cow<'de, str>>;

    fn text(self, text: Cow<'de, str>) -> Self::Value {
        Some(text)
    }
}

/// Reads a boolean.
pub(super) struct Truth;

impl Wanted<'_> for Truth {
    type Value = Option<bool>;

    fn truth(self, truth: bool) -> Self::Value {
        Some(truth)
    }
}

/// Reads one value with a reader.
pub(super) struct Read<W>(pub(super) W);

impl<'de, W: Wanted<'de>> DeserializeSeed<'de> for Read<W> {
    type Value = W::Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<W::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de, W: Wanted<'de>> Visitor<'de> for Read<W> {
    type Value = W::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<W::Value, E> {
        Ok(self.0.text(Cow::Borrowed(text)))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<W::Value, E> {
        Ok(self.0.text(Cow::Owned(text.to_owned())))
    }

    fn visit_bool<E: Error>(self, truth: bool) -> Result<W::Value, E> {
        Ok(self.0.truth(truth))
    }

    fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<W::Value, A::Error> {
        self.0.object(members)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, entries: A) -> Result<W::Value, A::Error> {
        self.0.list(entries)
    }

    fn visit_unit<E: Error>(self) -> Result<W::Value, E> {
        Ok(W::Value::default())
    }

    fn visit_i64<E: Error>(self, _number: i64) -> Result<W::Value, E> {
        Ok(W::Value::default())
    }

    fn visit_u64<E: Error>(self, _number: u64) -> Result<W::Value, E> {
        Ok(W::Value::default())
    }

    fn visit_f64<E: Error>(self, _number: f64) -> Result<W::Value, E> {
        Ok(W::Value::default())
    }
}
