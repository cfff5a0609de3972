//! The gate between the network and rumqttc: rumqttc reads only what it can handle. Bytes in, bytes out; no
//! I/O, no clock.
//!
//! The gate knows MQTT's framing (type, flags, remaining length), and as little as necessary of six packets.
//! rumqttc would end a sound connection because of some packets. The gate replaces these by the nearest thing
//! that rumqttc knows, and marks them so that they can be reported: an unreadable message becomes a
//! [`Skipped`] one, and an unknown reason code becomes a known refusal, with the code in its reason string.
//! What no broker may send ends the connection, as a [`Violation`]. The gate holds at most one packet of
//! [`LARGEST`] bytes.

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

/// The largest packet without its fixed header: far larger than the largest `state`, which contains two cut
/// messages.
pub const LARGEST: usize = 256 * 1024;

/// The part of a skipped message's topic that is kept for a report.
const LONGEST_NAME: usize = 256;

const CONNACK: u8 = 2;
const PUBLISH: u8 = 3;
const PUBACK: u8 = 4;
const SUBACK: u8 = 9;
const UNSUBACK: u8 = 11;
const PINGRESP: u8 = 13;
const DISCONNECT: u8 = 14;

/// A message that the gate skipped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skipped {
    /// The topic, cut and made printable.
    pub topic: String,
    /// Its size, as the broker sent it.
    pub bytes: usize,
}

/// Marks the topic of a skipped message. No real topic may contain it (MQTT 5 section 1.5.4).
const MARK: char = '\0';

impl Skipped {
    /// The skipped message that this one stands for, if it stands for one.
    #[must_use]
    pub fn from_message(topic: &str, payload: &[u8]) -> Option<Self> {
        let topic = topic.strip_prefix(MARK)?.to_owned();
        Some(Self { topic, bytes: from_utf8(payload).ok()?.parse().ok()? })
    }
}

/// The position of the next byte in the stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// In the fixed header.
    Header,
    /// In a packet that is collected completely; this many bytes are missing.
    Gathering(usize),
    /// In the topic of an oversized message; this many bytes of the message are left.
    Naming(usize),
    /// In the rest of an oversized message.
    Skipping(usize),
}

/// The gate of one connection.
#[derive(Debug)]
pub struct Gate {
    protocol: Protocol,
    /// Seconds.
    keep_alive: u16,
    stage: Stage,
    /// The bytes of the present packet, from the first one on, as far as they are needed.
    packet: Vec<u8>,
    /// The length of its fixed header.
    body: usize,
    is_answered: bool,
}

impl Gate {
    /// A gate for a new connection. `keep_alive` in seconds.
    #[must_use]
    pub fn new(protocol: Protocol, keep_alive: u16) -> Self {
        let packet = Vec::new();
        Self { protocol, keep_alive, stage: Stage::Header, packet, body: 0, is_answered: false }
    }

    /// Reads what the network sent, and appends to `near` what rumqttc may read.
    ///
    /// # Errors
    ///
    /// If the connection must end. The bytes in `near` are sound nevertheless.
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

    /// Reads one more byte of the fixed header (MQTT 5 section 2.1).
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

    /// Reads one more byte of an oversized message; `left` bytes follow.
    fn name(&mut self, left: usize, near: &mut Vec<u8>) {
        // Topic and id together are far shorter than an oversized message.
        let Some((topic, rest)) = properties::string(&self.packet[self.body..]) else { return };
        if rest.len() == id_length(self.packet[0]) {
            let bytes = self.packet.len() - self.body + left;
            skipped(self.protocol, self.packet[0], topic, rest, bytes, near);
            self.packet.clear();
            self.stage = Stage::Skipping(left);
        }
    }

    /// A packet is complete.
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
        // Gives memory back after a large packet, because the next ones are usually small.
        self.packet.shrink_to(4096);
        self.stage = Stage::Header;
        Ok(())
    }

    /// Section 3.2 of both versions. A broker that supports only 3.1.1 answers with 3.1.1, without
    /// properties.
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
            // The shorter keep-alive of broker and client. If the broker asks for none (0), ours.
            let asked = u16::from_be_bytes([self.packet[at], self.packet[at + 1]]);
            let agreed = if asked == 0 { self.keep_alive } else { asked.min(self.keep_alive) };
            self.packet[at..at + 2].copy_from_slice(&agreed.to_be_bytes());
        }
        near.extend_from_slice(&self.packet);
        Ok(())
    }

    /// Section 3.3 of both versions. Topics and payloads of other clients must not end the connection.
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

/// The length of a message's packet id: QoS 0 has none.
fn id_length(first: u8) -> usize {
    if first & 0b0110 == 0 { 0 } else { 2 }
}

/// Puts a small message in place of one that is skipped. rumqttc acknowledges it, so the broker continues.
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
