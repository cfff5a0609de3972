//! Which file under `src` imports what from which other, and where that runs in a circle.
//!
//! `source` reads one file, [`arrows`] follows what it says to the files that define it, and [`circles`]
//! finds who can be reached from where it began. What only tests see is left out throughout.

mod circle;
mod source;
#[cfg(test)]
mod tests;
mod tree;

use std::collections::{BTreeMap, BTreeSet};

pub(crate) use circle::circles;
pub(crate) use tree::arrows;

/// Importing file → file that defines the names → the names.
pub(crate) type Arrows = BTreeMap<String, BTreeMap<String, BTreeSet<String>>>;
