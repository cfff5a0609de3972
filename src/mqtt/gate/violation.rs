//! What ends a connection.

/// Why a connection must not go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Violation {
    /// The first byte is no CONNACK, but as TLS says that it was not understood.
    #[error("this port speaks TLS; write mqtts:// (or wss://) in mqtt.url")]
    SpeaksTls,
    /// Nor is it anything else of MQTT.
    #[error("no MQTT broker answers there; check the host and port in mqtt.url")]
    NoBroker,
    /// The connection is refused, for a reason that this client does not know.
    #[error("the broker refuses the connection with reason code {0:#04x}")]
    Refused(u8),
    /// A packet is not what MQTT says it is.
    #[error("the broker sent a packet that is not MQTT")]
    Malformed,
    /// A packet that only a client sends, or that belongs to quality 2 or to an authentication, neither of
    /// which was offered.
    #[error("the broker sent a packet of a kind that was not asked for")]
    NotAskedFor,
    /// A packet that is no message, and larger than any of its kind.
    #[error("the broker sent a packet that is too large")]
    TooLarge,
    /// A connection is accepted once (MQTT 5 section 3.2).
    #[error("the broker accepted the connection a second time")]
    SecondConnack,
    /// The client offered no topic aliases (MQTT 5 section 3.3.2.3.4).
    #[error("the broker uses topic aliases, which it was not offered")]
    TopicAlias,
}
