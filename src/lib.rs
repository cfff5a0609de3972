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
//! - [`core`] decides everything and does nothing: what is read when, whose values may be believed, what the
//!   broker should hold, and what has to be sent. It knows no socket, clock, environment or task. One root
//!   routes between departments that own their state; its own map is in `src/core/mod.rs`. `clippy.toml` and
//!   `tests/it/architecture.rs` hold both.
//! - [`graph`] is the edge towards Microsoft: requests, answers turned into normalised presence events, and
//!   signing in, with a task of its own that invites people and notices new credentials. It knows nothing of
//!   MQTT.
//! - [`mqtt`] is the edge towards the broker: one connection at a time, messages in the order given. It knows
//!   nothing of Graph, and remembers nothing that was sent.
//! - [`http`] answers whoever asks how the bridge is: health checks, metrics and a status page. It asks the
//!   loop, and knows neither Graph nor MQTT; [`meters`] is what those two count and time for it.
//! - [`run`] is the loop between them and the only place with a clock for the core. It also tells systemd how
//!   it is.
//! - [`disk`] opens files: those that somebody names, and the folder that is the bridge's own. It knows
//!   nothing of what is in them.
//! - [`config`] turns what may be written into what the rest may rely on. Nothing after it checks again.
//! - [`view`] is what a listener on the broker sees, on a terminal or as lines. It knows topics, not the
//!   bridge.
//! - `setup` is what a set-up knows, whoever asks: the terminal (`cli/setup`) or, at a first start, the page.
//!   It knows the edges, and neither the loop nor a face; its `steps` are as pure as the core. `hearing`
//!   finds out whether a light's device is there.
//! - `chain` puts an error and its causes into one line, and `distance` says how far away a moment is;
//!   whoever talks to people uses them.
//! - [`cli`] is the command line; only `main` reads the environment and exits.
//! - `simulate` is a tenant for tests and for people without one; `demo` adds a broker and shows everything
//!   at work. Neither is known to anything above.
//!
//! Who waits for whom: the edges wait for the loop when it is busy; the loop waits for nobody but the next
//! event.
#![cfg_attr(test, allow(clippy::disallowed_methods, reason = "tests are an edge"))]

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
