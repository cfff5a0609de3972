//! A disk that takes nothing: what a person signed in for goes on, and what is wrong is named.
//!
//! A limit on the size of files stands for it: it holds for every user, root included.

use std::process::{Command, Stdio};

use presence2mqtt::simulate::Endpoint;
use serde_json::Value;

use crate::program::Reader;
use crate::sign_in::Home;
use crate::stage::within;

impl Home {
    /// The program where no file can get longer than nothing; with `for_now` the limit can be lifted again.
    fn on_a_full_disk(&self, arguments: &[&str], for_now: bool) -> Command {
        let program = self.command(arguments);
        let limit = if for_now { "ulimit -S -f 0" } else { "ulimit -f 0" };
        let mut command = Command::new("sh");
        command.args(["-c", &format!("trap '' XFSZ; {limit}; exec \"$0\" \"$@\"")]);
        command.arg(program.get_program()).args(program.get_args());
        command.env_clear().env("PATH", std::env::var("PATH").unwrap()).stdin(Stdio::null());
        command
    }

    /// Makes the next request for presence need a new token.
    async fn old_token(&self) {
        let store = self.store();
        let locked = store.lock().await.unwrap();
        let mut kept = locked.read().unwrap().unwrap();
        kept.access_issued = "2020-01-01T00:00:00Z".parse().unwrap();
        kept.access_ends = "2020-01-01T01:00:00Z".parse().unwrap();
        locked.replace(&kept).unwrap();
    }
}

fn notices(health: &str) -> String {
    let health: Value = serde_json::from_str(health).unwrap_or_default();
    health["notices"].to_string()
}

/// Only Linux lets another process lift the limit.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_token_that_cannot_be_stored_is_used_and_the_disk_is_named_until_it_takes_it() {
    let home = Home::new().await;
    home.log_in(0).await;
    home.old_token().await;
    let before = std::fs::read(home.store().file()).unwrap();
    let config = home.config();
    let mut listener = home.stage.listen(&config).await;
    let mut command = home.on_a_full_disk(&["run"], true);
    // A pipe that nobody reads fills up, and a file cannot be written.
    let bridge = Reader::start(command.stderr(Stdio::null()));
    listener.until(&[("presence/me/health", "ok")]).await;
    let health = listener
        .until_topic("presence/bridge/health", |health| notices(health).contains("cannot be stored"))
        .await;
    for expected in ["File too large", home.state().to_str().unwrap()] {
        assert!(notices(&health).contains(expected), "{expected} in {health}");
    }
    assert!(health.contains(r#""graph":"ok""#), "{health}");

    // Another renewal comes from memory: the tenant ends a refresh token when its successor is used.
    let alice = home.stage.tenant.people()[0].id;
    for word in ["Away", "Busy"] {
        home.stage.tenant.revoke_tokens();
        home.stage.tenant.set_presence(alice, word, word);
        listener.until(&[("presence/me/availability", word), ("presence/me/health", "ok")]).await;
    }
    assert_eq!(std::fs::read(home.store().file()).unwrap(), before);

    let lifted = Command::new("prlimit").args(["--fsize=unlimited", "--pid", &bridge.id()]).status().unwrap();
    assert!(lifted.success());
    home.stage.tenant.revoke_tokens();
    listener.until_topic("presence/bridge/health", |health| notices(health) == "[]").await;
    assert_ne!(std::fs::read(home.store().file()).unwrap(), before);
    assert_eq!(bridge.stop("TERM").await, Some(0));
    let (code, text) = home.told(&["get", "--json"]).await;
    assert_eq!(code, Some(0), "{text}");
}

#[tokio::test]
async fn a_start_without_a_sign_in_says_what_cannot_be_written_and_may_be_tried_again() {
    let home = Home::new().await;
    let mut command = home.on_a_full_disk(&["run"], false);
    let ended = tokio::task::spawn_blocking(move || command.output().unwrap());
    let output = within(ended).await.unwrap();
    let text = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(text.contains("cannot write in") && text.contains("File too large"), "{text}");
}

#[tokio::test]
async fn login_finds_out_before_anybody_types_a_code() {
    let home = Home::new().await;
    for arguments in [&["login"][..], &["login", "--browser", "--no-open"]] {
        let mut command = home.on_a_full_disk(arguments, false);
        let ended = tokio::task::spawn_blocking(move || command.output().unwrap());
        let output = within(ended).await.unwrap();
        let text = String::from_utf8(output.stderr).unwrap();
        assert_eq!((output.status.code(), output.stdout.as_slice()), (Some(1), &b""[..]), "{text}");
        assert!(text.contains(home.state().to_str().unwrap()), "{text}");
    }
    assert_eq!(home.stage.tenant.requests().to(Endpoint::DeviceCode), 0);
}
