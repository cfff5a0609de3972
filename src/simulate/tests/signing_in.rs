//! Tokens: how they are got, what they allow, when they end.

use super::*;

#[tokio::test]
async fn a_token_lives_as_long_as_it_says() {
    let world = World::new().await;
    let body = expect(world.token_request(&[]), 200).await;
    assert_eq!(body["token_type"], "Bearer");
    let seconds = body["expires_in"].as_u64().unwrap();
    assert!((3_600..5_400).contains(&seconds), "{seconds}");
    expect(world.read(), 200).await;
    world.tenant.skip(Duration::from_secs(5_400));
    let answer = expect_error(world.read(), 401, "InvalidAuthenticationToken").await;
    assert!(answer.headers()["www-authenticate"].to_str().unwrap().starts_with("Bearer "));
    let world = World { token: world.sign_in().await, ..world };
    expect(world.read(), 200).await;
    world.tenant.revoke_tokens();
    expect_error(world.read(), 401, "InvalidAuthenticationToken").await;
}

#[tokio::test]
async fn graph_wants_a_token_it_knows() {
    let world = World::new().await;
    let url = format!("{}/v1.0/users/{}/presence", world.server.url(), world.id(0));
    let bare = || world.http.get(&url);
    for request in [bare(), bare().bearer_auth("else"), bare().basic_auth("a", Some("b"))] {
        let answer = expect_error(request, 401, "InvalidAuthenticationToken").await;
        assert!(answer.headers().contains_key("www-authenticate"));
    }
}

#[tokio::test]
async fn graph_of_any_cloud_may_be_the_resource() {
    let world = World::new().await;
    for root in ["https://graph.microsoft.com", "https://graph.microsoft.us"] {
        let scope = format!("{root}/.default");
        expect(world.token_request(&[("scope", &scope)]), 200).await;
    }
}

#[tokio::test]
async fn each_mistake_has_its_number() {
    let world = World::new().await;
    let with = |name, value| world.token_request(&[(name, value)]);
    refused(with("client_secret", "wrong"), 401, "invalid_client", 7_000_215).await;
    refused(with("client_secret", ""), 401, "invalid_client", 7_000_218).await;
    refused(with("client_id", "somebody"), 400, "unauthorized_client", 700_016).await;
    refused(with("grant_type", "password"), 400, "unsupported_grant_type", 70_003).await;
    refused(with("scope", "Presence.Read.All"), 400, "invalid_scope", 1_002_012).await;
    refused(with("scope", "https://example.com/.default"), 400, "invalid_scope", 70_011).await;
    for name in ["grant_type", "client_id", "scope"] {
        refused(with(name, ""), 400, "invalid_request", 900_144).await;
    }
    let common = world.server.url() + "/common/oauth2/v2.0/token";
    let app = [("grant_type", "client_credentials")];
    refused(world.http.post(&common).form(&app), 400, "invalid_request", 9_001_023).await;
    refused(world.http.post(&common), 400, "invalid_request", 50_194).await;
    let url = world.server.url() + "/elsewhere/oauth2/v2.0/token";
    refused(world.http.post(url), 400, "invalid_request", 90_002).await;
    world.tenant.switch(|switches| switches.secret_expired = true);
    refused(world.token_request(&[]), 401, "invalid_client", 7_000_222).await;
}

#[tokio::test]
async fn me_is_for_people() {
    let world = World::new().await;
    expect_error(world.get("/me/presence"), 400, "BadRequest").await;
    let token = world.tenant.mint_delegated_token(world.id(1));
    let world = World { token, ..world };
    assert_eq!(expect(world.get("/me/presence"), 200).await["id"], world.ids()[1]);
    expect(world.bulk(&world.ids()), 200).await;
}

#[tokio::test]
async fn me_says_who_signed_in() {
    let world = World::new().await;
    let select = "/me?$select=id,userPrincipalName,displayName";
    expect_error(world.get(select), 400, "BadRequest").await;
    let token = world.tenant.mint_delegated_token_with(world.id(1), &["Presence.Read", "User.Read"]);
    let world = World { token, ..world };
    let body = expect(world.get(select), 200).await;
    assert_eq!(
        (&body["id"], &body["userPrincipalName"], &body["displayName"]),
        (&json!(world.ids()[1]), &json!("bob@contoso.example"), &json!("Bob Brown")),
    );
    let token = world.tenant.mint_delegated_token_with(world.id(1), &["Presence.Read"]);
    let world = World { token, ..world };
    expect_error(world.get(select), 403, "Authorization_RequestDenied").await;
}

#[tokio::test]
async fn permissions_bound_what_a_token_reads() {
    let world = World::new().await;
    let token = world.tenant.mint_delegated_token_with(world.id(0), &["Presence.Read"]);
    let world = World { token, ..world };
    let denied = "Authorization_RequestDenied";
    expect(world.get("/me/presence"), 200).await;
    expect(world.read(), 200).await;
    let other = format!("/users/{}/presence", world.id(1));
    expect_error(world.get(&other), 403, denied).await;
    expect_error(world.bulk(&world.ids()), 403, denied).await;
    expect_error(world.get("/users/bob@contoso.example"), 403, denied).await;

    let world = World::with(Settings { permissions: Vec::new(), ..Settings::default() }).await;
    expect_error(world.read(), 403, denied).await;
}
