//! One request to Graph: path, token, and an answer of limited size.

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

/// The most pages of one answer. 650 people fit into far fewer, even with twenty people on a page.
const MOST_PAGES: usize = 40;

/// Where Graph is, and how to sign in.
#[derive(Debug)]
pub struct Access<'a> {
    /// The root address of Graph, without a path.
    pub graph_url: &'a Url,
    /// The root address of the sign-in service, without a path.
    pub login_url: &'a Url,
    /// GUID or domain.
    pub tenant: &'a str,
    /// Extra certificate authorities.
    pub ca_file: Option<&'a Path>,
    /// The time limit of a whole request.
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
    /// Makes a client. Sends nothing yet.
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

    /// The stored sign-in of a person, if tokens come from one.
    #[must_use]
    pub fn delegated(&self) -> Option<&DelegatedSignIn> {
        self.tokens.method().delegated()
    }

    /// Makes sure that there is a token, without a request to Graph.
    ///
    /// # Errors
    ///
    /// If the sign-in service refuses or cannot be reached.
    pub async fn sign_in(&self) -> Result<(), ReadFailure> {
        self.tokens.token(None, None).await.map(drop)
    }

    /// Uses new connections from now on, to Graph and to the sign-in service, with the same tokens. Requests
    /// under way end on the old connections.
    ///
    /// After the machine slept, the old connections are dead, and a read on one would wait until that is
    /// noticed.
    ///
    /// # Errors
    ///
    /// If the HTTP client cannot be made; then the old connections stay.
    pub fn forget_connections(&self) -> Result<(), HttpError> {
        self.http.forget_connections()
    }

    /// The root address of Graph, as the sign-in service knows it.
    #[must_use]
    pub fn resource(&self) -> &str {
        self.tokens.resource()
    }

    /// The sign-in service that tokens come from.
    #[must_use]
    pub fn authority(&self) -> &Authority {
        self.tokens.authority()
    }

    /// Does one request, with all pages of its answer. It repeats nothing, also not with a new token: the
    /// core orders that.
    ///
    /// # Errors
    ///
    /// If there is no usable answer. The kind says whether and when to retry.
    pub async fn ask<O: Ask>(&self, request: &Request<O>) -> Result<O::Answer, ReadFailure> {
        self.ask_counting(request, &mut 0).await
    }

    /// The same, and counts the requests after the first.
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
        // The limit for all pages together; otherwise many pages could fill the memory.
        let mut room = operation.largest_answer();
        let first = self.one(operation, operation.request(&graph), &token, &mut room).await?;
        let Said { mut answer, mut rest } = first;
        for _ in 1..MOST_PAGES {
            let Some(page) = rest.take() else { break };
            *further += 1;
            // Keeps the pages that arrived. The people who are missing are read one by one, which finds what
            // is wrong here.
            let Ok(more) = self.one(operation, graph.client.get(page), &token, &mut room).await else {
                break;
            };
            O::add(&mut answer, more.answer);
            rest = more.rest;
        }
        Ok(answer)
    }

    /// Sends one request of an operation. Subtracts the size of the answer from `room`.
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
