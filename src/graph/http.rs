//! The HTTP client, and bodies of limited size.

use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use reqwest::{Certificate, Client, ClientBuilder, Response};
use url::Url;

use crate::chain::{causes, with_causes};
use crate::disk::named::{self, LARGEST_PEM};

/// Why the HTTP client cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// The file with extra certificate authorities cannot be used.
    #[error("{} cannot be used as certificate authorities (PEM)", .path.display())]
    CaFile {
        /// `graph.ca_file`
        path: PathBuf,
        /// What is wrong with it.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The system has no certificate authorities.
    #[error(
        "the HTTPS client cannot be started; install the system's certificates (package ca-certificates)"
    )]
    Client(#[source] reqwest::Error),
}

/// Why the body of an answer is incomplete.
#[derive(Debug, thiserror::Error)]
pub(super) enum BodyError {
    #[error("the answer is larger than {0} bytes, so it is not from Graph")]
    TooLarge(usize),
    #[error("the answer did not end in time")]
    Late(#[source] reqwest::Error),
    #[error("the answer was cut")]
    Cut(#[source] reqwest::Error),
}

impl From<reqwest::Error> for BodyError {
    fn from(error: reqwest::Error) -> Self {
        if error.is_timeout() { Self::Late(error) } else { Self::Cut(error) }
    }
}

/// How long sent data may stay unacknowledged. After a laptop slept, its pooled connections are dead without
/// a sign of it; with this limit the first request on one fails sooner than after the whole timeout of a
/// request.
#[cfg(target_os = "linux")]
const UNACKNOWLEDGED: Duration = Duration::from_secs(5);

/// A client for the two root addresses, shared by all users. It follows no redirect, so that a token is never
/// sent to another host, and retries nothing, so that the budget is kept.
#[derive(Debug, Clone)]
pub(super) struct Http(Arc<Shared>);

/// Which of the two root addresses use plain HTTP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Plain {
    None,
    /// Plain HTTP requests are for this machine, so they must not go through a proxy, where others could read
    /// them.
    Some,
    All,
}

#[derive(Debug)]
struct Shared {
    /// Plain HTTP is allowed only on loopback. A bridge that uses nothing else must start on machines without
    /// certificate authorities.
    plain: Plain,
    extra_roots: Vec<Certificate>,
    timeout: Duration,
    client: RwLock<Client>,
}

impl Http {
    pub(super) fn new(
        roots: [&Url; 2],
        ca_file: Option<&Path>,
        timeout: Duration,
    ) -> Result<Self, HttpError> {
        let plain = match roots.map(|root| root.scheme() == "http") {
            [false, false] => Plain::None,
            [true, true] => Plain::All,
            [true, false] | [false, true] => Plain::Some,
        };
        let extra_roots = ca_file.map_or(Ok(Vec::new()), certificates)?;
        let client = RwLock::new(client(plain, &extra_roots, timeout)?);
        Ok(Self(Arc::new(Shared { plain, extra_roots, timeout, client })))
    }

    /// The present client. A request keeps the client with which it began.
    pub(super) fn client(&self) -> Client {
        self.0.client.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Requests from now on use new connections.
    pub(super) fn forget_connections(&self) -> Result<(), HttpError> {
        let Shared { plain, extra_roots, timeout, client: current } = &*self.0;
        let new = client(*plain, extra_roots, *timeout)?;
        *current.write().unwrap_or_else(PoisonError::into_inner) = new;
        Ok(())
    }
}

fn client(plain: Plain, extra_roots: &[Certificate], timeout: Duration) -> Result<Client, HttpError> {
    let mut builder = builder(timeout);
    if plain != Plain::None {
        builder = builder.no_proxy();
    }
    if plain == Plain::All {
        builder = builder.tls_certs_only([]);
    }
    if !extra_roots.is_empty() {
        builder = builder.tls_certs_merge(extra_roots.to_vec());
    }
    builder.build().map_err(HttpError::Client)
}

fn certificates(path: &Path) -> Result<Vec<Certificate>, HttpError> {
    let wrap = |source| HttpError::CaFile { path: path.to_owned(), source };
    let pem = named::read(path, LARGEST_PEM).map_err(|error| wrap(error.into()))?.bytes;
    Certificate::from_pem_bundle(&pem).map_err(|error| wrap(error.into()))
}

/// A client for a service of this machine. It ignores the environment's proxies, which cannot reach such a
/// service.
pub(super) fn client_on_this_machine(root: &Url, timeout: Duration) -> Result<Client, HttpError> {
    let mut builder = builder(timeout).no_proxy();
    if root.scheme() == "http" {
        builder = builder.tls_certs_only([]);
    }
    builder.build().map_err(HttpError::Client)
}

fn builder(timeout: Duration) -> ClientBuilder {
    let builder = Client::builder()
        .user_agent(concat!("presence2mqtt/", env!("CARGO_PKG_VERSION")))
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .connect_timeout(timeout.min(Duration::from_secs(5)))
        .read_timeout(timeout)
        .timeout(timeout);
    #[cfg(target_os = "linux")]
    let builder = builder.tcp_user_timeout(UNACKNOWLEDGED);
    builder
}

/// Reads a body of at most `limit` bytes.
pub(super) async fn body(mut response: Response, limit: usize) -> Result<Vec<u8>, BodyError> {
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        if bytes.len() + chunk.len() > limit {
            return Err(BodyError::TooLarge(limit));
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

/// A description of a transport error with its causes, but without the address, because paths contain names.
pub(super) fn on_the_way(error: reqwest::Error) -> String {
    if error.is_timeout() {
        return "no answer in time".to_owned();
    }
    let host = error.url().and_then(Url::host_str).unwrap_or("the service").to_owned();
    let error = error.without_url();
    let text = if error.is_connect() { format!("cannot connect to {host}") } else { error.to_string() };
    // The HTTP library's internal stage does not help people.
    with_causes(text, causes(&error).filter(|cause| !cause.starts_with("client error (")))
}
