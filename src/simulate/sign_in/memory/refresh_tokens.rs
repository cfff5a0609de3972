//! The refresh tokens in the world.

use std::collections::VecDeque;
use std::time::Duration;

use super::bounded::keep;
use super::signed_in::SignedIn;

/// Refresh tokens that are remembered; older ones are forgotten, which to a client looks like an invalid
/// token.
const REMEMBERED: usize = 1_024;

/// The refresh tokens in the world, oldest first.
#[derive(Debug, Default)]
pub(in crate::simulate) struct RefreshTokens {
    issued: VecDeque<Issued>,
    /// How many were ever issued.
    count: u64,
}

#[derive(Debug, Clone)]
pub(in super::super) struct Issued {
    pub(in super::super) number: u64,
    /// The token it was got with, until it is used for the first time.
    parent: Option<u64>,
    text: String,
    pub(in super::super) signed_in: SignedIn,
    pub(in super::super) ends: Duration,
    /// The AADSTS number it is refused with.
    pub(in super::super) refused: Option<u32>,
}

impl RefreshTokens {
    pub(in super::super) fn find(&self, text: &str) -> Option<Issued> {
        self.issued.iter().find(|issued| issued.text == text).cloned()
    }

    pub(in super::super) fn add(
        &mut self,
        text: String,
        signed_in: SignedIn,
        ends: Duration,
        parent: Option<u64>,
    ) {
        self.count += 1;
        let token = Issued { number: self.count, parent, text, signed_in, ends, refused: None };
        keep(&mut self.issued, REMEMBERED, token);
    }

    /// Ends the token this one was got with, and whatever else was got with that and never used.
    pub(in super::super) fn used(&mut self, token: &Issued) {
        let Some(parent) = token.parent else { return };
        self.issued.retain(|other| {
            other.number == token.number || (other.number != parent && other.parent != Some(parent))
        });
        for issued in self.issued.iter_mut().filter(|issued| issued.number == token.number) {
            issued.parent = None;
        }
    }

    /// Refuses every token there is with this AADSTS number, for good.
    pub(in crate::simulate) fn refuse_all(&mut self, code: u32) {
        for issued in &mut self.issued {
            issued.refused = Some(code);
        }
    }
}
