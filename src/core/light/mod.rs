//! What a busy light shows.
//!
//! In reading order: `color` and `look` are what a light can be told, `preset` says it in each device's own words.

pub mod color;
pub mod look;
pub mod preset;
