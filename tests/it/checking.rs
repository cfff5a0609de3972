//! `check --online`, against the simulated tenant and the embedded broker.

use std::time::Duration;

use presence2mqtt::simulate::groups::EVERYBODY;
use presence2mqtt::simulate::{AutoApprove, Fault, Scope, Settings, Times};
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy};
use tokio::net::{TcpListener, TcpStream};

use crate::program::Home;
use crate::stage::{Running, Stage};

/// The first two columns of each line before the verdict.
fn steps(out: &str) -> Vec<(&str, &str)> {
    out.lines()
        .take_while(|line| !line.starts_with("ready"))
        .map(|line| {
            let mut words = line.split_whitespace();
            (words.next().unwrap(), words.next().unwrap())
        })
        .collect()
}

const STEPS: [&str; 8] =
    ["configuration", "sign-in", "Graph", "permission", "broker", "listen", "publish", "discovery"];

#[tokio::test]
async fn everything_is_right_beside_a_running_bridge_and_nothing_is_left() {
    let stage = Stage::set(Settings::default()).await;
    let text = stage.text("", &stage.everybody());
    let config = stage.config("", &stage.everybody());
    let mut listener = stage.listen(&config).await;
    let bridge = Running::start(&config);
    listener.until(&[("presence/carol/health", "ok"), ("presence/bridge/state", "online")]).await;

    let (code, out, err) = Home::with(&text).told(&["check", "--online"]).await;
    assert_eq!((code, err.as_str()), (Some(0), ""), "{out}");
    // Where a bridge says that it is there, it is asked.
    let tried = STEPS.iter().chain(&["running"]).map(|step| ("ok", *step));
    assert_eq!(steps(&out), tried.collect::<Vec<_>>(), "{out}");
    assert!(out.ends_with("ready                   everything that was tried works\n"), "{out}");
    assert!(out.contains("the bridge of this configuration runs on"), "{out}");
    assert!(out.contains("as the app, by client-secret") && out.contains("alice was read"), "{out}");

    // It came and went, and nobody was told that the bridge is gone.
    let checked = listener.until_prefix("presence/bridge/check/", "").await;
    assert_eq!(listener.now["presence/bridge/state"], "online");
    let mut late = stage.listen(&config).await;
    late.until(&[("presence/bridge/state", "online"), ("presence/carol/health", "ok")]).await;
    assert!(!late.now.contains_key(&checked), "{:?}", late.now);
    bridge.stop().await;
}

#[tokio::test]
async fn every_step_is_tried_and_says_what_to_fix() {
    let stage = Stage::without_broker(Settings::default()).await;
    let wrong = stage.text("", &stage.everybody()).replace("client_secret = \"", "client_secret = \"wrong");
    let (code, out, err) = Home::with(&wrong).told(&["check", "--online"]).await;
    assert_eq!(code, Some(77), "{out}{err}");
    let marks = ["ok", "failed", "skipped", "skipped", "failed", "skipped", "skipped", "skipped"];
    assert_eq!(steps(&out), marks.into_iter().zip(STEPS).collect::<Vec<_>>(), "{out}");
    assert!(out.contains("AADSTS7000215") && out.contains("nothing listens at"), "{out}");
    let begin =
        "failed: sign-in, broker; begin with sign-in: copy the secret's value, not its id, from Entra";
    assert!(err.contains(begin), "{err}");
}

#[tokio::test]
async fn whoever_has_to_act_decides_over_the_exit_code() {
    let none = Settings { permissions: Vec::new(), ..Settings::default() };
    let nobody = "[[users]]\nname = \"zoe\"\nid = \"00000000-0000-4000-8000-00000000dead\"\n";
    let nameless = "[[users]]\nname = \"zoe\"\nid = \"zoe@contoso.example\"\n";
    for (settings, users, code, failed, words) in [
        (none, None, 77, "permission", "Presence.Read.All"),
        (Settings::default(), Some(nobody), 78, "people", "zoe: not found in this tenant"),
        (Settings::default(), Some(nameless), 78, "people", "zoe: not found in this tenant"),
    ] {
        let stage = Stage::set(settings).await;
        let users = users.map_or_else(|| stage.everybody(), str::to_owned);
        let (ended, out, err) = Home::with(&stage.text("", &users)).told(&["check", "--online"]).await;
        assert_eq!(ended, Some(code), "{out}{err}");
        let line = out.lines().find(|line| line.starts_with("failed")).unwrap();
        assert!(line.contains(failed) && line.contains(words), "{out}");
        assert!(err.starts_with(&format!("presence2mqtt: failed: {failed}; ")), "{err}");
        // The way to the broker is tried all the same.
        assert!(steps(&out).contains(&("ok", "discovery")), "{out}");
    }
}

#[tokio::test]
async fn where_only_groups_are_followed_a_member_is_read() {
    let group = format!("[[groups]]\nid = \"{EVERYBODY}\"\n");
    let full = Settings { groups: true, ..Settings::default() };
    let empty = Settings { users: 0, ..full.clone() };
    let blind = Settings {
        permissions: ["GroupMember.Read.All", "User.ReadBasic.All"].map(str::to_owned).to_vec(),
        ..full.clone()
    };
    let (ok, failed, skipped) = ("ok", "failed", "skipped");
    for (settings, code, marks, words) in [
        (full, 0, [ok, ok, ok], "alice@contoso.example of a group was read"),
        (blind, 77, [ok, ok, failed], "Presence.Read.All"),
        (empty, 0, [ok, skipped, skipped], "1 of 1 groups can be read, and they have no members"),
    ] {
        let stage = Stage::set(settings).await;
        let (ended, out, err) = Home::with(&stage.text("", &group)).told(&["check", "--online"]).await;
        assert_eq!(ended, Some(code), "{out}{err}");
        let expected: Vec<_> = marks.into_iter().zip(["groups", "Graph", "permission"]).collect();
        assert_eq!(steps(&out)[2..5], expected, "{out}");
        assert!(out.contains(words), "{out}");
    }
}

#[tokio::test]
async fn a_graph_that_cannot_be_used_is_69() {
    for (fault, words) in
        [(Fault::status(503), "check the network"), (Fault::throttled(7), "asks for fewer requests")]
    {
        let stage = Stage::set(Settings::default()).await;
        stage.tenant.fault(fault, Scope::Graph, Times::UntilCleared);
        let home = Home::with(&stage.text("", &stage.everybody()));
        let (code, out, err) = home.told(&["check", "--online"]).await;
        assert_eq!(code, Some(69), "{out}{err}");
        let line = out.lines().find(|line| line.starts_with("failed")).unwrap();
        assert!(line.contains("Graph") && line.contains(words), "{out}");
        assert!(steps(&out).contains(&("skipped", "permission")), "{out}");
    }
}

#[tokio::test]
async fn without_discovery_its_topics_are_left_alone() {
    let stage = Stage::set(Settings::default()).await;
    let text = stage.text("", &stage.everybody()) + "[home_assistant]\ndiscovery = false\n";
    let (code, out, _) = Home::with(&text).told(&["check", "--online"]).await;
    assert_eq!(code, Some(0), "{out}");
    assert_eq!(steps(&out), STEPS[..7].iter().map(|step| ("ok", *step)).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_person_is_named_and_what_they_did_not_consent_to_is_missed() {
    let settings = Settings { device_code_interval: Duration::from_secs(1), ..Settings::default() };
    let stage = Stage::set(settings).await;
    let person = stage.tenant.people()[0].clone();
    stage.tenant.switch(|switches| {
        switches.auto_approve = Some(AutoApprove { after: 0, person: person.id });
    });
    let state = tempfile::tempdir().unwrap();
    let text = stage.text(&format!("state_dir = '{}'", state.path().join("state").display()), "");
    let (text, _) = text.split_once("[graph.auth]").unwrap();

    let home = Home::with(text);
    let (code, out, err) = home.told(&["check", "--online"]).await;
    assert_eq!((code, out.contains("run `presence2mqtt login`")), (Some(77), true), "{out}{err}");
    let (code, out, err) = home.told(&["login", "--yes"]).await;
    assert_eq!(code, Some(0), "{out}{err}");
    let (code, out, _) = home.told(&["check", "--online"]).await;
    assert_eq!((code, out.contains(&*person.principal_name)), (Some(0), true), "{out}");

    let commanding = Home::with(&format!("{text}[commands]\nenabled = true\n"));
    let (code, out, _) = commanding.told(&["check", "--online"]).await;
    assert_eq!(code, Some(77), "{out}");
    let line = out.lines().find(|line| line.starts_with("failed")).unwrap();
    assert!(line.contains("permission") && line.contains("Presence.ReadWrite"), "{out}");
}

/// A way to the broker that is cut, each time, when more packets than these name the check's topic.
async fn breaking(broker: u16, mut lasts: impl FnMut(usize) -> usize + Send + 'static) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        for connection in 0.. {
            let (mut client, mut client_out) = listener.accept().await.unwrap().0.into_split();
            let broker = TcpStream::connect(("127.0.0.1", broker)).await.unwrap();
            let (mut from_broker, mut to_broker) = broker.into_split();
            let mut left = lasts(connection);
            let there = async {
                let mut bytes = [0; 1024];
                // Each packet waits for the answer to the one before, so that they come one by one.
                while let Ok(count @ 1..) = client.read(&mut bytes).await {
                    if bytes[..count].windows(7).any(|window| window == b"/check/") {
                        let Some(fewer) = left.checked_sub(1) else { return };
                        left = fewer;
                    }
                    to_broker.write_all(&bytes[..count]).await.unwrap();
                }
            };
            tokio::select! {
                () = there => {}
                _ = copy(&mut from_broker, &mut client_out) => {}
            }
        }
    });
    port
}

#[tokio::test]
async fn what_came_through_before_the_link_was_lost_is_removed_on_another_one() {
    let stage = Stage::set(Settings::default()).await;
    let text = stage.text("", &stage.everybody()) + "[home_assistant]\ndiscovery = false\n";
    // Only the publishing comes through: on the connection that publishes (the one before tries the last
    // will), and never again.
    for (later, is_left) in [(usize::MAX, false), (0, true)] {
        let port = breaking(stage.port, move |connection| if connection == 1 { 1 } else { later }).await;
        let broken = text.replace(&format!("127.0.0.1:{}", stage.port), &format!("127.0.0.1:{port}"));
        let (code, out, err) = Home::with(&broken).told(&["check", "--online"]).await;
        assert_eq!(code, Some(69), "{out}{err}");
        assert!(steps(&out).contains(&("failed", "publish")), "{out}");
        let advice = "may be left on the broker; `presence2mqtt clean` removes it";
        assert_eq!(out.contains(advice), is_left, "{out}");

        let (code, out, err) = Home::with(&text).told(&["clean"]).await;
        assert_eq!(code, Some(0), "{err}");
        assert_eq!(out.contains("removed presence/bridge/check/"), is_left, "{out}");
    }
}
