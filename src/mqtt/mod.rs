//! The edge towards the broker. It obeys the core: one connection per order, no retries, no memory of what
//! was sent.
//!
//! In reading order: [`publisher`] takes orders and reports events, `session` is one connection with its
//! `window` of unacknowledged messages, and [`one_shot`] is a connection of a command that is soon over
//! ([`wildcards`] tries one thing that brokers differ in). [`address`] and `tls` say
//! where to and how. `line` carries a connection: `reach` goes from the name over TCP (`dial`) and TLS to a
//! `websocket`, and what comes back passes the [`gate`]. `client`, `transport`, `v3` and `v5` are the only
//! ones that know rumqttc, which speaks plain MQTT over the line; they speak to the session in `wire`'s
//! words, and `failure` says why a connection ended.

pub mod address;
mod client;
mod dial;
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
