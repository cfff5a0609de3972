//! Access tokens: fetched once for all users, and renewed before they expire.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::Mutex;
use tokio::time::Instant;
use url::Url;

use super::clock::{now, wall};
use super::sign_in::answer::Issued;
use super::sign_in::authority::Authority;
use super::sign_in::method::Method;
use super::token_life::{RENEW_AGAIN, renew_after};
use crate::core::model::request::ReadFailure;

/// A source of tokens. At most one request is under way; all who wait share its result.
#[derive(Debug)]
pub struct TokenSource {
    way: Arc<Way>,
    attempts: AtomicU64,
    state: Mutex<State>,
}

/// How to ask for a token.
#[derive(Debug)]
struct Way {
    authority: Authority,
    resource: String,
    method: Method,
}

/// A token.
#[derive(Debug, Clone)]
pub struct AccessToken {
    secret: SecretString,
    ends: Timestamp,
}

#[derive(Debug, Default)]
struct State {
    cached: Option<Cached>,
    last_failure: Option<ReadFailure>,
}

#[derive(Debug)]
struct Cached {
    token: AccessToken,
    obtained: Instant,
    renew_at: Instant,
    ends: Instant,
}

impl AccessToken {
    /// The token, to send as a bearer token.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.secret.expose_secret()
    }

    /// When it expires, by the clock at its issue.
    #[must_use]
    pub fn ends(&self) -> Timestamp {
        self.ends
    }
}

impl TokenSource {
    /// Tokens for the Graph at `graph_url`.
    pub(super) fn new(authority: Authority, graph_url: &Url, method: Method) -> Self {
        let resource = graph_url.as_str().trim_end_matches('/').to_owned();
        let way = Arc::new(Way { authority, resource, method });
        Self { way, attempts: AtomicU64::new(0), state: Mutex::new(State::default()) }
    }

    pub(super) fn method(&self) -> &Method {
        &self.way.method
    }

    pub(super) fn resource(&self) -> &str {
        &self.way.resource
    }

    pub(super) fn authority(&self) -> &Authority {
        &self.way.authority
    }

    /// A token that is not about to expire, and not older than `max_age`. If none can be obtained, one that
    /// is still valid and not older than `own_age`.
    ///
    /// # Errors
    ///
    /// If there is no token and none can be obtained. All who waited for the same request get the same
    /// reason.
    pub async fn token(
        &self,
        max_age: Option<Duration>,
        own_age: Option<Duration>,
    ) -> Result<AccessToken, ReadFailure> {
        let attempts_before = self.attempts.load(Ordering::Acquire);
        // The age counts from here: a token that is obtained during the wait is new enough.
        let since = |age| now().checked_sub(age);
        let (oldest, own_from) = (max_age.and_then(since), own_age.and_then(since));
        let mut state = self.state.lock().await;
        let now = now();
        let too_old = |cached: &Cached| oldest.max(own_from).is_some_and(|oldest| cached.obtained < oldest);
        if let Some(cached) = state.cached.as_ref().filter(|cached| now < cached.renew_at && !too_old(cached))
        {
            return Ok(cached.token.clone());
        }
        if self.attempts.load(Ordering::Acquire) != attempts_before
            && let Some(failure) = &state.last_failure
        {
            return Err(failure.clone());
        }
        // A token that is too old is not accepted, from wherever it comes.
        let fresh = state.cached.as_ref().is_some_and(too_old);
        let result = self.fetch(fresh).await;
        self.attempts.fetch_add(1, Ordering::Release);
        match result {
            Ok(issued) => Ok(state.keep(issued)),
            Err(failure) => state.make_do(failure, own_from),
        }
    }

    /// Asks for a token in its own task: a refresh token that the service has replaced must be stored even if
    /// no one waits for the access token any more. The timeout of the request ends the task.
    #[expect(clippy::disallowed_methods, reason = "it is joined unless the one who waits was dropped")]
    async fn fetch(&self, fresh: bool) -> Result<Issued, ReadFailure> {
        let way = Arc::clone(&self.way);
        let fetch = async move { way.method.fetch(&way.authority, &way.resource, fresh).await };
        match tokio::spawn(fetch).await {
            Ok(result) => result,
            Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
            // The program is ending.
            Err(error) => Err(ReadFailure::Passing { why: error.to_string().into(), retry_after: None }),
        }
    }
}

impl State {
    fn keep(&mut self, issued: Issued) -> AccessToken {
        self.last_failure = None;
        let ends = wall().checked_add(issued.lives).unwrap_or(Timestamp::MAX);
        let token = AccessToken { secret: issued.token, ends };
        let now = now();
        let renew_at = now + renew_after(issued.lives, fastrand::f64());
        self.cached =
            Some(Cached { token: token.clone(), obtained: now, renew_at, ends: now + issued.lives });
        tracing::debug!(lives = ?issued.lives, "new access token");
        token
    }

    /// A token that is still valid is better than none, unless it belongs to another person.
    fn make_do(
        &mut self,
        failure: ReadFailure,
        own_from: Option<Instant>,
    ) -> Result<AccessToken, ReadFailure> {
        let now = now();
        let own = self.cached.as_mut().filter(|cached| own_from.is_none_or(|from| cached.obtained >= from));
        match own {
            Some(cached) if now < cached.ends && matches!(failure, ReadFailure::Passing { .. }) => {
                tracing::debug!(%failure, "the token could not be renewed yet");
                cached.renew_at = now + RENEW_AGAIN;
                Ok(cached.token.clone())
            }
            Some(_) | None => {
                self.last_failure = Some(failure.clone());
                Err(failure)
            }
        }
    }
}
