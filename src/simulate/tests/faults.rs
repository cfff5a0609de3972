//! Every fault, as a client sees it.

use std::error::Error;
use std::io;

use super::*;
use crate::simulate::{Endpoint, Fault, RetryAfter, Scope, Times};

const ONCE: Times = Times::Next(1);

/// A world in which the next request to Graph fails like this.
async fn once(fault: Fault) -> World {
    let world = World::new().await;
    world.tenant.fault(fault, Scope::Graph, ONCE);
    world
}

#[tokio::test]
async fn errors_look_like_graph_and_pass() {
    for (status, code) in [
        (401, "InvalidAuthenticationToken"),
        (403, "Authorization_RequestDenied"),
        (404, "NotFound"),
        (429, "TooManyRequests"),
        (500, "InternalServerError"),
        (502, "UnknownError"),
        (503, "ServiceUnavailable"),
        (504, "GatewayTimeout"),
    ] {
        let world = once(Fault::status(status)).await;
        let answer = expect_error(world.read(), status, code).await;
        assert!(!answer.headers().contains_key("retry-after"));
        expect(world.read(), 200).await;
        assert_eq!(world.tenant.requests().with_status(status), 1);
    }
}

#[tokio::test]
async fn retry_after_is_seconds_or_a_date() {
    let world = once(Fault::throttled(7)).await;
    let answer = expect_error(world.read(), 429, "TooManyRequests").await;
    assert_eq!(answer.headers()["retry-after"], "7");

    let ahead = RetryAfter::Date(Duration::from_secs(3_600));
    let fault = Fault::Error { status: 503, retry_after: Some(ahead) };
    world.tenant.fault(fault, Scope::Graph, ONCE);
    let answer = expect_error(world.read(), 503, "ServiceUnavailable").await;
    let date = answer.headers()["retry-after"].to_str().unwrap();
    let format = "%a, %d %b %Y %H:%M:%S GMT";
    let then = jiff::civil::DateTime::strptime(format, date).unwrap();
    let now = answer.headers()["date"].to_str().unwrap();
    let now = jiff::civil::DateTime::strptime(format, now).unwrap();
    let seconds = (then - now).total(jiff::Unit::Second).unwrap();
    assert!((3_590.0..=3_601.0).contains(&seconds), "{seconds}");
}

#[tokio::test]
async fn a_message_may_be_empty() {
    let world = once(Fault::EmptyMessage { status: 500 }).await;
    let body = expect(world.read(), 500).await;
    assert_eq!(body["error"]["message"], "");
    let scope = Scope::Endpoint(Endpoint::Token);
    world.tenant.fault(Fault::EmptyMessage { status: 500 }, scope, ONCE);
    let body = expect(world.token_request(&[]), 500).await;
    assert_eq!(body["error_description"], "");
}

#[tokio::test]
async fn a_fault_may_be_for_one_endpoint() {
    let world = World::new().await;
    let scope = Scope::Endpoint(Endpoint::PresencesByUserId);
    world.tenant.fault(Fault::status(500), scope, Times::UntilCleared);
    for _ in 0..3 {
        expect(world.read(), 200).await;
        expect(world.bulk(&world.ids()), 500).await;
    }
    world.tenant.clear_faults();
    expect(world.bulk(&world.ids()), 200).await;
}

#[tokio::test]
async fn a_fault_may_be_for_one_person() {
    let world = World::new().await;
    let forbidden = Fault::status(403);
    world.tenant.fault(forbidden, Scope::Person(world.id(1)), Times::UntilCleared);
    expect(world.read(), 200).await;
    expect(world.get(&format!("/users/{}/presence", world.ids()[1].to_uppercase())), 403).await;
    expect(world.get("/users/bob%40contoso.example"), 403).await;
    expect(world.bulk(&world.ids()), 403).await;
    expect(world.bulk(&world.ids()[..1]), 200).await;
    let token = world.tenant.mint_delegated_token(world.id(1));
    let world = World { token, ..world };
    expect(world.get("/me/presence"), 403).await;
}

#[tokio::test]
async fn slow_answers_come_late_but_true() {
    let delay = Duration::from_millis(150);
    let world = once(Fault::Slow(delay)).await;
    let start = std::time::Instant::now();
    expect(world.read(), 200).await;
    assert!(start.elapsed() >= delay);
}

#[tokio::test]
async fn dribbled_bodies_come_in_small_pieces() {
    let pause = Duration::from_millis(5);
    let world = once(Fault::Dribble(pause)).await;
    let start = std::time::Instant::now();
    let body = expect(world.read(), 200).await;
    assert_eq!(body["id"], world.ids()[0]);
    assert!(start.elapsed() >= 10 * pause, "sixteen bytes at a time");
}

#[tokio::test]
async fn a_hanging_request_is_answered_when_faults_are_cleared() {
    let world = once(Fault::Hang).await;
    let (answer, ()) = tokio::join!(world.read().send(), async {
        world.tenant.wait_for_requests(1).await;
        world.tenant.clear_faults();
    });
    assert_eq!(answer.unwrap().status(), 200);
    let requests = world.tenant.requests();
    assert_eq!((requests.graph(), requests.log.back().unwrap().status), (1, None));
}

#[tokio::test]
async fn a_client_may_give_up_on_a_hanging_request() {
    let world = once(Fault::Hang).await;
    let error = world.read().timeout(Duration::from_millis(50)).send().await.unwrap_err();
    assert!(error.is_timeout());
    expect(world.read(), 200).await;
}

#[tokio::test]
async fn a_reset_is_a_transport_error() {
    let world = World::new().await;
    world.tenant.fault(Fault::Reset, Scope::All, Times::UntilCleared);
    let error = world.read().send().await.unwrap_err();
    let chain = std::iter::successors(Some(&error as &dyn Error), |&error| error.source());
    let io = chain.filter_map(|error| error.downcast_ref::<io::Error>());
    let kinds: Vec<_> = io.map(io::Error::kind).collect();
    assert_eq!(kinds, [io::ErrorKind::ConnectionReset], "{error:?}");
    assert!(world.token_request(&[]).send().await.is_err());
    world.tenant.clear_faults();
    expect(world.read(), 200).await;
}

#[tokio::test]
async fn a_truncated_body_is_an_error_after_good_headers() {
    let world = once(Fault::Truncate).await;
    let answer = world.read().send().await.unwrap();
    assert_eq!(answer.status(), 200);
    assert!(answer.content_length().unwrap() > 100);
    assert!(answer.bytes().await.is_err());
    expect(world.read(), 200).await;
}

#[tokio::test]
async fn a_captive_portal_says_200_in_html() {
    let world = once(Fault::Html).await;
    let answer = world.read().send().await.unwrap();
    assert_eq!(answer.status(), 200);
    assert!(answer.headers()["content-type"].to_str().unwrap().starts_with("text/html"));
    assert!(answer.text().await.unwrap().starts_with("<!DOCTYPE html>"));
}

#[tokio::test]
async fn entities_of_the_wrong_type_and_the_wrong_kind() {
    let world = once(Fault::WrongType).await;
    assert!(expect(world.read(), 200).await["availability"].is_number());
    world.tenant.fault(Fault::WrongType, Scope::Graph, ONCE);
    let body = expect(world.bulk(&world.ids()), 200).await;
    let value = body["value"].as_array().unwrap();
    assert_eq!(value.len(), 3);
    assert!(value.iter().all(|entity| entity["availability"].is_number()));
    world.tenant.fault(Fault::UserInstead, Scope::Graph, ONCE);
    let body = expect(world.read(), 200).await;
    assert_eq!(body["id"], world.ids()[0]);
    assert!(body.get("availability").is_none() && body["userPrincipalName"].is_string());
}

#[tokio::test]
async fn a_huge_body_is_streamed_until_the_client_stops() {
    let world = once(Fault::Huge).await;
    let mut answer = world.read().send().await.unwrap();
    assert!(answer.content_length().unwrap() > 50 * 1024 * 1024);
    let mut read = 0;
    while read < 1024 * 1024 {
        read += answer.chunk().await.unwrap().unwrap().len();
    }
    drop(answer);
    expect(world.read(), 200).await;
    // All of it is honest JSON, for clients without a limit.
    world.tenant.fault(Fault::Huge, Scope::Graph, ONCE);
    assert_eq!(expect(world.read(), 200).await["id"], world.ids()[0]);
}

#[tokio::test]
async fn a_redirection_names_another_address() {
    let location = "https://portal.example/login".to_owned();
    let world = once(Fault::Redirect { location: location.clone() }).await;
    let answer = world.read().send().await.unwrap();
    assert_eq!(answer.status(), 302);
    assert_eq!(answer.headers()["location"], location);
}

#[tokio::test]
async fn sign_in_fails_by_status_by_number_and_by_silence() {
    let world = World::new().await;
    let token = Scope::Endpoint(Endpoint::Token);
    for (status, error) in [(503, "temporarily_unavailable"), (429, "temporarily_unavailable")] {
        world.tenant.fault(Fault::status(status), token, ONCE);
        assert_eq!(expect(world.token_request(&[]), status).await["error"], error);
    }
    for (code, status, error) in [
        (700_082, 400, "invalid_grant"),
        (7_000_222, 401, "invalid_client"),
        (90_033, 503, "temporarily_unavailable"),
        (65_001, 400, "invalid_grant"),
    ] {
        world.tenant.fault(Fault::SignIn { code }, token, ONCE);
        let body = expect(world.token_request(&[]), status).await;
        assert_eq!((&body["error"], &body["error_codes"][0]), (&json!(error), &json!(code)));
    }
    world.tenant.fault(Fault::Hang, token, Times::UntilCleared);
    let request = world.token_request(&[]).timeout(Duration::from_millis(50));
    assert!(request.send().await.unwrap_err().is_timeout());
    expect(world.read(), 200).await;
}
