//! Setting presence from MQTT, in the simulated tenant and back.

use std::time::Duration;

use presence2mqtt::config::Config;
use presence2mqtt::core::model::effect::Ending;
use presence2mqtt::core::model::mqtt::Protocol;
use presence2mqtt::simulate::{Action, Fault, Scope, Settings, Times, Written};
use rumqttc::v5::mqttbytes::QoS;
use rumqttc::v5::mqttbytes::v5::{Packet, PublishProperties};
use rumqttc::v5::{AsyncClient, Event, MqttOptions};
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::sign_in::Home;
use crate::stage::{Listener, Running, Stage, within};

const SET: &str = "presence/alice/set";
const RESULT: &str = "presence/alice/set/result";

/// A stage on which the app may write, and its configuration with commands.
async fn stage(permissions: &[&str]) -> (Stage, Config) {
    let mut settings = Settings { users: 2, request_limit: usize::MAX, ..Settings::default() };
    settings.permissions.extend(permissions.iter().map(|&permission| permission.to_owned()));
    let stage = Stage::set(settings).await;
    for person in stage.tenant.people() {
        stage.tenant.set_presence(person.id, "Available", "Available");
    }
    let mut config = stage.config("", &stage.everybody());
    // Nobody is read again by chance while a test looks.
    config.accounts[0].settings.poll_interval = Duration::from_secs(600);
    config.commands.enabled = true;
    (stage, config)
}

async fn ready(stage: &Stage, config: &Config) -> (Running, Listener) {
    let bridge = Running::start(config);
    let mut listener = stage.listen(config).await;
    let health = ("presence/alice/health", "ok");
    listener.until(&[health, ("presence/bob/health", "ok"), ("presence/bridge/state", "online")]).await;
    (bridge, listener)
}

/// Sends a command and returns its result.
async fn command(listener: &mut Listener, topic: &str, payload: &str) -> Value {
    listener.now.remove(RESULT);
    listener.tell(topic, payload).await;
    let result = within(listener.until_topic(RESULT, |_| true)).await;
    serde_json::from_str(&result).unwrap()
}

fn last(stage: &Stage) -> Written {
    stage.tenant.written().pop().expect("nothing was written")
}

#[tokio::test]
async fn what_is_set_comes_back_within_a_second() {
    let (stage, config) = stage(&["Presence.ReadWrite.All"]).await;
    let alice = stage.tenant.people()[0].id;
    let app = stage.tenant.settings().client_id;
    let (bridge, mut listener) = ready(&stage, &config).await;
    for (payload, action, body, availability, activity) in [
        (
            "busy",
            Action::SetUserPreferredPresence,
            json!({"availability":"Busy","activity":"Busy"}),
            "Busy",
            "Busy",
        ),
        ("auto", Action::ClearUserPreferredPresence, json!({}), "Available", "Available"),
        (
            r#"{"availability":"DoNotDisturb","duration":"90m","kind":"session"}"#,
            Action::SetPresence,
            json!({"sessionId":app,"availability":"DoNotDisturb","activity":"Presenting","expirationDuration":"PT1H30M"}),
            "DoNotDisturb",
            "Presenting",
        ),
        (
            "Offline",
            Action::SetUserPreferredPresence,
            json!({"availability":"Offline","activity":"OffWork"}),
            "Offline",
            "OffWork",
        ),
        (r#"{"clear":true}"#, Action::ClearUserPreferredPresence, json!({}), "DoNotDisturb", "Presenting"),
        (
            r#"{"kind":"session","clear":true}"#,
            Action::ClearPresence,
            json!({"sessionId":app}),
            "Available",
            "Available",
        ),
    ] {
        let began = Instant::now();
        let request = serde_json::from_str(payload).unwrap_or(Value::from(payload));
        let result = command(&mut listener, SET, payload).await;
        assert_eq!(result, json!({"ok":true,"request":request}));
        let Written { person, action: done, body: sent, .. } = last(&stage);
        assert_eq!((person, done, sent), (alice, action, body));
        listener
            .until(&[("presence/alice/activity", activity), ("presence/alice/availability", availability)])
            .await;
        assert!(began.elapsed() < Duration::from_secs(1), "{payload}: {:?}", began.elapsed());
    }
    // A session that does not exist is as good as ended.
    let result = command(&mut listener, SET, r#"{"kind":"session","clear":true}"#).await;
    assert_eq!(result["ok"], true, "{result}");
    assert_eq!(stage.tenant.written().len(), 6);
    assert_eq!(bridge.stop().await, Ending::Stopped);
}

#[tokio::test]
async fn a_status_message_is_set_until_its_time_and_removed() {
    let (stage, mut config) = stage(&["Presence.ReadWrite.All"]).await;
    config.graph.include_messages = true;
    let (bridge, mut listener) = ready(&stage, &config).await;
    let topic = "presence/alice/set_status_message";
    for (payload, message) in [
        ("in the workshop", "in the workshop"),
        (r#"{"message":"back at two","expires_in":"2h"}"#, "back at two"),
    ] {
        let result = command(&mut listener, topic, payload).await;
        assert_eq!(result["ok"], true, "{result}");
        listener.until_topic("presence/alice/state", |state| state.contains(message)).await;
    }
    let sent = last(&stage);
    assert_eq!(sent.action, Action::SetStatusMessage);
    let expiry = &sent.body["statusMessage"]["expiryDateTime"];
    let ends = format!("{}Z", expiry["dateTime"].as_str().unwrap());
    let wait = ends.parse::<jiff::Timestamp>().unwrap().duration_since(jiff::Timestamp::now());
    assert_eq!(expiry["timeZone"], "UTC");
    assert!((7_100..=7_200).contains(&wait.as_secs()), "{expiry}");
    let result = command(&mut listener, topic, r#"{"message":""}"#).await;
    assert_eq!(result["ok"], true, "{result}");
    listener.until_topic("presence/alice/state", |state| state.contains(r#""status_message":null"#)).await;
    bridge.stop().await;
}

#[tokio::test]
async fn what_is_refused_says_why_and_reading_goes_on() {
    let (stage, config) = stage(&[]).await;
    let (bridge, mut listener) = ready(&stage, &config).await;
    let error = |result: Value| {
        assert_eq!(result["ok"], false, "{result}");
        result["error"].as_str().unwrap().to_owned()
    };
    let lunch = error(command(&mut listener, SET, "Lunch").await);
    assert!(lunch.contains("one of Available, Busy"), "{lunch}");
    assert_eq!(stage.tenant.requests().writes(), 0, "it was not asked for");
    let forbidden = error(command(&mut listener, SET, "Busy").await);
    assert!(forbidden.contains("the application permission Presence.ReadWrite.All under"), "{forbidden}");
    let health = listener.until_topic("presence/bridge/health", |health| health.contains("ReadWrite")).await;
    let health: Value = serde_json::from_str(&health).unwrap();
    assert_eq!((&health["graph"], &health["notices"][0]), (&json!("ok"), &json!(forbidden)));
    assert_eq!(listener.now["presence/alice/health"], "ok");

    stage.tenant.fault(Fault::status(503), Scope::Writes, Times::Next(1));
    let unavailable = error(command(&mut listener, SET, "Busy").await);
    assert!(unavailable.contains("503") && unavailable.contains("not retried"), "{unavailable}");
    assert_eq!(stage.tenant.requests().writes(), 2);
    assert!(stage.tenant.written().is_empty());
    bridge.stop().await;
}

#[tokio::test]
async fn a_token_that_was_revoked_is_replaced_and_the_write_repeated() {
    let (stage, config) = stage(&["Presence.ReadWrite.All"]).await;
    let (bridge, mut listener) = ready(&stage, &config).await;
    stage.tenant.revoke_tokens();
    let result = command(&mut listener, SET, "Busy").await;
    assert_eq!(result["ok"], true, "{result}");
    assert_eq!((stage.tenant.requests().writes(), stage.tenant.written().len()), (2, 1));
    listener.until(&[("presence/alice/availability", "Busy")]).await;
    bridge.stop().await;
}

#[tokio::test]
async fn commands_are_off_unless_asked_for() {
    let (stage, mut config) = stage(&["Presence.ReadWrite.All"]).await;
    config.commands.enabled = false;
    let (bridge, mut listener) = ready(&stage, &config).await;
    listener.tell(SET, "Busy").await;
    // The bridge has heard the command before this, had it listened.
    let before = listener.heard.len();
    listener.tell("presence/bridge/refresh", "now").await;
    while !listener.heard[before..].iter().any(|(topic, _)| topic == "presence/bridge/info") {
        listener.next().await;
    }
    bridge.stop().await;
    assert_eq!(stage.tenant.requests().writes(), 0);
    assert!(!listener.now.contains_key(RESULT));
}

#[tokio::test]
async fn with_mqtt_5_the_sender_is_answered_too() {
    let (stage, mut config) = stage(&["Presence.ReadWrite.All"]).await;
    config.mqtt.settings.protocol = Protocol::V5;
    let (bridge, _listener) = ready(&stage, &config).await;
    let options = MqttOptions::new("phone", "127.0.0.1", stage.port);
    let (client, mut events) = AsyncClient::new(options, 10);
    let answered = async {
        loop {
            match events.poll().await.unwrap() {
                Event::Incoming(Packet::ConnAck(_)) => {
                    client.try_subscribe("presence/answers/#", QoS::AtLeastOnce).unwrap();
                }
                Event::Incoming(Packet::SubAck(_)) => {
                    let properties = PublishProperties {
                        response_topic: Some("presence/answers/phone".into()),
                        correlation_data: Some(vec![0, 255, 7].into()),
                        ..PublishProperties::default()
                    };
                    let qos = QoS::AtLeastOnce;
                    client.try_publish_with_properties(SET, qos, false, "Busy", properties).unwrap();
                }
                Event::Incoming(Packet::Publish(publish)) => return publish,
                Event::Incoming(_) | Event::Outgoing(_) => {}
            }
        }
    };
    let answer = within(answered).await;
    assert_eq!((&answer.topic[..], answer.retain), (&b"presence/answers/phone"[..], false));
    assert_eq!(answer.properties.unwrap().correlation_data.unwrap(), vec![0, 255, 7]);
    assert_eq!(
        serde_json::from_slice::<Value>(&answer.payload).unwrap(),
        json!({"ok":true,"request":"Busy"})
    );
    bridge.stop().await;
}

#[tokio::test]
async fn whoever_signed_in_before_signs_in_again_and_sets_only_themselves() {
    let home = Home::new().await;
    let bob = home.stage.tenant.people()[1].id;
    let users =
        format!("[[users]]\nname = \"alice\"\nid = \"me\"\n[[users]]\nname = \"bob\"\nid = \"{bob}\"\n");
    std::fs::write(home.file(), home.text() + &users).unwrap();
    home.log_in(0).await;
    std::fs::write(home.file(), home.text() + &users + "[commands]\nenabled = true\n").unwrap();
    let config = home.config();
    let (bridge, mut listener) = ready(&home.stage, &config).await;
    let result = command(&mut listener, SET, "Busy").await;
    let says = "run `presence2mqtt login` again";
    assert!(result["error"].as_str().unwrap().contains(says), "{result}");
    listener.until_topic("presence/bridge/health", |health| health.contains(says)).await;

    home.log_in(0).await;
    listener.until_topic("presence/bridge/health", |health| !health.contains(says)).await;
    let result = command(&mut listener, SET, "Busy").await;
    assert_eq!(result["ok"], true, "{result}");
    assert_eq!(last(&home.stage).person, home.stage.tenant.people()[0].id);
    listener.until(&[("presence/alice/availability", "Busy")]).await;

    listener.tell("presence/bob/set", "Busy").await;
    let result = listener.until_topic("presence/bob/set/result", |_| true).await;
    assert!(result.contains("only that person's own presence"), "{result}");
    assert_eq!(home.stage.tenant.written().len(), 1);
    let (_, text) = home.told(&["whoami"]).await;
    assert!(text.contains("Presence.ReadWrite"), "{text}");
    bridge.stop().await;
}
