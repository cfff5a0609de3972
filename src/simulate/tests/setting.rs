//! The actions that write presence: what they do, what they refuse, and how it ends.

use super::*;
use crate::simulate::Action;

mod permissions;
mod stories;
mod traces;

impl World {
    /// A tenant in which the app may write, and in which the first person is signed out.
    async fn writable() -> Self {
        let mut settings = Settings { speed: 0.0, ..Settings::default() };
        settings.permissions.push("Presence.ReadWrite.All".into());
        let world = Self::with(settings).await;
        world.tenant.set_presence(world.id(0), "Offline", "Offline");
        world
    }

    /// An action on the first person.
    fn act(&self, action: Action, body: &Value) -> RequestBuilder {
        self.post(&format!("/users/{}/presence/{action}", self.id(0)), body)
    }

    fn post(&self, path: &str, body: &Value) -> RequestBuilder {
        let url = format!("{}/v1.0{path}", self.server.url());
        self.http.post(url).bearer_auth(&self.token).json(body)
    }

    /// An action on the first person that is accepted.
    async fn done(&self, action: Action, body: &Value) {
        accepted(self.act(action, body)).await;
    }

    fn session(&self, availability: &str, activity: &str, lasts: &str) -> Value {
        let id = self.tenant.settings().client_id;
        json!({
            "sessionId": id, "availability": availability, "activity": activity, "expirationDuration": lasts,
        })
    }

    fn session_id(&self) -> Value {
        json!({"sessionId": self.tenant.settings().client_id})
    }

    /// The first person's words and sequence number, which are the same wherever they are read.
    async fn look(&self) -> (String, String) {
        let one = expect(self.read(), 200).await;
        let bulk = expect(self.bulk(&self.ids()[..1]), 200).await["value"][0].take();
        for name in ["availability", "activity", "sequenceNumber", "statusMessage"] {
            assert_eq!(one[name], bulk[name], "{name}");
        }
        let text = |name: &str| one[name].as_str().unwrap().to_owned();
        (format!("{}/{}", text("availability"), text("activity")), text("sequenceNumber"))
    }

    async fn shows(&self, words: &str) {
        assert_eq!(self.look().await.0, words);
    }

    fn skip_minutes(&self, minutes: u64) {
        self.tenant.skip(Duration::from_secs(60 * minutes));
    }
}

async fn accepted(request: RequestBuilder) {
    let answer = request.send().await.unwrap();
    assert_eq!(answer.status(), 200);
    assert!(answer.headers().contains_key("request-id") && !answer.headers().contains_key("content-type"));
    assert_eq!(answer.text().await.unwrap(), "");
}

fn message(content: &str) -> Value {
    json!({"statusMessage": {"message": {"content": content, "contentType": "text"}}})
}

fn preferred(availability: &str, activity: &str) -> Value {
    json!({"availability": availability, "activity": activity})
}

#[tokio::test]
async fn every_allowed_pair_is_shown() {
    let world = World::writable().await;
    for (availability, activity) in [
        ("Available", "Available"),
        ("Busy", "InACall"),
        ("Busy", "InAConferenceCall"),
        ("Away", "Away"),
        ("DoNotDisturb", "Presenting"),
    ] {
        world.done(Action::SetPresence, &world.session(availability, activity, "PT4H")).await;
        world.shows(&format!("{availability}/{activity}")).await;
    }
    for (availability, activity) in [
        ("Available", "Available"),
        ("Busy", "Busy"),
        ("DoNotDisturb", "DoNotDisturb"),
        ("BeRightBack", "BeRightBack"),
        ("Away", "Away"),
        ("Offline", "OffWork"),
    ] {
        world.done(Action::SetUserPreferredPresence, &preferred(availability, activity)).await;
        world.shows(&format!("{availability}/{activity}")).await;
    }
    world.done(Action::ClearUserPreferredPresence, &json!({})).await;
    world.shows("DoNotDisturb/Presenting").await;
}

#[tokio::test]
async fn what_is_not_documented_is_refused() {
    let world = World::writable().await;
    let session = |change: Value| {
        let mut body = world.session("Busy", "InACall", "PT1H");
        body.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        (Action::SetPresence, body)
    };
    let prefer = |change: Value| {
        let mut body = preferred("Busy", "Busy");
        body.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        (Action::SetUserPreferredPresence, body)
    };
    let expiry = json!({"dateTime": "soon", "timeZone": "UTC"});
    let (argument, bad) = ("InvalidArgument", "BadRequest");
    for ((action, body), code) in [
        (session(json!({"activity": "Busy"})), argument),
        (session(json!({"availability": "Offline", "activity": "OffWork"})), argument),
        (session(json!({"activity": "InAMeeting"})), argument),
        (session(json!({"availability": "Available", "activity": "OutOfOffice"})), argument),
        (session(json!({"activity": "inACall"})), argument),
        (session(json!({"expirationDuration": "PT4M59S"})), argument),
        (session(json!({"expirationDuration": "PT4H1S"})), argument),
        (session(json!({"expirationDuration": "P1D"})), argument),
        (session(json!({"expirationDuration": "1h"})), argument),
        (session(json!({"expirationDuration": 3600})), bad),
        (session(json!({"sessionId": "11111111-2222-4333-8444-555555555501"})), argument),
        (session(json!({"sessionId": null})), argument),
        (session(json!({"availability": null})), bad),
        (session(json!({"duration": "PT1H"})), bad),
        ((Action::ClearPresence, json!({})), argument),
        ((Action::ClearPresence, json!({"sessionId": "else"})), argument),
        ((Action::ClearPresence, json!([])), bad),
        (prefer(json!({"activity": "InACall"})), argument),
        (prefer(json!({"availability": "Offline", "activity": "Offline"})), argument),
        (prefer(json!({"expirationDuration": "P1M"})), argument),
        (prefer(json!({"expirationDuration": "PT0S"})), argument),
        (prefer(json!({"sessionId": world.tenant.settings().client_id})), bad),
        ((Action::ClearUserPreferredPresence, world.session_id()), bad),
        ((Action::SetStatusMessage, json!({})), bad),
        ((Action::SetStatusMessage, json!({"statusMessage": "x"})), argument),
        (
            (Action::SetStatusMessage, json!({"statusMessage": {"message": {"contentType": "html"}}})),
            argument,
        ),
        (
            (Action::SetStatusMessage, json!({"statusMessage": {"message": {}, "expiryDateTime": expiry}})),
            argument,
        ),
    ] {
        let answer = world.act(action, &body).send().await.unwrap();
        assert_eq!(answer.status(), 400, "{action} {body}");
        let error: Value = answer.json().await.unwrap();
        assert_eq!(error["error"]["code"], code, "{action} {body}");
    }
    let url = format!("{}/v1.0/users/{}/presence/setPresence", world.server.url(), world.id(0));
    let untyped = || world.http.post(&url).bearer_auth(&world.token).body("{}");
    expect_error(untyped(), 400, "BadRequest").await;
    let get = world.get(&format!("/users/{}/presence/setPresence", world.id(0)));
    expect_error(get, 405, "Request_BadRequest").await;
    expect_error(world.post("/me/presence/setMood", &json!({})), 400, "BadRequest").await;
    assert!(world.tenant.written().is_empty());
    world.shows("Offline/Offline").await;
}

#[tokio::test]
async fn a_session_that_is_not_there_cannot_be_cleared() {
    let world = World::writable().await;
    let clear = || world.act(Action::ClearPresence, &world.session_id());
    expect_error(clear(), 404, "NotFound").await;
    let session = world.session("Away", "Away", "PT5M");
    world.done(Action::SetPresence, &session).await;
    accepted(clear()).await;
    expect_error(clear(), 404, "NotFound").await;
    world.done(Action::SetPresence, &session).await;
    world.skip_minutes(5);
    expect_error(clear(), 404, "NotFound").await;
    assert_eq!(world.tenant.written().len(), 3);
}

#[tokio::test]
async fn a_status_message_stays_until_it_expires_or_is_emptied() {
    let world = World::writable().await;
    let shown = async || {
        world.look().await;
        expect(world.read(), 200).await["statusMessage"].take()
    };
    world.done(Action::SetStatusMessage, &message("In the workshop")).await;
    assert_eq!(shown().await, message("In the workshop")["statusMessage"]);
    for empty in [json!({"statusMessage": null}), json!({"statusMessage": {}}), message("")] {
        world.done(Action::SetStatusMessage, &message("In the workshop")).await;
        world.done(Action::SetStatusMessage, &empty).await;
        assert_eq!(shown().await, Value::Null, "{empty}");
    }
    let now = world.tenant.state().now.wall;
    let end = now + jiff::Span::new().minutes(30);
    let mut body = message("Back soon");
    let expiry = json!({"dateTime": end.strftime("%Y-%m-%dT%H:%M:%S").to_string(), "timeZone": "UTC"});
    body["statusMessage"]["expiryDateTime"] = expiry;
    world.done(Action::SetStatusMessage, &body).await;
    assert_eq!(shown().await, body["statusMessage"]);
    world.tenant.switch(|switches| switches.expiry_hidden = true);
    assert_eq!(shown().await, message("Back soon")["statusMessage"]);
    let token = world.tenant.mint_delegated_token(world.id(0));
    let url = format!("{}/v1.0/me/presence", world.server.url());
    let own = expect(world.http.get(url).bearer_auth(token), 200).await;
    assert_eq!(own["statusMessage"], body["statusMessage"]);
    world.skip_minutes(29);
    assert_eq!(shown().await, message("Back soon")["statusMessage"]);
    world.skip_minutes(1);
    assert_eq!(shown().await, Value::Null);
}
