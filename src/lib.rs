//! Microsoft Teams presence on an MQTT broker, kept true.
#![cfg_attr(test, allow(clippy::disallowed_methods))]
pub mod config;
pub mod core;
pub mod graph;
pub mod mqtt;
#[cfg(feature = "demo")]
pub mod simulate;
