//! The broker: looked for where it usually is, and tried.

use std::time::Duration;

use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::config::{Broker, Config, InvalidBroker};
use crate::core::model::event::LinkFailure;
use crate::mqtt::address::Address;
use crate::mqtt::one_shot::{OneShot, OneShotError};

/// This machine, Home Assistant's own broker as its apps see it, and as the network sees it.
const USUAL: [&str; 3] = ["localhost", "core-mosquitto", "homeassistant.local"];

const PORT: u16 = 1883;

/// For an answer from one of them.
const PROBE_TIMEOUT: Duration = Duration::from_secs(2);

/// The first that somebody listens at.
pub(crate) async fn usual() -> Option<&'static str> {
    let [first, second, third] = USUAL.map(answers);
    let (first, second, third) = tokio::join!(first, second, third);
    [first, second, third].into_iter().flatten().next()
}

async fn answers(host: &'static str) -> Option<&'static str> {
    let connected = timeout(PROBE_TIMEOUT, TcpStream::connect((host, PORT))).await;
    connected.is_ok_and(|connected| connected.is_ok()).then_some(host)
}

/// A connection to the broker of a draft, as a command's.
pub(crate) async fn connect(config: &Config) -> Result<OneShot, OneShotError> {
    OneShot::connect(&Address::of_command(&config.mqtt, "setup")).await
}

/// Whether it is there, and lets only those in whom it knows.
pub(crate) fn wants_a_name(failure: &OneShotError) -> bool {
    matches!(
        failure,
        OneShotError::Link(LinkFailure::Refused(_) | LinkFailure::NotLetIn | LinkFailure::Closed)
    )
}

/// The URL of a host, of a host and a port, or as it is.
pub(crate) fn url(text: &str) -> Result<String, InvalidBroker> {
    let url = if text.contains("://") { text.to_owned() } else { format!("mqtt://{text}") };
    url.parse().map(|broker: Broker| broker.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_enough() {
        for (typed, expected) in [
            ("localhost", "mqtt://localhost:1883"),
            ("10.0.0.2:1884", "mqtt://10.0.0.2:1884"),
            ("mqtts://broker.example", "mqtts://broker.example:8883"),
        ] {
            assert_eq!(url(typed).unwrap(), expected);
        }
        for bad in ["", "http://broker.example", "mqtt://a:b@broker.example"] {
            assert!(url(bad).is_err(), "{bad:?}");
        }
    }
}
