//! Reasons to end a connection.

/// Why a connection must not go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Violation {
    /// The first byte is no CONNACK but a TLS alert: the port expects TLS.
    #[error("this port uses TLS; write mqtts:// (or wss://) in mqtt.url")]
    SpeaksTls,
    /// The first byte belongs to no MQTT packet.
    #[error("no MQTT broker answers there; check the host and port in mqtt.url")]
    NoBroker,
    /// The broker refuses the connection with a reason code that is not in the specification.
    #[error("the broker refuses the connection with reason code {0:#04x}")]
    Refused(u8),
    /// A packet breaks the rules of MQTT.
    #[error("the broker sent a packet that is not MQTT")]
    Malformed,
    /// A packet that only clients send, or that belongs to QoS 2 or to authentication, which the client did
    /// not offer.
    #[error("the broker sent a packet of an unexpected kind")]
    NotAskedFor,
    /// A packet that is not a message, and is larger than any packet of its kind may be.
    #[error("the broker sent a packet that is too large")]
    TooLarge,
    /// A connection is accepted once (MQTT 5 section 3.2).
    #[error("the broker accepted the connection a second time")]
    SecondConnack,
    /// The client offered no topic aliases (MQTT 5 section 3.3.2.3.4).
    #[error("the broker uses topic aliases, which this client did not offer")]
    TopicAlias,
}
