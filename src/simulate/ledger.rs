//! Counts and records requests, for tests and for users who want to look.

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::time::Duration;

use serde_json::Value;

use crate::core::model::name::ObjectId;

use super::action::Action;
use super::route::{Endpoint, Service};

/// How many requests, and how many accepted changes of presence, are recorded one by one; the counters
/// continue.
pub const REMEMBERED: usize = 2_000;

/// Counters of all requests, and the newest requests one by one.
#[derive(Debug, Clone, Default)]
pub struct Requests {
    /// All requests, to whatever service.
    pub total: u64,
    /// Requests to the token endpoint.
    pub token: u64,
    /// Requests to Graph.
    graph: u64,
    /// Requests by endpoint.
    pub by_endpoint: BTreeMap<Endpoint, u64>,
    /// Requests by the status of their answer; unanswered ones are not counted here.
    pub by_status: BTreeMap<u16, u64>,
    /// The newest requests, oldest first, at most [`REMEMBERED`].
    pub log: VecDeque<Request>,
}

/// One request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// When it was processed, since the tenant began.
    pub at: Duration,
    /// What it asked for.
    pub endpoint: Endpoint,
    /// The HTTP method.
    pub method: String,
    /// Path and query as they were sent.
    pub path: String,
    /// The status of the answer; `None` if there was none or the connection was reset.
    pub status: Option<u16>,
    /// The id the client gave it.
    pub client_request_id: Option<String>,
    /// Which connection it came on, counted from 1.
    pub connection: u64,
    /// The client's end of that connection.
    pub peer: SocketAddr,
}

/// A change of presence that Graph accepted.
#[derive(Debug, Clone, PartialEq)]
pub struct Written {
    /// When it was done, since the tenant began.
    pub at: Duration,
    /// Whose presence it was.
    pub person: ObjectId,
    /// The action.
    pub action: Action,
    /// The JSON that was sent; an empty object if nothing was, where Graph wants nothing.
    pub body: Value,
}

impl Requests {
    /// Requests to Graph: everything but sign-in and managed identities.
    #[must_use]
    pub fn graph(&self) -> u64 {
        self.graph
    }

    /// Requests to one endpoint.
    #[must_use]
    pub fn to(&self, endpoint: Endpoint) -> u64 {
        self.by_endpoint.get(&endpoint).copied().unwrap_or(0)
    }

    /// Requests to set presence, with any action, accepted or not.
    #[must_use]
    pub fn writes(&self) -> u64 {
        Action::ALL.into_iter().map(|action| self.to(Endpoint::Write(action))).sum()
    }

    /// Requests answered with one status.
    #[must_use]
    pub fn with_status(&self, status: u16) -> u64 {
        self.by_status.get(&status).copied().unwrap_or(0)
    }

    pub(super) fn record(&mut self, request: Request) {
        self.total += 1;
        self.token += u64::from(request.endpoint == Endpoint::Token);
        self.graph += u64::from(request.endpoint.service() == Service::Graph);
        *self.by_endpoint.entry(request.endpoint).or_default() += 1;
        if let Some(status) = request.status {
            *self.by_status.entry(status).or_default() += 1;
        }
        if self.log.len() == REMEMBERED {
            self.log.pop_front();
        }
        self.log.push_back(request);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_log_is_bounded_and_the_counters_are_not() {
        let mut requests = Requests::default();
        let many = REMEMBERED as u64 + 10;
        for number in 0..many {
            requests.record(Request {
                at: Duration::from_secs(number),
                endpoint: Endpoint::User,
                method: "GET".into(),
                path: "/".into(),
                status: Some(200),
                client_request_id: None,
                connection: 1,
                peer: ([127, 0, 0, 1], 1).into(),
            });
        }
        assert_eq!(requests.log.len(), REMEMBERED);
        assert_eq!(requests.log[0].at, Duration::from_secs(10));
        assert_eq!((requests.graph(), requests.with_status(200)), (many, many));
    }
}
