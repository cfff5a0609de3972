//! Everything secret that was ever handed out, so that tests can look for it where it must not be.

use std::collections::VecDeque;

use super::bounded::keep;

/// How many secrets are remembered.
const REMEMBERED: usize = 16_384;

/// The newest secrets, oldest first.
#[derive(Debug, Default)]
pub(in crate::simulate) struct Secrets(VecDeque<String>);

impl Secrets {
    pub(in crate::simulate) fn remember(&mut self, secret: &str) {
        keep(&mut self.0, REMEMBERED, secret.to_owned());
    }

    pub(in crate::simulate) fn all(&self) -> Vec<String> {
        self.0.iter().cloned().collect()
    }
}
