//! The edge towards the broker. It obeys the core: one connection per order, no retries, no memory of what was sent.
//!
//! In reading order: [`publisher`] takes orders and reports events, `session` is one connection and the only
//! place that knows rumqttc, [`address`] and `tls` say where to and how, `failure` says why not, and
//! [`one_shot`] is a connection of a command that is soon over.

pub mod address;
mod failure;
pub mod one_shot;
pub mod publisher;
mod session;
mod tls;

pub use tls::TlsError;
