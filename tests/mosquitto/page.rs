//! The status page in a real browser: headless Chromium, with scripts and without.

use std::process::Command;
use std::time::Duration;

use toml::Table;

use crate::harness::{Bridge, Configuration, Mosquitto, Process, Source, soon};

/// Where the bridge says that the page is.
async fn address(bridge: &Bridge) -> String {
    bridge.says("the status page can be had").await;
    let log = bridge.log();
    let line = log.lines().find(|line| line.contains("the status page can be had")).unwrap();
    line.split("url=").nth(1).unwrap().trim_matches('"').to_owned()
}

/// What the page has become in a browser after a while, and what the browser said about it.
async fn seen(url: &str, with_scripts: bool, after: Duration) -> (String, String) {
    let folder = tempfile::tempdir().unwrap();
    let mut command = Command::new("chromium");
    command
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"])
        .args(["--disable-background-networking", "--disable-component-update", "--disable-sync"])
        .args(["--enable-logging=stderr", "--v=0", "--dump-dom"])
        .arg(format!("--user-data-dir={}", folder.path().display()))
        .arg(format!("--timeout={}", after.as_millis()));
    if !with_scripts {
        command.arg("--blink-settings=scriptEnabled=false");
    }
    let process = Process::start(command.arg(url)).expect("chromium is installed");
    soon("the page in Chromium", process.end()).await;
    let output = process.output();
    // Chromium complains of much that is missing here; only what it says about pages matters.
    let about_page =
        output.stderr.lines().filter(|line| line.contains("CONSOLE") || line.contains("Content Security"));
    (output.stdout, about_page.collect::<Vec<_>>().join("\n"))
}

#[tokio::test]
async fn somebody_who_looks_sees_who_is_what_as_it_changes() {
    let (source, broker) = (Source::start().await, Mosquitto::start().await);
    let http: Table = toml::toml! { listen = "127.0.0.1:0" };
    let configuration = Configuration::new(&source, &broker.url()).section("http", http);
    let bridge = Bridge::start(&configuration);
    bridge.says("the bridge is online").await;
    let url = address(&bridge).await;
    for (with_scripts, clock) in [(true, "since <time datetime="), (false, " UTC</time>")] {
        let (page, complaints) = seen(&url, with_scripts, Duration::from_millis(500)).await;
        for part in ["In a call · Busy", "class=\"dot Away\"", "3 of 3 up to date", clock] {
            assert!(page.contains(part), "{part} in {page}");
        }
        assert_eq!(page.contains(" UTC</time>"), !with_scripts, "a script shows the reader's own time");
        assert_eq!(complaints, "", "scripts: {with_scripts}");
    }

    // The change comes while somebody looks.
    let looking = seen(&url, true, Duration::from_secs(8));
    let change = async {
        tokio::time::sleep(Duration::from_secs(2)).await;
        source.set("bob", "DoNotDisturb", "Presenting");
    };
    let ((page, complaints), ()) = tokio::join!(looking, change);
    assert!(page.contains("Presenting · Do not disturb"), "{page}");
    assert_eq!(complaints, "");
    assert!(page.contains("role=\"alert\" hidden"), "the bridge answered all the time: {page}");
}

#[tokio::test]
async fn a_container_asks_the_program_itself_whether_it_is_alive() {
    use crate::harness::finished;
    let (source, broker) = (Source::start().await, Mosquitto::start().await);
    let configuration = Configuration::new(&source, &broker.url());
    let without = finished(&configuration, &["healthcheck"]).await;
    assert_eq!(without.code, Some(78));
    assert!(without.output.stderr.contains("set http.listen"), "{without:?}");

    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let mut http = Table::new();
    http.insert("listen".to_owned(), format!("127.0.0.1:{port}").into());
    let configuration = configuration.section("http", http);
    let nobody = finished(&configuration, &["healthcheck"]).await;
    assert_eq!(nobody.code, Some(69), "{nobody:?}");
    let bridge = Bridge::start(&configuration);
    address(&bridge).await;
    let alive = finished(&configuration, &["healthcheck"]).await;
    assert_eq!((alive.code, alive.output.stdout.as_str()), (Some(0), "ok\n"), "{alive:?}");

    // Another program has the port.
    let second = finished(&configuration, &["run"]).await;
    assert_eq!(second.code, Some(78));
    assert!(second.output.stderr.contains("http.listen: cannot listen on"), "{second:?}");
}

#[tokio::test]
async fn systemd_is_told_how_it_goes() {
    let (source, broker) = (Source::start().await, Mosquitto::start().await);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notify");
    let systemd = tokio::net::UnixDatagram::bind(&path).unwrap();
    let configuration = Configuration::new(&source, &broker.url());
    let environment =
        [("NOTIFY_SOCKET", path.to_str().unwrap()), ("WATCHDOG_USEC", "900000"), ("RUST_LOG", "info")];
    let bridge = Bridge::with_environment(&configuration, &environment);
    let mut said = Vec::new();
    hear(&systemd, &mut said, "STATUS=connected to the broker; Graph: ok; people up to date: 3 of 3").await;
    assert_eq!(said[0], "READY=1", "ready means running, connected or not");
    let mut beats = Vec::new();
    while beats.len() < 5 {
        hear(&systemd, &mut said, "WATCHDOG=1").await;
        beats.push(tokio::time::Instant::now());
    }
    let longest = beats.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap();
    assert!(longest < Duration::from_millis(450), "less than half of 900 ms: {longest:?}");

    said.clear();
    bridge.reload(&configuration.clone().set("graph.poll_interval", "2s"));
    hear(&systemd, &mut said, "READY=1").await;
    let reloading = said.iter().find(|words| words.starts_with("RELOADING=1\nMONOTONIC_USEC="));
    assert!(reloading.is_some(), "{said:?}");
    said.clear();
    assert_eq!(bridge.stop("TERM").await.code, Some(0));
    hear(&systemd, &mut said, "STOPPING=1").await;
}

/// Listens until systemd hears these words.
async fn hear(systemd: &tokio::net::UnixDatagram, said: &mut Vec<String>, words: &str) {
    let mut buffer = [0; 1024];
    loop {
        let length = soon(words, systemd.recv(&mut buffer)).await.unwrap();
        said.push(String::from_utf8_lossy(&buffer[..length]).trim_end().to_owned());
        if said.last().is_some_and(|last| last == words) {
            return;
        }
    }
}
