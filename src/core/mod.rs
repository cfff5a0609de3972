//! Decides and does nothing: an event and the time come in, effects go out, and when to be woken next. Knows
//! no socket, clock, environment or task.
//!
//! ```text
//!  Event ──> Bridge::on ──> Vec<Effect>          Bridge::wake_at ──> the earliest of everybody's deadlines
//!               │ routes, and lets departments meet by argument
//!     ┌─────────┼──────────┬───────────────┬────────────────┬───────────┬──────────┐
//!  accounts   people     groups          broker       home_assistant  lights    health
//!     │      (Roster)  (who comes     (Link, Claim,     (what it     (what they  (what was
//!     │                 and goes)        Outbox)        was told)       show)      said)
//!   each: requests (what Graph is asked), sign_in (who is in), commands (what users send)
//! ```
//!
//! - [`bridge`] is the root: the only place that has them all. A presence that changed goes `requests` (what
//!   was asked) → `people` (what it means) → `Roster::next_changed`, the one fan-out → `lights`,
//!   `home_assistant`, `broker::outbox`. Who came and went goes the same way, whatever the reason.
//! - `people` and `groups` are of all accounts, and each of them says whose they are. An account knows
//!   nothing of the others; accounts of one app share a budget, in turn.
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

mod accounts;
pub mod bridge;
mod broker;
mod context;
mod groups;
mod health;
pub mod home_assistant;
pub mod lights;
pub mod model;
mod people;
pub mod rehearsal;
mod snapshot;
mod suspend;

#[cfg(test)]
mod tests;
