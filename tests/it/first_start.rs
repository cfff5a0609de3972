//! A first start on the page: by plain forms, as a browser without JavaScript sends them.

use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use presence2mqtt::mqtt::one_shot::OneShot;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use crate::http::{free_port, say};
use crate::login::landing;
use crate::program::{Reader, told};
use crate::setup::{Beginner, holds};
use crate::stage::{Listener, within};

/// A program that has nothing to sign in with, and who looks at its page.
struct FirstStart {
    beginner: Beginner,
    program: Reader,
    port: u16,
}

/// The value of an attribute behind these words.
fn behind<'t>(page: &'t str, words: &str) -> &'t str {
    let (_, rest) = page.split_once(words).unwrap_or_else(|| panic!("no {words:?} in {page}"));
    rest.split('"').next().unwrap()
}

fn encoded(fields: &[(&str, &str)]) -> String {
    url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish()
}

impl FirstStart {
    async fn with(file: &str, change: impl FnOnce(&mut Command)) -> Self {
        Self::of(Beginner::new().await, file, change).await
    }

    /// With a broker where one usually is.
    async fn found() -> Self {
        let beginner = Beginner::new().await;
        let broker = beginner.broker();
        Self::of(beginner, "", |command| {
            command.env("PRESENCE2MQTT_SETUP_BROKERS", broker);
        })
        .await
    }

    async fn of(beginner: Beginner, file: &str, change: impl FnOnce(&mut Command)) -> Self {
        let port = free_port().await;
        let alice = beginner.stage.tenant.people()[0].id;
        beginner.stage.tenant.set_presence(alice, "Busy", "InAMeeting");
        if !file.is_empty() {
            std::fs::create_dir(beginner.home.path().join("etc")).unwrap();
            let file = file.replace("PORT", &port.to_string());
            std::fs::write(beginner.home.path().join("etc/bridge.toml"), file).unwrap();
        }
        let mut command = beginner.command(&["run"]);
        command.env("PRESENCE2MQTT__GRAPH__POLL_INTERVAL", "1s");
        if file.is_empty() {
            command.env("PRESENCE2MQTT__HTTP__LISTEN", format!("127.0.0.1:{port}"));
        }
        change(&mut command);
        let first = Self { beginner, program: Reader::start(&mut command), port };
        // The door opens in its own time.
        let open = async { while say(first.port, "").await.is_err() {} };
        within(open).await;
        first
    }

    async fn new() -> Self {
        Self::with("", |_| {}).await
    }

    fn origin(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    async fn page(&self) -> String {
        let request = format!("GET / HTTP/1.1\r\nHost: 127.0.0.1:{}\r\n\r\n", self.port);
        let page = say(self.port, &request).await.unwrap();
        assert!(!page.starts_with("HTTP/1.1 503"), "somebody answers also when the bridge begins: {page}");
        page
    }

    /// Loads the page again, as it asks for itself, until it shows this.
    async fn until(&self, words: &str) -> String {
        let mut last = String::new();
        let shown = async {
            loop {
                last = self.page().await;
                if last.contains(words) {
                    return;
                }
                tokio::task::yield_now().await;
            }
        };
        let shown = tokio::time::timeout(crate::stage::LIMIT, shown).await;
        assert!(shown.is_ok(), "no {words:?} in {last}");
        last
    }

    async fn post(&self, headers: &str, body: &str) -> String {
        let (length, port) = (body.len(), self.port);
        let request = format!(
            "POST / HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n{headers}Content-Type: application/x-www-form-urlencoded\r\n\
             Content-Length: {length}\r\n\r\n{body}"
        );
        say(self.port, &request).await.unwrap()
    }

    /// Sends the form that the page shows, and waits for what it leads to.
    async fn send(&self, fields: &[(&str, &str)], leads_to: &str) -> String {
        let page = self.page().await;
        let of_page =
            ["token", "step"].map(|name| (name, behind(&page, &format!("name=\"{name}\" value=\""))));
        let body = encoded(&[&of_page, fields].concat());
        let answer =
            self.post(&format!("Origin: {}\r\nSec-Fetch-Site: same-origin\r\n", self.origin()), &body).await;
        assert!(answer.starts_with("HTTP/1.1 303"), "{answer}");
        assert!(answer.to_lowercase().contains("\r\nlocation: ./"), "{answer}");
        self.until(leads_to).await
    }

    /// As far as the broker.
    async fn to_the_broker(&self) {
        self.until("Whose presence?").await;
        self.send(&[("act", "go"), ("email", "alice@contoso.example")], "The app registration").await;
        let client_id = self.beginner.client_id();
        self.send(&[("act", "go"), ("client_id", &client_id)], "The MQTT broker").await;
    }

    async fn to_the_sign_in(&self) {
        self.to_the_broker().await;
        let broker = self.beginner.broker();
        let fields = [("act", "go"), ("broker", &broker), ("username", "bridge"), ("password", "s3cret")];
        let page = self.send(&fields, "<h2>Sign in</h2>").await;
        assert!(!page.contains("s3cret"), "{page}");
    }

    async fn listener(&self) -> Listener {
        Listener::to(&self.beginner.stage.config("", &self.beginner.stage.everybody())).await
    }

    async fn ends(self) {
        assert_eq!(self.program.stop("TERM").await, Some(0));
    }
}

#[tokio::test]
async fn from_nothing_to_a_presence_on_the_broker_by_forms_alone() {
    let first = FirstStart::new().await;
    let _light: OneShot = first.beginner.light().await;
    let page = first.until("Whose presence?").await;
    assert!(page.contains("form-action 'self'") && !page.contains("<script"), "{page}");
    let ready = say(first.port, "GET /readyz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n").await.unwrap();
    assert!(ready.starts_with("HTTP/1.1 503") && ready.contains("not set up yet"), "{ready}");
    first.to_the_sign_in().await;
    assert!(!first.beginner.home.path().join("etc").exists(), "nothing is written before the last step");
    // From this very machine a browser would come back by itself, so it is what is offered first.
    first.until("With a code instead").await;
    first.send(&[("act", "code")], "Your presence now: ").await;
    let page = first.until("value=\"wled&#x2f;office\" checked").await;
    assert!(page.contains("alice@contoso.example") && page.contains("Busy, InAMeeting"), "{page}");
    first.send(&[("act", "blink"), ("light", "wled/office")], "role=\"status\"").await;
    let mut listener = first.listener().await;
    // The same process, and the same door.
    first.send(&[("act", "write"), ("light", "wled/office")], "Microsoft Graph").await;
    listener.until(&[("presence/alice/availability", "Busy"), ("presence/alice/health", "ok")]).await;

    let written = first.beginner.file("bridge.toml");
    holds(&written, &["#:schema ./presence2mqtt.schema.json", "username = \"bridge\"", "name = \"alice\""]);
    holds(&written, &["password_file = \"mqtt-password\"", "topic = \"wled/office\""]);
    assert!(!written.contains("s3cret"), "{written}");
    assert_eq!(first.beginner.file("mqtt-password"), "s3cret\n");
    let folder = first.beginner.home.path().join("etc");
    let mode = folder.join("mqtt-password").metadata().unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let (code, text) = first.beginner.told(&["check"]).await;
    assert_eq!((code, text.contains("warning")), (Some(0), false), "{text}");
    first.ends().await;
}

#[tokio::test]
async fn what_is_found_and_comes_back_by_itself_takes_three_answers() {
    let first = FirstStart::found().await;
    let tenant = &first.beginner.stage.tenant;
    tenant.sign_in_browser_as(tenant.people()[0].id);
    let _light: OneShot = first.beginner.light().await;
    first.until("Whose presence?").await;
    // As the line for the Azure CLI prints it.
    let app = format!("{}@contoso.example", first.beginner.client_id());
    let page = first.send(&[("act", "go"), ("email", &app)], "paste it here").await;
    let link = behind(&page, "<a href=\"http").replace("&amp;", "&").replace("&#x2f;", "/");
    let landing = landing(&format!("http{link}")).await;
    let (_, query) = landing.split_once('?').unwrap();
    say(first.port, &format!("GET /?{query} HTTP/1.1\r\nHost: localhost:{}\r\n\r\n", first.port))
        .await
        .unwrap();
    first.until("value=\"wled&#x2f;office\" checked").await;
    let mut listener = first.listener().await;
    first.send(&[("act", "write"), ("light", "wled/office")], "Microsoft Graph").await;
    // The name is that of whoever signed in.
    listener.until(&[("presence/alice/availability", "Busy"), ("presence/alice/health", "ok")]).await;
    first.ends().await;
}

#[tokio::test]
async fn a_browser_elsewhere_ends_on_an_address_that_is_pasted() {
    let first = FirstStart::new().await;
    let tenant = &first.beginner.stage.tenant;
    tenant.sign_in_browser_as(tenant.people()[0].id);
    first.to_the_sign_in().await;
    let page = first.send(&[("act", "browser")], "paste it here").await;
    let link = behind(&page, "<a href=\"http").replace("&amp;", "&").replace("&#x2f;", "/");
    let paste = say(first.port, "GET /?paste HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n").await.unwrap();
    assert!(paste.contains("name=\"landed\"") && !paste.contains("http-equiv"), "{paste}");
    let landing = landing(&format!("http{link}")).await;
    first.send(&[("act", "landed"), ("landed", "http://localhost/?code=x")], "copy all of it").await;
    let paste = say(first.port, "GET /?paste HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n").await.unwrap();
    assert!(paste.contains("aria-invalid") && paste.contains("With a code instead"), "{paste}");
    first.send(&[("act", "landed"), ("landed", &landing)], "Your presence now: ").await;
    first.until("No light with colours").await;
    first.send(&[("act", "write")], "Microsoft Graph").await;
    holds(&first.beginner.file("bridge.toml"), &["method = \"browser\""]);
    first.ends().await;
}

#[tokio::test]
async fn a_browser_on_this_machine_comes_back_by_itself() {
    let first = FirstStart::new().await;
    let tenant = &first.beginner.stage.tenant;
    tenant.sign_in_browser_as(tenant.people()[0].id);
    first.to_the_sign_in().await;
    let page = first.send(&[("act", "browser")], "paste it here").await;
    let link = behind(&page, "<a href=\"http").replace("&amp;", "&").replace("&#x2f;", "/");
    let landing = landing(&format!("http{link}")).await;
    let (authority, query) = landing.strip_prefix("http://").unwrap().split_once('?').unwrap();
    assert_eq!(authority.trim_end_matches('/'), format!("localhost:{}", first.port));
    let back = format!("GET /?{query} HTTP/1.1\r\nHost: localhost:{}\r\n\r\n", first.port);
    let answer = say(first.port, &back).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 303"), "{answer}");
    first.until("Your presence now: ").await;
    first.ends().await;
}

#[tokio::test]
async fn somebody_elses_sign_in_takes_the_place_of_one_only_after_a_yes() {
    let first = FirstStart::new().await;
    let tenant = &first.beginner.stage.tenant;
    tenant.sign_in_browser_as(tenant.people()[1].id);
    first.to_the_sign_in().await;
    let page = first.send(&[("act", "code")], "Your presence now: ").await;
    assert!(page.contains("Signed in as <b>alice@contoso.example</b>"), "{page}");
    first.until("<h2>A light, and start</h2>").await;
    first.send(&[("act", "back")], "value=\"another\"").await;
    for (act, leads_to) in [
        ("keep", "Signed in as <b>alice@contoso.example</b>"),
        ("change", "Signed in as <b>bob@contoso.example</b>"),
    ] {
        first.send(&[("act", "another")], "With another account than <b>alice@contoso.example</b>").await;
        let page = first.send(&[("act", "browser")], "paste it here").await;
        let link = behind(&page, "<a href=\"http").replace("&amp;", "&").replace("&#x2f;", "/");
        let landing = landing(&format!("http{link}")).await;
        // As mail breaks it.
        let (one, other) = landing.split_at(40);
        let landing = format!("{one}\r\n {other}");
        let question = "Follow bob@contoso.example instead of alice@contoso.example";
        first.send(&[("act", "landed"), ("landed", &landing)], question).await;
        first.send(&[("act", act)], leads_to).await;
    }
    first.ends().await;
}

#[tokio::test]
async fn what_variables_say_of_the_broker_is_not_asked_for_and_not_written() {
    let said = |name: &str| format!("PRESENCE2MQTT__MQTT__{name}");
    let first = FirstStart::with("", |command| {
        command.env(said("USERNAME"), "bridge").env(said("PASSWORD"), "s3cret");
    })
    .await;
    first.to_the_broker().await;
    let page = first.page().await;
    assert!(!page.contains("name=\"username\"") && !page.contains("type=\"password\""), "{page}");
    let broker = first.beginner.broker();
    // As an old page would send it.
    let fields = [("act", "go"), ("broker", &*broker), ("username", "other"), ("password", "other")];
    first.send(&fields, "<h2>Sign in</h2>").await;
    first.send(&[("act", "code")], "Your presence now: ").await;
    first.until("No light with colours").await;
    first.send(&[("act", "write")], "Microsoft Graph").await;
    let written = first.beginner.file("bridge.toml");
    holds(&written, &["url = "]);
    assert!(!written.contains("username") && !written.contains("password"), "{written}");
    assert_eq!(first.beginner.file("mqtt-password"), "");
    first.ends().await;
}

/// As `docker compose` sees it: it is healthy, and its log ends with where to go.
#[tokio::test]
async fn what_waits_for_its_set_up_is_alive_and_says_last_where_that_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log");
    let log = std::fs::File::create(&path).unwrap();
    let first = FirstStart::with("", |command| {
        command.stderr(log);
    })
    .await;
    first.until("Whose presence?").await;
    let alive = say(first.port, "GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n").await.unwrap();
    assert!(alive.starts_with("HTTP/1.1 200"), "{alive}");
    let log = std::fs::read_to_string(&path).unwrap();
    let last = log.lines().last().unwrap_or_default();
    assert!(last.contains(&format!("{}/", first.origin())) && last.contains("presence2mqtt setup"), "{log}");
    first.ends().await;
}

#[tokio::test]
async fn systemd_is_told_of_a_reload_and_a_stop_during_the_set_up() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notify");
    let systemd = tokio::net::UnixDatagram::bind(&path).unwrap();
    let first = FirstStart::with("", |command| {
        command.env("NOTIFY_SOCKET", &path);
    })
    .await;
    hears(&systemd, "READY=1").await;
    let reload = Command::new("kill").args(["-s", "HUP", &first.program.id()]).status().unwrap();
    assert!(reload.success());
    hears(&systemd, "RELOADING=1").await;
    hears(&systemd, "READY=1").await;
    first.ends().await;
    hears(&systemd, "STOPPING=1").await;
}

/// Listens until systemd hears what begins so.
async fn hears(systemd: &tokio::net::UnixDatagram, words: &str) {
    let mut buffer = [0; 1024];
    let heard = async {
        loop {
            let length = systemd.recv(&mut buffer).await.unwrap();
            if buffer[..length].starts_with(words.as_bytes()) {
                return;
            }
        }
    };
    within(heard).await;
}

#[tokio::test]
async fn a_form_from_elsewhere_is_refused() {
    let first = FirstStart::new().await;
    let page = first.page().await;
    let token = behind(&page, "name=\"token\" value=\"");
    let own = format!("Origin: {}\r\n", first.origin());
    let crossing = format!("{own}Sec-Fetch-Site: cross-site\r\n");
    let with =
        |token| encoded(&[("token", token), ("step", "address"), ("act", "go"), ("email", "e@evil.example")]);
    for (headers, token) in [
        ("", token),
        ("Origin: https://evil.example\r\n", token),
        ("Origin: null\r\n", token),
        (&crossing, token),
        (&own, ""),
        (&own, "guessed"),
    ] {
        let answer = first.post(headers, &with(token)).await;
        assert!(answer.starts_with("HTTP/1.1 403"), "{headers}{token}: {answer}");
    }
    // By a name that a website could have.
    let rebound = "GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n";
    assert!(say(first.port, rebound).await.unwrap().starts_with("HTTP/1.1 403"));
    let page = first.page().await;
    assert!(page.contains("Whose presence?") && !page.contains("evil"), "{page}");
    first.ends().await;
}

#[tokio::test]
async fn a_wrong_password_is_said_and_one_may_go_back_and_again() {
    let first = FirstStart::new().await;
    first.to_the_broker().await;
    let strict = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let broker = strict.local_addr().unwrap().to_string();
    let refusing = tokio::spawn(async move {
        loop {
            let (mut connection, _) = strict.accept().await.unwrap();
            let mut connect = Vec::new();
            connection.read_buf(&mut connect).await.unwrap();
            // MQTT 3.1.1 section 3.2.2.3: not authorized.
            connection.write_all(&[0x20, 2, 0, 5]).await.unwrap();
        }
    });
    let fields = [("act", "go"), ("broker", &broker), ("username", "bridge"), ("password", "not-it")];
    let page = first.send(&fields, "does not let this user in").await;
    assert!(page.contains("The MQTT broker") && page.contains(&broker) && !page.contains("not-it"), "{page}");
    refusing.abort();
    first.send(&[("act", "back")], "The app registration").await;
    first.send(&[("act", "back")], "Whose presence?").await;
    let page =
        first.send(&[("act", "go"), ("email", "alice@fabrikam.example")], "no Microsoft 365 tenant").await;
    assert!(page.contains("Whose presence?"), "{page}");
    // What was typed is tried again, and asked for where it is of no use.
    first.send(&[("act", "go"), ("email", "alice@contoso.example")], "The MQTT broker</h2>").await;
    let broker = first.beginner.broker();
    first.send(&[("act", "go"), ("broker", &broker)], "<h2>Sign in</h2>").await;
    first.ends().await;
}

#[tokio::test]
async fn a_file_with_more_in_it_is_kept_until_somebody_allows_it() {
    let file = "# Ours.\n[http]\nlisten = \"127.0.0.1:PORT\"\n[home_assistant]\ndiscovery = false\n";
    let first = FirstStart::with(file, |_| {}).await;
    first.to_the_sign_in().await;
    let before = first.beginner.file("bridge.toml");
    let page = first.send(&[("act", "go")], "No light with colours").await;
    assert!(page.contains("[home_assistant]"), "{page}");
    first.send(&[("act", "write")], "allow it to replace what is there").await;
    assert_eq!(first.beginner.file("bridge.toml"), before);
    // The yes is for what was shown, and not for what somebody wrote meanwhile.
    let meanwhile = format!("{before}[commands]\nenabled = true\n");
    std::fs::write(first.beginner.home.path().join("etc/bridge.toml"), &meanwhile).unwrap();
    let page = first.send(&[("act", "write"), ("replace", "yes")], "changed meanwhile").await;
    assert!(page.contains("[commands]"), "{page}");
    assert_eq!(first.beginner.file("bridge.toml"), meanwhile);
    first.send(&[("act", "write"), ("replace", "yes")], "Microsoft Graph").await;
    let listen = format!("listen = \"127.0.0.1:{}\"", first.port);
    holds(&first.beginner.file("bridge.toml"), &["[http]", &listen, "name = \"alice\""]);
    first.ends().await;
}

#[tokio::test]
async fn a_page_that_nobody_may_see_or_use_is_no_first_start() {
    let beginner = Beginner::new().await;
    // A folder in which nobody can write, root neither.
    std::os::unix::fs::symlink("/proc", beginner.home.path().join("etc")).unwrap();
    let listen = "PRESENCE2MQTT__HTTP__LISTEN";
    for (variables, says) in [
        (&[("PRESENCE2MQTT__MQTT__QOS", "1")][..], "etc/bridge.toml: cannot be read"),
        (&[(listen, "127.0.0.1:0"), ("PRESENCE2MQTT__HTTP__READ_ONLY", "true")], "cannot be read"),
        (&[(listen, "0.0.0.0:0")], "cannot be read"),
        (&[(listen, "127.0.0.1:0"), ("PRESENCE2MQTT__GRAPH__POLL_INTERVAL", "1ms")], "cannot be read"),
        (&[(listen, "127.0.0.1:0")], "the set-up page cannot start"),
    ] {
        let mut command = beginner.command(&["run"]);
        command.envs(variables.iter().copied());
        let ended = tokio::task::spawn_blocking(move || told(&mut command));
        let (code, _, err) = within(ended).await.unwrap();
        assert_eq!((code, err.contains(says)), (Some(78), true), "{variables:?}: {err}");
    }
}
