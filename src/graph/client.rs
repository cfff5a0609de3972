//! One request to Graph: the path, the token, the bounded answer.

use std::path::Path;
use std::time::Duration;

use reqwest::RequestBuilder;
use reqwest::header::{LOCATION, RETRY_AFTER};
use url::Url;

use super::caller::Caller;
use super::clock::{now, wall};
use super::http::{Http, HttpError, body, on_the_way};
use super::operation::{Ask, Graph, Said, Whole};
use super::sign_in::authority::Authority;
use super::sign_in::delegated::DelegatedSignIn;
use super::sign_in::method::Method;
use super::token::{AccessToken, TokenSource};
use super::{refusal, retry_after};
use crate::core::model::request::{ReadFailure, Request};
use crate::meters::GraphMeter;

/// Pages of one answer: 650 people, who come on pages of twenty or more where they come on pages at all.
const MOST_PAGES: usize = 40;

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
        self.tokens.token(None, None).await.map(drop)
    }

    /// From now on uses new connections, to Graph and to the sign-in service, with the same tokens. Requests
    /// under way end on the old ones.
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

    /// Does one request, with as many pages as its answer has. A repeat, also one with a new token, is the
    /// core's to order.
    ///
    /// # Errors
    ///
    /// Whatever keeps the answer from being one; the kind says whether and when to try again.
    pub async fn ask<O: Ask>(&self, request: &Request<O>) -> Result<O::Answer, ReadFailure> {
        self.ask_counting(request, &mut 0).await
    }

    /// The same, and counts how many requests more than one it took.
    pub(super) async fn ask_counting<O: Ask>(
        &self,
        request: &Request<O>,
        further: &mut u32,
    ) -> Result<O::Answer, ReadFailure> {
        let token = self.tokens.token(request.token_max_age, request.own_token_age).await;
        let token = token.inspect_err(|failure| {
            self.meter.ended::<O::Answer>(&Err(failure.clone()), None);
        })?;
        self.meter.token_ends(token.ends());
        let (operation, graph) = (&request.operation, Graph { root: &self.root, client: self.http.client() });
        // For all pages together: so many as fill it would fill the memory.
        let mut room = operation.largest_answer();
        let first = self.one(operation, operation.request(&graph), &token, &mut room).await?;
        let Said { mut answer, mut rest } = first;
        for _ in 1..MOST_PAGES {
            let Some(page) = rest.take() else { break };
            *further += 1;
            // What came stands. Whoever is missing is read alone, and meets there what is wrong here.
            let Ok(more) = self.one(operation, graph.client.get(page), &token, &mut room).await else {
                break;
            };
            O::add(&mut answer, more.answer);
            rest = more.rest;
        }
        Ok(answer)
    }

    /// Sends one request of an operation. Its answer takes of the `room` in bytes.
    async fn one<O: Ask>(
        &self,
        operation: &O,
        asked: RequestBuilder,
        token: &AccessToken,
        room: &mut usize,
    ) -> Result<Said<O::Answer>, ReadFailure> {
        let id = uuid::Uuid::new_v4().to_string();
        let asked = asked.bearer_auth(token.expose()).header("client-request-id", &id);
        let began = now();
        let whole = whole(asked, *room).await;
        *room = room.saturating_sub(whole.as_ref().map_or(0, |whole| whole.bytes.len()));
        let outcome = whole.and_then(|whole| operation.outcome(&whole, &self.root, self.caller));
        self.meter.ended(&outcome, Some(began.elapsed()));
        match &outcome {
            Ok(_) => tracing::trace!(client_request_id = id, "Graph answered"),
            Err(failure) => tracing::debug!(client_request_id = id, %failure, "a request failed"),
        }
        outcome
    }
}

async fn whole(request: RequestBuilder, limit: usize) -> Result<Whole, ReadFailure> {
    let passing = |why: String, retry_after| ReadFailure::Passing { why: why.into(), retry_after };
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
