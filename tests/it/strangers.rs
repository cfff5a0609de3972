//! What strangers try on the program itself, as the field saw it.

use std::fs;
use std::time::Duration;

use presence2mqtt::simulate::Settings;
use serde_json::Value;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};

use crate::http::with_password;
use crate::program::{Home, Reader};
use crate::sign_in;
use crate::stage::{Listener, Stage, within};

/// As long as the watching system waits for `healthcheck` in the shipped image.
const PROBE_PATIENCE: Duration = Duration::from_secs(5);

fn is_harmless(text: &str) -> bool {
    let turns = |c: char| ('\u{200e}'..='\u{200f}').contains(&c) || ('\u{202a}'..='\u{202e}').contains(&c);
    !text.chars().any(|c| (c.is_control() && c != '\n') || turns(c))
}

/// Of 40 idle connections or 40 wrong passwords one was enough for a container to be killed.
#[tokio::test]
async fn idle_and_guessing_visitors_kill_no_container() {
    let stage = Stage::set(Settings::default()).await;
    let port = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    let text = stage.text("", &stage.everybody());
    let password = tempfile::NamedTempFile::new().unwrap();
    fs::write(&password, "right").unwrap();
    let http = format!("[http]\nlisten = \"127.0.0.1:{port}\"\npassword_file = {:?}\n", password.path());
    let home = Home::with(&(text + &http));
    let config = stage.config("", &stage.everybody());
    let mut listener = stage.listen(&config).await;
    let log = tempfile::NamedTempFile::new().unwrap();
    let bridge = Reader::start(home.command(&["run"]).stderr(log.reopen().unwrap()));
    listener.until(&[("presence/bridge/state", "online"), ("presence/carol/health", "ok")]).await;

    let mut idle = Vec::new();
    for n in 0..200 {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        if n % 2 == 0 {
            stream.write_all(b"GET / HTTP/1.1\r\n").await.unwrap();
        }
        idle.push(stream);
    }
    let mut guesses = tokio::task::JoinSet::new();
    for n in 0..40 {
        guesses.spawn(async move { with_password(port, "/", &format!("guess{n}")).await.0 });
    }
    for _ in 0..3 {
        let probe = tokio::time::timeout(PROBE_PATIENCE, home.told(&["healthcheck"]));
        let (code, out, err) = probe.await.expect("the probe waited");
        assert_eq!(code, Some(0), "{out}{err}");
    }
    let answers = guesses.join_all().await;
    assert!(answers.iter().filter(|answer| *answer == "429").count() >= 30, "{answers:?}");
    drop(idle);
    assert_eq!(bridge.stop("TERM").await, Some(0));
    let log = fs::read_to_string(log.path()).unwrap();
    assert_eq!(log.matches("wrong passwords for the status page").count(), 1, "{log}");
    assert!(!log.contains("guess"), "{log}");
}

#[tokio::test]
async fn what_graph_says_of_a_person_moves_no_cursor() {
    let stage = Stage::set(Settings::default()).await;
    let alice = stage.tenant.people()[0].id;
    stage.tenant.set_presence(alice, "Busy\u{9b}2J", "\u{9b}2J\u{202e}dne\u{1b}]0;x\u{7}");
    let home = Home::with(&stage.text("", &stage.everybody()));
    for arguments in [&["get"][..], &["get", "--json"]] {
        let (code, out, err) = home.told(arguments).await;
        assert!(is_harmless(&out) && is_harmless(&err), "{out:?} {err:?}");
        assert_eq!((code, out.contains("alice")), (Some(0), true), "{out}{err}");
        if let Ok(people) = serde_json::from_str::<Value>(&out) {
            assert_eq!(people["alice"]["raw_availability"], "Busy\u{9b}2J", "what is escaped means the same");
        }
    }
}

#[tokio::test]
async fn what_is_not_shown_is_not_shown_beside_it() {
    let stage = Stage::without_broker(Settings::default()).await;
    let text = stage.text("", &stage.everybody());
    for value in ["Hunter2inTheWrongKey", "pa ss", "abc8Q~x.y_z"] {
        let with = format!("[mqtt]\nusername = \"bridge\"\npassword_file = \"{value}\"\n");
        let home = Home::with(&text.replace("[mqtt]\n", &with));
        let (code, out, err) = home.told(&["check"]).await;
        assert_eq!((code, err.contains("is not shown")), (Some(78), true), "{out}{err}");
        assert!(err.contains("mqtt.password_file") && !(out + &err).contains(value), "{err}");
    }
}

/// The account that comes first is the bridge's for ever, and a damaged store made everybody the first.
#[tokio::test]
async fn a_damaged_store_binds_no_stranger() {
    let home = sign_in::Home::new().await;
    home.log_in(0).await;
    fs::write(home.store().file(), "{\"version\":1,\"acc").unwrap();
    let config = home.config();
    let mut listener = Listener::to(&config).await;
    let mut command = crate::program::program();
    let bridge = Reader::start(command.args(["run", "-c"]).arg(home.file()));
    let code = listener.until_topic("presence/bridge/sign_in", |code| !code.is_empty()).await;
    let code: Value = serde_json::from_str(&code).unwrap();
    let mallory = home.stage.tenant.people()[1].id;
    assert!(home.stage.tenant.approve_device_code(code["user_code"].as_str().unwrap(), mallory));
    // The code that was used is taken back, and what came of it is said.
    let health = listener.until_topic("presence/bridge/health", |health| health.contains("damaged")).await;
    assert!(health.contains("presence2mqtt login"), "{health}");
    within(listener.until_topic("presence/bridge/sign_in", str::is_empty)).await;
    assert_eq!(bridge.stop("TERM").await, Some(0));
    assert!(!fs::read_to_string(home.store().file()).unwrap().contains("bob"), "a stranger was bound");
    // A person at the command line decides.
    home.log_in(0).await;
    assert!(home.told(&["whoami"]).await.1.contains("alice@contoso.example"));
}
