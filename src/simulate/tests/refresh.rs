//! Refresh tokens: rotation, and every way they end.

use super::*;
use crate::simulate::{Endpoint, Fault, Scope, Times};

const SCOPE: &str = "openid offline_access https://graph.microsoft.com/Presence.Read";

impl World {
    /// Somebody signs in; the app gets a refresh token.
    async fn refresh_token(&self) -> String {
        let form = [("client_id", self.tenant.settings().client_id), ("scope", SCOPE.to_owned())];
        let request = self.http.post(self.sign_in_url("devicecode")).form(&form);
        let code = expect(request, 200).await["device_code"].as_str().unwrap().to_owned();
        let user_code = self.tenant.wait_for_device_code().await;
        assert!(self.tenant.approve_device_code(&user_code, self.id(0)));
        let grant = "urn:ietf:params:oauth:grant-type:device_code";
        rotated(&expect(self.public(grant, &[("device_code", &code)]), 200).await)
    }

    fn refresh(&self, token: &str) -> RequestBuilder {
        self.public("refresh_token", &[("refresh_token", token), ("scope", SCOPE)])
    }

    async fn renew(&self, token: &str) -> String {
        rotated(&expect(self.refresh(token), 200).await)
    }

    async fn is_dead(&self, token: &str) {
        refused(self.refresh(token), 400, "invalid_grant", 70_000).await;
    }
}

fn rotated(answer: &Value) -> String {
    answer["refresh_token"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn two_hundred_refreshes_with_a_crash_in_every_third() {
    let world = World::new().await;
    let mut stored = world.refresh_token().await;
    for cycle in 0..200 {
        let before = stored.clone();
        if cycle % 3 == 0 {
            // The answer came, and the client went down before it stored it.
            let lost = world.renew(&stored).await;
            assert_ne!(lost, stored);
        }
        let body = expect(world.refresh(&stored), 200).await;
        stored = rotated(&body);
        assert_ne!(stored, before);
        let token = body["access_token"].as_str().unwrap();
        let url = format!("{}/v1.0/me/presence", world.server.url());
        expect(world.http.get(url).bearer_auth(token), 200).await;
        world.tenant.skip(Duration::from_secs(3_600));
    }
    assert_eq!(world.tenant.requests().with_status(400), 0);
}

#[tokio::test]
async fn the_old_token_dies_when_the_new_one_is_first_used() {
    let world = World::new().await;
    let first = world.refresh_token().await;
    let lost = world.renew(&first).await;
    let second = world.renew(&first).await;
    let third = world.renew(&second).await;
    world.is_dead(&first).await;
    world.is_dead(&lost).await;
    let fourth = world.renew(&second).await;
    world.renew(&third).await;
    world.is_dead(&second).await;
    world.is_dead(&fourth).await;
    let other = world.refresh_token().await;
    world.renew(&other).await;
    world.renew(&third).await;
}

#[tokio::test]
async fn ninety_idle_days_end_a_token() {
    let world = World::new().await;
    let day = Duration::from_secs(24 * 60 * 60);
    let token = world.refresh_token().await;
    world.tenant.skip(89 * day);
    let token = world.renew(&token).await;
    world.tenant.skip(89 * day);
    let token = world.renew(&token).await;
    world.tenant.skip(90 * day);
    refused(world.refresh(&token), 400, "invalid_grant", 700_082).await;
}

#[tokio::test]
async fn each_refusal_lasts_until_the_next_sign_in() {
    let world = World::new().await;
    for (code, error, suberror) in [
        (50_173, "invalid_grant", "bad_token"),
        (700_082, "invalid_grant", "bad_token"),
        (50_076, "interaction_required", "basic_action"),
        (65_001, "invalid_grant", "consent_required"),
        (53_003, "invalid_grant", "message_only"),
    ] {
        let token = world.refresh_token().await;
        world.tenant.refuse_refresh_tokens(code);
        refused(world.refresh(&token), 400, error, code).await;
        assert_eq!(expect(world.refresh(&token), 400).await["suberror"], suberror);
        let token = world.refresh_token().await;
        world.renew(&token).await;
    }
    let token = world.refresh_token().await;
    world.tenant.revoke_sign_ins();
    refused(world.refresh(&token), 400, "invalid_grant", 50_173).await;
    expect_error(world.read(), 401, "InvalidAuthenticationToken").await;
}

#[tokio::test]
async fn a_block_of_everybody_ends_with_its_switch() {
    let world = World::new().await;
    let token = world.refresh_token().await;
    world.tenant.switch(|switches| switches.people_refused = Some(53_003));
    refused(world.refresh(&token), 400, "invalid_grant", 53_003).await;
    expect(world.token_request(&[]), 200).await;
    world.tenant.switch(|switches| switches.people_refused = None);
    let token = world.renew(&token).await;
    world.tenant.remove(world.id(0));
    refused(world.refresh(&token), 400, "invalid_grant", 50_034).await;
}

#[tokio::test]
async fn who_asks_and_for_what_matters() {
    let world = World::new().await;
    let token = world.refresh_token().await;
    let with = |name, value| {
        world.public("refresh_token", &[("refresh_token", token.as_str()), ("scope", SCOPE), (name, value)])
    };
    refused(with("client_id", "somebody"), 400, "unauthorized_client", 700_016).await;
    refused(with("client_secret", "x"), 401, "invalid_client", 700_025).await;
    refused(with("scope", "Presence.Read User.ReadBasic.All"), 400, "invalid_grant", 65_001).await;
    refused(with("refresh_token", ""), 400, "invalid_request", 900_144).await;
    refused(with("refresh_token", "else"), 400, "invalid_grant", 70_000).await;
    let body = expect(with("scope", ""), 200).await;
    assert_eq!(body["scope"], "openid https://graph.microsoft.com/Presence.Read");
    assert!(body["id_token"].is_string());
}

#[tokio::test]
async fn an_error_uses_nothing_up_and_a_lost_answer_does() {
    let world = World::new().await;
    let token = Scope::Endpoint(Endpoint::Token);
    let first = world.refresh_token().await;
    let issued = || world.tenant.secrets_issued().len();
    let before = issued();
    world.tenant.fault(Fault::status(503), token, Times::Next(1));
    refused(world.refresh(&first), 503, "temporarily_unavailable", 90_033).await;
    assert_eq!(issued(), before);
    world.tenant.fault(Fault::Truncate, token, Times::Next(1));
    let answer = world.refresh(&first).send().await.unwrap();
    assert!(answer.bytes().await.is_err());
    assert!(issued() > before);
    world.renew(&first).await;
}

#[tokio::test]
async fn every_secret_is_on_the_list() {
    let world = World::new().await;
    let first = world.refresh_token().await;
    let body = expect(world.refresh(&first), 200).await;
    let secrets = world.tenant.secrets_issued();
    assert!(secrets.contains(&world.token) && secrets.contains(&first));
    for name in ["access_token", "refresh_token", "id_token"] {
        assert!(secrets.iter().any(|secret| body[name] == **secret), "{name}");
    }
    // The app's token, a device code with three tokens, and three tokens again.
    assert_eq!(secrets.len(), 8);
    assert_eq!(secrets.iter().filter(|secret| secret.starts_with("simulated-device.")).count(), 1);
}
