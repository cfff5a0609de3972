//! The broker: looked for where it usually is, and tried.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::config::{Broker, Config, Environment, InvalidBroker};
use crate::core::model::event::LinkFailure;
use crate::mqtt::address::Address;
use crate::mqtt::one_shot::{OneShot, OneShotError};

/// This machine, Home Assistant's own broker as its apps see it, and as the network sees it.
const USUAL: &str = "localhost:1883,core-mosquitto:1883,homeassistant.local:1883";

/// Other places, for whoever has one and for tests.
const PLACES: &str = "PRESENCE2MQTT_SETUP_BROKERS";

/// For an answer from one of them.
const PROBE_TIMEOUT: Duration = Duration::from_secs(2);

/// The first of the places where a broker usually is that somebody listens at.
pub(crate) async fn usual(environment: &Environment) -> Option<String> {
    let places = environment.get(PLACES).unwrap_or(USUAL).split(',').filter(|place| !place.is_empty());
    // All at once, for those that do not answer take their time.
    let mut probes = JoinSet::new();
    for (i, place) in places.map(str::to_owned).enumerate() {
        probes.spawn(async move { (i, answers(place).await) });
    }
    let mut found = BTreeMap::new();
    while let Some(probe) = probes.join_next().await {
        if let Ok((i, Some(place))) = probe {
            found.insert(i, place);
        }
    }
    found.into_values().next()
}

async fn answers(place: String) -> Option<String> {
    let connected = timeout(PROBE_TIMEOUT, TcpStream::connect(&place)).await;
    connected.is_ok_and(|connected| connected.is_ok()).then_some(place)
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

    #[tokio::test]
    async fn the_first_place_that_answers_is_found() {
        let [one, other] = [0, 1].map(|_| std::net::TcpListener::bind("127.0.0.1:0").unwrap());
        let [one, other] = [&one, &other].map(|listener| listener.local_addr().unwrap().to_string());
        let gone = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        for (places, expected) in [
            (format!("{gone},{other},{one}"), Some(&other)),
            (format!("{one},{other}"), Some(&one)),
            (gone.to_string(), None),
            (String::new(), None),
        ] {
            let environment = [(PLACES.to_owned(), places)].into_iter().collect();
            assert_eq!(usual(&environment).await.as_ref(), expected);
        }
    }

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
