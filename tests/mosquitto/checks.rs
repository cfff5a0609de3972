//! What `check --online` and `watch` find out about who may do what.

use std::fs;

use crate::harness::{
    Bridge, Configuration, Finished, Listener, Mosquitto, Setup, Source, finished, password_file, retained,
    write_secret,
};

/// A broker whose guarded listener lets everybody in and allows only this.
async fn allowing(access: &str) -> (Mosquitto, tempfile::TempDir) {
    let home = tempfile::tempdir().unwrap();
    let list = home.path().join("access");
    fs::write(&list, access).unwrap();
    let guarded = format!("allow_anonymous true\nacl_file {}", list.display());
    (Mosquitto::with(Setup { guarded: Some(guarded), ..Setup::default() }).await, home)
}

/// The line of a step.
fn step<'f>(finished: &'f Finished, step: &str) -> &'f str {
    let is_of = |line: &&str| line.split_whitespace().nth(1) == Some(step);
    let out = &finished.output.stdout;
    out.lines().find(is_of).unwrap_or_else(|| panic!("no {step} in {out}"))
}

#[tokio::test]
async fn a_check_beside_the_bridge_leaves_nothing_and_disturbs_nobody() {
    let (source, broker) = (Source::start().await, Mosquitto::start().await);
    let listener = Listener::start(broker.port).await;
    for protocol in ["3.1.1", "5"] {
        let configuration = Configuration::new(&source, &broker.url()).set("mqtt.protocol", protocol);
        let bridge = Bridge::start(&configuration);
        listener.until_newest("presence/bridge/state", "online").await;
        listener.until_newest("presence/carol/health", "ok").await;
        let (mark, before) = (listener.mark(), retained(broker.port, "#").await);
        let checked = finished(&configuration, &["check", "--online"]).await;
        assert_eq!(checked.code, Some(0), "{}{}", checked.output.stdout, checked.output.stderr);
        assert_eq!(retained(broker.port, "#").await, before);
        let states = listener.since(mark).into_iter().filter(|heard| heard.topic.ends_with("/bridge/state"));
        assert_eq!(states.count(), 0);
        assert_eq!(bridge.stop("TERM").await.code, Some(0));
        listener.until_newest("presence/bridge/state", "offline").await;
    }
}

#[tokio::test]
async fn what_an_access_list_swallows_is_said() {
    let source = Source::start().await;
    let own = "topic readwrite presence/#\n";
    let only_read = "topic read presence/#\ntopic read homeassistant/#\n";
    for (access, publish, discovery) in [(own, "ok", "failed"), (only_read, "failed", "failed")] {
        let (broker, _home) = allowing(access).await;
        for protocol in ["3.1.1", "5"] {
            let configuration =
                Configuration::new(&source, &broker.guarded_url("mqtt")).set("mqtt.protocol", protocol);
            let checked = finished(&configuration, &["check", "--online"]).await;
            assert_eq!(checked.code, Some(69), "{}", checked.output.stderr);
            // Mosquitto looks at the list when it publishes the last will, and grants whatever is subscribed
            // to.
            let steps = [("broker", "ok"), ("listen", "ok"), ("publish", publish), ("discovery", discovery)];
            for (name, mark) in steps {
                let line = step(&checked, name);
                assert!(line.starts_with(mark), "{protocol}: {line}");
                // Older brokers do not say it: it shows by what does not come back.
                let says = if protocol == "5" { "not authorized" } else { "does not deliver them" };
                let says_why = line.to_lowercase().contains(says) && line.contains("allow ");
                assert!(mark == "ok" || says_why, "{protocol}: {line}");
            }
        }
        assert_eq!(retained(broker.port, "#").await.len(), 0);
    }
}

#[tokio::test]
async fn clean_says_what_an_access_list_keeps_it_from() {
    let source = Source::start().await;
    for (protocol, says) in [("3.1.1", "left: homeassistant/device/"), ("5", "not authorized")] {
        let (broker, _home) = allowing("topic read #\ntopic readwrite presence/alice/#\n").await;
        let configuration =
            Configuration::new(&source, &broker.guarded_url("mqtt")).set("mqtt.protocol", protocol);
        let bridge = Bridge::start(&configuration.clone().set("mqtt.url", broker.url()));
        let listener = Listener::start(broker.port).await;
        listener.until_newest("presence/carol/health", "ok").await;
        assert_eq!(bridge.stop("TERM").await.code, Some(0));
        let left = retained(broker.port, "#").await.len();
        let cleaned = finished(&configuration, &["clean"]).await;
        let (out, err) = (&cleaned.output.stdout, &cleaned.output.stderr);
        assert_eq!(cleaned.code, Some(1), "{out}{err}");
        assert!(
            out.contains("removed presence/alice/state\n") && out.ends_with("4 retained topics removed\n"),
            "{out}"
        );
        assert!(
            err.contains(&format!("{} retained topics are left: ", left - 4)) && err.contains(says),
            "{err}"
        );
        assert_eq!(retained(broker.port, "#").await.len(), left - 4);
    }
}

#[tokio::test]
async fn a_broker_that_keeps_nothing_is_found_out() {
    let source = Source::start().await;
    let guarded = Some("allow_anonymous true\nretain_available false".to_owned());
    let broker = Mosquitto::with(Setup { guarded, ..Setup::default() }).await;
    for protocol in ["3.1.1", "5"] {
        let configuration =
            Configuration::new(&source, &broker.guarded_url("mqtt")).set("mqtt.protocol", protocol);
        let checked = finished(&configuration, &["check", "--online"]).await;
        assert_eq!(checked.code, Some(69), "{}{}", checked.output.stdout, checked.output.stderr);
        let words =
            checked.output.stdout.lines().filter(|line| line.starts_with("failed")).collect::<String>();
        assert!(words.contains("retain"), "{protocol}: {}", checked.output.stdout);
    }
}

#[tokio::test]
async fn whoever_may_only_read_can_watch() {
    let source = Source::start().await;
    let (broker, _home) = allowing("topic read presence/#\n").await;
    let listener = Listener::start(broker.port).await;
    let bridge = Bridge::start(&Configuration::new(&source, &broker.url()));
    for name in ["alice", "bob", "carol"] {
        listener.until_newest(&format!("presence/{name}/health"), "ok").await;
    }
    let reader = Configuration::new(&source, &broker.guarded_url("mqtt"));
    let watched = finished(&reader, &["watch", "--once"]).await;
    assert_eq!(watched.code, Some(0), "{}", watched.output.stderr);
    let rows: Vec<Vec<&str>> =
        watched.output.stdout.lines().skip(3).map(|row| row.split_whitespace().collect()).collect();
    assert_eq!(rows.len(), 3, "{}", watched.output.stdout);
    assert_eq!(rows[1][..3], ["bob", "Busy", "InACall"]);
    assert_eq!(rows[1].last(), Some(&"ok"));
    assert_eq!(bridge.stop("TERM").await.code, Some(0));
}

/// Green in `check`, and impossible in `run`, until `check` went the same way.
#[tokio::test]
async fn what_only_a_run_would_ask_for_is_tried() {
    let source = Source::start().await;
    for (limit, failing, words) in [
        ("max_qos 0", "broker", "only without the last will"),
        ("max_packet_size 1500", "publish", "bytes was published"),
    ] {
        let guarded = Some(format!("allow_anonymous true\n{limit}"));
        let broker = Mosquitto::with(Setup { guarded, ..Setup::default() }).await;
        let configuration = Configuration::new(&source, &broker.guarded_url("mqtt"));
        let checked = finished(&configuration, &["check", "--online"]).await;
        assert_eq!(checked.code, Some(69), "{limit}: {}", checked.output.stdout);
        let line = step(&checked, failing);
        assert!(line.starts_with("failed") && line.contains(words), "{limit}: {line}");
    }
}

/// Six times a minute `watch` threw the bridge out, which threw `watch` out.
#[tokio::test]
async fn where_the_user_name_is_the_client_id_a_command_gives_up_and_says_why() {
    let home = tempfile::tempdir().unwrap();
    let passwords = password_file(home.path(), "bridge", "planted-broker-password");
    let guarded = format!("use_username_as_clientid true\npassword_file {}", passwords.display());
    let broker = Mosquitto::with(Setup { guarded: Some(guarded), ..Setup::default() }).await;
    let source = Source::start().await;
    let file = home.path().join("mqtt-password");
    write_secret(&file, "planted-broker-password");
    let configuration = Configuration::new(&source, &broker.guarded_url("mqtt"))
        .set("mqtt.username", "bridge")
        .set("mqtt.password_file", file.to_str().unwrap());
    let bridge = Bridge::start(&configuration);
    let listener = Listener::start(broker.port).await;
    listener.until_newest("presence/carol/health", "ok").await;
    let mark = listener.mark();
    for command in [&["watch"][..], &["check", "--online"]] {
        let ended = finished(&configuration, command).await;
        let said = format!("{}{}", ended.output.stdout, ended.output.stderr);
        assert_eq!(ended.code, Some(69), "{said}");
        assert!(said.contains("use_username_as_clientid"), "{said}");
    }
    listener.until_newest("presence/bridge/state", "online").await;
    let offline = listener.since(mark).into_iter().filter(|heard| heard.payload == "offline").count();
    assert!(offline <= 6, "the bridge was thrown out {offline} times");
    assert!(bridge.is_running());
}
