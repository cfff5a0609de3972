//! The edge towards the broker. It carries out the core's orders: one connection for each order, no retries,
//! no memory of sent messages.
//!
//! In reading order: [`publisher`] takes orders and reports events, `session` is one connection with its
//! `window` of unacknowledged messages, and [`one_shot`] is the connection of a short command ([`wildcards`]
//! tries one thing in which brokers differ). [`address`] and `tls` hold the address and the credentials.
//! `line` is the relay between rumqttc and the network: rumqttc comes in by its `entrance`, `reach` connects
//! by TCP (`dial`), TLS and perhaps `websocket`, and what comes back passes the [`gate`]. Only `client`, `v3`
//! and `v5` know rumqttc, which speaks plain MQTT to the relay, within the limits of `transport`; they report
//! to the session in the terms of `wire`, and `failure` says why a connection ended.

pub mod address;
mod client;
mod clock;
mod dial;
mod entrance;
mod failure;
pub mod gate;
mod line;
pub mod one_shot;
pub mod publisher;
mod reach;
mod session;
#[cfg(test)]
mod tests;
mod tls;
mod transport;
mod v3;
mod v5;
mod websocket;
pub mod wildcards;
mod window;
mod wire;

pub use tls::TlsError;
