//! What is at which path.

use std::net::IpAddr;

use hyper::body::Body;
use hyper::header::{
    ALLOW, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderValue, LOCATION, REFRESH, RETRY_AFTER,
    WWW_AUTHENTICATE,
};
use hyper::http::request::Parts;
use hyper::{HeaderMap, Method, Request, Response, StatusCode};

use super::acts;
use super::first_start::{self, Away, Guide};
use super::form::{Form, NotAForm};
use super::guard::{self, Refusal, now};
use super::page::{Page, View};
use super::same_origin::{self, NotObeyed};
use super::site::Site;
use super::{filter, metrics, ready};
use crate::core::model::act::Acted;
use crate::core::model::people_page::PeopleQuery;
use crate::core::model::snapshot::Snapshot;
use crate::setup::events::{Answer, Step};

const TEXT: &str = "text/plain; charset=utf-8";
const HTML: &str = "text/html; charset=utf-8";

/// The answer to one request from this address.
pub(super) async fn answer<B>(from: IpAddr, request: Request<B>, site: &Site, page: &Page) -> Response<String>
where
    B: Body,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let (request, body) = request.into_parts();
    let may_act = request.uri.path() == "/";
    match request.method {
        Method::GET | Method::HEAD => shown(from, &request, site, page).await,
        Method::POST if may_act => match obeyed(from, &request, body, site).await {
            Ok(response) | Err(response) => response,
        },
        _ => {
            let allowed = if may_act { "GET, HEAD, POST" } else { "GET, HEAD" };
            let sentence = format!("only {allowed} are allowed here");
            let mut response = text(StatusCode::METHOD_NOT_ALLOWED, &sentence);
            response.headers_mut().insert(ALLOW, HeaderValue::from_static(allowed));
            response
        }
    }
}

/// What a form of the page asks for.
async fn obeyed<B>(
    from: IpAddr,
    request: &Parts,
    body: B,
    site: &Site,
) -> Result<Response<String>, Response<String>>
where
    B: Body,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let headers = &request.headers;
    guard::admit(from, headers, site).await.map_err(|refusal| refused(&refusal))?;
    // Before a byte of it is waited for.
    same_origin::check(headers).map_err(|why| not_obeyed(&why))?;
    if site.read_only {
        return Err(not_obeyed(&NotObeyed::ReadOnly));
    }
    let form =
        Form::read(headers, body).await.map_err(|why: NotAForm| text(why.status(), &why.to_string()))?;
    site.token.check(&form).map_err(|why| not_obeyed(&why))?;
    if let Some(guide) = &site.guide {
        return answered(guide, first_start::answer(&form), headers, site).await;
    }
    let acted = match acts::asked(&form, headers) {
        Some(act) => site.act(act).await,
        None => return Err(text(StatusCode::BAD_REQUEST, "this form has no effect here")),
    };
    told(acted, request.uri.query(), site).ok_or_else(busy)
}

/// Leads the browser back to the page, where it says how something went. Relative: a proxy may have put
/// something in front.
fn told(acted: Acted, query: Option<&str>, site: &Site) -> Option<Response<String>> {
    let number = site.told.keep(acted, now());
    Some(see(HeaderValue::from_str(&filter::back(query, &number)).ok()?))
}

fn see(page: HeaderValue) -> Response<String> {
    let mut response = text(StatusCode::SEE_OTHER, "see the page");
    response.headers_mut().insert(LOCATION, page);
    response
}

/// What somebody wants to see.
async fn shown(from: IpAddr, request: &Parts, site: &Site, page: &Page) -> Response<String> {
    match (request.uri.path(), &site.guide) {
        ("/readyz" | "/metrics", Some(_)) => {
            text(StatusCode::SERVICE_UNAVAILABLE, "the bridge is not set up yet; open its page")
        }
        ("/", Some(guide)) => match guard::admit(from, &request.headers, site).await {
            Ok(()) => set_up(guide, request, site).await,
            Err(refusal) => refused(&refusal),
        },
        (path, _) => at(path, from, request, site, page).await,
    }
}

/// The same where everything is set up.
async fn at(path: &str, from: IpAddr, request: &Parts, site: &Site, page: &Page) -> Response<String> {
    match path {
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
            Ok(()) => page_or_landing(request, site, page).await.unwrap_or_else(busy),
            Err(refusal) => refused(&refusal),
        },
        _ => text(StatusCode::NOT_FOUND, "there is /, /healthz, /readyz and /metrics"),
    }
}

/// The set-up of a first start.
async fn set_up(guide: &Guide, request: &Parts, site: &Site) -> Response<String> {
    let query = request.uri.query();
    let view = match guide.visit(None, &request.headers).await {
        Ok(view) => view,
        Err(away) => return without(away, site).await,
    };
    // A browser that signed in comes back here; only who began the sign-in knows the state in the address.
    if let Some(answer) = first_start::landed(query, &view).filter(|_| request.method == Method::GET) {
        return answered(guide, Some(answer), &request.headers, site).await.unwrap_or_else(|error| error);
    }
    made(first_start::render(&view, site.token.as_str(), query == Some("paste")), first_start::policy())
}

/// Hands an answer to the set-up, and leads the browser to what it shows then: loading that again does not
/// send the answer again.
async fn answered(
    guide: &Guide,
    answer: Option<(Step, Answer)>,
    headers: &HeaderMap,
    site: &Site,
) -> Result<Response<String>, Response<String>> {
    let answer = answer.ok_or_else(|| text(StatusCode::BAD_REQUEST, "this form has no effect here"))?;
    let is_pasted = matches!(answer, (_, Answer::Landed(_)));
    match guide.visit(Some(answer), headers).await {
        Ok(view) if is_pasted && view.is_refused => Ok(see(HeaderValue::from_static("./?paste"))),
        Ok(_) => Ok(see(HeaderValue::from_static("./"))),
        Err(away) => Err(without(away, site).await),
    }
}

/// What a visitor gets whom the set-up does not answer. When it is over, the bridge answers as soon as it has
/// begun; by then the page is the bridge's.
async fn without(away: Away, site: &Site) -> Response<String> {
    if away == Away::Over && site.ask(PeopleQuery::nobody()).await.is_some() {
        return see(HeaderValue::from_static("./"));
    }
    let mut response = busy();
    response.headers_mut().insert(REFRESH, HeaderValue::from_static("1"));
    response
}

async fn page_or_landing(request: &Parts, site: &Site, page: &Page) -> Option<Response<String>> {
    let query = request.uri.query();
    // Only who began the sign-in knows the state in the address; nothing else can be done by looking at the
    // page.
    if let Some(act) = acts::landed(query).filter(|_| request.method == Method::GET && !site.read_only) {
        return told(site.act(act).await, None, site);
    }
    let wanted = filter::wanted(query);
    let query = Form::parse(query.unwrap_or_default().as_bytes());
    let told = query.value("told").and_then(|number| site.told.get(number, now()));
    let snapshot = site.ask(wanted.clone()).await?;
    Some(show(page, &snapshot, &View { wanted, told }, site))
}

fn show(page: &Page, snapshot: &Snapshot, view: &View, site: &Site) -> Response<String> {
    let token = (!site.read_only).then(|| site.token.as_str());
    made(page.render(snapshot, view, &site.broker, token), page.policy())
}

fn made(page: Result<String, minijinja::Error>, policy: HeaderValue) -> Response<String> {
    match page {
        Ok(html) => {
            let mut response = respond(StatusCode::OK, HTML, html);
            response.headers_mut().insert(CONTENT_SECURITY_POLICY, policy);
            response
        }
        Err(error) => {
            tracing::error!(%error, "the page cannot be made");
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

fn not_obeyed(why: &NotObeyed) -> Response<String> {
    text(StatusCode::FORBIDDEN, &why.to_string())
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
        // Nobody else learns where this page is, and the page is told that a form comes from it: with
        // `no-referrer` a browser calls the origin of a form `null` (Fetch standard, "append a request
        // `Origin` header").
        ("referrer-policy", "same-origin"),
        ("cross-origin-resource-policy", "same-origin"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}
