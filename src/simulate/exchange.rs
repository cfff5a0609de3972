//! One request: recorded, checked against the faults, and answered.

use std::net::SocketAddr;

use hyper::body::Incoming;
use hyper::{Request, Response, StatusCode};
use serde_json::Value;
use tokio::sync::Notify;

use super::fault::Fault;
use super::message::{Answer, Asked};
use super::response::{Body, refused, respond};
use super::route::{Route, Service};
use super::state::State;
use super::tenant::Tenant;
use super::wire::Marks;
use super::{graph, graph_request, ledger, managed_identity, sign_in, spoil};

/// A client's connection.
#[derive(Debug)]
pub(super) struct Connection {
    /// Counted from 1 in the order of arrival.
    pub(super) number: u64,
    pub(super) peer: SocketAddr,
    /// Receives a message when the connection is to be reset.
    pub(super) reset: Notify,
}

/// Answers one request, unless a fault leaves it without an answer.
pub(super) async fn exchange(
    tenant: &Tenant,
    connection: &Connection,
    request: Request<Incoming>,
) -> Response<Body> {
    let Some(asked) = Asked::read(request).await else {
        return refused(StatusCode::PAYLOAD_TOO_LARGE);
    };
    let route = Route::of(&asked.method, &asked.path);
    let mut cleared = tenant.faults_cleared();
    let fault = take_fault(&mut tenant.state(), &route, &asked);
    match &fault {
        Some(Fault::Slow(delay)) => tokio::time::sleep(*delay).await,
        Some(Fault::Hang) => {
            record(tenant, &route, &asked, connection, None);
            // The sender lives in the tenant, which is borrowed here.
            let _ = cleared.changed().await;
        }
        Some(Fault::Reset) => {
            record(tenant, &route, &asked, connection, None);
            connection.reset.notify_one();
            // The connection's task drops this future together with the connection.
            std::future::pending::<()>().await;
        }
        Some(_) | None => {}
    }
    let (answer, marks) = {
        let mut state = tenant.state();
        let marks = state.marks(asked.header("client-request-id"));
        // A failing request has no effect: a code stays valid when its answer is an error.
        let changes = route.endpoint().is_write() || route.endpoint().service() != Service::Graph;
        let answer = match changes && fault.as_ref().is_some_and(Fault::replaces_answer) {
            true => Answer::json(200, Value::Null),
            false => answer(&mut state, &route, &asked, &marks),
        };
        (answer, marks)
    };
    let response = match &fault {
        Some(fault) => spoil::spoil(fault, route.endpoint(), answer, &marks),
        None => respond(answer),
    };
    if fault != Some(Fault::Hang) {
        let status = Some(response.status().as_u16());
        record(tenant, &route, &asked, connection, status);
    }
    mark(response, &marks)
}

/// The fault that a request runs into, if any.
fn take_fault(state: &mut State, route: &Route, asked: &Asked) -> Option<Fault> {
    let caller = graph_request::authenticate(state, asked).ok().map(|grant| grant.caller);
    state.take_fault(caller, route.endpoint(), asked)
}

/// The answer without faults.
fn answer(state: &mut State, route: &Route, asked: &Asked, marks: &Marks) -> Answer {
    let elsewhere =
        sign_in::answer(state, route, asked, marks).or_else(|| managed_identity::answer(state, route, asked));
    elsewhere
        .unwrap_or_else(|| graph::answer(state, route, asked).unwrap_or_else(|refusal| refusal.answer(marks)))
}

/// Puts the ids on an answer; hyper adds the date.
fn mark(mut response: Response<Body>, marks: &Marks) -> Response<Body> {
    let ids = [("request-id", &marks.request_id), ("client-request-id", &marks.client_request_id)];
    for (name, id) in ids {
        if let Ok(value) = id.parse() {
            response.headers_mut().insert(name, value);
        }
    }
    response
}

fn record(tenant: &Tenant, route: &Route, asked: &Asked, connection: &Connection, status: Option<u16>) {
    tenant.record(|at| ledger::Request {
        at,
        endpoint: route.endpoint(),
        method: asked.method.to_string(),
        path: match asked.query.as_str() {
            "" => asked.path.clone(),
            query => format!("{}?{query}", asked.path),
        },
        status,
        client_request_id: asked.header("client-request-id").map(str::to_owned),
        connection: connection.number,
        peer: connection.peer,
    });
}
