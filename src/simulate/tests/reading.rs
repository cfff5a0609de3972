//! The read endpoints: what they answer, and what they refuse.

use super::*;
use crate::simulate::{Cloud, Person, UnknownIds};

#[tokio::test]
async fn one_presence_has_every_field_and_carries_the_ids() {
    let world = World::new().await;
    let request = world.read().header("client-request-id", "mine");
    let answer = request.send().await.unwrap();
    assert_eq!(answer.headers()["client-request-id"], "mine");
    assert!(answer.headers().contains_key("request-id"));
    assert!(answer.headers().contains_key("date"));
    let body: Value = answer.json().await.unwrap();
    let names: Vec<_> = body.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(
        names,
        [
            "@odata.context",
            "activity",
            "availability",
            "id",
            "outOfOfficeSettings",
            "sequenceNumber",
            "statusMessage",
            "workLocation"
        ]
    );
    let truth = world.tenant.presence(world.id(0)).unwrap();
    assert_eq!(body["availability"], truth.availability);
    assert_eq!(body["sequenceNumber"], truth.entity["sequenceNumber"]);
}

#[tokio::test]
async fn the_government_cloud_lacks_three_fields() {
    let world = World::with(Settings { cloud: Cloud::UsGov, ..Settings::default() }).await;
    let body = expect(world.read(), 200).await;
    for missing in ["outOfOfficeSettings", "sequenceNumber", "workLocation"] {
        assert!(body.get(missing).is_none(), "{missing}");
    }
    assert!(body["@odata.context"].as_str().unwrap().contains("graph.microsoft.us"));
}

#[tokio::test]
async fn a_change_raises_the_sequence_number_and_nothing_else_does() {
    let world = World::new().await;
    let id = world.id(0);
    let sequence = async || {
        let body = expect(world.read(), 200).await;
        body["sequenceNumber"].as_str().unwrap().to_owned()
    };
    let first = sequence().await;
    assert_eq!(sequence().await, first);
    assert!(world.tenant.set_presence(id, "Busy", "InACall"));
    let body = expect(world.read(), 200).await;
    assert_eq!((&body["availability"], &body["activity"]), (&json!("Busy"), &json!("InACall")));
    assert!(sequence().await > first);
}

#[tokio::test]
async fn the_day_goes_on_for_whoever_is_not_pinned() {
    let world = World::with(Settings { speed: 60.0, ..Settings::default() }).await;
    let first = world.tenant.presence(world.id(0)).unwrap();
    world.tenant.set_presence(world.id(1), "Busy", "Busy");
    let pinned = world.tenant.presence(world.id(1)).unwrap();
    // Twelve minutes are twelve hours in there: the day is over.
    world.tenant.skip(Duration::from_secs(12 * 60));
    let later = world.tenant.presence(world.id(0)).unwrap();
    assert_eq!(later.availability, "Offline");
    assert!(later.entity["sequenceNumber"].as_str() > first.entity["sequenceNumber"].as_str());
    assert_eq!(world.tenant.presence(world.id(1)), Some(pinned));
    world.tenant.unpin(world.id(1));
    assert_eq!(world.tenant.presence(world.id(1)).unwrap().availability, "Offline");
}

#[tokio::test]
async fn entities_and_spelling_are_what_a_test_wants() {
    let world = World::new().await;
    world.tenant.set_presence(world.id(0), "Busy", "InACall");
    world.tenant.switch(|switches| switches.camel_case = true);
    let body = expect(world.read(), 200).await;
    assert_eq!((&body["availability"], &body["activity"]), (&json!("busy"), &json!("inACall")));
    let entity = json!({"id": world.id(0), "availability": "Levitating", "extra": [1]});
    world.tenant.set_presence_json(world.id(0), entity);
    let body = expect(world.read(), 200).await;
    assert_eq!((&body["availability"], &body["extra"]), (&json!("Levitating"), &json!([1])));
}

#[tokio::test]
async fn people_come_and_go() {
    let world = World::new().await;
    let id = world.id(0);
    assert!(world.tenant.remove(id));
    assert!(!world.tenant.remove(id) && !world.tenant.set_presence(id, "Away", "Away"));
    let path = format!("/users/{id}/presence");
    expect_error(world.get(&path), 404, "NotFound").await;
    world.tenant.add(Person {
        id,
        principal_name: "erin@contoso.example".into(),
        display_name: "Erin".into(),
    });
    expect(world.get(&path), 200).await;
    assert_eq!(world.tenant.people()[2].display_name, "Erin");
}

#[tokio::test]
async fn only_a_guid_names_a_presence() {
    let world = World::new().await;
    for path in ["/users/alice@contoso.example/presence", "/communications/presences/alice"] {
        expect_error(world.get(path), 400, "BadRequest").await;
    }
}

#[tokio::test]
async fn the_communications_path_answers_an_entity_or_a_wrapped_one() {
    let world = World::new().await;
    let request = || world.get(&format!("/communications/presences/{}", world.id(1)));
    assert_eq!(expect(request(), 200).await["id"], world.ids()[1]);
    world.tenant.switch(|switches| switches.wrapped = true);
    assert_eq!(expect(request(), 200).await["value"][0]["id"], world.ids()[1]);
}

#[tokio::test]
async fn a_bulk_read_answers_everybody_once_in_any_order() {
    let world = World::with(Settings { users: 650, ..Settings::default() }).await;
    let ids = world.ids();
    let answered = async |ids: &[String]| -> Vec<String> {
        let body = expect(world.bulk(ids), 200).await;
        let value = body["value"].as_array().unwrap();
        value.iter().map(|e| e["id"].as_str().unwrap().to_owned()).collect()
    };
    let mut got = answered(&ids).await;
    assert_ne!(got, ids, "650 people shuffled into the same order");
    got.sort();
    let mut all = ids.clone();
    all.sort();
    assert_eq!(got, all);
    assert_eq!(answered(&[ids[0].clone(), ids[0].to_uppercase()]).await, [ids[0].clone()]);
    let too_many = [ids.as_slice(), &ids[..1]].concat();
    expect_error(world.bulk(&too_many), 400, "BadRequest").await;
}

#[tokio::test]
async fn a_bulk_read_has_three_ways_with_unknown_ids() {
    let world = World::new().await;
    let stranger = "11111111-2222-4333-8444-555555555501".to_owned();
    let request = || world.bulk(&[world.ids()[0].clone(), stranger.clone()]);
    let value = expect(request(), 200).await["value"].clone();
    assert_eq!(value.as_array().unwrap().len(), 1);
    world.tenant.switch(|switches| switches.unknown_ids = UnknownIds::PresenceUnknown);
    let value = expect(request(), 200).await["value"].clone();
    let found = value.as_array().unwrap().iter().find(|e| e["id"] == stranger);
    assert_eq!(found.unwrap()["availability"], "PresenceUnknown");
    world.tenant.switch(|switches| switches.unknown_ids = UnknownIds::Refused);
    expect_error(request(), 400, "BadRequest").await;
}

#[tokio::test]
async fn a_bulk_read_needs_a_proper_body() {
    let world = World::new().await;
    let url = world.server.url() + "/v1.0/communications/getPresencesByUserId";
    let post = |body: &'static str| world.http.post(&url).bearer_auth(&world.token).body(body);
    let json = |body| post(body).header("content-type", "application/json");
    expect_error(post(r#"{"ids":[]}"#), 400, "BadRequest").await;
    expect_error(json(r#"{"ids":["#), 400, "BadRequest").await;
    expect_error(json(r#"{"ids":["alice"]}"#), 400, "BadRequest").await;
    expect(json(r#"{"ids":[]}"#), 200).await;
}

#[tokio::test]
async fn users_are_found_by_name_or_id_and_selected() {
    let world = World::new().await;
    let select = "?$select=id,userPrincipalName,displayName";
    for name in ["ALICE@contoso.example", &world.ids()[0]] {
        let body = expect(world.get(&format!("/users/{name}{select}")), 200).await;
        assert_eq!(body["id"], world.ids()[0]);
        assert_eq!(body["displayName"], "Alice Adams");
        assert!(body.get("mail").is_none());
    }
    let nobody = world.get("/users/nobody@contoso.example");
    expect_error(nobody, 404, "Request_ResourceNotFound").await;
}

#[tokio::test]
async fn what_is_not_there_is_refused() {
    let world = World::new().await;
    expect_error(world.get("/groups"), 400, "BadRequest").await;
    let url = world.server.url() + "/v1.0/me/presence";
    let wrong = world.http.put(url).bearer_auth(&world.token);
    expect_error(wrong, 405, "Request_BadRequest").await;
}

#[tokio::test]
async fn the_window_throttles_presence_and_lets_go() {
    let world = World::with(Settings { request_limit: 2, ..Settings::default() }).await;
    expect(world.read(), 200).await;
    expect(world.bulk(&world.ids()), 200).await;
    let refused = expect_error(world.read(), 429, "TooManyRequests").await;
    let seconds: u64 = refused.headers()["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((1..=30).contains(&seconds));
    expect(world.get("/users/alice@contoso.example"), 200).await;
    world.tenant.skip(Duration::from_secs(seconds));
    expect(world.read(), 200).await;
}
