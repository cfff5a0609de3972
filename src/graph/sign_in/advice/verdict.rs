//! The meaning of a refusal, and the sentence for the one whose sign-in was refused.

use std::time::Duration;

use crate::graph::caller::Caller;

/// The meaning of a refusal for the bridge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::graph::sign_in) enum Verdict {
    /// Temporary.
    Passes,
    /// Temporary; retry after this pause.
    PassesAfter(Duration),
    /// Permanent, until a person acts.
    Act(Advice),
}

/// What is wrong, what to do and where to click. It differs for an app, which no person can sign in again,
/// and for a managed identity, which has no registration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::graph::sign_in) struct Advice {
    why: &'static str,
    person: &'static str,
    app: &'static str,
    managed_identity: &'static str,
}

impl Advice {
    /// For a person this sentence; an app or managed identity is referred to the sign-in logs.
    pub(super) const fn new(why: &'static str, person: &'static str) -> Self {
        let app = "ask an administrator to look under Entra admin center > Sign-in logs > Service principal sign-ins";
        let managed_identity = "ask an administrator to look under Entra admin center > Sign-in logs > Managed identity sign-ins";
        Self { why, person, app, managed_identity }
    }

    /// The same sentence for a person and an app, both of which use the registration.
    pub(super) const fn registered(why: &'static str, what: &'static str) -> Self {
        Self::new(why, what).app(what)
    }

    /// The same sentence for all three.
    pub(super) const fn all(why: &'static str, what: &'static str) -> Self {
        Self::registered(why, what).managed_identity(what)
    }

    pub(super) const fn app(self, app: &'static str) -> Self {
        Self { app, ..self }
    }

    pub(super) const fn managed_identity(self, managed_identity: &'static str) -> Self {
        Self { managed_identity, ..self }
    }

    /// The sentence for this caller.
    pub(in crate::graph::sign_in) fn sentence(&self, caller: Caller) -> String {
        let what = match caller {
            Caller::Person => self.person,
            Caller::App => self.app,
            Caller::ManagedIdentity => self.managed_identity,
        };
        format!("{}: {what}", self.why)
    }
}
