//! What a busy light shows.
//!
//! In reading order: `settings` is what is configured, and what that makes of a presence; `busiest` says whose presence
//! counts, `hours` when, `scheme` has the built-in colours, `walk` every state there is, `driven` when a device has to
//! be told; `color` and `look` are what a light can be told, `preset` says it in each device's own words.

pub(super) mod busiest;
pub mod color;
pub(super) mod driven;
pub mod hours;
pub mod look;
pub mod preset;
mod scheme;
pub mod settings;
pub mod walk;
