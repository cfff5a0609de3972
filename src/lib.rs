//! Microsoft Teams presence on an MQTT broker, kept true.
#![cfg_attr(test, allow(clippy::disallowed_methods))]
pub mod cli;
pub mod config;
pub mod core;
#[cfg(feature = "demo")]
pub mod demo;
pub mod graph;
pub mod mqtt;
pub mod run;
#[cfg(feature = "demo")]
pub mod simulate;
