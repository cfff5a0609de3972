//! The HTTP client, and bodies that end.

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
    /// The TLS library found nothing to trust.
    #[error(
        "the HTTPS client cannot be started; install the system's certificates (package ca-certificates)"
    )]
    Client(#[source] reqwest::Error),
}

/// What kind of body was too much or did not arrive.
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

/// Transmitted data may go unacknowledged for this long. After a laptop slept, its pooled connections are
/// dead without knowing it: the first request on one is given up after this, and not after the whole timeout
/// of a request.
#[cfg(target_os = "linux")]
const UNACKNOWLEDGED: Duration = Duration::from_secs(5);

/// A client for the two roots, shared by all who ask them. It follows no redirect, so that a token is never
/// sent to another host, and repeats nothing by itself, so that the budget is kept.
#[derive(Debug, Clone)]
pub(super) struct Http(Arc<Shared>);

/// Which of the roots are asked by plain HTTP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Plain {
    None,
    /// What is sent there must not take the way through a proxy, where others read it: it is meant for this
    /// machine.
    Some,
    All,
}

#[derive(Debug)]
struct Shared {
    /// Plain HTTP is allowed on loopback only; a bridge without any other must start where no certificates
    /// are installed.
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

    /// The client of the moment. A request goes on with it, whatever becomes of its successors.
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

/// A client for a service of this machine, which no proxy can reach, whatever the environment says about
/// proxies.
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

/// What went wrong on the way, with its causes, without the address: paths name people.
pub(super) fn on_the_way(error: reqwest::Error) -> String {
    if error.is_timeout() {
        return "no answer in time".to_owned();
    }
    let host = error.url().and_then(Url::host_str).unwrap_or("the service").to_owned();
    let error = error.without_url();
    let text = if error.is_connect() { format!("cannot connect to {host}") } else { error.to_string() };
    // Where in the HTTP library it happened tells people nothing.
    with_causes(text, causes(&error).filter(|cause| !cause.starts_with("client error (")))
}
