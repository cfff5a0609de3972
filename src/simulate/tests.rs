//! The tenant seen from outside: every test talks HTTP to it on a port of its own.

use std::time::Duration;

use reqwest::{Client, RequestBuilder, Response};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::{Server, Settings, Tenant};
use crate::core::model::name::ObjectId;

mod assertions;
mod browser;
mod device_code;
mod faults;
mod groups;
mod managed_identity;
mod reading;
mod refresh;
mod setting;
mod signing_in;
mod trouble;

/// A tenant that is being served, and a client that knows it.
struct World {
    tenant: Tenant,
    server: Server,
    http: Client,
    token: String,
}

impl World {
    /// A tenant in which time moves by `skip` only, as far as presence goes.
    async fn new() -> Self {
        Self::with(Settings { speed: 0.0, ..Settings::default() }).await
    }

    async fn with(settings: Settings) -> Self {
        let tenant = Tenant::new(settings);
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let mut world = Self {
            server: Server::start(listener, tenant.clone()).unwrap(),
            http: client(),
            token: String::new(),
            tenant,
        };
        world.token = world.sign_in().await;
        world
    }

    async fn sign_in(&self) -> String {
        let answer = self.token_request(&[]).send().await.unwrap();
        let body: Value = answer.json().await.unwrap();
        body["access_token"].as_str().unwrap().to_owned()
    }

    /// A good token request with some fields set otherwise; an empty value leaves the field out.
    fn token_request(&self, changes: &[(&str, &str)]) -> RequestBuilder {
        let settings = self.tenant.settings();
        let scope = format!("{}/.default", self.server.url());
        let mut form = std::collections::BTreeMap::from([
            ("grant_type", "client_credentials"),
            ("client_id", &settings.client_id),
            ("client_secret", &settings.client_secret),
            ("scope", &scope),
        ]);
        form.extend(changes.iter().copied());
        form.retain(|_, value| !value.is_empty());
        let path = format!("/{}/oauth2/v2.0/token", settings.tenant_id);
        self.http.post(self.server.url() + &path).form(&form)
    }

    /// A token request without a secret, as the app makes it for people.
    fn public(&self, grant: &str, fields: &[(&str, &str)]) -> RequestBuilder {
        let given: Vec<_> = [("client_secret", ""), ("scope", ""), ("grant_type", grant)]
            .into_iter()
            .chain(fields.iter().copied())
            .collect();
        self.token_request(&given)
    }

    /// The address of one of the sign-in service's endpoints.
    fn sign_in_url(&self, endpoint: &str) -> String {
        format!("{}/{}/oauth2/v2.0/{endpoint}", self.server.url(), self.tenant.settings().tenant_id)
    }

    fn get(&self, path: &str) -> RequestBuilder {
        let url = format!("{}/v1.0{path}", self.server.url());
        self.http.get(url).bearer_auth(&self.token)
    }

    fn bulk(&self, ids: &[String]) -> RequestBuilder {
        let url = self.server.url() + "/v1.0/communications/getPresencesByUserId";
        self.http.post(url).bearer_auth(&self.token).json(&json!({ "ids": ids }))
    }

    fn id(&self, index: usize) -> ObjectId {
        self.tenant.people()[index].id
    }

    fn ids(&self) -> Vec<String> {
        let people = self.tenant.people();
        people.iter().map(|p| p.id.to_string()).collect()
    }

    /// A request for the first person's presence.
    fn read(&self) -> RequestBuilder {
        self.get(&format!("/users/{}/presence", self.id(0)))
    }
}

/// A client that needs no certificates of the system, follows no redirections and gives up late.
fn client() -> Client {
    Client::builder()
        .tls_certs_only([])
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .timeout(Duration::from_secs(30))
        .build()
        .unwrap()
}

/// Sends, expects the status, and gives the body.
async fn expect(request: RequestBuilder, status: u16) -> Value {
    let answer = request.send().await.unwrap();
    assert_eq!(answer.status(), status);
    answer.json().await.unwrap()
}

/// Sends and expects an error of the sign-in service.
async fn refused(request: RequestBuilder, status: u16, error: &str, code: u32) {
    let answer = request.send().await.unwrap();
    assert_eq!(answer.status(), status, "AADSTS{code}");
    let body: Value = answer.json().await.unwrap();
    assert_eq!(body["error"], error, "{body}");
    assert_eq!(body["error_codes"], json!([code]), "{body}");
    let text = body["error_description"].as_str().unwrap();
    assert!(text.starts_with(&format!("AADSTS{code}: ")) && text.contains("\r\nTrace ID: "), "{text}");
    for name in ["timestamp", "trace_id", "correlation_id", "error_uri"] {
        assert!(body[name].is_string(), "{name}");
    }
}

/// Sends and expects an error of Graph.
async fn expect_error(request: RequestBuilder, status: u16, code: &str) -> Response {
    let answer = request.send().await.unwrap();
    assert_eq!(answer.status(), status);
    let headers = answer.headers().clone();
    let body: Value = answer.json().await.unwrap();
    assert_eq!(body["error"]["code"], code, "{body}");
    assert!(body["error"]["message"].is_string(), "{body}");
    let inner = &body["error"]["innerError"];
    assert_eq!(inner["request-id"], headers["request-id"].to_str().unwrap());
    assert!(inner["client-request-id"].is_string() && inner["date"].is_string());
    let mut response = hyper::Response::new(body.to_string());
    *response.headers_mut() = headers;
    response.into()
}

#[tokio::test]
async fn stopping_ends_every_connection_even_a_hanging_one() {
    let world = World::new().await;
    world.tenant.fault(super::Fault::Hang, super::Scope::Graph, super::Times::UntilCleared);
    let tenant = world.tenant.clone();
    let request = world.read().send();
    let address = world.server.url();
    let (answer, ()) = tokio::join!(request, async {
        tenant.wait_for_requests(1).await;
        world.server.stop().await;
    });
    assert!(answer.is_err());
    assert!(world.http.get(address).send().await.unwrap_err().is_connect());
}

#[tokio::test]
async fn the_ledger_tells_what_was_asked_and_on_which_connection() {
    let world = World::new().await;
    let ask = |id| world.get("/users/alice%40contoso.example?$select=id").header("client-request-id", id);
    expect(ask("first"), 200).await;
    expect(ask("second"), 200).await;
    let requests = world.tenant.requests();
    assert_eq!((requests.total, requests.token, requests.graph()), (3, 1, 2));
    assert_eq!(requests.to(super::Endpoint::User), 2);
    assert_eq!(requests.with_status(200), 3);
    let last = requests.log.back().unwrap();
    assert_eq!(last.path, "/v1.0/users/alice%40contoso.example?$select=id");
    assert_eq!(last.client_request_id.as_deref(), Some("second"));
    assert!(requests.log.iter().all(|request| request.connection == 1));
    expect(ask("third").header("connection", "close"), 200).await;
    world.tenant.wait_for_requests(3).await;
    world.server.stop().await;
}
