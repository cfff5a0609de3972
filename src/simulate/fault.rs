//! Faults of the tenant: what goes wrong, for which requests, and how often.

use std::time::Duration;

use crate::core::model::name::ObjectId;

use super::route::{Endpoint, Service};

/// One kind of fault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// An error with the text that Graph uses for this status.
    Error {
        /// The HTTP status, such as 429 or 503.
        status: u16,
        /// What the `Retry-After` header says, if there is one.
        retry_after: Option<RetryAfter>,
    },
    /// An error answer whose `message` is empty.
    EmptyMessage {
        /// The HTTP status.
        status: u16,
    },
    /// An error of the sign-in service, by its AADSTS number; for [`Endpoint::Token`] and
    /// [`Endpoint::DeviceCode`].
    SignIn {
        /// The number, such as 7000222 for an expired secret.
        code: u32,
    },
    /// The normal answer, after a delay.
    Slow(Duration),
    /// The normal answer, sixteen bytes at a time, with this pause between them.
    Dribble(Duration),
    /// No answer until the faults are cleared or the server stops; then the normal one.
    Hang,
    /// The connection is reset without an answer.
    Reset,
    /// The normal headers and half of the body; then the connection ends.
    Truncate,
    /// A page of HTML with status 200, as a captive portal sends it.
    Html,
    /// The normal answer, with half of a surrogate pair in every name and message, and in an unknown member.
    HalfCharacters,
    /// Presences whose `availability` is a number.
    WrongType,
    /// The *user* object where a presence belongs.
    UserInstead,
    /// A body of 64 MiB.
    Huge,
    /// A redirection to another address.
    Redirect {
        /// What the `Location` header says.
        location: String,
    },
}

/// The value of a `Retry-After` header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RetryAfter {
    /// A number of seconds.
    Seconds(u64),
    /// An HTTP date this far in the future; whole seconds are all it can say.
    Date(Duration),
}

/// Which requests a fault affects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// Every request, sign-in too.
    All,
    /// Every request to Graph.
    Graph,
    /// Every request that sets presence; a single action is an endpoint.
    Writes,
    /// Requests to one endpoint.
    Endpoint(Endpoint),
    /// Requests to Graph with this person in path or body, or with a token of this person.
    Person(ObjectId),
}

/// How often a fault happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Times {
    /// The next requests, this many.
    Next(u32),
    /// All requests until the faults are cleared.
    UntilCleared,
    /// Each request until the faults are cleared, with this probability in per cent.
    Chance(u8),
}

impl Fault {
    /// An error with this status, without `Retry-After`.
    #[must_use]
    pub fn status(status: u16) -> Self {
        Self::Error { status, retry_after: None }
    }

    /// Too many requests, with a `Retry-After` of so many seconds.
    #[must_use]
    pub fn throttled(seconds: u64) -> Self {
        Self::Error { status: 429, retry_after: Some(RetryAfter::Seconds(seconds)) }
    }

    /// Whether nothing of the normal answer is sent, as if the service had not processed the request.
    pub(super) fn replaces_answer(&self) -> bool {
        match self {
            Self::Error { .. }
            | Self::EmptyMessage { .. }
            | Self::SignIn { .. }
            | Self::Html
            | Self::Redirect { .. } => true,
            Self::Slow(_)
            | Self::Dribble(_)
            | Self::Hang
            | Self::Reset
            | Self::Truncate
            | Self::HalfCharacters
            | Self::WrongType
            | Self::UserInstead
            | Self::Huge => false,
        }
    }
}

/// The active faults. The first one that was switched on takes precedence.
#[derive(Debug, Default)]
pub(super) struct Faults(Vec<Armed>);

#[derive(Debug)]
struct Armed {
    fault: Fault,
    scope: Scope,
    times: Times,
}

impl Faults {
    pub(super) fn arm(&mut self, fault: Fault, scope: Scope, times: Times) {
        if times != Times::Next(0) {
            self.0.push(Armed { fault, scope, times });
        }
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// The fault for a request to this endpoint, if there is one. Counts it as used once.
    pub(super) fn take(
        &mut self,
        endpoint: Endpoint,
        random: &mut fastrand::Rng,
        concerns: impl Fn(ObjectId) -> bool,
    ) -> Option<Fault> {
        let meets = |scope| match scope {
            Scope::All => true,
            Scope::Graph => endpoint.service() == Service::Graph,
            Scope::Writes => endpoint.is_write(),
            Scope::Endpoint(one) => endpoint == one,
            Scope::Person(id) => endpoint.service() == Service::Graph && concerns(id),
        };
        let mut happens = |times| match times {
            Times::Chance(per_cent) => random.u8(0..100) < per_cent,
            Times::Next(_) | Times::UntilCleared => true,
        };
        let index = self.0.iter().position(|armed| meets(armed.scope) && happens(armed.times))?;
        let armed = &mut self.0[index];
        let fault = armed.fault.clone();
        match &mut armed.times {
            Times::Next(1) => {
                self.0.remove(index);
            }
            Times::Next(left) => *left -= 1,
            Times::UntilCleared | Times::Chance(_) => {}
        }
        Some(fault)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_are_used_up_in_order_and_only_where_they_belong() {
        let mut faults = Faults::default();
        let bulk = Endpoint::PresencesByUserId;
        faults.arm(Fault::status(500), Scope::Endpoint(bulk), Times::Next(2));
        faults.arm(Fault::Reset, Scope::Graph, Times::UntilCleared);
        faults.arm(Fault::Html, Scope::All, Times::Next(0));
        let mut random = fastrand::Rng::with_seed(1);
        let mut take = |endpoint| faults.take(endpoint, &mut random, |_| false);
        assert_eq!(take(Endpoint::Token), None);
        assert_eq!(take(bulk), Some(Fault::status(500)));
        assert_eq!(take(Endpoint::User), Some(Fault::Reset));
        assert_eq!(take(bulk), Some(Fault::status(500)));
        assert_eq!(take(bulk), Some(Fault::Reset));
        faults.clear();
        assert_eq!(faults.take(bulk, &mut random, |_| true), None);
    }

    #[test]
    fn a_chance_meets_some_requests_and_leaves_the_others_to_later_faults() {
        let mut faults = Faults::default();
        let mut random = fastrand::Rng::with_seed(1);
        faults.arm(Fault::status(401), Scope::Graph, Times::Chance(50));
        faults.arm(Fault::Html, Scope::Graph, Times::Next(100));
        let mut refused = 0;
        for _ in 0..200 {
            match faults.take(Endpoint::MyPresence, &mut random, |_| false) {
                Some(Fault::Error { status: 401, .. }) => refused += 1,
                Some(Fault::Html) | None => {}
                other => panic!("{other:?}"),
            }
        }
        assert!((70..130).contains(&refused), "{refused}");
    }
}
