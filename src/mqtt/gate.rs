//! The gate: whatever the network sends, rumqttc reads only what it can take. Bytes in, bytes out; no I/O, no
//! clock.
//!
//! It knows MQTT's framing (type, flags, remaining length) and of six packets no more than it must. What
//! rumqttc would end the connection for, though the connection is sound, becomes the nearest thing that it
//! knows, marked so that it can be named: a message that nobody can read becomes a [`Skipped`] one, a reason
//! code that it does not know a refusal that it knows, with the code in its reason string. What no broker may
//! send ends the connection, as a [`Violation`]. It holds at most one packet of [`LARGEST`] bytes, whatever
//! comes.

mod codes;
mod properties;
#[cfg(test)]
mod tests;
mod violation;

use std::str::from_utf8;

pub use self::codes::unknown_code;
use self::properties::{SERVER_KEEP_ALIVE, TOPIC_ALIAS};
pub use self::violation::Violation;
use crate::core::model::mqtt::Protocol;

/// Bytes of one packet behind its length: far above the largest `state`, which carries two cut messages.
pub const LARGEST: usize = 256 * 1024;

/// Of a topic that is only to be named.
const LONGEST_NAME: usize = 256;

const CONNACK: u8 = 2;
const PUBLISH: u8 = 3;
const PUBACK: u8 = 4;
const SUBACK: u8 = 9;
const UNSUBACK: u8 = 11;
const PINGRESP: u8 = 13;
const DISCONNECT: u8 = 14;

/// A message that was read over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skipped {
    /// Where it was published, cut and made legible.
    pub topic: String,
    /// Its size, as the broker sent it.
    pub bytes: usize,
}

/// Marks the topic of a skipped message; no topic may hold it (MQTT 5 section 1.5.4).
const MARK: char = '\0';

impl Skipped {
    /// The message that was skipped, if this one stands for one.
    #[must_use]
    pub fn from_message(topic: &str, payload: &[u8]) -> Option<Self> {
        let topic = topic.strip_prefix(MARK)?.to_owned();
        Some(Self { topic, bytes: from_utf8(payload).ok()?.parse().ok()? })
    }
}

/// Where in the stream the next byte is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// In the fixed header.
    Header,
    /// In a packet that is gathered to its end, so many bytes before it.
    Gathering(usize),
    /// In an oversized message, where its topic is, so many bytes before its end.
    Naming(usize),
    /// Likewise, where nothing is of interest.
    Skipping(usize),
}

/// The gate of one connection.
#[derive(Debug)]
pub struct Gate {
    protocol: Protocol,
    /// Seconds.
    keep_alive: u16,
    stage: Stage,
    /// The packet at hand from its first byte on, as far as it is of interest.
    packet: Vec<u8>,
    /// Where its fixed header ends.
    body: usize,
    is_answered: bool,
}

impl Gate {
    /// A gate for a connection that begins. `keep_alive` in seconds.
    #[must_use]
    pub fn new(protocol: Protocol, keep_alive: u16) -> Self {
        let packet = Vec::new();
        Self { protocol, keep_alive, stage: Stage::Header, packet, body: 0, is_answered: false }
    }

    /// Takes what the network sent, and adds to `near` what rumqttc may read of it.
    ///
    /// # Errors
    ///
    /// If the connection must not go on. What is in `near` by then was sound.
    pub fn take(&mut self, mut bytes: &[u8], near: &mut Vec<u8>) -> Result<(), Violation> {
        while let Some(&first) = bytes.first() {
            let taken = match self.stage {
                Stage::Header => {
                    self.packet.push(first);
                    self.header(near)?;
                    1
                }
                Stage::Gathering(left) => {
                    let taken = left.min(bytes.len());
                    self.packet.extend_from_slice(&bytes[..taken]);
                    self.stage = Stage::Gathering(left - taken);
                    if taken == left {
                        self.end_packet(near)?;
                    }
                    taken
                }
                Stage::Naming(left) => {
                    self.packet.push(first);
                    self.stage = Stage::Naming(left - 1);
                    self.name(left - 1, near);
                    1
                }
                Stage::Skipping(left) => {
                    let taken = left.min(bytes.len());
                    self.stage = if taken == left { Stage::Header } else { Stage::Skipping(left - taken) };
                    taken
                }
            };
            bytes = &bytes[taken..];
        }
        Ok(())
    }

    /// Whether the broker has answered the request to connect.
    #[must_use]
    pub fn is_answered(&self) -> bool {
        self.is_answered
    }

    fn kind(&self) -> u8 {
        self.packet[0] >> 4
    }

    /// The fixed header has one more byte (MQTT 5 section 2.1).
    fn header(&mut self, near: &mut Vec<u8>) -> Result<(), Violation> {
        if !self.is_answered && self.kind() != CONNACK {
            // A TLS alert (RFC 8446 section 5.1).
            return Err(if self.packet[0] == 21 { Violation::SpeaksTls } else { Violation::NoBroker });
        }
        if !matches!(self.kind(), CONNACK | PUBLISH | PUBACK | SUBACK | UNSUBACK | PINGRESP | DISCONNECT) {
            return Err(Violation::NotAskedFor);
        }
        let Some(length) = properties::number(&self.packet[1..]).map_err(|_| Violation::Malformed)? else {
            return Ok(());
        };
        self.body = self.packet.len();
        self.stage = match length.value {
            0 => return self.end_packet(near),
            left if left <= LARGEST => Stage::Gathering(left),
            left if self.kind() == PUBLISH => Stage::Naming(left),
            _ => return Err(Violation::TooLarge),
        };
        Ok(())
    }

    /// An oversized message has one more byte; so many are left.
    fn name(&mut self, left: usize, near: &mut Vec<u8>) {
        // Topic and id together are far shorter than what is oversized.
        let Some((topic, rest)) = properties::string(&self.packet[self.body..]) else { return };
        if rest.len() == id_length(self.packet[0]) {
            let bytes = self.packet.len() - self.body + left;
            skipped(self.protocol, self.packet[0], topic, rest, bytes, near);
            self.packet.clear();
            self.stage = Stage::Skipping(left);
        }
    }

    /// A whole packet is here.
    fn end_packet(&mut self, near: &mut Vec<u8>) -> Result<(), Violation> {
        let is_5 = self.protocol == Protocol::V5;
        match self.kind() {
            CONNACK if std::mem::replace(&mut self.is_answered, true) => {
                return Err(Violation::SecondConnack);
            }
            CONNACK => self.connack(near)?,
            PUBLISH => self.publish(near)?,
            PUBACK if is_5 => codes::puback(&self.packet, self.body, near),
            SUBACK => codes::suback(&mut self.packet, self.body, is_5, near)?,
            UNSUBACK if is_5 => codes::unsuback(&mut self.packet, self.body, near)?,
            DISCONNECT if is_5 => codes::disconnect(&self.packet, self.body, near),
            _ => near.extend_from_slice(&self.packet),
        }
        self.packet.clear();
        // Where one was large, it seldom is the first of many.
        self.packet.shrink_to(4096);
        self.stage = Stage::Header;
        Ok(())
    }

    /// Section 3.2 of both. A broker that knows only 3.1.1 answers in that, without properties.
    fn connack(&mut self, near: &mut Vec<u8>) -> Result<(), Violation> {
        let body = self.body;
        codes::connack(&self.packet[body..], self.protocol == Protocol::V5)?;
        let mut asked_at = None;
        if self.packet.len() > body + 2 {
            properties::each(&self.packet[body + 2..], |property| {
                asked_at = (property.id == SERVER_KEEP_ALIVE).then_some(body + 2 + property.at).or(asked_at);
                Ok(())
            })?;
        }
        if let Some(at) = asked_at {
            // The shorter of both; rumqttc does what stands here, and a broker that asks for nothing (0) gets
            // our own.
            let asked = u16::from_be_bytes([self.packet[at], self.packet[at + 1]]);
            let agreed = if asked == 0 { self.keep_alive } else { asked.min(self.keep_alive) };
            self.packet[at..at + 2].copy_from_slice(&agreed.to_be_bytes());
        }
        near.extend_from_slice(&self.packet);
        Ok(())
    }

    /// Section 3.3 of both. What others may have put there must not end the connection.
    fn publish(&mut self, near: &mut Vec<u8>) -> Result<(), Violation> {
        let body = &self.packet[self.body..];
        let (topic, rest) = properties::string(body).ok_or(Violation::Malformed)?;
        let (id, rest) = rest.split_at_checked(id_length(self.packet[0])).ok_or(Violation::Malformed)?;
        let mut is_legible = from_utf8(topic).is_ok_and(|topic| !topic.contains(MARK));
        if self.protocol == Protocol::V5 {
            properties::each(rest, |property| {
                is_legible &= property.is_legible(rest);
                if property.id == TOPIC_ALIAS { Err(Violation::TopicAlias) } else { Ok(()) }
            })?;
        }
        if is_legible {
            near.extend_from_slice(&self.packet);
        } else {
            skipped(self.protocol, self.packet[0], topic, id, body.len(), near);
        }
        Ok(())
    }
}

/// Bytes of the packet id of a message: it has one if it wants to be acknowledged.
fn id_length(first: u8) -> usize {
    if first & 0b0110 == 0 { 0 } else { 2 }
}

/// Puts a small message in place of one that is not handed on; acknowledged, it is done with, and the broker
/// goes on.
fn skipped(protocol: Protocol, first: u8, topic: &[u8], id: &[u8], bytes: usize, near: &mut Vec<u8>) {
    let topic = String::from_utf8_lossy(topic);
    let legible = topic.chars().filter(|letter| !letter.is_control()).take(LONGEST_NAME);
    let topic: String = std::iter::once(MARK).chain(legible).collect();
    let mut body = codes::counted(topic.as_bytes());
    body.extend_from_slice(id);
    // No properties.
    body.extend((protocol == Protocol::V5).then_some(0));
    body.extend_from_slice(bytes.to_string().as_bytes());
    codes::packet(first, &body, near);
}
