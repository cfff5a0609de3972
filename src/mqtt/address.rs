//! Where the broker is and who connects: everything one connection needs.

use std::time::Duration;

use rumqttc::{LastWill, MqttOptions, QoS, TlsConfiguration, Transport};
use secrecy::ExposeSecret;

use super::tls::{self, TlsError};
use crate::config::{Mqtt, Scheme, SecretError};

/// Bytes of one packet, in and out: far above the largest `state`, which carries two cut messages.
pub const LARGEST_PACKET: usize = 256 * 1024;

/// Messages in flight towards the broker; what is beyond waits in rumqttc's channel.
const INFLIGHT: u16 = 100;

/// Why a connection cannot even be tried.
#[derive(Debug, thiserror::Error)]
pub enum AddressError {
    /// No TLS.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// No password.
    #[error("the broker's password cannot be read")]
    Password(#[from] SecretError),
}

/// The broker as one client sees it.
#[derive(Debug, Clone)]
pub struct Address {
    mqtt: Mqtt,
    client_id: String,
    will: Option<Will>,
}

/// What the broker says when this client is lost; retained, at least once.
#[derive(Debug, Clone)]
pub struct Will {
    /// Where.
    pub topic: String,
    /// What.
    pub payload: &'static str,
}

/// rumqttc's options, which would show the password in `Debug`.
pub(super) struct Options(pub(super) MqttOptions);

impl Address {
    /// The bridge's own connection, with its last will.
    #[must_use]
    pub fn of_bridge(mqtt: &Mqtt, will: Will) -> Self {
        Self { mqtt: mqtt.clone(), client_id: mqtt.client_id.to_string(), will: Some(will) }
    }

    /// A connection of a command that is soon over: `<client_id>-<command>-<random>`, without a will.
    #[must_use]
    pub fn of_command(mqtt: &Mqtt, command: &str) -> Self {
        let random = uuid::Uuid::new_v4().as_simple().to_string();
        let client_id = format!("{}-{command}-{}", mqtt.client_id, &random[..8]);
        Self { mqtt: mqtt.clone(), client_id, will: None }
    }

    /// How often the connection proves itself alive.
    pub(super) fn keep_alive(&self) -> Duration {
        self.mqtt.keep_alive
    }

    /// Options for one connection; passwords and certificates are read anew.
    ///
    /// # Errors
    ///
    /// If a file is missing or not what it should be.
    pub(super) fn options(&self) -> Result<Options, AddressError> {
        let broker = &self.mqtt.broker;
        let host = match broker.scheme {
            Scheme::Mqtt | Scheme::Mqtts => broker.host.clone(),
            // rumqttc takes a WebSocket's address from the whole URL.
            Scheme::Ws | Scheme::Wss => broker.to_string(),
        };
        let mut options = MqttOptions::new(&self.client_id, host, broker.port);
        options.set_transport(match broker.scheme {
            Scheme::Mqtt => Transport::Tcp,
            Scheme::Mqtts => Transport::Tls(TlsConfiguration::Rustls(tls::client_config(&self.mqtt)?)),
            Scheme::Ws => Transport::Ws,
            Scheme::Wss => Transport::Wss(TlsConfiguration::Rustls(tls::client_config(&self.mqtt)?)),
        });
        if let Some(credentials) = &self.mqtt.credentials {
            let password = credentials.password.as_ref().map(|secret| secret.read()).transpose()?;
            let password = password.as_ref().map_or("", |secret| secret.expose_secret());
            options.set_credentials(&credentials.username, password);
        }
        if let Some(will) = &self.will {
            options.set_last_will(LastWill::new(&will.topic, will.payload, QoS::AtLeastOnce, true));
        }
        options.set_keep_alive(self.mqtt.keep_alive);
        options.set_max_packet_size(LARGEST_PACKET, LARGEST_PACKET);
        options.set_inflight(INFLIGHT);
        options.set_clean_session(true);
        Ok(Options(options))
    }
}
