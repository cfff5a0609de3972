//! What is at which path.

use std::net::IpAddr;

use hyper::header::{
    ALLOW, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE,
};
use hyper::http::request::Parts;
use hyper::{Method, Response, StatusCode};

use super::guard::{self, Refusal};
use super::page::Page;
use super::site::Site;
use super::{filter, metrics, ready};
use crate::core::model::people_page::PeopleQuery;
use crate::core::model::snapshot::Snapshot;

const TEXT: &str = "text/plain; charset=utf-8";
const HTML: &str = "text/html; charset=utf-8";

/// The answer to one request from this address.
pub(super) async fn answer(from: IpAddr, request: Parts, site: &Site, page: &Page) -> Response<String> {
    if request.method != Method::GET && request.method != Method::HEAD {
        let mut response = text(StatusCode::METHOD_NOT_ALLOWED, "only GET and HEAD are answered here");
        response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
        return response;
    }
    match request.uri.path() {
        // Alive is whoever answers. It asks nobody, so that a busy loop is no reason to be killed.
        "/healthz" => text(StatusCode::OK, "ok"),
        "/readyz" => match site.asker.ask(PeopleQuery::nobody()).await {
            Some(snapshot) if snapshot.is_ready() => text(StatusCode::OK, "ok"),
            Some(snapshot) if snapshot.is_waiting() => text(StatusCode::OK, "standby"),
            Some(snapshot) => text(StatusCode::SERVICE_UNAVAILABLE, &ready::trouble(&snapshot).join("\n")),
            None => busy(),
        },
        "/metrics" => match guard::admit(from, &request.headers, site).await {
            Ok(()) => match site.ask(PeopleQuery::nobody()).await {
                Some(snapshot) => {
                    respond(StatusCode::OK, metrics::TYPE, metrics::text(&snapshot, &site.meters))
                }
                None => busy(),
            },
            Err(refusal) => refused(&refusal),
        },
        "/" => match guard::admit(from, &request.headers, site).await {
            Ok(()) => {
                let wanted = filter::wanted(request.uri.query());
                match site.ask(wanted.clone()).await {
                    Some(snapshot) => show(page, &snapshot, &wanted, &site.broker),
                    None => busy(),
                }
            }
            Err(refusal) => refused(&refusal),
        },
        _ => text(StatusCode::NOT_FOUND, "there is /, /healthz, /readyz and /metrics"),
    }
}

fn show(page: &Page, snapshot: &Snapshot, wanted: &PeopleQuery, broker: &str) -> Response<String> {
    match page.render(snapshot, wanted, broker) {
        Ok(html) => {
            let mut response = respond(StatusCode::OK, HTML, html);
            response.headers_mut().insert(CONTENT_SECURITY_POLICY, page.policy());
            response
        }
        Err(error) => {
            tracing::error!(%error, "the status page cannot be made");
            text(StatusCode::INTERNAL_SERVER_ERROR, "the page cannot be made; please report this")
        }
    }
}

fn refused(refusal: &Refusal) -> Response<String> {
    let status = match refusal {
        Refusal::Password => StatusCode::UNAUTHORIZED,
        Refusal::Host => StatusCode::FORBIDDEN,
        Refusal::Slowed(_) => StatusCode::TOO_MANY_REQUESTS,
        Refusal::Unreadable => StatusCode::INTERNAL_SERVER_ERROR,
    };
    let mut response = text(status, &refusal.to_string());
    if let Refusal::Slowed(wait) = refusal {
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(wait.as_secs() + 1));
    }
    if status == StatusCode::UNAUTHORIZED {
        let challenge = HeaderValue::from_static("Basic realm=\"presence2mqtt\", charset=\"UTF-8\"");
        response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
    }
    response
}

fn busy() -> Response<String> {
    text(StatusCode::SERVICE_UNAVAILABLE, "the bridge is busy; ask again")
}

fn text(status: StatusCode, sentence: &str) -> Response<String> {
    respond(status, TEXT, format!("{sentence}\n"))
}

/// Every answer is of this moment, for this origin, and of the type that it says.
fn respond(status: StatusCode, kind: &'static str, body: String) -> Response<String> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(
        CONTENT_SECURITY_POLICY,
        HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'"),
    );
    for (name, value) in [
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "no-referrer"),
        ("cross-origin-resource-policy", "same-origin"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}
