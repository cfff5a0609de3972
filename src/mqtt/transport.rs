//! The options of rumqttc that are the same for both versions of MQTT.

use super::gate;

/// The largest packet, in and out. The gate lets no larger one in.
pub(super) const LARGEST_PACKET: u32 = gate::LARGEST as u32;

/// The most unacknowledged messages, and packet ids. rumqttc needs memory for each, a tenth of a megabyte in
/// all. Smaller than the core's window, so that a next message is always ready.
pub(super) const INFLIGHT: u16 = 400;

/// Seconds until the broker must have answered. Reaching the broker has its own, shorter limit.
pub(super) const CONNECT_LIMIT: u64 = 10;

/// What `MqttOptions::new` wants, and nobody reads of a Unix socket.
pub(super) const NO_PORT: u16 = 0;
