//! What a connection of rumqttc is made of, in either version of MQTT.

use rumqttc::{Proxy, ProxyAuth, ProxyType};

use super::gate;
use super::line::{self, Line};

/// Bytes of one packet, in and out. What comes and is larger does not come through the gate.
pub(super) const LARGEST_PACKET: u32 = gate::LARGEST as u32;

/// Messages in flight towards the broker, and packet ids: rumqttc takes memory for each, a tenth of a
/// megabyte in all. Below the core's window, so that there is always a next one.
pub(super) const INFLIGHT: u16 = 400;

/// Seconds for everything up to the broker's answer; reaching it has a shorter limit of its own.
pub(super) const CONNECT_LIMIT: u64 = 10;

/// The way of every connection.
pub(super) fn proxy(line: &Line) -> Proxy {
    let auth = ProxyAuth::Basic { username: line::USER.to_owned(), password: line.key().to_owned() };
    Proxy { ty: ProxyType::Http, auth, addr: "127.0.0.1".to_owned(), port: line.port() }
}
