//! What visitors see of the running bridge.

use presence2mqtt::config::{Config, Http};
use presence2mqtt::core::model::effect::Ending;
use presence2mqtt::run::{self, RunError};
use presence2mqtt::simulate::Settings;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, oneshot};

use crate::program::Home;
use crate::stage::{Running, Stage, within};

/// A port that is free when the bridge wants it.
pub(crate) async fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port()
}

fn listening(config: Config, port: u16) -> Config {
    let listen = ([127, 0, 0, 1], port).into();
    Config { http: Some(Http { listen, password: None, any_host: false, read_only: false }), ..config }
}

/// Whatever the bridge answers to these bytes.
pub(crate) async fn say(port: u16, request: &str) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await?;
    stream.write_all(request.as_bytes()).await?;
    let mut answer = String::new();
    within(stream.read_to_string(&mut answer)).await?;
    Ok(answer)
}

async fn get(port: u16, path: &str) -> std::io::Result<String> {
    say(port, &format!("GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")).await
}

#[tokio::test]
async fn the_pages_tell_what_the_broker_is_told() {
    let mut stage = Stage::without_broker(Settings::default()).await;
    let alice = stage.tenant.people()[0].id;
    stage.tenant.set_presence(alice, "DoNotDisturb", "Presenting");
    let port = free_port().await;
    let config = listening(stage.config("", &stage.everybody()), port);
    let bridge = Running::start(&config);
    within(stage.tenant.wait_for_requests(2)).await;
    assert!(get(port, "/healthz").await.unwrap().ends_with("\r\n\r\nok\n"));
    let not_ready = get(port, "/readyz").await.unwrap();
    assert!(
        not_ready.starts_with("HTTP/1.1 503") && not_ready.contains("the broker is not connected"),
        "{not_ready}"
    );

    stage.start_broker().await;
    let mut listener = stage.listen(&config).await;
    listener.until(&[("presence/bridge/state", "online"), ("presence/carol/health", "ok")]).await;
    assert!(get(port, "/readyz").await.unwrap().starts_with("HTTP/1.1 200"));
    let page = get(port, "/").await.unwrap();
    for part in ["Presenting · Do not disturb", "3 of 3 up to date", "dot DoNotDisturb"] {
        assert!(page.contains(part), "{part} in {page}");
    }
    let metrics = get(port, "/metrics").await.unwrap();
    for part in [
        "presence2mqtt_broker_connected 1\n",
        "presence2mqtt_broker_connects_total 1\n",
        "presence2mqtt_users{health=\"ok\"} 3\n",
        "presence2mqtt_token_expiry_timestamp_seconds ",
    ] {
        assert!(metrics.contains(part), "{part} in {metrics}");
    }
    let counted = |name: &str| {
        let line = metrics.lines().find_map(|line| line.strip_prefix(&format!("presence2mqtt_{name} ")));
        line.unwrap_or_else(|| panic!("{name} in {metrics}")).parse::<u64>().unwrap()
    };
    assert!(counted("graph_requests_total{outcome=\"ok\"}") >= 2);
    assert_eq!(
        counted("graph_request_duration_seconds_count"),
        counted("graph_requests_total{outcome=\"ok\"}")
    );
    assert!(counted("publish_ack_duration_seconds_count") >= 3 * 4);
    assert!(counted("publishes_total") >= counted("publish_ack_duration_seconds_count"));

    assert_eq!(bridge.stop().await, Ending::Stopped);
    assert!(get(port, "/healthz").await.is_err(), "nobody listens any more");
}

/// As long as `healthcheck` waits, and longer than Kubernetes does at first.
const PROBE_PATIENCE: std::time::Duration = std::time::Duration::from_secs(3);

/// The status of the page with this password, and the whole answer.
pub(crate) async fn with_password(port: u16, path: &str, password: &str) -> (String, String) {
    use base64::Engine;
    let pair = base64::engine::general_purpose::STANDARD.encode(format!("x:{password}"));
    let request = format!("GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Basic {pair}\r\n\r\n");
    let answer = say(port, &request).await.unwrap();
    (answer.get(9..12).unwrap_or_default().to_owned(), answer)
}

#[tokio::test]
async fn guessing_a_password_is_slow_is_counted_and_holds_up_no_probe() {
    let stage = Stage::set(Settings::default()).await;
    let port = free_port().await;
    let mut config = listening(stage.config("", &stage.everybody()), port);
    config.http.as_mut().unwrap().password = Some(presence2mqtt::config::Secret::Inline("right".into()));
    let bridge = Running::start(&config);
    let mut listener = stage.listen(&config).await;
    listener.until(&[("presence/bridge/state", "online"), ("presence/carol/health", "ok")]).await;
    assert_eq!(with_password(port, "/metrics", "right").await.0, "200");
    let mut guesses = tokio::task::JoinSet::new();
    for n in 0..60 {
        guesses.spawn(async move { with_password(port, "/", &format!("guess{n}")).await.0 });
    }
    let probe = tokio::time::timeout(PROBE_PATIENCE, get(port, "/healthz")).await;
    assert!(probe.expect("the probe waited").unwrap().ends_with("ok\n"));
    let answers = guesses.join_all().await;
    let with = |status: &str| answers.iter().filter(|answer| *answer == status).count();
    assert_eq!((with("401"), with("429")), (5, 55), "{answers:?}");
    // For a moment that holds for the right one, too, or the answer would tell it.
    let (status, answer) = with_password(port, "/", "right").await;
    assert!(status == "429" && answer.to_lowercase().contains("retry-after: "), "{answer}");
    let metrics = async {
        loop {
            let (status, metrics) = with_password(port, "/metrics", "right").await;
            if status == "200" {
                return metrics;
            }
        }
    };
    let metrics = within(metrics).await;
    assert!(metrics.contains("presence2mqtt_http_wrong_passwords_total 5\n"), "{metrics}");
    assert!(!metrics.contains("presence2mqtt_http_slowed_total 0\n"), "{metrics}");
    bridge.stop().await;
}

#[tokio::test]
async fn visitors_are_bounded() {
    let stage = Stage::set(Settings::default()).await;
    let port = free_port().await;
    let bridge = Running::start(&listening(stage.config("", &stage.everybody()), port));
    let mut listener = stage.listen(&stage.config("", &stage.everybody())).await;
    listener.until(&[("presence/bridge/state", "online"), ("presence/carol/health", "ok")]).await;
    let long = format!("GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: {}\r\n\r\n", "x".repeat(100_000));
    // Refused, and perhaps before all of it was sent.
    if let Ok(answer) = say(port, &long).await {
        assert!(answer.starts_with("HTTP/1.1 431") || answer.is_empty(), "{answer}");
    }
    // Many more than there is room for say nothing, or half of something; a probe does not wait for their
    // end.
    let mut silent = Vec::new();
    for n in 0..300 {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        if n % 2 == 0 {
            stream.write_all(b"GET / HTTP/1.1\r\nX-Slow: ").await.unwrap();
        }
        silent.push(stream);
    }
    for probe in ["/healthz", "/readyz", "/healthz"] {
        let answer = tokio::time::timeout(PROBE_PATIENCE, get(port, probe)).await;
        assert!(answer.expect("the probe waited").unwrap().ends_with("ok\n"), "{probe}");
    }
    drop(silent);
    let pipelined = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n".repeat(2);
    assert_eq!(say(port, &pipelined).await.unwrap().matches("HTTP/1.1 200").count(), 1);
    bridge.stop().await;
}

#[tokio::test]
async fn the_address_changes_and_the_port_stays() {
    let stage = Stage::set(Settings::default()).await;
    let port = free_port().await;
    let config = stage.config("", &stage.everybody());
    let at = |ip: [u8; 4]| {
        let http = Http { listen: (ip, port).into(), password: None, any_host: false, read_only: false };
        Config { http: Some(http), ..config.clone() }
    };
    let (stop, stopped) = oneshot::channel::<()>();
    let (reload, reloads) = mpsc::channel(1);
    let running = at([127, 0, 0, 1]);
    let bridge =
        tokio::spawn(async move { run::run(&running, async { drop(stopped.await) }, reloads).await });
    let mut listener = stage.listen(&config).await;
    listener.until(&[("presence/bridge/state", "online")]).await;

    // An address for documentation, which no machine has: the old door is opened again.
    reload.send(Ok(at([192, 0, 2, 1]))).await.unwrap();
    listener.until_topic("presence/bridge/health", |health| health.contains("not reloaded")).await;
    assert!(get(port, "/healthz").await.unwrap().ends_with("ok\n"));

    reload.send(Ok(at([0, 0, 0, 0]))).await.unwrap();
    listener.until_topic("presence/bridge/health", |health| !health.contains("not reloaded")).await;
    assert!(get(port, "/healthz").await.unwrap().ends_with("ok\n"));
    let elsewhere = TcpStream::connect(("127.0.0.2", port)).await;
    assert!(elsewhere.is_ok(), "{elsewhere:?}");
    stop.send(()).unwrap();
    assert_eq!(within(bridge).await.unwrap().unwrap(), Ending::Stopped);
}

#[tokio::test]
async fn an_address_that_may_still_come_is_worth_another_try_and_a_port_in_use_is_not() {
    let stage = Stage::without_broker(Settings::default()).await;
    let taken = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let password = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(&password, "secret").unwrap();
    // An address for documentation, which no machine has.
    for (address, code, says) in [
        ("192.0.2.1:9642".to_owned(), 1, "this machine has no address 192.0.2.1 yet"),
        (taken.local_addr().unwrap().to_string(), 78, "cannot listen on 127.0.0.1"),
    ] {
        let http = format!("[http]\nlisten = \"{address}\"\npassword_file = {:?}\n", password.path());
        let home = Home::with(&(stage.text("", &stage.everybody()) + &http));
        let (ended, _, err) = home.told(&["run"]).await;
        assert_eq!(ended, Some(code), "{err}");
        assert!(err.contains(says), "{err}");
    }
}

#[tokio::test]
async fn a_bad_edit_makes_no_bridge_unhealthy() {
    let bridge = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = bridge.local_addr().unwrap();
    let home = Home::with(&format!("[http]\nlisten = \"{address}\"\n[graph]\npol_interval = 0\n[mqqt]\n"));
    let answer = async {
        let (mut visitor, _) = bridge.accept().await.unwrap();
        visitor.write_all(b"HTTP/1.1 200 OK\r\n\r\nok\n").await.unwrap();
        // Closed only when the question was taken, else the system takes the answer back.
        visitor.shutdown().await.unwrap();
        visitor.read_to_end(&mut Vec::new()).await.unwrap();
    };
    let (told, ()) = tokio::join!(home.told(&["healthcheck"]), within(answer));
    assert_eq!(told, (Some(0), "ok\n".to_owned(), String::new()));
}

#[tokio::test]
async fn a_port_in_use_ends_the_start_and_keeps_the_configuration_on_reload() {
    let stage = Stage::set(Settings::default()).await;
    let taken = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let taken_port = taken.local_addr().unwrap().port();
    let config = stage.config("", &stage.everybody());
    let in_use = listening(config.clone(), taken_port);
    let refused = within(run::run(&in_use, std::future::pending(), run::no_reloads())).await;
    let Err(RunError::Door(error)) = refused else { panic!("{refused:?}") };
    assert!(error.to_string().contains(&format!("cannot listen on 127.0.0.1:{taken_port}")), "{error}");

    let (first, second) = (free_port().await, free_port().await);
    let (stop, stopped) = oneshot::channel::<()>();
    let (reload, reloads) = mpsc::channel(1);
    let running = listening(config.clone(), first);
    let bridge =
        tokio::spawn(async move { run::run(&running, async { drop(stopped.await) }, reloads).await });
    let mut listener = stage.listen(&config).await;
    listener.until(&[("presence/bridge/state", "online")]).await;

    reload.send(Ok(in_use)).await.unwrap();
    let health =
        listener.until_topic("presence/bridge/health", |health| health.contains("not reloaded")).await;
    assert!(health.contains("choose another port"), "{health}");
    let page = get(first, "/").await.unwrap();
    assert!(page.contains("configuration not reloaded because"), "{page}");

    reload.send(Ok(listening(config.clone(), second))).await.unwrap();
    listener.until_topic("presence/bridge/health", |health| !health.contains("not reloaded")).await;
    assert!(get(second, "/healthz").await.unwrap().ends_with("ok\n"));
    assert!(get(first, "/healthz").await.is_err(), "the old door is closed");

    // The same door, and another key.
    let mut locked = listening(config.clone(), second);
    locked.http.as_mut().unwrap().password = Some(presence2mqtt::config::Secret::Inline("secret".into()));
    reload.send(Ok(locked)).await.unwrap();
    let is_locked = async { while !get(second, "/").await.unwrap().starts_with("HTTP/1.1 401") {} };
    within(is_locked).await;
    assert!(get(second, "/readyz").await.unwrap().starts_with("HTTP/1.1 200"));
    // No door.
    reload.send(Ok(config)).await.unwrap();
    let is_closed = async { while get(second, "/healthz").await.is_ok() {} };
    within(is_closed).await;
    stop.send(()).unwrap();
    assert_eq!(within(bridge).await.unwrap().unwrap(), Ending::Stopped);
}
