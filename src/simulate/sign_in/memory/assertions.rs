//! The client assertions that came.

use std::collections::VecDeque;

use super::bounded::keep;

/// Assertions that are remembered.
const REMEMBERED: usize = 1_024;

/// The newest assertions that came, oldest first, and the ids of those that were good.
#[derive(Debug, Default)]
pub(in crate::simulate) struct Assertions {
    seen: VecDeque<String>,
    used_ids: VecDeque<String>,
}

impl Assertions {
    pub(in super::super) fn saw(&mut self, assertion: &str) {
        keep(&mut self.seen, REMEMBERED, assertion.to_owned());
    }

    /// Whether a good assertion's id was never used before; from now on it was.
    pub(in super::super) fn is_first_use(&mut self, id: String) -> bool {
        let is_first = !self.used_ids.contains(&id);
        if is_first {
            keep(&mut self.used_ids, REMEMBERED, id);
        }
        is_first
    }

    pub(in crate::simulate) fn seen(&self) -> Vec<String> {
        self.seen.iter().cloned().collect()
    }
}
