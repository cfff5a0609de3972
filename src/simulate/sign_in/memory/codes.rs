//! The authorization codes in the world.

use std::collections::VecDeque;
use std::time::Duration;

use super::bounded::keep;
use super::signed_in::SignedIn;

/// Codes that are remembered, also those that were used.
const REMEMBERED: usize = 1_024;

/// The codes in the world, oldest first.
#[derive(Debug, Default)]
pub(in super::super) struct Codes(VecDeque<Code>);

#[derive(Debug)]
pub(in super::super) struct Code {
    pub(in super::super) secret: String,
    pub(in super::super) signed_in: SignedIn,
    pub(in super::super) redirect_uri: String,
    pub(in super::super) challenge: String,
    pub(in super::super) ends: Duration,
    pub(in super::super) redeemed: bool,
}

impl Codes {
    pub(in super::super) fn add(&mut self, code: Code) {
        keep(&mut self.0, REMEMBERED, code);
    }

    pub(in super::super) fn find(&mut self, secret: &str) -> Option<&mut Code> {
        self.0.iter_mut().find(|code| code.secret == secret)
    }
}
