//! Who may write whose presence.

use super::*;

const DENIED: &str = "Authorization_RequestDenied";

#[tokio::test]
async fn who_may_write_whom() {
    let app = Some("Presence.ReadWrite.All");
    let own = Some("Presence.ReadWrite");
    for (person, permission, path, outcome) in [
        (None, app, "users/0", None),
        (None, app, "users/1", None),
        (None, app, "me", Some((400, "BadRequest"))),
        (None, app, "users/alice@contoso.example", Some((400, "BadRequest"))),
        (None, app, "users/11111111-2222-4333-8444-555555555501", Some((404, "NotFound"))),
        (None, None, "users/0", Some((403, DENIED))),
        (None, own, "users/0", Some((403, DENIED))),
        (Some(0), own, "me", None),
        (Some(0), own, "users/0", None),
        (Some(0), own, "users/1", Some((403, DENIED))),
        (Some(0), app, "me", Some((403, DENIED))),
        (Some(0), Some("Presence.Read"), "me", Some((403, DENIED))),
    ] {
        let permissions: Vec<String> = permission.into_iter().map(str::to_owned).collect();
        let mut world = World::with(Settings { permissions, ..Settings::default() }).await;
        if let Some(index) = person {
            let scopes: Vec<_> = permission.into_iter().collect();
            world.token = world.tenant.mint_delegated_token_with(world.id(index), &scopes);
        }
        let whom = match path {
            "users/0" => format!("users/{}", world.id(0)),
            "users/1" => format!("users/{}", world.id(1)),
            other => other.to_owned(),
        };
        for action in [Action::SetStatusMessage, Action::ClearUserPreferredPresence] {
            let body = if action == Action::SetStatusMessage { message("x") } else { json!({}) };
            let request = world.post(&format!("/{whom}/presence/{action}"), &body);
            match outcome {
                None => accepted(request).await,
                Some((status, code)) => {
                    expect_error(request, status, code).await;
                }
            }
        }
        let expected = if outcome.is_none() { 2 } else { 0 };
        assert_eq!(world.tenant.written().len(), expected, "{person:?} {permission:?} {path}");
    }
}

#[tokio::test]
async fn a_person_consents_to_writing_their_own_presence() {
    let mut world = World::new().await;
    let scope = "https://graph.microsoft.com/Presence.ReadWrite";
    let form = [("client_id", world.tenant.settings().client_id), ("scope", scope.to_owned())];
    let started = world.http.post(world.sign_in_url("devicecode")).form(&form);
    let code = expect(started, 200).await["device_code"].as_str().unwrap().to_owned();
    let user_code = world.tenant.wait_for_device_code().await;
    assert!(world.tenant.approve_device_code(&user_code, world.id(0)));
    let grant = "urn:ietf:params:oauth:grant-type:device_code";
    let body = expect(world.public(grant, &[("device_code", &code)]), 200).await;
    assert_eq!(body["scope"], scope);
    world.token = body["access_token"].as_str().unwrap().to_owned();
    let session = world.session("DoNotDisturb", "Presenting", "PT5M");
    accepted(world.post("/me/presence/setPresence", &session)).await;
    let presence = expect(world.get("/me/presence"), 200).await;
    assert_eq!(presence["activity"], "Presenting");
}

#[tokio::test]
async fn a_managed_identity_has_a_session_of_its_own() {
    let mut world = World::writable().await;
    let url = format!(
        "{}/metadata/identity/oauth2/token?api-version=2018-02-01&resource={}",
        world.server.url(),
        world.server.url()
    );
    let body = expect(world.http.get(url).header("metadata", "true"), 200).await;
    let session = world.session("Busy", "InACall", "PT1H");
    world.done(Action::SetPresence, &session).await;
    world.token = body["access_token"].as_str().unwrap().to_owned();
    expect_error(world.act(Action::SetPresence, &session), 400, "InvalidArgument").await;
    let machine = json!({"sessionId": world.tenant.settings().managed_identity.client_id});
    expect_error(world.act(Action::ClearPresence, &machine), 404, "NotFound").await;
    let mut session = world.session("DoNotDisturb", "Presenting", "PT1H");
    session["sessionId"] = machine["sessionId"].clone();
    world.done(Action::SetPresence, &session).await;
    world.shows("DoNotDisturb/Presenting").await;
    world.done(Action::ClearPresence, &machine).await;
    world.shows("Busy/InACall").await;
}
