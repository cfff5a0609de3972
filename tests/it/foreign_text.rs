//! A sign-in service that lies: what it says reaches terminal, log and broker only as harmless text, or not
//! at all.

use std::sync::{Arc, Mutex};

use presence2mqtt::config::{self, Environment};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use crate::sign_in::Home;
use crate::stage::Running;

/// Answers every request with the body of the moment.
async fn liar(body: Arc<Mutex<String>>, status: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let root = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = [0; 8192];
            assert!(stream.read(&mut request).await.unwrap() > 0);
            let body = body.lock().unwrap().clone();
            let head =
                format!("HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: {}\r\n\r\n", body.len());
            // Whoever asked may have had enough.
            let _ = stream.write_all((head + &body).as_bytes()).await;
        }
    });
    root
}

fn code(uri: &str, code: &str) -> String {
    serde_json::json!({
        "device_code": "d", "user_code": code, "verification_uri": uri, "expires_in": 1, "interval": 1,
        "message": "\u{1b}]0;owned\u{7}",
    })
    .to_string()
}

const FINE: &str = "https://microsoft.com/devicelogin";

/// A configuration that asks the liar for sign-ins.
fn asks(home: &Home, root: &str) {
    let text = home.text();
    let login = text.lines().find(|line| line.starts_with("login_url")).unwrap();
    std::fs::write(home.file(), text.replace(login, &format!("login_url = \"{root}\""))).unwrap();
}

fn is_harmless(text: &str) -> bool {
    !text.chars().any(|c| (c.is_control() && c != '\n') || ('\u{202a}'..='\u{202e}').contains(&c))
}

#[tokio::test]
async fn a_code_that_is_none_is_shown_nowhere() {
    let home = Home::new().await;
    let body = Arc::new(Mutex::new(String::new()));
    asks(&home, &liar(Arc::clone(&body), "200 OK").await);
    let long = "x".repeat(220_000);
    for (uri, shown) in [
        ("javascript:alert(1)", "ABCD1234"),
        ("http://evil.example/", "ABCD1234"),
        ("https://microsoft.com@evil.example/", "ABCD1234"),
        ("https://microsoft.com/\u{1b}[2J", "ABCD1234"),
        (&format!("https://evil.example/{long}"), "ABCD1234"),
        (FINE, "\u{1b}]0;owned\u{7}"),
        (FINE, "ABCD\n2026-11-28T05:00:00Z ERROR forged"),
        (FINE, "\u{202e}4321DCBA"),
        (FINE, "\u{9b}2J"),
        (FINE, &long),
        (FINE, ""),
    ] {
        *body.lock().unwrap() = code(uri, shown);
        let (status, text) = home.told(&["login"]).await;
        assert_eq!(status, Some(69), "{text}");
        assert!(text.contains("is not a device code") && is_harmless(&text) && text.len() < 1000, "{text}");
        assert!(!text.contains("evil") && !text.contains("forged") && !text.contains("alert"), "{text}");
    }
    *body.lock().unwrap() = code(FINE, "ABCD1234");
    let (_, text) = home.told(&["login"]).await;
    assert!(text.contains(&format!("Open {FINE}\nand enter the code ABCD1234")), "{text}");
}

#[tokio::test]
async fn a_refusal_is_one_harmless_line_on_the_terminal_and_a_short_one_on_the_broker() {
    let home = Home::new().await;
    let said = format!("\u{1b}[2J\u{9b}2J\u{202e}\n2026-11-28T05:00:00Z ERROR forged {}", "x".repeat(40_000));
    let refusal = serde_json::json!({
        "error": said, "error_description": said, "trace_id": said, "correlation_id": said, "error_codes": [1],
    });
    asks(&home, &liar(Arc::new(Mutex::new(refusal.to_string())), "400 Bad Request").await);
    let (status, text) = home.told(&["login"]).await;
    assert_eq!((status, text.trim_end().lines().count()), (Some(77), 1), "{text}");
    assert!(is_harmless(&text) && text.len() < 3000, "{text}");

    // Nobody is signed in, so the bridge asks for a code, and says on its health what came of it.
    let config = config::load(Some(&home.file()), &Environment::from_iter([])).unwrap();
    let bridge = Running::start(&config);
    let mut listener = home.stage.listen(&config).await;
    let health = listener.until_topic("presence/bridge/health", |health| health.contains("forged")).await;
    assert!(is_harmless(&health) && health.len() < 6000, "{} bytes: {health}", health.len());
    bridge.stop().await;
}
