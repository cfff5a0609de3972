//! What a no means, and the sentence about it for whoever asked.

use std::time::Duration;

use crate::graph::caller::Caller;

/// What a no means for the bridge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::graph::sign_in) enum Verdict {
    /// It passes by itself.
    Passes,
    /// It passes if the service is left alone for this long.
    PassesAfter(Duration),
    /// Never again before somebody acts.
    Act(Advice),
}

/// What is wrong, and what to do and where to click. An app has no person who could sign in again, and a
/// managed identity has no registration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::graph::sign_in) struct Advice {
    why: &'static str,
    person: &'static str,
    app: &'static str,
    managed_identity: &'static str,
}

impl Advice {
    /// Sends an app and a managed identity to the logs, where an administrator sees what is about them.
    pub(super) const fn new(why: &'static str, person: &'static str) -> Self {
        let app = "ask an administrator to look under Entra admin center > Sign-in logs > Service principal sign-ins";
        let managed_identity = "ask an administrator to look under Entra admin center > Sign-in logs > Managed identity sign-ins";
        Self { why, person, app, managed_identity }
    }

    /// The same for the person and the app, which is registered for both.
    pub(super) const fn registered(why: &'static str, what: &'static str) -> Self {
        Self::new(why, what).app(what)
    }

    /// The same for all.
    pub(super) const fn all(why: &'static str, what: &'static str) -> Self {
        Self::registered(why, what).managed_identity(what)
    }

    pub(super) const fn app(self, app: &'static str) -> Self {
        Self { app, ..self }
    }

    pub(super) const fn managed_identity(self, managed_identity: &'static str) -> Self {
        Self { managed_identity, ..self }
    }

    /// The sentence for whoever asked.
    pub(in crate::graph::sign_in) fn sentence(&self, caller: Caller) -> String {
        let what = match caller {
            Caller::Person => self.person,
            Caller::App => self.app,
            Caller::ManagedIdentity => self.managed_identity,
        };
        format!("{}: {what}", self.why)
    }
}
