//! Bad days that real tenants had, as a client sees them.

use std::collections::BTreeSet;

use super::*;
use crate::simulate::{DeviceCodes, Fault, Scope, StrangeLink, Times, Trouble};

const DEVICE_CODE: &str = "urn:ietf:params:oauth:grant-type:device_code";

/// Asks for a device code, and returns it with what people type.
async fn code(world: &World) -> (String, String) {
    let form = [("client_id", world.tenant.settings().client_id), ("scope", "Presence.Read".to_owned())];
    let answer = expect(world.http.post(world.sign_in_url("devicecode")).form(&form), 200).await;
    let text = |name: &str| answer[name].as_str().unwrap().to_owned();
    (text("device_code"), text("user_code"))
}

fn question(world: &World, code: &str) -> RequestBuilder {
    world.public(DEVICE_CODE, &[("device_code", code)])
}

#[tokio::test]
async fn blocked_codes_come_with_a_number_under_whatever_word() {
    for word in ["invalid_grant", "access_denied", "interaction_required", "unauthorized_client"] {
        for number in [530_035, 530_034, 53003] {
            let world = World::new().await;
            world.tenant.switch(|switches| switches.device_codes = DeviceCodes::Blocked(number, word));
            let (code, _) = code(&world).await;
            refused(question(&world, &code), 400, word, number).await;
        }
    }
}

#[tokio::test]
async fn ignored_codes_turn_people_away_and_expire() {
    let world = World::new().await;
    Trouble::CodesIgnored.begin(&world.tenant);
    let (code, user_code) = code(&world).await;
    let form = [("user_code", user_code), ("person", world.ids()[0].clone())];
    let page = world.http.post(world.server.url() + "/devicelogin").form(&form).send().await.unwrap();
    assert_eq!(page.status(), 403);
    refused(question(&world, &code), 400, "authorization_pending", 70016).await;
    world.tenant.skip(Duration::from_secs(901));
    refused(question(&world, &code), 400, "expired_token", 70020).await;
}

#[tokio::test]
async fn some_requests_are_refused_at_random_and_the_same_token_is_good_for_others() {
    let world = World::new().await;
    Trouble::Half401.begin(&world.tenant);
    let mut statuses = BTreeSet::new();
    for _ in 0..40 {
        statuses.insert(world.read().send().await.unwrap().status().as_u16());
    }
    assert_eq!(statuses, BTreeSet::from([200, 401]));
}

#[tokio::test]
async fn whole_requests_are_refused_for_a_while() {
    for (trouble, status) in
        [(Trouble::All400, 400), (Trouble::All401, 401), (Trouble::All403, 403), (Trouble::All404, 404)]
    {
        let world = World::new().await;
        trouble.begin(&world.tenant);
        expect(world.bulk(&world.ids()), status).await;
        expect(world.read(), status).await;
        world.tenant.clear_faults();
        expect(world.bulk(&world.ids()), 200).await;
    }
}

#[tokio::test]
async fn bulk_answers_come_page_by_page() {
    let world = World::with(Settings { users: 45, speed: 0.0, ..Settings::default() }).await;
    Trouble::Pages.begin(&world.tenant);
    let mut page = expect(world.bulk(&world.ids()), 200).await;
    let (mut sizes, mut ids) = (Vec::new(), BTreeSet::new());
    loop {
        let people = page["value"].as_array().unwrap();
        sizes.push(people.len());
        ids.extend(people.iter().map(|person| person["id"].as_str().unwrap().to_owned()));
        let Some(next) = page["@odata.nextLink"].as_str() else { break };
        page = expect(world.http.get(next).bearer_auth(&world.token), 200).await;
    }
    assert_eq!(sizes, [20, 20, 5]);
    assert_eq!(ids, world.ids().into_iter().collect());
    expect(world.get("/communications/getPresencesByUserId"), 405).await;
    expect(world.get("/communications/getPresencesByUserId?$skiptoken=simulated-999"), 400).await;

    world.tenant.switch(|switches| switches.strange_link = Some(StrangeLink::OtherHost));
    let page = expect(world.bulk(&world.ids()), 200).await;
    assert!(page["@odata.nextLink"].as_str().unwrap().starts_with("http://elsewhere.example/"), "{page}");
}

#[tokio::test]
async fn half_characters_are_where_no_strict_reader_gets_past_them() {
    let world = World::new().await;
    let id = world.id(0);
    let entity = json!({"id": id, "availability": "Busy", "activity": "Busy",
                        "statusMessage": {"message": {"content": "lunch", "contentType": "text"}}});
    world.tenant.set_presence_json(id, entity);
    world.tenant.fault(Fault::HalfCharacters, Scope::Graph, Times::UntilCleared);
    for (request, says) in [
        (world.bulk(&world.ids()), r#""content":"lunch\ud83d""#),
        (world.read(), r#""simulated":"\ud83d""#),
        (world.get("/users/alice%40contoso.example"), r#""displayName":"Alice Adams\ud83d""#),
    ] {
        let text = request.send().await.unwrap().text().await.unwrap();
        assert!(text.contains(says), "{text}");
        assert!(serde_json::from_str::<Value>(&text).is_err(), "{text}");
    }
}
