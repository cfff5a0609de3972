//! Decides and does nothing: an event and the time come in, effects go out, and when to be woken next. Knows
//! no socket, clock, environment or task.
//!
//! ```text
//!  Event ──> Bridge::on ──> Vec<Effect>          Bridge::wake_at ──> the earliest of everybody's deadlines
//!               │ routes, and lets departments meet by argument
//!               ├──────────────────────┬──────────────────┬──────────────────┬──────────────┐
//!           graph_side               broker         home_assistant         lights         health
//!               │                 (Link, Claim,     (what it was      (what they show)  (what was
//!               │                    Outbox)            told)                              said)
//!     ┌─────────┼──────────────────────────────┐
//!   people    groups                        account, each:
//!  (Roster)  (who comes     requests (what Graph is asked), commands (what users send),
//!             and goes)     sign_in (who is in)
//! ```
//!
//! - [`bridge`] is the root: the only place that has them all. A presence that changed goes `requests` (what
//!   was asked) → `people` (what it means) → `Roster::next_changed`, the one fan-out → `lights`,
//!   `home_assistant`, `broker::outbox`. Who came and went goes the same way, whatever the reason.
//! - `graph_side` has the people and groups of all accounts, which stand together, and each says whose they
//!   are. An `account` has requests, a sign-in and commands of its own and knows nothing of the others.
//!   Accounts of one app share a budget, in turn.
//! - `snapshot` is what is said of all of it at once: the words of health, and what the status page shows.
//! - `context` is what everybody is handed: the time, the settings, the names of topics, the budgets,
//!   randomness, where effects go.
//! - [`model`] are plain values, which decide nothing. `suspend` tells sleep from time that was lived
//!   through.
//! - [`rehearsal`] lets the root decide with nobody at the edges, for `check --online`.
//! - Each department owns its state privately. It sees the context, the model, and by argument at most the
//!   roster and its people, the requests and what they are about, or the outbox; `tests/it/architecture.rs`
//!   holds that.
//!
//! Where does a new rule go? To the department whose state it asks; if it asks two, the root hands one's
//! answer to the other. A line in a table of `tests` shows it: times and events in, effects out.

mod account;
pub mod bridge;
mod broker;
mod commands;
mod context;
mod graph_side;
mod groups;
mod health;
pub mod home_assistant;
pub mod lights;
pub mod model;
mod people;
pub mod rehearsal;
mod requests;
pub mod sign_in;
mod snapshot;
mod suspend;

#[cfg(test)]
mod tests;
