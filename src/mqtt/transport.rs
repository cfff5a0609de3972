//! What a connection of rumqttc is made of, in either version of MQTT.

use rumqttc::{Proxy, ProxyAuth, ProxyType, TlsConfiguration, Transport};

use super::address::Access;
use super::relay::{self, Relay};

/// Bytes of one packet, in and out: far above the largest `state`, which carries two cut messages.
pub(super) const LARGEST_PACKET: u32 = 256 * 1024;

/// Messages in flight towards the broker, and packet ids: rumqttc takes memory for each, a tenth of a megabyte in all. Below
/// the core's window, so that there is always a next one.
pub(super) const INFLIGHT: u16 = 400;

/// Seconds for everything up to the broker's answer; reaching it has a shorter limit of its own.
pub(super) const CONNECT_LIMIT: u64 = 10;

pub(super) fn transport(access: &Access) -> Transport {
    let tls = access.tls.clone().map(TlsConfiguration::Rustls);
    match (access.is_websocket, tls) {
        (false, None) => Transport::Tcp,
        (false, Some(tls)) => Transport::Tls(tls),
        (true, None) => Transport::Ws,
        (true, Some(tls)) => Transport::Wss(tls),
    }
}

pub(super) fn proxy(relay: &Relay) -> Proxy {
    let auth = ProxyAuth::Basic { username: relay::USER.to_owned(), password: relay.key().to_owned() };
    Proxy { ty: ProxyType::Http, auth, addr: "127.0.0.1".to_owned(), port: relay.port() }
}
