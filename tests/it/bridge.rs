//! The whole bridge.

use presence2mqtt::core::model::effect::Ending;
use presence2mqtt::simulate::{Cloud, Endpoint, Fault, Scope, Settings, Times, UnknownIds};
use serde_json::{Value, json};

use crate::stage::{Running, Stage, within};

#[tokio::test]
async fn somebody_who_comes_late_finds_the_right_values_of_everybody() {
    let stage = Stage::set(Settings::default()).await;
    let people = stage.tenant.people();
    stage.tenant.set_presence(people[0].id, "busy", "inAMeeting");
    stage.tenant.set_presence(people[1].id, "Away", "Away");
    stage.tenant.set_presence(people[2].id, "Offline", "OffWork");
    let config = stage.config("", &stage.everybody());
    let bridge = Running::start(&config);
    let mut early = stage.listen(&config).await;
    early.until(&[("presence/carol/health", "ok"), ("presence/bridge/state", "online")]).await;

    let mut late = stage.listen(&config).await;
    late.until(&[
        ("presence/alice/availability", "Busy"),
        ("presence/alice/activity", "InAMeeting"),
        ("presence/alice/health", "ok"),
        ("presence/bob/availability", "Away"),
        ("presence/bob/health", "ok"),
        ("presence/carol/availability", "Offline"),
        ("presence/carol/activity", "OffWork"),
        ("presence/carol/health", "ok"),
        ("presence/bridge/state", "online"),
    ])
    .await;
    let state = late.until_topic("presence/alice/state", |_| true).await;
    let state: Value = serde_json::from_str(&state).unwrap();
    assert_eq!(state["raw_activity"], "inAMeeting");
    assert_eq!(state["user_id"], people[0].id.to_string());
    assert_eq!(state["bridge"], "presence2mqtt");
    let info = late.until_topic("presence/bridge/info", |_| true).await;
    let info: Value = serde_json::from_str(&info).unwrap();
    let members: Vec<&String> = info.as_object().unwrap().keys().collect();
    assert_eq!(members.len(), 11, "{members:?}");
    assert_eq!(info["auth_method"], "client-secret");
    let health = late.until_topic("presence/bridge/health", |_| true).await;
    let health: Value = serde_json::from_str(&health).unwrap();
    assert_eq!((&health["graph"], &health["notices"]), (&json!("ok"), &json!([])));

    assert_eq!(bridge.stop().await, Ending::Stopped);
    late.until(&[("presence/bridge/state", "offline")]).await;
}

#[tokio::test]
async fn a_change_comes_in_order_and_no_change_says_nothing() {
    let stage = Stage::set(Settings { users: 1, ..Settings::default() }).await;
    let alice = stage.tenant.people()[0].id;
    stage.tenant.set_presence(alice, "Available", "Available");
    let config = stage.config("", &stage.everybody());
    let bridge = Running::start(&config);
    let mut listener = stage.listen(&config).await;
    listener.until(&[("presence/alice/health", "ok")]).await;

    let before = listener.heard.len();
    let asked = stage.tenant.requests().graph();
    within(stage.tenant.wait_for_requests(asked + 3)).await;
    stage.tenant.set_presence(alice, "DoNotDisturb", "Presenting");
    listener.until(&[("presence/alice/availability", "DoNotDisturb")]).await;
    let heard =
        listener.heard[before..].iter().map(|(topic, _)| topic.as_str()).filter(|t| t.contains("alice"));
    let heard: Vec<&str> = heard.collect();
    assert_eq!(heard, ["presence/alice/state", "presence/alice/activity", "presence/alice/availability"]);
    bridge.stop().await;
}

#[tokio::test]
async fn a_broker_that_lost_its_store_gets_everything_again() {
    let mut stage = Stage::set(Settings::default()).await;
    let config = stage.config("", &stage.everybody());
    let bridge = Running::start(&config);
    let mut listener = stage.listen(&config).await;
    let everybody =
        [("presence/alice/health", "ok"), ("presence/bob/health", "ok"), ("presence/carol/health", "ok")];
    listener.until(&everybody).await;
    listener.until(&[("presence/bridge/state", "online")]).await;
    let before = std::mem::take(&mut listener.now);

    stage.stop_broker().await;
    stage.start_broker().await;
    let mut listener = stage.listen(&config).await;
    let topics: Vec<(&str, &str)> = before
        .iter()
        .filter(|(topic, _)| !topic.ends_with("bridge/health"))
        .map(|(t, p)| (t.as_str(), p.as_str()))
        .collect();
    assert_eq!(topics.len(), 3 * 4 + 2);
    listener.until(&topics).await;
    bridge.stop().await;
}

#[tokio::test]
async fn a_broker_that_is_not_there_yet_is_waited_for() {
    let mut stage = Stage::without_broker(Settings::default()).await;
    let config = stage.config("", &stage.everybody());
    let bridge = Running::start(&config);
    within(stage.tenant.wait_for_requests(2)).await;
    stage.start_broker().await;
    let mut listener = stage.listen(&config).await;
    listener.until(&[("presence/alice/health", "ok"), ("presence/bridge/state", "online")]).await;
    bridge.stop().await;
}

#[tokio::test]
async fn one_bad_id_among_many_stops_nobody_else() {
    for unknown_ids in [UnknownIds::Missing, UnknownIds::Refused, UnknownIds::PresenceUnknown] {
        let stage = Stage::set(Settings::default()).await;
        stage.tenant.switch(|switches| switches.unknown_ids = unknown_ids);
        let stranger = "[[users]]\nname = \"mallory\"\nid = \"ffffffff-0000-4000-8000-000000000000\"\n";
        let config = stage.config("", &(stage.everybody() + stranger));
        let bridge = Running::start(&config);
        let mut listener = stage.listen(&config).await;
        let theirs = match unknown_ids {
            UnknownIds::Missing | UnknownIds::Refused => "not_found",
            UnknownIds::PresenceUnknown => "ok",
        };
        listener
            .until(&[
                ("presence/alice/health", "ok"),
                ("presence/bob/health", "ok"),
                ("presence/carol/health", "ok"),
                ("presence/mallory/health", theirs),
            ])
            .await;
        bridge.stop().await;
    }
}

#[tokio::test]
async fn every_endpoint_reads_the_same_people() {
    for endpoint in ["auto", "users", "communications", "bulk"] {
        for wrapped in [false, true] {
            let stage = Stage::set(Settings::default()).await;
            stage.tenant.switch(|switches| switches.wrapped = wrapped);
            let alice = stage.tenant.people()[0].id;
            stage.tenant.set_presence(alice, "BeRightBack", "BeRightBack");
            let config = stage.config(&format!("endpoint = \"{endpoint}\""), &stage.everybody());
            let bridge = Running::start(&config);
            let mut listener = stage.listen(&config).await;
            listener
                .until(&[("presence/alice/availability", "BeRightBack"), ("presence/carol/health", "ok")])
                .await;
            let requests = stage.tenant.requests();
            let used = match endpoint {
                "users" => Endpoint::UserPresence,
                "communications" => Endpoint::CommunicationsPresence,
                _ => Endpoint::PresencesByUserId,
            };
            assert_eq!(requests.to(used), requests.graph(), "{endpoint}");
            bridge.stop().await;
        }
    }
}

#[tokio::test]
async fn a_principal_name_is_turned_into_an_id_once() {
    let stage = Stage::set(Settings::default()).await;
    let users = "[[users]]\nname = \"alice\"\nid = \"alice@contoso.example\"\n\
                 [[users]]\nname = \"nobody\"\nid = \"nobody@contoso.example\"\n";
    let config = stage.config("", users);
    let bridge = Running::start(&config);
    let mut listener = stage.listen(&config).await;
    listener.until(&[("presence/alice/health", "ok"), ("presence/nobody/health", "not_found")]).await;
    let asked = stage.tenant.requests().graph();
    within(stage.tenant.wait_for_requests(asked + 2)).await;
    assert_eq!(stage.tenant.requests().to(Endpoint::User), 2);
    bridge.stop().await;
}

#[tokio::test]
async fn what_a_government_cloud_does_not_give_is_null() {
    let stage = Stage::set(Settings { users: 1, cloud: Cloud::UsGov, ..Settings::default() }).await;
    let config = stage.config("include_messages = true", &stage.everybody());
    let bridge = Running::start(&config);
    let mut listener = stage.listen(&config).await;
    let state = listener.until_topic("presence/alice/state", |_| true).await;
    let state: Value = serde_json::from_str(&state).unwrap();
    let object = state.as_object().unwrap();
    assert_eq!(object.len(), 13);
    for missing in ["out_of_office", "out_of_office_message", "work_location", "sequence_number"] {
        assert_eq!(object[missing], Value::Null, "{missing}");
    }
    bridge.stop().await;
}

#[tokio::test]
async fn a_refused_sign_in_is_said_and_ends_nothing() {
    let stage = Stage::set(Settings::default()).await;
    stage.tenant.switch(|switches| switches.secret_expired = true);
    let config = stage.config("", &stage.everybody());
    let bridge = Running::start(&config);
    let mut listener = stage.listen(&config).await;
    listener
        .until(&[("presence/alice/health", "sign_in_required"), ("presence/bridge/state", "online")])
        .await;
    let health =
        listener.until_topic("presence/bridge/health", |health| health.contains("sign_in_required")).await;
    assert!(health.contains("the client secret has expired") && health.contains("AADSTS7000222"), "{health}");
    assert!(!listener.now.contains_key("presence/alice/availability"), "nothing about a person is guessed");
    assert_eq!(bridge.stop().await, Ending::Stopped);
}

#[tokio::test]
async fn an_outage_shows_on_the_bridge_and_ends_with_the_fault() {
    let stage = Stage::set(Settings { users: 1, ..Settings::default() }).await;
    let config = stage.config("", &stage.everybody());
    let bridge = Running::start(&config);
    let mut listener = stage.listen(&config).await;
    listener.until(&[("presence/alice/health", "ok")]).await;
    stage.tenant.fault(Fault::Html, Scope::Graph, Times::Next(2));
    let alice = stage.tenant.people()[0].id;
    stage.tenant.set_presence(alice, "Offline", "Offline");
    let health =
        listener.until_topic("presence/bridge/health", |health| health.contains("unreachable")).await;
    assert!(health.contains("not JSON"), "{health}");
    listener.until(&[("presence/alice/availability", "Offline")]).await;
    listener.until_topic("presence/bridge/health", |health| health.contains("\"ok\"")).await;
    assert_eq!(listener.now["presence/alice/health"], "ok", "two failures are not two minutes");
    bridge.stop().await;
}

#[tokio::test]
async fn too_many_requests_are_said_and_waited_out() {
    let stage = Stage::set(Settings { users: 1, ..Settings::default() }).await;
    let config = stage.config("", &stage.everybody());
    let bridge = Running::start(&config);
    let mut listener = stage.listen(&config).await;
    listener.until(&[("presence/alice/health", "ok")]).await;
    stage.tenant.fault(Fault::throttled(2), Scope::Graph, Times::Next(1));
    listener.until_topic("presence/bridge/health", |health| health.contains("throttled")).await;
    listener.until_topic("presence/bridge/health", |health| health.contains("\"ok\"")).await;
    let log = stage.tenant.requests().log;
    let throttled = log.iter().position(|request| request.status == Some(429)).unwrap();
    let wait = log[throttled + 1].at - log[throttled].at;
    assert!((2.0..2.5).contains(&wait.as_secs_f64()), "{wait:?}");
    bridge.stop().await;
}

#[tokio::test]
async fn another_online_bridge_is_not_disturbed() {
    let stage = Stage::set(Settings::default()).await;
    let config = stage.config("", &stage.everybody());
    let first = Running::start(&config);
    let mut listener = stage.listen(&config).await;
    listener.until(&[("presence/bridge/state", "online"), ("presence/alice/health", "ok")]).await;
    let mut other = config.clone();
    other.mqtt.settings.client_id = "second".parse().unwrap();
    let second = Running::start(&other);
    let Ending::Conflict(why) = second.end().await else { panic!("shared the topics") };
    assert!(why.contains("mqtt.bridge_name"), "{why}");
    listener.heard.clear();
    first.stop().await;
    listener.until(&[("presence/bridge/state", "offline")]).await;
    let said: Vec<&str> = listener
        .heard
        .iter()
        .filter(|(topic, _)| topic == "presence/bridge/state")
        .map(|(_, p)| p.as_str())
        .collect();
    assert_eq!(said, ["offline"], "nothing but the first bridge's own goodbye");
}

#[tokio::test]
async fn since_and_removals_survive_a_restart() {
    let stage = Stage::set(Settings::default()).await;
    let alice = stage.tenant.people()[0].id;
    stage.tenant.set_presence(alice, "Busy", "InACall");
    let config = stage.config("", &stage.everybody());
    // What a bridge left last year.
    let since = "2025-11-23T08:30:00Z";
    let left = |user: &str, bridge: &str| {
        let state = json!({"availability": "Busy", "activity": "InACall", "since": since, "bridge": bridge})
            .to_string();
        let topic = |field: &str| format!("presence/{user}/{field}");
        [
            (topic("state"), state),
            (topic("activity"), "InACall".into()),
            (topic("availability"), "Busy".into()),
            (topic("health"), "ok".into()),
        ]
    };
    let mut listener = stage.listen(&config).await;
    for (user, bridge) in [("alice", "presence2mqtt"), ("zoe", "presence2mqtt"), ("yves", "another")] {
        for (topic, payload) in left(user, bridge) {
            listener.publish(&topic, &payload).await;
        }
    }
    let bridge = Running::start(&config);
    for field in ["state", "activity", "availability", "health"] {
        listener.until(&[(&format!("presence/zoe/{field}"), "")]).await;
    }
    listener.until(&[("presence/bridge/state", "online"), ("presence/alice/health", "ok")]).await;
    let state: Value = serde_json::from_str(&listener.now["presence/alice/state"]).unwrap();
    assert_eq!((&state["since"], &state["sequence_number"].is_string()), (&json!(since), &true), "{state}");
    assert_eq!(listener.now["presence/yves/availability"], "Busy", "another bridge's users are not touched");
    bridge.stop().await;
}
