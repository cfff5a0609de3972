//! The device codes in the world.

use std::collections::VecDeque;
use std::time::Duration;

use super::bounded::keep;
use crate::core::model::name::ObjectId;
use crate::simulate::sign_in::scope::Scopes;

/// Codes that are remembered, also those whose time is over.
const REMEMBERED: usize = 1_024;

/// The codes in the world, oldest first.
#[derive(Debug, Default)]
pub(in crate::simulate) struct DeviceCodes(VecDeque<DeviceCode>);

#[derive(Debug)]
pub(in super::super) struct DeviceCode {
    pub(in super::super) secret: String,
    pub(in super::super) user_code: String,
    pub(in super::super) scopes: Scopes,
    pub(in super::super) ends: Duration,
    /// How long the app has to wait between two questions.
    pub(in super::super) interval: Duration,
    pub(in super::super) asked_at: Option<Duration>,
    pub(in super::super) asked: u32,
    pub(in super::super) outcome: Outcome,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Outcome {
    Pending,
    Approved(ObjectId),
    Declined,
    Redeemed,
}

impl DeviceCodes {
    pub(in super::super) fn add(&mut self, code: DeviceCode) {
        keep(&mut self.0, REMEMBERED, code);
    }

    pub(in super::super) fn find(&mut self, secret: &str) -> Option<&mut DeviceCode> {
        self.0.iter_mut().find(|code| code.secret == secret)
    }

    /// Whether the code that somebody typed waits for somebody.
    pub(in super::super) fn is_waiting(&mut self, typed: &str, now: Duration) -> bool {
        self.waiting(typed, now).is_some()
    }

    /// The user codes nobody has used yet, oldest first.
    pub(in crate::simulate) fn pending(&self, now: Duration) -> Vec<String> {
        self.0.iter().filter(|code| code.is_waiting(now)).map(|code| code.user_code.clone()).collect()
    }

    /// Signs this person in for the code, or declines it; false if the code does not wait for anybody.
    pub(in crate::simulate) fn decide(&mut self, typed: &str, now: Duration, who: Option<ObjectId>) -> bool {
        self.waiting(typed, now).is_some_and(|code| {
            code.outcome = who.map_or(Outcome::Declined, Outcome::Approved);
            true
        })
    }

    /// The waiting code that somebody typed, perhaps with small letters, spaces or hyphens.
    fn waiting(&mut self, typed: &str, now: Duration) -> Option<&mut DeviceCode> {
        let typed: String = typed.chars().filter(char::is_ascii_alphanumeric).collect();
        let typed = |code: &&mut DeviceCode| code.user_code.eq_ignore_ascii_case(&typed);
        self.0.iter_mut().filter(|code| code.is_waiting(now)).find(typed)
    }
}

impl DeviceCode {
    fn is_waiting(&self, now: Duration) -> bool {
        self.outcome == Outcome::Pending && now < self.ends
    }
}
