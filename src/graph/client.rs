//! One request to Graph: the path, the token, the bounded answer.

use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;
use reqwest::header::{LOCATION, RETRY_AFTER};
use reqwest::{RequestBuilder, StatusCode};
use tokio::time::Instant;
use url::Url;

use super::http::{Http, HttpError, body, on_the_way};
use super::sign_in::authority::Authority;
use super::sign_in::delegated::DelegatedSignIn;
use super::sign_in::method::{Caller, Method};
use super::token::TokenSource;
use super::{answer, members, refusal, retry_after, setting};
use crate::core::command::{Read, What, Whom, Write};
use crate::core::event::{Answer, ReadFailure};
use crate::core::name::ObjectId;
use crate::core::setting::Setting;
use crate::meters::GraphMeter;

/// Bytes of an answer about one person.
const LARGEST_SINGLE_ANSWER: usize = 1024 * 1024;

/// Bytes of an answer about 650 people, each perhaps with an automatic reply of some kilobytes.
const LARGEST_BULK_ANSWER: usize = 16 * 1024 * 1024;

/// Bytes of an answer about 999 members of a group, each with two names of any script.
const LARGEST_MEMBERS_ANSWER: usize = 4 * 1024 * 1024;

/// Where Graph is and how to get in.
#[derive(Debug)]
pub struct Access<'a> {
    /// The bare root of Graph.
    pub graph_url: &'a Url,
    /// The bare root of the sign-in service.
    pub login_url: &'a Url,
    /// GUID or domain.
    pub tenant: &'a str,
    /// Extra certificate authorities.
    pub ca_file: Option<&'a Path>,
    /// For one whole request.
    pub timeout: Duration,
}

/// A client of one tenant's Graph.
#[derive(Debug)]
pub struct GraphClient {
    http: Http,
    root: Url,
    caller: Caller,
    tokens: TokenSource,
    meter: GraphMeter,
}

impl GraphClient {
    /// A client that has sent nothing yet.
    ///
    /// # Errors
    ///
    /// If the certificate authorities cannot be loaded.
    pub fn new(access: &Access<'_>, method: Method) -> Result<Self, HttpError> {
        let http = Http::new([access.graph_url, access.login_url], access.ca_file, access.timeout)?;
        let authority = Authority::new(http.clone(), access.login_url, access.tenant);
        let caller = method.caller();
        let tokens = TokenSource::new(authority, access.graph_url, method);
        let root = access.graph_url.clone();
        Ok(Self { http, root, caller, tokens, meter: GraphMeter::default() })
    }

    /// The same, counting into this meter.
    #[must_use]
    pub fn metered(self, meter: GraphMeter) -> Self {
        Self { meter, ..self }
    }

    /// The person's sign-in that tokens come from, if it is one's.
    #[must_use]
    pub fn delegated(&self) -> Option<&DelegatedSignIn> {
        self.tokens.method().delegated()
    }

    /// Gets a token, or has one, without asking Graph for anything.
    ///
    /// # Errors
    ///
    /// If the sign-in service refuses, or cannot be asked.
    pub async fn sign_in(&self) -> Result<(), ReadFailure> {
        self.tokens.token(None).await.map(drop)
    }

    /// From now on uses new connections, to Graph and to the sign-in service, with the same tokens. Requests under way
    /// end on the old ones.
    ///
    /// After a sleep the old connections are dead, and a read on one would wait until that shows.
    ///
    /// # Errors
    ///
    /// If the HTTP client cannot be made again; the old connections are kept then.
    pub fn forget_connections(&self) -> Result<(), HttpError> {
        self.http.forget_connections()
    }

    /// The bare root of Graph, as the sign-in service knows it.
    #[must_use]
    pub fn resource(&self) -> &str {
        self.tokens.resource()
    }

    /// The sign-in service that tokens come from.
    #[must_use]
    pub fn authority(&self) -> &Authority {
        self.tokens.authority()
    }

    /// Does one read. A repeat, also one with a new token, is the core's to order.
    ///
    /// # Errors
    ///
    /// Whatever keeps the answer from being one; the kind says whether and when to try again.
    pub async fn read(&self, read: &Read) -> Result<Answer, ReadFailure> {
        let exchange = |request| self.exchange(request, &read.what);
        self.with_token(self.request(&read.what), read.token_max_age, exchange).await
    }

    /// Does one write. A repeat with a new token is the core's to order.
    ///
    /// # Errors
    ///
    /// Whatever keeps it from being known that it was done.
    pub async fn write(&self, write: &Write) -> Result<Answer, ReadFailure> {
        let (action, body) = setting::request(write);
        let id = match &write.whom {
            Whom::Me => None,
            Whom::User(id) => Some(id.to_string()),
        };
        let url = match &id {
            None => self.url(&["me", "presence", action]),
            Some(id) => self.url(&["users", id, "presence", action]),
        };
        let request = self.http.client().post(url).json(&body);
        let exchange = |request| exchange_write(request, &write.setting, self.caller);
        self.with_token(request, write.token_max_age, exchange).await
    }

    async fn with_token<Exchange>(
        &self,
        request: RequestBuilder,
        token_max_age: Option<Duration>,
        exchange: impl FnOnce(RequestBuilder) -> Exchange,
    ) -> Result<Answer, ReadFailure>
    where
        Exchange: Future<Output = Result<Answer, ReadFailure>>,
    {
        let token = self.tokens.token(token_max_age).await.inspect_err(|failure| {
            self.meter.ended::<Answer>(&Err(failure.clone()), None);
        })?;
        self.meter.token_ends(token.ends());
        let id = uuid::Uuid::new_v4().to_string();
        let request = request.bearer_auth(token.expose()).header("client-request-id", &id);
        let began = now();
        let outcome = exchange(request).await;
        self.meter.ended(&outcome, Some(began.elapsed()));
        match &outcome {
            Ok(_) => tracing::trace!(client_request_id = id, "Graph answered"),
            Err(failure) => tracing::debug!(client_request_id = id, %failure, "a request failed"),
        }
        if let Err(ReadFailure::TokenRefused { .. }) = outcome {
            self.tokens.refused(&token).await;
        }
        outcome
    }

    fn request(&self, what: &What) -> RequestBuilder {
        let http = self.http.client();
        match what {
            What::Me => http.get(self.url(&["me", "presence"])),
            What::User(id) => http.get(self.url(&["users", &id.to_string(), "presence"])),
            What::Communications(id) => http.get(self.url(&["communications", "presences", &id.to_string()])),
            What::Bulk(ids) => http
                .post(self.url(&["communications", "getPresencesByUserId"]))
                .json(&serde_json::json!({ "ids": ids })),
            What::Resolve(name) => {
                let mut url = self.url(&["users", name.as_str()]);
                url.set_query(Some("$select=id,userPrincipalName,displayName"));
                http.get(url)
            }
            What::Members(group, page) => {
                members::request(http.get(members::address(&self.members_url(*group), page.as_ref())))
            }
        }
    }

    fn members_url(&self, group: ObjectId) -> Url {
        self.url(&members::path(group).each_ref().map(String::as_str))
    }

    async fn exchange(&self, request: RequestBuilder, what: &What) -> Result<Answer, ReadFailure> {
        let limit = match what {
            What::Bulk(_) => LARGEST_BULK_ANSWER,
            What::Members(..) => LARGEST_MEMBERS_ANSWER,
            What::Me | What::User(_) | What::Communications(_) | What::Resolve(_) => LARGEST_SINGLE_ANSWER,
        };
        let Whole { status, wait, bytes } = whole(request, limit).await?;
        if !status.is_success() {
            return Err(refusal::of_status(status, wait, &bytes, what, self.caller));
        }
        let answer = match what {
            What::Bulk(_) => answer::list(&bytes).map(Answer::People),
            What::Me | What::User(_) | What::Communications(_) => answer::single(&bytes).map(Answer::People),
            What::Resolve(_) => answer::user_id(&bytes).map(Answer::Resolved),
            What::Members(group, _) => {
                return members::page(&bytes, &self.members_url(*group))
                    .map(Answer::Members)
                    .map_err(|error| refusal::of_members(&error, self.caller));
            }
        };
        answer.map_err(|error| ReadFailure::Passing { why: error.to_string(), retry_after: None })
    }

    fn url(&self, path: &[&str]) -> Url {
        let mut url = self.root.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.clear().push("v1.0").extend(path);
        }
        url
    }
}

async fn exchange_write(
    request: RequestBuilder,
    setting: &Setting,
    caller: Caller,
) -> Result<Answer, ReadFailure> {
    let Whole { status, wait, bytes } = whole(request, LARGEST_SINGLE_ANSWER).await?;
    if status.is_success() {
        return Ok(Answer::Written);
    }
    match (setting, refusal::of_write(status, wait, &bytes, caller)) {
        // There is no session to end, which is what was wanted.
        (Setting::EndSession, ReadFailure::NotFound) => Ok(Answer::Written),
        (_, failure) => Err(failure),
    }
}

/// An answer that arrived, whatever it says.
struct Whole {
    status: StatusCode,
    wait: Option<Duration>,
    bytes: Vec<u8>,
}

async fn whole(request: RequestBuilder, limit: usize) -> Result<Whole, ReadFailure> {
    let passing = |why: String, retry_after| ReadFailure::Passing { why, retry_after };
    let response = request.send().await.map_err(|error| passing(on_the_way(error), None))?;
    let status = response.status();
    let header = |name| response.headers().get(name).map(|value| value.as_bytes());
    if status.is_redirection() {
        let location = header(LOCATION).and_then(|bytes| std::str::from_utf8(bytes).ok());
        return Err(refusal::of_redirect(location));
    }
    let wait = retry_after::parse(header(RETRY_AFTER), wall());
    let bytes = body(response, limit).await.map_err(|error| passing(error.to_string(), wait))?;
    Ok(Whole { status, wait, bytes })
}

#[expect(clippy::disallowed_methods, reason = "the edge reads the clock")]
pub(super) fn wall() -> Timestamp {
    Timestamp::now()
}

#[expect(clippy::disallowed_methods, reason = "the edge reads the clock")]
fn now() -> Instant {
    Instant::now()
}
