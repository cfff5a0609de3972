//! `watch`, against the bridge and the embedded broker.

use presence2mqtt::simulate::Settings;

use crate::program::{Home, Reader};
use crate::stage::{Running, Stage};

/// A stage with alice in a call, a bridge that has said so, and what a person writes who only listens.
async fn playing() -> (Stage, Running, Home) {
    let stage = Stage::set(Settings::default()).await;
    let alice = stage.tenant.people()[0].id;
    assert!(stage.tenant.set_presence(alice, "Busy", "InACall"));
    let config = stage.config("", &stage.everybody());
    let mut listener = stage.listen(&config).await;
    let bridge = Running::start(&config);
    listener.until(&[("presence/alice/health", "ok"), ("presence/carol/health", "ok")]).await;
    let home = Home::with(&format!(
        "[mqtt]\nurl = \"mqtt://127.0.0.1:{}\"\n[[users]]\nname = \"alice\"\ndisplay_name = \"Alice A.\"\n",
        stage.port
    ));
    (stage, bridge, home)
}

#[tokio::test]
async fn once_is_a_table_of_everybody_on_the_broker() {
    let (_stage, bridge, home) = playing().await;
    let (code, out, err) = home.told(&["watch", "--once"]).await;
    assert_eq!((code, err.as_str()), (Some(0), ""), "{out}");
    let lines: Vec<&str> = out.lines().collect();
    assert!(lines[0].starts_with("the bridge is online, Graph ok for "), "{out}");
    let titles: Vec<&str> = lines[2].split_whitespace().collect();
    assert_eq!(titles, ["USER", "NAME", "AVAILABILITY", "ACTIVITY", "SINCE", "HEALTH"]);
    let alice: Vec<&str> = lines[3].split_whitespace().collect();
    assert_eq!(alice[..5], ["alice", "Alice", "A.", "Busy", "InACall"], "{out}");
    assert_eq!(alice[6], "ok");
    assert!(lines[4].starts_with("bob ") && lines[5].starts_with("carol "), "{out}");

    let (code, out, _) = home.told(&["watch", "--once", "zoe", "alice"]).await;
    assert_eq!(
        (code, out.lines().last()),
        (Some(0), Some("zoe is not on the broker, or this user may not read it"))
    );
    assert!(out.contains("alice ") && !out.contains("bob"), "{out}");

    bridge.stop().await;
    let (_, out, _) = home.told(&["watch", "--once"]).await;
    assert!(out.starts_with("the bridge is offline"), "{out}");
    let alice = out.lines().find(|line| line.starts_with("alice ")).unwrap();
    assert!(alice.contains("Busy") && alice.ends_with("in doubt: bridge offline"), "{out}");
}

#[tokio::test]
async fn a_line_for_each_change_and_back_when_the_broker_is() {
    let (mut stage, bridge, home) = playing().await;
    let mut watch = Reader::start(&mut home.command(&["watch"]));
    watch.until("the bridge is online").await;
    watch.until("alice: Busy, InACall since ").await;
    watch.until("carol: health is ok").await;
    let alice = stage.tenant.people()[0].id;
    assert!(stage.tenant.set_presence(alice, "Away", "Away"));
    watch.until("alice: Away, Away since ").await;

    stage.stop_broker().await;
    watch.until("no connection to the broker: ").await;
    // What changed meanwhile is told when it is back.
    assert!(stage.tenant.set_presence(alice, "Available", "Available"));
    stage.start_broker().await;
    watch.until("connected to the broker again").await;
    watch.until("alice: Available, Available since ").await;

    for line in &watch.read {
        assert!(line.starts_with("20") && !line.contains('\x1b'), "{line}");
    }
    assert_eq!(watch.stop("INT").await, Some(0));
    bridge.stop().await;
}

#[tokio::test]
async fn a_broker_that_was_never_there_is_69() {
    let stage = Stage::without_broker(Settings::default()).await;
    let home = Home::with(&format!("[mqtt]\nurl = \"mqtt://127.0.0.1:{}\"\n", stage.port));
    for arguments in [&["watch"][..], &["watch", "--once"]] {
        let (code, out, err) = home.told(arguments).await;
        assert_eq!((code, out.as_str()), (Some(69), ""), "{err}");
        assert!(err.contains("nothing listens at"), "{err}");
    }
}

#[tokio::test]
async fn a_broker_that_is_never_quiet_is_watched_at_once() {
    let (stage, bridge, home) = playing().await;
    let mut busy = stage.listen(&stage.config("", &stage.everybody())).await;
    let noise = async {
        loop {
            busy.tell("presence/noise/activity", "Busy").await;
        }
    };
    let began = std::time::Instant::now();
    let (code, out, _) = tokio::select! {
        told = home.told(&["watch", "--once"]) => told,
        () = noise => unreachable!(),
    };
    assert_eq!((code, out.contains("alice  Alice A.  Busy")), (Some(0), true), "{out}");
    assert!(began.elapsed() < std::time::Duration::from_secs(10), "{:?}", began.elapsed());
    bridge.stop().await;
}
