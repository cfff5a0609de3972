//! Brokers that do not send all that is retained, against the program itself: silence is not an answer.

use std::collections::BTreeSet;

use presence2mqtt::simulate::{Person, Settings};
use serde_json::{Value, json};

use crate::partial::{Manners, Partial};
use crate::program::{Home, Reader};
use crate::stage::{LIMIT, Listener, Stage};

/// Long before any test.
const LONG_AGO: &str = "2026-01-02T03:04:05Z";

fn name(person: &Person) -> String {
    person.principal_name.split('@').next().unwrap().to_owned()
}

/// As if an earlier run had seen everybody come long ago.
fn left(stage: &Stage, broker: &Partial) {
    for person in stage.tenant.people() {
        let seen = stage.tenant.presence(person.id).unwrap();
        let state = json!({
            "availability": seen.availability, "activity": seen.activity, "since": LONG_AGO,
            "user_id": person.id.to_string(), "bridge": "presence2mqtt",
        });
        broker.keep(&format!("presence/{}/state", name(&person)), &state.to_string());
        broker.keep(&format!("presence/{}/health", name(&person)), "ok");
    }
    broker.keep("presence/bridge/state", "offline");
    broker.keep("presence/bridge/info", r#"{"bridge":"presence2mqtt","discovery_prefix":"homeassistant"}"#);
}

/// A tenant of so many people, a broker that holds what an earlier run left of them, and a configuration that
/// follows all of them.
async fn stage(users: usize, manners: Manners) -> (Stage, Partial, String) {
    let mut stage = Stage::without_broker(Settings { users, ..Settings::default() }).await;
    let broker = Partial::start(manners).await;
    stage.port = broker.port;
    left(&stage, &broker);
    let text = stage.text("", &stage.everybody());
    (stage, broker, text)
}

/// Runs the bridge until everybody is read, and stops it.
async fn run(stage: &Stage, home: &Home) {
    assert_eq!(start(stage, home).await.stop("TERM").await, Some(0));
}

/// A bridge that has read everybody.
async fn start(stage: &Stage, home: &Home) -> Reader {
    let mut listener = Listener::to(&stage.config("", &stage.everybody())).await;
    let mut waited: BTreeSet<String> =
        stage.tenant.people().iter().map(|person| format!("presence/{}/health", name(person))).collect();
    let bridge = Reader::start(&mut home.command(&["run"]));
    let everybody = async {
        while !waited.is_empty() {
            let message = listener.next().await;
            if !message.retained && message.payload == b"ok" {
                waited.remove(&message.topic);
            }
        }
    };
    assert!(tokio::time::timeout(LIMIT, everybody).await.is_ok(), "not read: {waited:?}");
    bridge
}

/// Since when everybody is where they are.
fn since(broker: &Partial) -> Vec<String> {
    let states = broker.retained().into_iter();
    let states = states.filter(|(topic, _)| topic.ends_with("/state") && !topic.contains("/bridge/"));
    let since =
        |state: String| serde_json::from_str::<Value>(&state).unwrap()["since"].as_str().unwrap().to_owned();
    states.map(|(_, state)| since(state)).collect()
}

const NO_WILDCARDS: &str = "no retained messages to subscriptions with wildcards";

fn without_wildcards() -> Manners {
    Manners { wildcards: false, ..Manners::default() }
}

#[tokio::test]
async fn since_survives_where_wildcards_bring_nothing_and_it_is_said() {
    let (stage, broker, text) = stage(3, without_wildcards()).await;
    let light =
        "[[lights]]\nname = \"door\"\nusers = [\"alice\"]\npreset = \"wled\"\ntopic = \"wled/door\"\n";
    broker.keep("presence/bridge/light/door/follow", "OFF");
    run(&stage, &Home::with(&(text + light))).await;
    assert_eq!(since(&broker), [LONG_AGO; 3]);
    let retained = broker.retained();
    assert!(
        retained["presence/bridge/health"].contains(NO_WILDCARDS),
        "{}",
        retained["presence/bridge/health"]
    );
    assert_eq!(retained["presence/bridge/light/door/follow"], "OFF");
}

#[tokio::test]
async fn since_survives_for_everybody_where_the_queue_is_short() {
    let (stage, broker, text) = stage(500, Manners { queue: 200, ..Manners::default() }).await;
    run(&stage, &Home::with(&text)).await;
    let since = since(&broker);
    assert_eq!((since.len(), since.iter().filter(|since| *since == LONG_AGO).count()), (500, 500));
    assert!(broker.most_filters() < 200, "{}", broker.most_filters());
    assert!(!broker.retained()["presence/bridge/health"].contains(NO_WILDCARDS));
}

#[tokio::test]
async fn clean_looks_again_until_nothing_is_left() {
    let (_stage, broker, text) = stage(500, Manners { queue: 200, ..Manners::default() }).await;
    broker.keep("presence/stranger/state", r#"{"bridge":"another"}"#);
    let (code, out, err) = Home::with(&text).told(&["clean"]).await;
    assert_eq!((code, err.as_str()), (Some(0), ""), "{out}");
    assert!(out.ends_with("1002 retained topics removed\n"), "{out}");
    assert_eq!(broker.retained().into_keys().collect::<Vec<_>>(), ["presence/stranger/state"]);
}

#[tokio::test]
async fn clean_fails_where_something_is_left() {
    let sticky = ["a", "b", "c", "d", "e"].map(|name| format!("presence/{name}/state"));
    let manners = Manners { sticky: BTreeSet::from(sticky.clone()), ..Manners::default() };
    let (_stage, broker, text) = stage(3, manners).await;
    sticky.iter().for_each(|topic| broker.keep(topic, r#"{"availability":"Away","activity":"Away","since":"2026-01-02T03:04:05Z","bridge":"presence2mqtt"}"#));
    let (code, out, err) = Home::with(&text).told(&["clean"]).await;
    assert_eq!(code, Some(1), "{out}{err}");
    assert!(err.contains("5 retained topics are left: presence/a/state, presence/b/state, "), "{err}");
    assert_eq!(broker.retained().len(), 5);
}

#[tokio::test]
async fn clean_removes_by_name_where_wildcards_bring_nothing() {
    let (stage, broker, text) = stage(3, without_wildcards()).await;
    let home = Home::with(&text);
    run(&stage, &home).await;
    broker.keep("presence/gone/state", r#"{"bridge":"presence2mqtt"}"#);
    broker.keep(
        "presence/bob/state",
        r#"{"availability":"Away","activity":"Away","since":"2026-01-02T03:04:05Z","bridge":"another"}"#,
    );
    let announced =
        |broker: &Partial| broker.retained().keys().filter(|t| t.starts_with("homeassistant")).count();
    assert_eq!(announced(&broker), 4);
    let (code, out, err) = home.told(&["clean"]).await;
    assert_eq!(code, Some(0), "{out}{err}");
    assert!(err.contains(NO_WILDCARDS) && err.contains("can be found and removed"), "{err}");
    assert_eq!(announced(&broker), 0, "{out}");
    let left: Vec<String> = broker.retained().into_keys().collect();
    let of_bob = ["activity", "availability", "health", "state"].map(|field| format!("presence/bob/{field}"));
    assert_eq!(left, [&of_bob[..], &["presence/gone/state".to_owned()]].concat(), "{out}");
}

#[tokio::test]
async fn clean_refuses_beside_its_own_bridge_where_wildcards_bring_nothing() {
    let (stage, _broker, text) = stage(3, without_wildcards()).await;
    let home = Home::with(&text);
    let bridge = start(&stage, &home).await;
    let (code, out, err) = home.told(&["clean"]).await;
    assert_eq!((code, out.as_str()), (Some(1), ""), "{err}");
    assert!(err.contains("stop the bridge first"), "{err}");
    assert_eq!(bridge.stop("TERM").await, Some(0));
}

#[tokio::test]
async fn watch_shows_configured_people_where_wildcards_bring_nothing() {
    let (_stage, broker, text) = stage(3, without_wildcards()).await;
    broker.keep("presence/bridge/state", "online");
    broker.keep("presence/bob/availability", "Busy");
    let group = "[[groups]]\nid = \"02bd9fd6-8f93-4758-87c3-1fb73740a315\"\nname = \"{upn_local}\"\n";
    for (text, says) in [(text.clone(), false), (text + group, true)] {
        let (code, out, err) = Home::with(&text).told(&["watch", "--once"]).await;
        assert_eq!(code, Some(0), "{err}");
        assert!(out.lines().any(|line| line.starts_with("bob ") && line.contains("Busy")), "{out}");
        assert_eq!(err.contains(NO_WILDCARDS), says, "{err}");
    }
}

#[tokio::test]
async fn a_check_says_whether_wildcards_are_answered() {
    for wildcards in [true, false] {
        let (_stage, broker, text) = stage(3, Manners { wildcards, ..Manners::default() }).await;
        let before = broker.retained();
        let (code, out, err) = Home::with(&text).told(&["check", "--online"]).await;
        assert_eq!(code, Some(0), "{out}{err}");
        assert_eq!(out.lines().any(|line| line.starts_with("note     wildcards ")), !wildcards, "{out}");
        assert_eq!(out.contains(NO_WILDCARDS), !wildcards, "{out}");
        assert_eq!(broker.retained(), before);
    }
}
