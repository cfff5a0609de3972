//! Publishes Microsoft Teams presence to an MQTT broker.
//!
//! ```text
//!             reads                                        orders
//! Graph <──> graph::fetcher <──┐                     ┌──> mqtt::publisher <──> broker
//!            (edge)            └── run: one loop ────┘    (edge)
//!                                    │  feeds and obeys
//!                                  core: events and the time in, effects out
//! ```
//!
//! The map, in reading order:
//!
//! - [`core`] decides everything and does no input or output: what is read when, which values count, what the
//!   broker should hold, and what has to be sent. It knows no socket, clock, environment or task. One root
//!   routes events between departments that own their state; its own map is in `src/core/mod.rs`.
//!   `clippy.toml` and `tests/it/architecture.rs` enforce both.
//! - [`graph`] is the edge towards Microsoft: requests, answers turned into presence events, and signing in,
//!   with its own task that invites people and notices new credentials. It knows nothing of MQTT.
//! - [`mqtt`] is the edge towards the broker: one connection at a time, messages in the order given. It knows
//!   nothing of Graph, and remembers no sent message.
//! - [`http`] serves the status page, health checks and metrics. It asks the loop, and knows neither Graph
//!   nor MQTT; [`meters`] are the counters and timers of those two.
//! - [`run`] is the loop between them, and the only place with a clock for the core. It also reports the
//!   bridge's state to systemd.
//! - [`disk`] opens files: those that the configuration names, and those in the bridge's own folder. It does
//!   not know what they contain.
//! - [`config`] turns the written configuration into a checked one. No later code checks it again.
//! - [`view`] shows what a client of the broker receives, as a table or as lines. It knows topics, not the
//!   bridge.
//! - `setup` is the set-up without its user interface, which is the terminal (`cli/setup`) or, at a first
//!   start, the page. It knows the edges, but not the loop; its `steps` are as pure as the core. `hearing`
//!   finds out whether a light's device answers.
//! - `chain` puts an error and its causes into one line, and `distance` writes durations; all texts for
//!   people use them.
//! - [`cli`] is the command line; only `main` reads the environment and exits.
//! - `simulate` is a tenant for tests and for people without one; `demo` adds a broker and shows everything
//!   at work. Only `cli` uses these two.
//!
//! An edge waits when the loop is busy. The loop waits only for the next event.
#![cfg_attr(test, allow(clippy::disallowed_methods, reason = "tests are an edge"))]

#[cfg(not(unix))]
compile_error!("presence2mqtt runs on Linux and macOS; on Windows use WSL 2 or a container");

mod chain;
pub mod cli;
pub mod config;
pub mod core;
#[cfg(feature = "demo")]
pub mod demo;
pub mod disk;
mod distance;
pub mod graph;
mod hearing;
pub mod http;
pub mod meters;
pub mod mqtt;
pub mod run;
mod setup;
#[cfg(feature = "demo")]
pub mod simulate;
pub mod view;
