//! What a busy light shows.
//!
//! In reading order: `settings` is what is configured, and what that makes of a presence; `busiest` says
//! whose presence counts, `also` what else does (`condition` is a template that says so, `input` what was
//! heard), `hours` when, `scheme` has the built-in colours, `walk` every state there is, `driven` when a
//! device has to be told, `shown_off` how somebody tries one, and `lights` has all of them; `color` and
//! `look` are what a light can be told, `preset` says it in each device's own words, `template` is what our
//! user writes for that.

pub mod also;
mod busiest;
pub mod color;
pub mod condition;
mod driven;
pub mod hours;
mod input;
#[expect(clippy::module_inception, reason = "all lights are what the folder is about")]
pub(super) mod lights;
pub mod look;
pub mod preset;
mod scheme;
pub mod settings;
mod shown_off;
pub mod snapshot;
pub mod template;
pub mod walk;
