//! Managed identities: both endpoints, and what they refuse.

use super::*;
use crate::simulate::{Endpoint, Fault, Scope, Times};

impl World {
    fn metadata(&self, query: &str) -> RequestBuilder {
        let url = self.server.url() + "/metadata/identity/oauth2/token?" + query;
        self.http.get(url).header("Metadata", "true")
    }

    fn app_service(&self, query: &str) -> RequestBuilder {
        let url = self.server.url() + "/msi/token?" + query;
        self.http.get(url).header("X-IDENTITY-HEADER", self.tenant.settings().managed_identity.header)
    }
}

const METADATA: &str = "api-version=2018-02-01&resource=https://graph.microsoft.com/";
const APP_SERVICE: &str = "api-version=2019-08-01&resource=https://graph.microsoft.com";

/// A number that is told as a text.
fn number(value: &Value) -> i64 {
    value.as_str().unwrap().parse().unwrap()
}

#[tokio::test]
async fn the_metadata_address_gives_tokens_with_numbers_as_texts() {
    let world = World::new().await;
    let body = expect(world.metadata(METADATA), 200).await;
    let now = jiff::Timestamp::now().as_second();
    assert!((3_600..5_400).contains(&number(&body["expires_in"])));
    assert!((number(&body["expires_on"]) - number(&body["expires_in"]) - now).abs() < 60, "{body}");
    assert!(number(&body["not_before"]) <= now);
    assert_eq!((&body["token_type"], &body["refresh_token"]), (&json!("Bearer"), &json!("")));
    let world = World { token: body["access_token"].as_str().unwrap().to_owned(), ..world };
    expect(world.read(), 200).await;
    assert!(world.tenant.secrets_issued().contains(&world.token));
    assert_eq!((world.tenant.requests().graph(), world.tenant.requests().token), (1, 1));
}

#[tokio::test]
async fn app_service_gives_tokens_until_a_moment() {
    let world = World::new().await;
    let body = expect(world.app_service(APP_SERVICE), 200).await;
    assert!(number(&body["expires_on"]) > jiff::Timestamp::now().as_second() + 3_000);
    assert!(body.get("expires_in").is_none());
    let world = World { token: body["access_token"].as_str().unwrap().to_owned(), ..world };
    expect(world.read(), 200).await;
    let bare = world.http.get(world.server.url() + "/msi/token?" + APP_SERVICE);
    assert_eq!(expect(bare, 401).await["error"], "unauthorized");
}

#[tokio::test]
async fn an_identity_may_be_chosen() {
    let world = World::new().await;
    let own = world.tenant.settings().managed_identity;
    for (name, value) in
        [("client_id", &own.client_id), ("object_id", &own.object_id), ("msi_res_id", &own.resource_id)]
    {
        expect(world.metadata(&format!("{METADATA}&{name}={value}")), 200).await;
        let other = expect(world.metadata(&format!("{METADATA}&{name}=else")), 400).await;
        assert_eq!(other["error_description"], "Identity not found");
    }
    expect(world.app_service(&format!("{APP_SERVICE}&mi_res_id={}", own.resource_id)), 200).await;
    expect(world.app_service(&format!("{APP_SERVICE}&principal_id=else")), 400).await;
}

#[tokio::test]
async fn requests_must_be_made_on_the_machine_and_in_the_right_form() {
    let world = World::new().await;
    let bare = world.http.get(world.server.url() + "/metadata/identity/oauth2/token?" + METADATA);
    assert_eq!(expect(bare, 400).await["error"], "invalid_request");
    expect(world.metadata(METADATA).header("X-Forwarded-For", "192.0.2.1"), 400).await;
    for (query, error) in [
        ("resource=https://graph.microsoft.com/", "invalid_request"),
        ("api-version=2017-01-01&resource=https://graph.microsoft.com/", "invalid_request"),
        ("api-version=2018-02-01", "invalid_request"),
        ("api-version=2018-02-01&resource=https://example.com", "invalid_resource"),
    ] {
        assert_eq!(expect(world.metadata(query), 400).await["error"], error, "{query}");
    }
}

#[tokio::test]
async fn failures_have_the_shape_of_the_service() {
    let world = World::new().await;
    let here = Scope::Endpoint(Endpoint::MetadataIdentity);
    for status in [404, 410, 429, 500, 503] {
        world.tenant.fault(Fault::status(status), here, Times::Next(1));
        let body = expect(world.metadata(METADATA), status).await;
        assert!(body["error"].is_string() && body["error_description"].is_string(), "{body}");
    }
    world.tenant.fault(Fault::EmptyMessage { status: 500 }, here, Times::Next(1));
    assert_eq!(expect(world.metadata(METADATA), 500).await["error_description"], "");
    world.tenant.fault(Fault::status(503), Scope::Graph, Times::UntilCleared);
    expect(world.metadata(METADATA), 200).await;
}
