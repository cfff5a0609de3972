//! Requests and answers without their connections.

use http_body_util::{BodyExt, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::header::HeaderName;
use hyper::{HeaderMap, Method, Request, header};
use percent_encoding::percent_decode_str;
use serde_json::Value;

/// The largest request that is read; 650 ids are 26 kB.
const MAX_REQUEST: usize = 1 << 20;

/// A request that has arrived completely.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) method: Method,
    pub(super) path: String,
    pub(super) query: String,
    pub(super) host: String,
    pub(super) body: Bytes,
    headers: HeaderMap,
}

/// An answer before faults change it.
#[derive(Debug, Clone)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: Vec<(HeaderName, String)>,
    /// What is sent; of a page, the text of it.
    pub(super) body: Value,
    /// None if nothing is sent.
    pub(super) content_type: Option<&'static str>,
}

const JSON: &str = "application/json";
const HTML: &str = "text/html; charset=utf-8";

impl Asked {
    /// Reads a request to its end; `None` if it does not end, or is too large.
    pub(super) async fn read(request: Request<Incoming>) -> Option<Self> {
        let (parts, body) = request.into_parts();
        let host = parts.headers.get(header::HOST);
        Some(Self {
            method: parts.method,
            path: parts.uri.path().to_owned(),
            query: parts.uri.query().unwrap_or_default().to_owned(),
            host: host.and_then(|h| h.to_str().ok()).unwrap_or_default().to_owned(),
            body: Limited::new(body, MAX_REQUEST).collect().await.ok()?.to_bytes(),
            headers: parts.headers,
        })
    }

    /// A header that is text.
    pub(super) fn header(&self, name: impl header::AsHeaderName) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// Whether path or body contain this text, ignoring case.
    pub(super) fn mentions(&self, text: &str) -> bool {
        let path = percent_decode_str(&self.path).decode_utf8_lossy();
        let body = String::from_utf8_lossy(&self.body);
        let text = text.to_lowercase();
        [path, body].iter().any(|place| place.to_lowercase().contains(&text))
    }
}

impl Answer {
    pub(super) fn json(status: u16, body: Value) -> Self {
        Self { status, headers: Vec::new(), body, content_type: Some(JSON) }
    }

    /// An answer without a body.
    pub(super) fn empty(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: Value::Null, content_type: None }
    }

    /// A web page.
    pub(super) fn page(status: u16, html: String) -> Self {
        Self { status, headers: Vec::new(), body: Value::String(html), content_type: Some(HTML) }
    }

    /// Redirects a browser.
    pub(super) fn redirect(location: &str) -> Self {
        let headers = vec![(header::LOCATION, location.to_owned())];
        Self { headers, ..Self::page(302, String::new()) }
    }

    /// The body as bytes.
    pub(super) fn text(&self) -> String {
        match (&self.body, self.content_type) {
            (_, None) => String::new(),
            (Value::String(page), Some(HTML)) => page.clone(),
            (body, _) => body.to_string(),
        }
    }
}
