//! Turns of those who share a budget.

/// Whoever had no turn for longest is first.
#[derive(Debug)]
pub(super) struct Turns(Vec<usize>);

impl Turns {
    pub(super) fn of_many(count: usize) -> Self {
        Self((0..count).collect())
    }

    /// Lets each do one thing after the other until none does anything, so that none of those that share a
    /// budget uses it up. Somebody with a budget of their own takes nobody's turn: whoever did something is
    /// last from now on.
    pub(super) fn round(&mut self, mut does: impl FnMut(usize) -> bool) {
        let mut at = 0;
        while let Some(&index) = self.0.get(at) {
            if does(index) {
                self.0[at..].rotate_left(1);
            } else {
                at += 1;
            }
        }
    }
}
