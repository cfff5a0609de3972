//! Signing in by device code, as the app and as the person.

use super::*;
use crate::simulate::{AutoApprove, Endpoint, Fault, Scope, Times};

const GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";
const SCOPE: &str = "openid profile offline_access https://graph.microsoft.com/Presence.Read";

impl World {
    fn start(&self, scope: &str) -> RequestBuilder {
        let form = [("client_id", self.tenant.settings().client_id), ("scope", scope.to_owned())];
        self.http.post(self.sign_in_url("devicecode")).form(&form)
    }

    /// A new code: what the app keeps, and what the person types.
    async fn code(&self) -> (String, String) {
        let body = expect(self.start(SCOPE), 200).await;
        let text = |name: &str| body[name].as_str().unwrap().to_owned();
        (text("device_code"), text("user_code"))
    }

    fn poll(&self, code: &str) -> RequestBuilder {
        self.public(GRANT, &[("device_code", code)])
    }

    /// Waits as long as the service said, without waiting.
    fn rest(&self) {
        self.tenant.skip(Duration::from_secs(5));
    }
}

/// The claims of a JWT, unchecked.
pub(super) fn claims(jwt: &Value) -> Value {
    jsonwebtoken::dangerous::insecure_decode_claims(jwt.as_str().unwrap()).unwrap()
}

#[tokio::test]
async fn a_person_approves_and_the_app_gets_its_tokens_once() {
    let world = World::new().await;
    let body = expect(world.start(SCOPE), 200).await;
    assert_eq!((&body["expires_in"], &body["interval"]), (&json!(900), &json!(5)));
    assert_eq!(body["verification_uri"], world.server.url() + "/devicelogin");
    let user_code = body["user_code"].as_str().unwrap();
    assert!(user_code.len() == 9 && body["message"].as_str().unwrap().contains(user_code));
    let code = body["device_code"].as_str().unwrap();
    refused(world.poll(code), 400, "authorization_pending", 70_016).await;
    assert_eq!(world.tenant.device_codes(), [user_code]);
    assert!(world.tenant.approve_device_code(&user_code.to_lowercase(), world.id(1)));
    assert!(world.tenant.device_codes().is_empty());
    assert!(!world.tenant.approve_device_code(user_code, world.id(0)), "decided already");
    world.rest();
    let body = expect(world.poll(code), 200).await;
    assert!(body["refresh_token"].is_string());
    assert_eq!(body["scope"], "openid profile https://graph.microsoft.com/Presence.Read");
    let who = claims(&body["id_token"]);
    let settings = world.tenant.settings();
    assert_eq!((&who["tid"], &who["aud"]), (&json!(settings.tenant_id), &json!(settings.client_id)));
    assert_eq!((&who["oid"], &who["name"]), (&json!(world.ids()[1]), &json!("Bob Brown")));
    assert_eq!(who["preferred_username"], "bob@contoso.example");
    world.rest();
    refused(world.poll(code), 400, "invalid_grant", 54_005).await;

    let world = World { token: body["access_token"].as_str().unwrap().to_owned(), ..world };
    assert_eq!(expect(world.get("/me/presence"), 200).await["id"], world.ids()[1]);
    expect_error(world.read(), 403, "Authorization_RequestDenied").await;
    assert_eq!(world.tenant.requests().to(Endpoint::DeviceCode), 1);
    assert_eq!(world.tenant.requests().graph(), 2);
}

#[tokio::test]
async fn scopes_decide_over_the_tokens() {
    let world = World::new().await;
    let scope = format!("{}/Presence.Read.All", world.server.url());
    let body = expect(world.start(&scope), 200).await;
    let user_code = world.tenant.wait_for_device_code().await;
    world.tenant.approve_device_code(&user_code, world.id(0));
    let body = expect(world.poll(body["device_code"].as_str().unwrap()), 200).await;
    assert!(body.get("refresh_token").is_none() && body.get("id_token").is_none(), "{body}");
    for wrong in ["https://example.com/Presence.Read", "Mail.Read", "https://graph.microsoft.com/.default"] {
        refused(world.start(wrong), 400, "invalid_scope", 70_011).await;
    }
    refused(world.start(""), 400, "invalid_request", 900_144).await;
}

#[tokio::test]
async fn each_end_of_a_code_has_its_word() {
    let world = World::new().await;
    refused(world.poll("else"), 400, "bad_verification_code", 70_018).await;
    let (code, user_code) = world.code().await;
    assert!(world.tenant.decline_device_code(&user_code));
    refused(world.poll(&code), 400, "authorization_declined", 65_004).await;
    let (code, user_code) = world.code().await;
    world.tenant.skip(Duration::from_secs(900));
    refused(world.poll(&code), 400, "expired_token", 70_020).await;
    assert!(!world.tenant.approve_device_code(&user_code, world.id(0)));
    let (code, user_code) = world.code().await;
    world.tenant.approve_device_code(&user_code, world.id(0));
    world.tenant.switch(|switches| switches.people_refused = Some(53_003));
    refused(world.poll(&code), 400, "invalid_grant", 53_003).await;
}

#[tokio::test]
async fn impatience_is_told_to_slow_down() {
    let world = World::new().await;
    let (code, _) = world.code().await;
    refused(world.poll(&code), 400, "authorization_pending", 70_016).await;
    refused(world.poll(&code), 400, "slow_down", 70_016).await;
    world.rest();
    refused(world.poll(&code), 400, "slow_down", 70_016).await;
    world.tenant.skip(Duration::from_secs(15));
    refused(world.poll(&code), 400, "authorization_pending", 70_016).await;
    let (code, _) = world.code().await;
    world.tenant.switch(|switches| switches.slow_down = true);
    refused(world.poll(&code), 400, "slow_down", 70_016).await;
}

#[tokio::test]
async fn a_registration_may_forbid_or_need_a_credential() {
    let world = World::new().await;
    let (code, user_code) = world.code().await;
    let secret = world.tenant.settings().client_secret;
    let with_secret =
        || world.public(GRANT, &[("device_code", code.as_str()), ("client_secret", secret.as_str())]);
    refused(with_secret(), 401, "invalid_client", 700_025).await;
    world.tenant.switch(|switches| switches.no_public_flows = true);
    refused(world.poll(&code), 401, "invalid_client", 7_000_218).await;
    world.tenant.approve_device_code(&user_code, world.id(0));
    expect(with_secret(), 200).await;
}

#[tokio::test]
async fn codes_may_approve_themselves() {
    let world = World::new().await;
    let auto = AutoApprove { after: 1, person: world.id(2) };
    world.tenant.switch(|switches| switches.auto_approve = Some(auto));
    let (code, _) = world.code().await;
    refused(world.poll(&code), 400, "authorization_pending", 70_016).await;
    world.rest();
    assert_eq!(claims(&expect(world.poll(&code), 200).await["id_token"])["oid"], world.ids()[2]);
}

#[tokio::test]
async fn a_person_signs_in_on_the_page() {
    let world = World::new().await;
    let url = world.server.url() + "/devicelogin";
    let (code, user_code) = world.code().await;
    let page = async |form: &[(&str, &str)]| {
        let request = if form.is_empty() { world.http.get(&url) } else { world.http.post(&url).form(form) };
        let answer = request.send().await.unwrap();
        assert!(answer.headers()["content-type"].to_str().unwrap().starts_with("text/html"));
        answer.text().await.unwrap()
    };
    assert!(page(&[]).await.contains("name=\"user_code\""));
    assert!(page(&[("user_code", "WRONG")]).await.contains("work"));
    let typed = user_code.to_lowercase();
    let id = world.ids()[1].clone();
    assert!(page(&[("user_code", &typed)]).await.contains(&format!("value=\"{id}\">Bob Brown<")));
    assert!(page(&[("user_code", &typed), ("person", &id)]).await.contains("signed in"));
    assert_eq!(claims(&expect(world.poll(&code), 200).await["id_token"])["oid"], id);
    let (code, user_code) = world.code().await;
    assert!(page(&[("user_code", &user_code), ("decline", "yes")]).await.contains("Declined"));
    refused(world.poll(&code), 400, "authorization_declined", 65_004).await;
}

#[tokio::test]
async fn the_endpoint_fails_like_the_sign_in_service() {
    let world = World::new().await;
    let here = Scope::Endpoint(Endpoint::DeviceCode);
    world.tenant.fault(Fault::status(503), here, Times::Next(1));
    world.tenant.fault(Fault::SignIn { code: 90_055 }, here, Times::Next(1));
    world.tenant.fault(Fault::status(500), Scope::Graph, Times::UntilCleared);
    refused(world.start(SCOPE), 503, "temporarily_unavailable", 90_033).await;
    refused(world.start(SCOPE), 429, "temporarily_unavailable", 90_055).await;
    let wait = world.tenant.wait_for_device_code();
    let (awaited, (_, user_code)) = tokio::join!(wait, world.code());
    assert_eq!(awaited, user_code);
}
