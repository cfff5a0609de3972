//! Microsoft's JSON, whose members may turn out to be of another type than documented.
//!
//! A member of another type than expected is a member that is not there. It is read past, not built; but
//! whatever is not JSON in it is found, so that a body that was cut or spoiled anywhere is never taken for an
//! answer.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use serde::de::{DeserializeSeed, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

/// The members of an object in a small answer, each as it stands: one that cannot be read costs no other.
///
/// Of a member that comes twice the last one counts.
pub(super) struct Object<'de>(BTreeMap<String, &'de RawValue>);

impl<'de> Object<'de> {
    /// Nothing if the text is no object.
    pub(super) fn of(text: &'de str) -> Option<Self> {
        serde_json::from_str(text).ok().map(Self)
    }

    /// A member of this type; nothing if it is missing, null or of another type.
    pub(super) fn get<T: Deserialize<'de>>(&self, name: &str) -> Option<T> {
        of(self.0.get(name)?)
    }

    /// A member as it stands, unless it is missing or null.
    pub(super) fn raw(&self, name: &str) -> Option<&'de RawValue> {
        self.0.get(name).copied().filter(|member| member.get() != "null")
    }

    /// An object inside this one.
    pub(super) fn inner(&self, name: &str) -> Option<Self> {
        Self::of(self.0.get(name)?.get())
    }
}

/// A value of this type, if that is what stands there.
pub(super) fn of<'de, T: Deserialize<'de>>(raw: &'de RawValue) -> Option<T> {
    serde_json::from_str(raw.get()).ok()
}

/// Whether a text is JSON, whatever it says.
pub(super) fn is_json(text: &str) -> bool {
    serde_json::from_str::<IgnoredAny>(text).is_ok()
}

/// Reads the whole of a text for somebody.
pub(super) fn read<'de, W: Wanted<'de>>(text: &'de str, wanted: W) -> Result<W::Value, serde_json::Error> {
    let mut json = serde_json::Deserializer::from_str(text);
    let value = Read(wanted).deserialize(&mut json)?;
    json.end().map(|()| value)
}

/// What somebody wants of a value: only the kinds that are of use are overridden.
pub(super) trait Wanted<'de>: Sized {
    /// What comes of it.
    type Value: Default;

    /// The value is a text; it outlives the reading if it is borrowed.
    fn text(self, _text: Cow<'de, str>) -> Self::Value {
        Self::Value::default()
    }

    /// The value is a truth value.
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

/// Wants a text.
pub(super) struct Text;

impl<'de> Wanted<'de> for Text {
    type Value = Option<Cow<'de, str>>;

    fn text(self, text: Cow<'de, str>) -> Self::Value {
        Some(text)
    }
}

/// Wants a truth value.
pub(super) struct Truth;

impl Wanted<'_> for Truth {
    type Value = Option<bool>;

    fn truth(self, truth: bool) -> Self::Value {
        Some(truth)
    }
}

/// Reads one value for somebody.
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
