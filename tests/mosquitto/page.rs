//! The status page in a real browser: headless Chromium, with scripts and without.

use std::io::{BufRead, BufReader, Write};
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::task::spawn_blocking;
use toml::Table;

use crate::harness::{Bridge, Browser, Configuration, Mosquitto, Source, soon};

/// Where the bridge says that the page is.
async fn address(bridge: &Bridge) -> String {
    bridge.says("the status page is open").await;
    let log = bridge.log();
    let line = log.lines().find(|line| line.contains("the status page is open")).unwrap();
    line.split("url=").nth(1).unwrap().trim_matches('"').to_owned()
}

/// Looks at the bridge's page in a thread of its own: the tenant has to go on meanwhile.
async fn look(url: &str, look: impl FnOnce(Browser, &str) -> Browser + Send + 'static) {
    let url = url.to_owned();
    let looked = soon("the page in Chromium", spawn_blocking(move || look(Browser::start(), &url)));
    let browser = looked.await.unwrap();
    assert_eq!(browser.complaints, Vec::<String>::new(), "neither the policy nor the script is violated");
    spawn_blocking(move || drop(browser)).await.unwrap();
}

#[tokio::test]
async fn somebody_who_looks_sees_who_is_what_as_it_changes() {
    let (source, broker) = (Source::start().await, Mosquitto::start().await);
    let http: Table = toml::toml! { listen = "127.0.0.1:0" };
    let bridge = Bridge::start(&Configuration::new(&source, &broker.url()).section("http", http));
    bridge.says("the bridge is online").await;
    let url = address(&bridge).await;
    for scripts in [true, false] {
        source.set("bob", "Busy", "InACall");
        let (seen, was_seen) = oneshot::channel();
        let looking = look(&url, move |browser, url| {
            let mut browser = if scripts { browser } else { browser.without_scripts() };
            browser.go_to(url);
            let page = browser.until("call", |page| page.contains("In a call · Busy"));
            for part in ["class=\"dot Away\"", "3 of 3 up to date", "since <time datetime="] {
                assert!(page.contains(part), "{part} in {page}");
            }
            assert_eq!(
                page.contains(" UTC</time>"),
                !scripts,
                "a script shows the reader's own time: {page}"
            );
            seen.send(()).unwrap();
            // By the script, or because the browser loads the page again.
            let page = browser.until("change", |page| page.contains("Presenting · Do not disturb"));
            assert!(
                page.contains("id=\"lost\" role=\"alert\" hidden"),
                "the bridge answered all the time: {page}"
            );
            browser
        });
        let change = async {
            was_seen.await.unwrap();
            source.set("bob", "DoNotDisturb", "Presenting");
        };
        tokio::join!(looking, change);
    }
}

#[tokio::test]
async fn somebody_who_looks_sees_that_the_bridge_is_gone() {
    let (source, broker) = (Source::start().await, Mosquitto::start().await);
    let http: Table = toml::toml! { listen = "127.0.0.1:0" };
    let bridge = Bridge::start(&Configuration::new(&source, &broker.url()).section("http", http));
    bridge.says("the bridge is online").await;
    let url = address(&bridge).await;
    let (seen, was_seen) = oneshot::channel();
    let looking = spawn_blocking(move || {
        let mut browser = Browser::start();
        browser.go_to(&url);
        browser.until("everybody", |page| page.contains("3 of 3 up to date"));
        seen.send(()).unwrap();
        let page = browser.until("alert", |page| page.contains("id=\"lost\" role=\"alert\">"));
        // Another tab may be in front.
        assert!(page.contains("does not answer</title>"), "{page}");
        let icon = page.split("<link rel=\"icon\" href=\"").nth(1).unwrap();
        let (shown, of_gone) = icon.split_once("\" data-gone=\"").unwrap();
        assert_eq!(of_gone.split('"').next(), Some(shown), "{page}");
    });
    let stop = async {
        was_seen.await.unwrap();
        assert_eq!(bridge.stop("TERM").await.code, Some(0));
    };
    let (looked, ()) = tokio::join!(soon("the page in Chromium", looking), stop);
    looked.unwrap();
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

/// A test that nothing is broken is worth something only if breaking shows.
#[tokio::test]
async fn a_broken_policy_is_noticed() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let server = tokio::task::spawn_blocking(move || {
        let (mut visitor, _) = listener.accept().unwrap();
        let mut line = String::new();
        BufReader::new(&visitor).read_line(&mut line).unwrap();
        let page = "HTTP/1.0 200 OK\r\nContent-Type: text/html\r\nContent-Security-Policy: default-src 'none'\r\n\r\n\
                    <script>1</script>here";
        visitor.write_all(page.as_bytes()).unwrap();
    });
    let looking = tokio::task::spawn_blocking(move || {
        let mut browser = Browser::start();
        browser.go_to(&url);
        browser.until("page", |page| page.contains("here"));
        assert!(browser.complaints.iter().any(|what| what.contains("Content Security Policy")));
    });
    soon("the page in Chromium", looking).await.unwrap();
    soon("the server", server).await.unwrap();
}
