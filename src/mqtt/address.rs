//! What a connection needs: the broker's address, and the client's credentials.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};

use super::dial::Resolver;
use super::reach::Target;
use super::tls::{self, TlsError};
use crate::config::{Mqtt, Scheme, SecretError};
use crate::core::model::mqtt::Protocol;
use crate::core::model::settings::MqttSettings;
use crate::core::model::topic::{BridgeField, OFFLINE, Topics};

/// Why a connection cannot be tried.
#[derive(Debug, thiserror::Error)]
pub enum AddressError {
    /// The TLS configuration cannot be made.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The password cannot be read.
    #[error("the broker's password cannot be read")]
    Password(#[from] SecretError),
    /// rumqttc cannot reach the relay.
    #[error("the relay inside this process has no socket")]
    Line(#[source] std::io::Error),
}

/// The broker, and one client's identity there.
#[derive(Debug, Clone)]
pub struct Address {
    mqtt: Mqtt,
    client_id: String,
    will: Option<Will>,
    resolver: Resolver,
    turn: Turn,
}

/// Selects one of several addresses: the last one that worked, or the next one after each failure. Shared by
/// all clients that connect to the same broker for the same purpose.
#[derive(Debug, Clone, Default)]
pub(super) struct Turn(Arc<AtomicUsize>);

impl Turn {
    /// The address did not work.
    pub(super) fn passes(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    fn now(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

/// The last will: what the broker publishes when this client is lost. Retained, QoS 1, without an expiry.
#[derive(Debug, Clone)]
pub struct Will {
    /// The topic.
    pub topic: String,
    /// The payload.
    pub payload: &'static str,
}

impl Will {
    /// The last will of the bridge.
    #[must_use]
    pub fn of_bridge(settings: &MqttSettings) -> Self {
        let topics = Topics::from_settings(settings);
        Self { topic: topics.of_bridge(BridgeField::State), payload: OFFLINE }
    }

    /// The last will of a waiting instance: it removes the retained `waiting`.
    fn of_waiting(settings: &MqttSettings) -> Self {
        Self { topic: Topics::from_settings(settings).standby(&settings.instance), payload: "" }
    }
}

/// The parameters of one connection, with passwords and certificates as they were just read.
#[derive(Debug)]
pub(super) struct Access {
    pub(super) client_id: String,
    pub(super) target: Target,
    /// User name and password.
    pub(super) credentials: Option<(String, SecretString)>,
    pub(super) will: Option<Will>,
    pub(super) keep_alive: Duration,
}

impl Address {
    /// The bridge's own connection, with its last will.
    #[must_use]
    pub fn of_bridge(mqtt: &Mqtt, will: Will) -> Self {
        let client_id = mqtt.settings.client_id.to_string();
        Self {
            mqtt: mqtt.clone(),
            client_id,
            will: Some(will),
            resolver: Resolver::System,
            turn: Turn::default(),
        }
    }

    /// The same with the last will of the bridge.
    #[must_use]
    pub fn with_will(self, will: Will) -> Self {
        Self { will: Some(will), ..self }
    }

    /// The connection before the bridge knows whether another one is running: `<client_id>-<instance>`,
    /// without a last will. A waiting instance in standby has a last will that removes its `waiting`.
    pub(super) fn of_visitor(&self) -> Self {
        let settings = &self.mqtt.settings;
        let client_id = format!("{}-{}", self.client_id, settings.instance);
        let will = settings.standby.then(|| Will::of_waiting(settings));
        Self { client_id, will, ..self.clone() }
    }

    /// A connection of a short command: `<client_id>-<command>-<random>`, without a last will.
    #[must_use]
    pub fn of_command(mqtt: &Mqtt, command: &str) -> Self {
        let random = uuid::Uuid::new_v4().as_simple().to_string();
        let client_id = format!("{}-{command}-{}", mqtt.settings.client_id, &random[..8]);
        Self { mqtt: mqtt.clone(), client_id, will: None, resolver: Resolver::System, turn: Turn::default() }
    }

    /// The same, with a test's answers instead of DNS.
    #[cfg(test)]
    pub(super) fn resolved_by(self, resolver: Resolver) -> Self {
        Self { resolver, ..self }
    }

    /// The version of MQTT to try first.
    pub(super) fn protocol(&self) -> Protocol {
        self.mqtt.settings.protocol
    }

    /// The number of configured addresses.
    pub(super) fn count(&self) -> usize {
        self.mqtt.brokers.iter().len()
    }

    /// The index of the address to try.
    pub(super) fn turn(&self) -> Turn {
        self.turn.clone()
    }

    pub(super) fn resolver(&self) -> Resolver {
        self.resolver.clone()
    }

    /// Reads passwords and certificates, to find out whether a connection can be tried.
    ///
    /// # Errors
    ///
    /// If a file is missing or not what it should be.
    pub fn check(&self) -> Result<(), AddressError> {
        self.access().map(drop)
    }

    /// Reads passwords and certificates again, because they may have been replaced.
    ///
    /// # Errors
    ///
    /// If a file is missing or not what it should be.
    pub(super) fn access(&self) -> Result<Access, AddressError> {
        let Mqtt { brokers, credentials, settings, .. } = &self.mqtt;
        let turn = self.turn.now();
        let broker = brokers.in_turn(turn);
        let is_websocket = matches!(broker.scheme, Scheme::Ws | Scheme::Wss);
        let tls = broker.scheme.is_tls().then(|| tls::client_config(&self.mqtt)).transpose()?;
        let read = |credentials: &crate::config::Credentials| {
            let password = credentials.password.as_ref().map(|secret| secret.read()).transpose()?;
            let password = password.map_or_else(SecretString::default, |password| {
                SecretString::from(password.expose_secret().to_owned())
            });
            Ok::<_, AddressError>((credentials.username.clone(), password))
        };
        Ok(Access {
            client_id: self.client_id.clone(),
            target: Target {
                host: broker.host.clone(),
                // Each name may have several IP addresses as well.
                turn: turn / brokers.iter().len(),
                port: broker.port,
                tls,
                websocket: is_websocket.then(|| broker.to_string()),
            },
            credentials: credentials.as_ref().map(read).transpose()?,
            will: self.will.clone(),
            keep_alive: settings.keep_alive,
        })
    }
}
