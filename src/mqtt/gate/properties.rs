//! The basic data types of packets (MQTT 5 section 1.5), and properties (section 2.2.2).

use super::violation::Violation;

pub(super) const SERVER_KEEP_ALIVE: u8 = 19;
pub(super) const TOPIC_ALIAS: u8 = 35;
pub(super) const REASON_STRING: u8 = 31;

/// A number of variable length (section 1.5.5).
pub(super) struct Number {
    pub(super) value: usize,
    /// The bytes that it occupies.
    pub(super) length: usize,
}

/// A property, as the place of its value.
pub(super) struct Property {
    pub(super) id: u8,
    pub(super) at: usize,
    end: usize,
}

/// The number at the beginning; `None` if its end is missing.
pub(super) fn number(bytes: &[u8]) -> Result<Option<Number>, Violation> {
    let mut value = 0;
    for (at, byte) in bytes.iter().take(4).enumerate() {
        value |= usize::from(byte & 0x7f) << (7 * at);
        if byte & 0x80 == 0 {
            return Ok(Some(Number { value, length: at + 1 }));
        }
    }
    if bytes.len() >= 4 { Err(Violation::Malformed) } else { Ok(None) }
}

/// The string or data at the beginning, after its length, and the bytes that follow.
pub(super) fn string(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<2>()?;
    rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))
}

/// Goes through the properties at the beginning; returns where the bytes after them begin.
pub(super) fn each(
    bytes: &[u8],
    mut visit: impl FnMut(Property) -> Result<(), Violation>,
) -> Result<usize, Violation> {
    let length = number(bytes)?.ok_or(Violation::Malformed)?;
    let end = length.length + length.value;
    let bytes = bytes.get(..end).ok_or(Violation::Malformed)?;
    let mut at = length.length;
    while let Some(&id) = bytes.get(at) {
        let value = at + 1;
        at = value + length_of(id, &bytes[value..])?;
        if at > end {
            return Err(Violation::Malformed);
        }
        visit(Property { id, at: value, end: at })?;
    }
    Ok(end)
}

/// Section 2.2.2.2.
fn length_of(id: u8, value: &[u8]) -> Result<usize, Violation> {
    let string = |value: &[u8]| string(value).map(|(string, _)| 2 + string.len()).ok_or(Violation::Malformed);
    match id {
        1 | 23 | 25 | 36 | 37 | 40..=42 => Ok(1),
        SERVER_KEEP_ALIVE | 33 | 34 | TOPIC_ALIAS => Ok(2),
        2 | 17 | 24 | 39 => Ok(4),
        11 => Ok(number(value)?.ok_or(Violation::Malformed)?.length),
        3 | 8 | 9 | 18 | 21 | 22 | 26 | 28 | REASON_STRING => string(value),
        38 => {
            let name = string(value)?;
            Ok(name + string(&value[name..])?)
        }
        _ => Err(Violation::Malformed),
    }
}

impl Property {
    /// Whether a value that must be text is text. `bytes` are those in which the property was found.
    pub(super) fn is_legible(&self, bytes: &[u8]) -> bool {
        let value = &bytes[self.at..self.end];
        let is_text = |value| string(value).is_none_or(|(text, _)| std::str::from_utf8(text).is_ok());
        match self.id {
            3 | 8 | 18 | 21 | 26 | 28 | REASON_STRING => is_text(value),
            38 => is_text(value) && string(value).is_none_or(|(_, rest)| is_text(rest)),
            _ => true,
        }
    }
}
