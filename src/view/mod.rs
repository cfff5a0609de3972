//! What somebody who listens on the broker sees: for `watch` and for the demonstration.
//!
//! It knows topics and nothing else: not the bridge, which may be elsewhere, and not Graph. In reading order:
//! [`picture`] is what was heard, made of `person` and `bridge`, as text that is harmless; [`frame`] lays it
//! out in `line`s, some of them a `table`; [`screen`] draws it in place; [`show`] does either that or prints
//! lines, and listens.

mod bridge;
pub mod frame;
pub mod line;
mod person;
pub mod picture;
pub mod screen;
pub mod show;
pub(crate) mod table;
#[cfg(test)]
mod tests;

/// Characters of a sentence that are shown at most.
const SENTENCE: usize = 400;

/// Characters of a client id that are kept at most, as many as a configured one may have: whoever keeps many
/// of them must not be filled by long ones.
const ID: usize = 64;
