//! What somebody who listens on the broker sees: for `watch` and for the demonstration.
//!
//! It knows topics and nothing else: not the bridge, which may be elsewhere, and not Graph. In reading order:
//! [`picture`] is what was heard, made of `person` and `bridge`, and `legible` keeps it harmless; [`frame`] lays it out
//! in `line`s, some of them a `table`; [`screen`] draws it in place; [`show`] does either that or prints lines, and
//! listens.

mod bridge;
pub mod frame;
mod legible;
pub mod line;
mod person;
pub mod picture;
pub mod screen;
pub mod show;
pub(crate) mod table;
#[cfg(test)]
mod tests;
