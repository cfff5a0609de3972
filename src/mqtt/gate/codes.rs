//! Reason codes (MQTT 5 section 2.4). rumqttc knows those in the specification's tables, and ends the
//! connection at any other. Any code from 0x80 on is a refusal (section 2.4), so unknown ones are replaced by
//! a refusal that rumqttc knows.

use super::properties::{self, REASON_STRING};
use super::violation::Violation;

/// The most general refusal.
const UNSPECIFIED: u8 = 0x80;

/// The most codes that are put into a text.
const NAMED: usize = 8;

const TOLD: &str = "reason code 0x";

/// The original code of a refusal, taken out of the reason string that the gate wrote.
#[must_use]
pub fn unknown_code(reason_string: Option<&str>) -> Option<u8> {
    u8::from_str_radix(reason_string?.strip_prefix(TOLD)?.get(..2)?, 16).ok()
}

/// Section 3.2.2.2, and section 3.2.2.3 of MQTT 3.1.1, where there are no properties.
pub(super) fn connack(body: &[u8], is_5: bool) -> Result<(), Violation> {
    let is_known = match *body {
        [_, code] => code <= 5,
        [_, code, _, ..] if is_5 => {
            matches!(code, 0 | 0x80..=0x8a | 0x8c | 0x90 | 0x95 | 0x97 | 0x99..=0x9d | 0x9f)
        }
        _ => return Err(Violation::Malformed),
    };
    if is_known { Ok(()) } else { Err(Violation::Refused(body[1])) }
}

/// Section 3.4.2.1.
pub(super) fn puback(packet: &[u8], body: usize, near: &mut Vec<u8>) {
    match packet[body..] {
        [high, low, code, ..]
            if !matches!(code, 0 | 0x10 | 0x80 | 0x83 | 0x87 | 0x90 | 0x91 | 0x97 | 0x99) =>
        {
            if code < UNSPECIFIED {
                self::packet(packet[0], &[high, low], near);
            } else {
                self::packet(packet[0], &[&[high, low, UNSPECIFIED], &told(&[code])[..]].concat(), near);
            }
        }
        _ => near.extend_from_slice(packet),
    }
}

/// Section 3.9 of both.
pub(super) fn suback(
    packet: &mut [u8],
    body: usize,
    is_5: bool,
    near: &mut Vec<u8>,
) -> Result<(), Violation> {
    let is_known = |code: u8| match is_5 {
        true => matches!(code, 0..=2 | 0x80 | 0x83 | 0x87 | 0x8f | 0x91 | 0x97 | 0x9e | 0xa1 | 0xa2),
        false => matches!(code, 0..=2 | 0x80),
    };
    let from = codes_from(packet, body, is_5)?;
    let unknown = make_known(&mut packet[from..], is_known);
    if is_5 && !unknown.is_empty() {
        let id = &packet[body..body + 2];
        self::packet(packet[0], &[id, &told(&unknown), &packet[from..]].concat(), near);
    } else {
        near.extend_from_slice(packet);
    }
    Ok(())
}

/// Section 3.11.
pub(super) fn unsuback(packet: &mut [u8], body: usize, near: &mut Vec<u8>) -> Result<(), Violation> {
    let from = codes_from(packet, body, true)?;
    let is_known = |code| matches!(code, 0 | 0x11 | 0x80 | 0x83 | 0x87 | 0x8f | 0x91);
    make_known(&mut packet[from..], is_known);
    near.extend_from_slice(packet);
    Ok(())
}

/// Section 3.14.2: reason and properties may be missing, which rumqttc does not accept.
pub(super) fn disconnect(packet: &[u8], body: usize, near: &mut Vec<u8>) {
    let code = packet.get(body).copied().unwrap_or_default();
    let is_known = matches!(
        code,
        0 | 4 | 0x80..=0x83 | 0x87 | 0x89 | 0x8b | 0x8d..=0x90 | 0x93..=0xa2
    );
    if !is_known {
        self::packet(packet[0], &[&[UNSPECIFIED], &told(&[code])[..]].concat(), near);
    } else if packet.len() < body + 2 {
        self::packet(packet[0], &[code, 0], near);
    } else {
        near.extend_from_slice(packet);
    }
}

/// Where the reason codes begin in a packet that has one for each filter.
fn codes_from(packet: &[u8], body: usize, is_5: bool) -> Result<usize, Violation> {
    let properties = packet.get(body + 2..).ok_or(Violation::Malformed)?;
    Ok(body + 2 + if is_5 { properties::each(properties, |_| Ok(()))? } else { 0 })
}

/// Replaces unknown codes by the most general refusal; returns the unknown ones.
fn make_known(codes: &mut [u8], is_known: impl Fn(u8) -> bool) -> Vec<u8> {
    let mut unknown = Vec::new();
    for code in codes.iter_mut().filter(|code| !is_known(**code)) {
        if unknown.len() < NAMED {
            unknown.push(*code);
        }
        *code = UNSPECIFIED;
    }
    unknown
}

/// Properties that contain only these codes, as text.
fn told(codes: &[u8]) -> Vec<u8> {
    let codes: Vec<String> = codes.iter().map(|code| format!("{code:02x}")).collect();
    let text = format!("{TOLD}{}", codes.join(", 0x"));
    // Below 128, so its length takes one byte.
    let mut properties = vec![(3 + text.len()) as u8, REASON_STRING];
    properties.extend(counted(text.as_bytes()));
    properties
}

/// A string preceded by its length, which two bytes can hold.
pub(super) fn counted(text: &[u8]) -> Vec<u8> {
    [&(text.len() as u16).to_be_bytes(), text].concat()
}

/// A packet with its length.
pub(super) fn packet(first: u8, body: &[u8], near: &mut Vec<u8>) {
    near.push(first);
    let mut left = body.len();
    loop {
        let more = if left > 0x7f { 0x80 } else { 0 };
        near.push((left & 0x7f) as u8 | more);
        left >>= 7;
        if left == 0 {
            break;
        }
    }
    near.extend_from_slice(body);
}
