//! The options of rumqttc that are the same for both versions of MQTT.

use rumqttc::{Proxy, ProxyAuth, ProxyType};

use super::gate;
use super::line::{self, Line};

/// The largest packet, in and out. The gate lets no larger one in.
pub(super) const LARGEST_PACKET: u32 = gate::LARGEST as u32;

/// The most unacknowledged messages, and packet ids. rumqttc needs memory for each, a tenth of a megabyte in
/// all. Smaller than the core's window, so that a next message is always ready.
pub(super) const INFLIGHT: u16 = 400;

/// Seconds until the broker must have answered. Reaching the broker has its own, shorter limit.
pub(super) const CONNECT_LIMIT: u64 = 10;

/// The transport of every connection: the relay.
pub(super) fn proxy(line: &Line) -> Proxy {
    let auth = ProxyAuth::Basic { username: line::USER.to_owned(), password: line.key().to_owned() };
    Proxy { ty: ProxyType::Http, auth, addr: "127.0.0.1".to_owned(), port: line.port() }
}
