//! A broker inside the process, for the demonstration and for tests; not for daily use.

use std::net::{Ipv4Addr, SocketAddr};

use mqtt5::broker::config::{StorageBackend, StorageConfig};
use mqtt5::broker::{BrokerConfig, BrokerShutdownHandle, MqttBroker};
use tokio::task::JoinSet;

/// The queue for one client, in messages: the retained topics of a hundred thousand people arrive in one
/// burst.
const QUEUE: usize = 300_000;

/// A broker on a loopback port, without persistence and without passwords.
pub struct EmbeddedBroker {
    address: SocketAddr,
    shutdown: BrokerShutdownHandle,
    task: JoinSet<()>,
}

/// Why the broker cannot run.
#[derive(Debug, thiserror::Error)]
#[error("the embedded broker cannot listen on port {port}")]
pub struct BrokerError {
    port: u16,
    #[source]
    source: Option<mqtt5::MqttError>,
}

impl EmbeddedBroker {
    /// Listens on `port` of the loopback address; 0 takes a free one.
    ///
    /// # Errors
    ///
    /// If the port is taken.
    pub async fn start(port: u16) -> Result<Self, BrokerError> {
        let storage = StorageConfig {
            backend: StorageBackend::Memory,
            enable_persistence: false,
            max_queued_messages_per_client: QUEUE,
            ..StorageConfig::default()
        };
        let config = BrokerConfig {
            bind_addresses: vec![SocketAddr::from((Ipv4Addr::LOCALHOST, port))],
            client_channel_capacity: QUEUE,
            storage_config: storage,
            sys_topics_enabled: false,
            ..BrokerConfig::default()
        };
        let failed = |source| BrokerError { port, source: Some(source) };
        let mut broker = MqttBroker::with_config(config).await.map_err(failed)?;
        let address = broker.local_addr().ok_or(BrokerError { port, source: None })?;
        let shutdown = broker.shutdown_handle();
        let mut task = JoinSet::new();
        task.spawn(async move {
            if let Err(error) = broker.run().await {
                tracing::warn!(%error, "the embedded broker ended");
            }
        });
        Ok(Self { address, shutdown, task })
    }

    /// The address on which it listens.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// Cuts every connection and forgets all messages.
    pub async fn stop(mut self) {
        self.shutdown.shutdown();
        self.task.join_next().await;
    }
}
