//! Signing in with a browser: authorization code and PKCE.

use std::collections::BTreeMap;

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use url::Url;

use super::device_code::claims;
use super::*;
use crate::simulate::Browser;

const VERIFIER: &str = "a-verifier-of-more-than-forty-three-characters";
const BACK: &str = "http://localhost:50123/back";

impl World {
    /// A good request of a browser with some parameters set otherwise; an empty value leaves one out.
    fn browse(&self, changes: &[(&str, &str)]) -> RequestBuilder {
        let challenge = URL_SAFE_NO_PAD.encode(digest(&SHA256, VERIFIER.as_bytes()));
        let client_id = self.tenant.settings().client_id;
        let mut query = BTreeMap::from([
            ("client_id", client_id.as_str()),
            ("response_type", "code"),
            ("redirect_uri", BACK),
            ("response_mode", "query"),
            ("scope", "openid profile offline_access Presence.Read.All"),
            ("state", "a state & more"),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
        ]);
        query.extend(changes.iter().copied());
        query.retain(|_, value| !value.is_empty());
        let url = Url::parse_with_params(&self.sign_in_url("authorize"), query).unwrap();
        self.http.get(url)
    }

    /// A code, by somebody who signs in at once.
    async fn browser_code(&self) -> String {
        self.tenant.sign_in_browser_as(self.id(0));
        back(self.browse(&[])).await["code"].clone()
    }

    fn redeem(&self, code: &str, changes: &[(&str, &str)]) -> RequestBuilder {
        let mut fields =
            BTreeMap::from([("code", code), ("redirect_uri", BACK), ("code_verifier", VERIFIER)]);
        fields.extend(changes.iter().copied());
        self.public("authorization_code", &fields.into_iter().collect::<Vec<_>>())
    }
}

/// What the browser takes back to the app.
async fn back(request: RequestBuilder) -> BTreeMap<String, String> {
    let answer = request.send().await.unwrap();
    assert_eq!(answer.status(), 302);
    let location = answer.headers()["location"].to_str().unwrap();
    assert!(location.starts_with("http://localhost:50123/back?"), "{location}");
    Url::parse(location).unwrap().query_pairs().into_owned().collect()
}

#[tokio::test]
async fn a_code_becomes_tokens_once() {
    let world = World::new().await;
    world.tenant.sign_in_browser_as(world.id(1));
    let query = back(world.browse(&[("prompt", "select_account")])).await;
    assert_eq!(query["state"], "a state & more");
    let body = expect(world.redeem(&query["code"], &[]), 200).await;
    assert_eq!(claims(&body["id_token"])["preferred_username"], "bob@contoso.example");
    assert!(body["refresh_token"].is_string());
    refused(world.redeem(&query["code"], &[]), 400, "invalid_grant", 54_005).await;
    let world = World { token: body["access_token"].as_str().unwrap().to_owned(), ..world };
    expect(world.read(), 200).await;
}

#[tokio::test]
async fn a_code_is_for_whoever_asked_and_for_ten_minutes() {
    let world = World::new().await;
    let code = world.browser_code().await;
    let redeem = |name, value| world.redeem(&code, &[(name, value)]);
    refused(redeem("code_verifier", "another"), 400, "invalid_grant", 501_481).await;
    refused(redeem("redirect_uri", "http://localhost:50123/"), 400, "invalid_grant", 500_112).await;
    refused(redeem("code", "else"), 400, "invalid_grant", 70_000).await;
    for name in ["code", "redirect_uri", "code_verifier"] {
        refused(redeem(name, ""), 400, "invalid_request", 900_144).await;
    }
    refused(redeem("client_secret", "x"), 401, "invalid_client", 700_025).await;
    world.tenant.skip(Duration::from_secs(600));
    refused(world.redeem(&code, &[]), 400, "invalid_grant", 70_008).await;
    let code = world.browser_code().await;
    refused(world.redeem(&code, &[("scope", "User.Read")]), 400, "invalid_grant", 65_001).await;
}

#[tokio::test]
async fn mistakes_of_the_app_come_back_to_it() {
    let world = World::new().await;
    world.tenant.sign_in_browser_as(world.id(0));
    for (name, value, error) in [
        ("response_type", "token", "unsupported_response_type"),
        ("response_mode", "fragment", "invalid_request"),
        ("scope", "Mail.Read", "invalid_scope"),
        ("code_challenge", "", "invalid_request"),
        ("code_challenge", "short", "invalid_request"),
        ("code_challenge_method", "plain", "invalid_request"),
    ] {
        let query = back(world.browse(&[(name, value)])).await;
        assert_eq!(query["error"], error, "{name}");
        assert!(query["error_description"].starts_with("AADSTS") && !query.contains_key("code"));
        assert_eq!(query["state"], "a state & more");
    }
}

#[tokio::test]
async fn nothing_is_sent_to_strangers() {
    let world = World::new().await;
    world.tenant.sign_in_browser_as(world.id(0));
    let strange = [
        ("redirect_uri", "http://127.0.0.1:1/"),
        ("redirect_uri", "https://example.com"),
        ("client_id", "else"),
    ];
    for change in strange {
        let answer = world.browse(&[change]).send().await.unwrap();
        assert_eq!(answer.status(), 400);
        assert!(answer.text().await.unwrap().contains("AADSTS"));
    }
}

#[tokio::test]
async fn people_choose_or_cancel() {
    let world = World::new().await;
    let page = async |request: RequestBuilder| {
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), 200);
        answer.text().await.unwrap()
    };
    let html = page(world.browse(&[("login_hint", "carol@contoso.example")])).await;
    let place = |name| html.find(name).unwrap();
    assert!(place("Carol") < place("Alice"), "the hinted account comes first");
    let link = html.split("href=\"").find(|part| part.contains("Bob Brown")).unwrap();
    let link = link.split('"').next().unwrap().replace("&amp;", "&");
    let query = back(world.http.get(world.sign_in_url("authorize") + &link)).await;
    assert_eq!(query["state"], "a state & more");
    let body = expect(world.redeem(&query["code"], &[]), 200).await;
    assert_eq!(claims(&body["id_token"])["oid"], world.ids()[1]);

    assert_eq!(back(world.browse(&[("person", "none")])).await["error"], "access_denied");
    assert_eq!(back(world.browse(&[("prompt", "none")])).await["error"], "login_required");
    world.tenant.switch(|switches| switches.browser = Browser::Cancels);
    assert_eq!(back(world.browse(&[])).await["error"], "access_denied");
    world.tenant.sign_in_browser_as(world.id(0));
    world.tenant.switch(|switches| switches.people_refused = Some(50_076));
    assert_eq!(back(world.browse(&[])).await["error"], "interaction_required");
}
