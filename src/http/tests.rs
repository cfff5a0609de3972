//! What visitors get, asked of a core that is told what to know.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hyper::{Request, Response};

use super::answer::answer;
use super::page::Page;
use super::question::{Asked, questions};
use super::same_origin::PageToken;
use super::site::Site;
use crate::config::Secret;
use crate::core::bridge::Bridge;
use crate::core::model::account::AccountId;
use crate::core::model::act::ActId;
use crate::core::model::effect::Effect;
use crate::core::model::event::{Event, PresenceEvent};
use crate::core::model::presence::Presence;
use crate::core::model::request::{Ended, ReadFailure, Reading, RequestId};
use crate::core::model::settings::Settings;
use crate::core::model::sign_in::{InvitationId, ShownInvitation, SignInEvent};
use crate::core::model::time::{Now, Tick};
use crate::core::model::words::PresenceWords;
use crate::meters::Meters;

fn at(seconds: u64) -> Now {
    let nine: jiff::Timestamp = "2026-11-23T09:00:00Z".parse().unwrap();
    let tick = Tick(Duration::from_secs(seconds));
    Now { tick, wall: nine + tick.0 }
}

/// The settings of a configuration with more written in it.
fn settings(more: &str) -> Settings {
    let text = format!(
        "[mqtt]\nurl = \"mqtt://localhost\"\n[graph]\ntenant_id = \"contoso.example\"\n\
         client_id = \"11111111-2222-3333-4444-555555555555\"\nstate_dir = \"/nowhere\"\n\
         [[users]]\nname = \"alice\"\nid = \"00000000-0000-4000-8000-000000000001\"\n\
         display_name = \"<script>alert('alice')</script>\"\n{more}"
    );
    let config = crate::config::parse(&text, "test.toml".as_ref(), &Default::default()).unwrap();
    crate::run::settings(&config)
}

/// A core that has read Alice.
fn core(more: &str) -> Bridge {
    let mut core = Bridge::new(settings(more), 1, at(0)).claimed();
    core.on(Event::Started, at(0));
    let presence = Presence::of(PresenceWords::from_graph("Busy", Some("<b>InAMaze</b>")).unwrap());
    let id = "00000000-0000-4000-8000-000000000001".parse().unwrap();
    let people = vec![Reading { id, presence: Some(presence) }];
    core.on(
        Event::Presence(
            AccountId::FIRST,
            PresenceEvent::Read(Ended { request: RequestId::new(0), further: 0, outcome: Ok(people) }),
        ),
        at(1),
    );
    core
}

const VISITOR: std::net::IpAddr = std::net::IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));

/// What a browser says of a form of the page.
const FROM_THE_PAGE: &[(&str, &str)] = &[
    ("host", "127.0.0.1:9642"),
    ("origin", "http://127.0.0.1:9642"),
    ("sec-fetch-site", "same-origin"),
    ("content-type", "application/x-www-form-urlencoded"),
];

struct Visit {
    site: Site,
    asked: tokio::sync::mpsc::Receiver<Asked>,
    core: Bridge,
    /// What followed from the last act.
    effects: Vec<Effect>,
    now: Now,
}

impl Visit {
    fn to(core: Bridge, now: Now) -> Self {
        let (asker, asked) = questions();
        let site = Site {
            password: None,
            unreadable: Default::default(),
            any_host: false,
            read_only: false,
            token: PageToken::new(),
            broker: "mqtt://localhost:1883".into(),
            meters: Meters::default(),
            asker,
            guide: None,
            guesses: Default::default(),
            told: Default::default(),
            places: Default::default(),
        };
        Self { site, asked, core, effects: Vec::new(), now }
    }

    async fn get(&mut self, path: &str, headers: &[(&str, &str)]) -> Response<String> {
        self.request("GET", path, headers).await
    }

    async fn request(&mut self, method: &str, path: &str, headers: &[(&str, &str)]) -> Response<String> {
        self.send((method, path), headers, String::new()).await
    }

    /// A form as a browser sends it from the page.
    async fn post(&mut self, form: &str) -> Response<String> {
        let form = format!("token={}&{form}", self.site.token.as_str());
        self.send(("POST", "/"), FROM_THE_PAGE, form).await
    }

    async fn send(
        &mut self,
        (method, path): (&str, &str),
        headers: &[(&str, &str)],
        body: String,
    ) -> Response<String> {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(body).unwrap();
        let page = Page::new();
        let mut answer = std::pin::pin!(answer(VISITOR, request, &self.site, &page));
        loop {
            tokio::select! {
                response = &mut answer => return response,
                Some(asked) = self.asked.recv() => match asked {
                    Asked::Question(question) => {
                        question.answer(|wanted| self.core.snapshot(wanted, self.now));
                    }
                    Asked::Act(act, visitor) => {
                        self.effects = self.core.on(Event::Act(ActId::new(7), act), self.now);
                        let answer = self.effects.iter().find_map(|effect| {
                            if let Effect::Answer(_, acted) = effect { Some(acted.clone()) } else { None }
                        });
                        visitor.send(answer.unwrap_or(Ok("That takes longer."))).unwrap();
                    }
                }
            }
        }
    }
}

#[tokio::test]
async fn each_path_answers_what_it_should_and_nothing_else_does() {
    let mut visit = Visit::to(core(""), at(2));
    for (method, path, status, kind) in [
        ("GET", "/healthz", 200, "text/plain; charset=utf-8"),
        ("HEAD", "/healthz", 200, "text/plain; charset=utf-8"),
        ("GET", "/readyz", 503, "text/plain; charset=utf-8"),
        ("GET", "/metrics", 200, "application/openmetrics-text; version=1.0.0; charset=utf-8"),
        ("GET", "/", 200, "text/html; charset=utf-8"),
        ("GET", "/?x=1", 200, "text/html; charset=utf-8"),
        ("POST", "/", 403, "text/plain; charset=utf-8"),
        ("PUT", "/", 405, "text/plain; charset=utf-8"),
        ("POST", "/metrics", 405, "text/plain; charset=utf-8"),
        ("DELETE", "/healthz", 405, "text/plain; charset=utf-8"),
        ("GET", "/favicon.ico", 404, "text/plain; charset=utf-8"),
        ("GET", "/healthz/", 404, "text/plain; charset=utf-8"),
        ("GET", "//", 404, "text/plain; charset=utf-8"),
    ] {
        let response = visit.request(method, path, &[]).await;
        let headers = response.headers();
        assert_eq!(
            (response.status().as_u16(), headers["content-type"].to_str().unwrap()),
            (status, kind),
            "{path}"
        );
        assert_eq!(headers["cache-control"], "no-store");
        assert_eq!(headers["x-content-type-options"], "nosniff");
        assert_eq!(headers["referrer-policy"], "same-origin");
        assert!(headers["content-security-policy"].to_str().unwrap().starts_with("default-src 'none';"));
    }
    assert_eq!(visit.request("POST", "/healthz", &[]).await.headers()["allow"], "GET, HEAD");
    assert_eq!(visit.request("PUT", "/", &[]).await.headers()["allow"], "GET, HEAD, POST");
}

#[tokio::test]
async fn readiness_says_one_sentence_for_each_thing_missing() {
    let mut visit = Visit::to(core(""), at(2));
    assert_eq!(
        visit.get("/readyz", &[]).await.body(),
        "the broker is not connected; the status page and the log say why\n"
    );
    visit.now = at(1000);
    visit.core.on(lost("connection refused"), at(1000));
    let body = visit.get("/readyz", &[]).await.into_body();
    let broker = "the broker is not connected; the status page and the log say why";
    let graph = "Graph returned no presence within 2m, its state is ok; the status page and the log say why";
    assert_eq!(body, format!("{broker}\n{graph}\n"));
    let page = visit.get("/", &[]).await.into_body();
    assert!(page.contains("No connection to the broker: connection refused"), "{page}");
    visit.core.on(Event::Woken, at(1005));
    visit.core.on(Event::Connected, at(1005));
    let body = visit.get("/readyz", &[]).await.into_body();
    assert_eq!(body, format!("the bridge connected to the broker a moment ago\n{graph}\n"));
}

fn lost(why: &str) -> Event {
    Event::Disconnected(crate::core::model::event::LinkFailure::Lost(why.into()))
}

#[tokio::test]
async fn whatever_people_are_called_is_text() {
    let mut visit = Visit::to(core(""), at(2));
    let html = visit.get("/", &[]).await.into_body();
    let shown = "&lt;script&gt;alert(&#x27;alice&#x27;)&lt;&#x2f;script&gt;";
    assert!(html.contains(shown), "{html}");
    assert!(!html.contains("<script>alert") && !html.contains("<b>In"), "{html}");
    assert_eq!(html.matches("<script>").count(), 1);
    for outside in ["http://", "https://", "src=", "url(", "@import", "style="] {
        let left = html.replace("http://www.w3.org/2000/svg", "").replace("mqtt://", "");
        assert!(!left.contains(outside), "{outside} in {left}");
    }
}

#[tokio::test]
async fn a_code_is_shown_with_a_picture_of_its_address() {
    let mut core = core("");
    let failed = Err(ReadFailure::SignInRequired { advice: "sign in".into() });
    core.on(Event::Woken, at(6));
    core.on(
        Event::Presence(
            AccountId::FIRST,
            PresenceEvent::Read(Ended { request: RequestId::new(1), further: 0, outcome: failed }),
        ),
        at(6),
    );
    let shown = |uri: &str, code: Option<&str>| ShownInvitation {
        verification_uri: uri.parse().unwrap(),
        user_code: code.map(Into::into),
        expires_at: at(906).wall,
    };
    let code = |uri: &str| shown(uri, Some("ABCD<EFG"));
    core.on(
        Event::SignIn(
            AccountId::FIRST,
            SignInEvent::Invited(InvitationId::new(1), code("https://microsoft.com/devicelogin")),
        ),
        at(7),
    );
    let mut visit = Visit::to(core, at(8));
    let html = visit.get("/", &[]).await.into_body();
    assert!(html.contains("<a href=\"https:&#x2f;&#x2f;microsoft.com&#x2f;devicelogin\""), "{html}");
    assert!(html.contains("ABCD&lt;EFG") && html.contains("class=\"qr\"") && html.contains("09:15 UTC"));
    assert!(!visit.get("/metrics", &[]).await.into_body().contains("ABCD"));
    assert_eq!(
        visit.get("/readyz", &[]).await.body(),
        "the broker is not connected; the status page and the log say why\n"
    );

    visit.core.on(
        Event::SignIn(
            AccountId::FIRST,
            SignInEvent::Ended(
                InvitationId::new(1),
                crate::core::model::sign_in::InvitationEnd::Expired("".into()),
            ),
        ),
        at(907),
    );
    let link = shown("https://login.microsoftonline.com/contoso/oauth2/v2.0/authorize?state=x", None);
    visit.core.on(Event::SignIn(AccountId::FIRST, SignInEvent::Invited(InvitationId::new(2), link)), at(908));
    let html = visit.get("/", &[]).await.into_body();
    assert!(html.contains("authorize?state=x\"") && html.contains("value=\"landed\""), "{html}");
    visit.site.read_only = true;
    let html = visit.get("/", &[]).await.into_body();
    assert!(html.contains("authorize?state=x\"") && html.contains("login --browser --no-open"), "{html}");
    assert!(!html.contains("class=\"code\"") && !html.contains("class=\"qr\""), "{html}");
}

#[tokio::test]
async fn the_password_opens_what_tells_about_people() {
    let mut visit = Visit::to(core(""), at(2));
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("password");
    std::fs::write(&file, "correct horse\n").unwrap();
    visit.site.password = Some(Secret::File(file.clone()));
    let basic = |pair: &str| format!("Basic {}", STANDARD.encode(pair));
    for path in ["/", "/metrics"] {
        for (authorization, status) in [
            (basic("anybody:correct horse"), 200),
            (basic(":correct horse"), 200),
            (basic("anybody:correct hors"), 401),
            (basic("anybody:"), 401),
            (basic("correct horse"), 401),
            ("Bearer correct horse".to_owned(), 401),
            (String::new(), 401),
        ] {
            let response =
                visit.get(path, &[("authorization", &authorization), ("host", "bridge.example")]).await;
            assert_eq!(response.status().as_u16(), status, "{authorization}");
            assert_eq!(response.headers().contains_key("www-authenticate"), status == 401);
            assert!(!response.body().contains("correct horse"));
        }
        assert_eq!(visit.get(path, &[]).await.status().as_u16(), 401);
    }
    assert_eq!(visit.get("/healthz", &[]).await.status().as_u16(), 200);
    assert_eq!(visit.get("/readyz", &[]).await.status().as_u16(), 503);
    std::fs::write(&file, "new").unwrap();
    assert_eq!(visit.get("/", &[("authorization", &basic("x:new"))]).await.status().as_u16(), 200);
    std::fs::remove_file(&file).unwrap();
    let unreadable = visit.get("/", &[("authorization", &basic("x:new"))]).await;
    assert_eq!(unreadable.status().as_u16(), 500);
    assert_eq!(unreadable.body(), "the password cannot be read; the log says why\n");
}

#[tokio::test]
async fn without_a_password_no_website_can_read_it_under_a_name_of_its_own() {
    let mut visit = Visit::to(core(""), at(2));
    for (host, status) in [("127.0.0.1:9642", 200), ("localhost:9642", 200), ("evil.example", 403)] {
        for path in ["/", "/metrics"] {
            assert_eq!(visit.get(path, &[("host", host)]).await.status().as_u16(), status, "{host}");
        }
        assert_eq!(visit.get("/healthz", &[("host", host)]).await.status().as_u16(), 200);
    }
    visit.site.any_host = true;
    assert_eq!(visit.get("/", &[("host", "evil.example")]).await.status().as_u16(), 200);
}

#[tokio::test]
async fn only_a_form_of_this_page_is_obeyed() {
    let mut visit = Visit::to(core(""), at(2));
    assert_eq!(visit.post("act=nothing").await.status().as_u16(), 400, "it is let in");
    let good = format!("token={}&act=refresh", visit.site.token.as_str());
    let [host, origin, site, kind] = FROM_THE_PAGE else { panic!() };
    let evil = ("origin", "https://evil.example");
    let rebound = [("host", "evil.example:9642"), ("origin", "http://evil.example:9642")];
    for (headers, body, status) in [
        (&[*host, *origin, *site, *kind][..], good.as_str(), 303),
        (&[*host, *kind], &good, 403),
        (&[*host, evil, *kind], &good, 403),
        (&[*host, *origin, ("sec-fetch-site", "cross-site"), *kind], &good, 403),
        (&[*host, ("origin", "null"), *kind], &good, 403),
        // A website that made its own name mean this machine: not even with a token that it should not know.
        (&[rebound[0], rebound[1], *kind], &good, 403),
        (&[*host, *origin, *site, *kind], "act=refresh", 403),
        (&[*host, *origin, *site, *kind], "token=0&act=refresh", 403),
        (&[*host, *origin, *site], &good, 415),
        (&[*host, *origin, *site, ("content-type", "text/plain")], &good, 415),
        (&[*host, *origin, *site, *kind], &"x".repeat(65 * 1024), 413),
    ] {
        let response = visit.send(("POST", "/"), headers, body.to_owned()).await;
        assert_eq!(response.status().as_u16(), status, "{headers:?} {}", response.body());
        assert!(!response.body().contains(visit.site.token.as_str()));
    }
    visit.site.read_only = true;
    let response = visit.post("act=refresh").await;
    assert_eq!(
        (response.status().as_u16(), response.body().as_str()),
        (403, "this page changes nothing: http.read_only = true\n")
    );
    visit.site.password = Some(Secret::Inline("correct horse".to_owned().into()));
    assert_eq!(visit.post("act=refresh").await.status().as_u16(), 401, "the password comes first");
}

const A_LIGHT: &str = "[commands]\nenabled = true\n[[lights]]\nname = \"door\"\nusers = [\"alice\"]\npreset = \"wled\"\ntopic = \"w\"\n";

#[tokio::test]
async fn each_form_of_the_page_is_one_that_is_obeyed() {
    let mut visit = Visit::to(core(A_LIGHT), at(2));
    let account = crate::core::model::sign_in::SignedIn {
        username: "alice@contoso.example".into(),
        object_id: "00000000-0000-4000-8000-000000000001".parse().unwrap(),
        may_write: true,
    };
    visit.core.on(Event::SignIn(AccountId::FIRST, SignInEvent::Account(Some(account))), at(2));
    let html = visit.get("/", &[]).await.into_body();
    let forms: Vec<&str> = html.split("<form method=\"post\"").skip(1).collect();
    let token = format!("name=\"token\" value=\"{}\"", visit.site.token.as_str());
    assert!(forms.iter().all(|form| form.split("</form>").next().unwrap().contains(&token)), "{html}");
    for act in ["refresh", "pause", "test", "set", "browser", "code", "sign_out"] {
        assert!(html.contains(&format!("name=\"act\" value=\"{act}\"")), "{act} in {html}");
        let response = visit.post(&format!("act={act}&light=door&user=alice&presence=Busy&account=")).await;
        let location =
            response.headers().get("location").map(|location| location.to_str().unwrap().to_owned());
        assert!(response.status() == 303 && location.unwrap().starts_with("?told="), "{act}");
    }
    assert!(html.contains("content=\"30\""), "a browser without scripts leaves time to fill in: {html}");

    visit.site.read_only = true;
    let html = visit.get("/", &[]).await.into_body();
    assert!(!html.contains("method=\"post\"") && !html.contains(visit.site.token.as_str()), "{html}");
}

#[tokio::test]
async fn who_did_something_is_told_how_it_went_and_no_link_can_put_words_there() {
    let mut visit = Visit::to(core(A_LIGHT), at(2));
    let told = |html: &str| {
        let told = html.split("id=\"told\"").nth(1).unwrap();
        told.split_once('>').unwrap().1.split_once("</p>").unwrap().0.to_owned()
    };
    let response = visit.post("act=refresh").await;
    let location = format!("/{}", response.headers()["location"].to_str().unwrap());
    for _ in 0..2 {
        let html = visit.get(&location, &[]).await.into_body();
        assert_eq!(told(&html), "the bridge is not connected to the broker, or waits in standby");
    }
    for address in ["", "x%0D%0Ay"] {
        let response = visit.post(&format!("act=landed&address={address}")).await;
        let location = format!("/{}", response.headers()["location"].to_str().unwrap());
        let said = told(&visit.get(&location, &[]).await.into_body());
        assert!(said.starts_with("this is not the address"), "{address}: {said}");
    }
    for other in ["/", "/?told=1", "/?told=Call+0800+1234", "/?told="] {
        assert_eq!(told(&visit.get(other, &[]).await.into_body()), "", "{other}");
    }
}

#[tokio::test]
async fn a_browser_that_comes_back_from_the_sign_in_service_ends_only_what_was_begun() {
    let mut visit = Visit::to(core(""), at(2));
    let response = visit.post("act=browser&account=").await;
    assert_eq!(response.status().as_u16(), 303);
    let link = ShownInvitation {
        verification_uri: "https://login.example/authorize?state=x".parse().unwrap(),
        user_code: None,
        expires_at: at(900).wall,
    };
    visit.core.on(Event::SignIn(AccountId::FIRST, SignInEvent::Invited(InvitationId::new(1), link)), at(2));
    let html = visit.get("/", &[]).await.into_body();
    assert!(html.contains("authorize?state=x\"") && html.contains("name=\"act\" value=\"landed\""), "{html}");
    for (path, redeems) in [("/?code=c&state=y", false), ("/?code=c&state=x", true)] {
        let response = visit.get(path, &[]).await;
        assert_eq!(response.status().as_u16(), 303);
        assert!(!response.headers()["location"].to_str().unwrap().contains("code"));
        let redeemed = visit.effects.iter().any(|effect| matches!(effect, Effect::SignIn(..)));
        assert_eq!(redeemed, redeems, "{path}");
    }
    for (headers, read_only, status) in [(&[("host", "evil.example")][..], false, 403), (&[], true, 200)] {
        visit.site.read_only = read_only;
        assert_eq!(visit.get("/?code=c&state=x", headers).await.status().as_u16(), status);
    }
}

/// The status, and whether it comes after the whole patience, when nobody answers the question.
async fn unanswered(site: Site, path: &str) -> (u16, bool) {
    let request = Request::builder().uri(path).body(String::new()).unwrap();
    let clock = crate::run::Clock::start();
    let response = answer(VISITOR, request, &site, &Page::new()).await;
    (response.status().as_u16(), clock.now().tick.0 >= Duration::from_secs(2))
}

#[tokio::test]
async fn a_loop_that_does_not_answer_holds_up_nobody() {
    let mut visit = Visit::to(core(""), at(2));
    let site = visit.site.clone();
    // All at once, because the patience is real: these fill the queue and are waited for.
    let mut waiting = tokio::task::JoinSet::new();
    for path in ["/", "/metrics", "/readyz", "/", "/readyz"].repeat(4) {
        waiting.spawn(unanswered(site.clone(), path));
    }
    while visit.asked.len() < 20 {
        tokio::task::yield_now().await;
    }
    for path in ["/", "/metrics", "/readyz"] {
        assert_eq!(unanswered(site.clone(), path).await, (503, false), "{path} of a full queue");
    }
    assert_eq!(unanswered(site.clone(), "/healthz").await, (200, false), "alive is not the same as ready");
    assert_eq!(waiting.join_all().await, [(503, true); 20]);
    // Without a loop, as when the bridge ends.
    visit.asked.close();
    assert_eq!(unanswered(site, "/").await, (503, false));
}

#[tokio::test]
async fn impatient_presses_keep_nobody_from_looking() {
    let mut visit = Visit::to(core(""), at(2));
    let form = format!("token={}&act=sign_out", visit.site.token.as_str());
    let mut pressed = tokio::task::JoinSet::new();
    for _ in 0..12 {
        let (site, form) = (visit.site.clone(), form.clone());
        pressed.spawn(async move {
            let request = Request::builder().method("POST").uri("/");
            let request =
                FROM_THE_PAGE.iter().fold(request, |request, (name, value)| request.header(*name, *value));
            answer(VISITOR, request.body(form).unwrap(), &site, &Page::new()).await.status().as_u16()
        });
    }
    // Those that found no place are told so at once; the others wait for the loop, which keeps them waiting.
    for _ in 0..8 {
        assert_eq!(pressed.join_next().await.unwrap().unwrap(), 303);
    }
    let mut waiting = Vec::new();
    while waiting.len() < 4 {
        waiting.push(visit.asked.recv().await);
    }
    for path in ["/", "/metrics", "/readyz"].repeat(5) {
        let status = visit.get(path, &[]).await.status().as_u16();
        assert!(status == 200 || path == "/readyz", "{path}: {status}");
    }
    drop(waiting);
    assert_eq!(pressed.join_all().await, [303; 4]);
}

/// Name and labels of every sample, in order, of which the values may differ.
fn samples(text: &str) -> Vec<(&str, f64)> {
    assert!(text.ends_with("# EOF\n"), "{text}");
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines
        .map(|line| line.rsplit_once(' ').map(|(name, value)| (name, value.parse().unwrap())).unwrap())
        .collect()
}

#[tokio::test]
async fn metrics_have_the_promised_names_and_no_name_of_anybody() {
    let mut visit = Visit::to(core(""), at(2));
    let (graph, broker) = (visit.site.meters.graph(None), visit.site.meters.broker.clone());
    graph.ended(&Ok(()), Some(Duration::from_millis(40)));
    graph.ended::<()>(&Err(ReadFailure::Throttled { retry_after: None }), Some(Duration::from_millis(3)));
    graph.token_ends(at(3600).wall);
    broker.connected();
    broker.published(5);
    broker.acknowledged(Duration::from_millis(2));
    let text = visit.get("/metrics", &[]).await.into_body();
    let samples: std::collections::BTreeMap<_, _> = samples(&text).into_iter().collect();
    let nine = at(0).wall.as_second() as f64;
    for (name, value) in [
        ("info{version=\"0.1.0\",cloud=\"global\",auth_method=\"device-code\"}", 1.0),
        ("graph_requests_total{outcome=\"ok\"}", 1.0),
        ("graph_requests_total{outcome=\"throttled\"}", 1.0),
        ("graph_requests_total{outcome=\"failed\"}", 0.0),
        ("graph_requests_total{outcome=\"token_refused\"}", 0.0),
        ("graph_requests_total{outcome=\"sign_in_required\"}", 0.0),
        ("graph_requests_total{outcome=\"forbidden\"}", 0.0),
        ("graph_requests_total{outcome=\"not_found\"}", 0.0),
        ("graph_requests_total{outcome=\"refused\"}", 0.0),
        ("graph_request_duration_seconds_count", 2.0),
        ("graph_request_duration_seconds_bucket{le=\"0.05\"}", 2.0),
        ("graph_request_duration_seconds_bucket{le=\"0.02\"}", 1.0),
        ("graph_state{state=\"ok\"}", 1.0),
        ("graph_state{state=\"throttled\"}", 0.0),
        ("graph_last_success_timestamp_seconds", nine + 1.0),
        ("request_budget", 1500.0),
        ("request_budget_used", 1.0),
        ("poll_interval_seconds", 5.0),
        ("achieved_interval_seconds", 5.0),
        ("token_expiry_timestamp_seconds", nine + 3600.0),
        ("broker_connected", 0.0),
        ("broker_connects_total", 1.0),
        ("publishes_total", 5.0),
        ("publish_ack_duration_seconds_count", 1.0),
        ("publish_queue", 0.0),
        ("publish_in_flight", 0.0),
        ("users{health=\"ok\"}", 1.0),
        ("users{health=\"not_found\"}", 0.0),
        ("notices", 0.0),
    ] {
        assert_eq!(samples.get(format!("presence2mqtt_{name}").as_str()), Some(&value), "{name} in\n{text}");
    }
    assert!(samples.keys().all(|name| name.starts_with("presence2mqtt_")), "{text}");
    assert!(!text.contains("certificate") && !text.contains("alice") && !text.contains("nan"), "{text}");
}

/// Alice signs in to one account, and an app reads Bob by another.
fn two_accounts() -> Bridge {
    let text = "[mqtt]\nurl = \"mqtt://localhost\"\n[graph]\nclient_id = \"11111111-2222-3333-4444-555555555555\"\n\
                state_dir = \"/nowhere\"\n\
                [[accounts]]\nname = \"home\"\ntenant_id = \"contoso.example\"\n\
                [[accounts]]\nname = \"work\"\ntenant_id = \"fabrikam.example\"\npoll_interval = \"7s\"\n\
                [accounts.auth]\nmethod = \"client-secret\"\nclient_secret = \"a-secret\"\n\
                [[users]]\nname = \"bob\"\nid = \"00000000-0000-4000-8000-000000000002\"\naccount = \"work\"\n";
    let config = crate::config::parse(text, "test.toml".as_ref(), &Default::default()).unwrap();
    let mut core = Bridge::new(crate::run::settings(&config), 1, at(0));
    core.on(Event::Started, at(0));
    let refused = ReadFailure::SignInRequired { advice: "run `presence2mqtt login`".into() };
    let ended = Ended { request: RequestId::new(0), further: 0, outcome: Err(refused) };
    core.on(Event::Presence(AccountId::FIRST, PresenceEvent::Read(ended)), at(1));
    let shown = ShownInvitation {
        verification_uri: "https://login.example/device".parse().unwrap(),
        user_code: Some("ABCD1234".into()),
        expires_at: at(900).wall,
    };
    core.on(Event::SignIn(AccountId::FIRST, SignInEvent::Invited(InvitationId::new(1), shown)), at(1));
    let id = "00000000-0000-4000-8000-000000000002".parse().unwrap();
    let presence = Presence::of(PresenceWords::from_graph("Busy", Some("Busy")).unwrap());
    let people = vec![Reading { id, presence: Some(presence) }];
    let ended = Ended { request: RequestId::new(0), further: 0, outcome: Ok(people) };
    core.on(Event::Presence(AccountId::new(1), PresenceEvent::Read(ended)), at(1));
    core
}

#[tokio::test]
async fn each_account_has_a_tile_and_says_who_has_to_sign_in() {
    let mut visit = Visit::to(two_accounts(), at(2));
    let page = visit.get("/", &[]).await.into_body();
    for expected in [
        "<h2>home</h2>",
        "<h2>work</h2>",
        "Sign-in required: home",
        "ABCD1234",
        "no account is signed in",
        "signed in as the app",
        "Accounts: 1 of 2 ok",
    ] {
        assert!(page.contains(expected), "{expected} in {page}");
    }
}

#[tokio::test]
async fn metrics_about_graph_are_labelled_by_account_and_each_is_described_once() {
    let mut visit = Visit::to(two_accounts(), at(2));
    let home = visit.site.meters.graph(Some(&"home".parse().unwrap()));
    home.ended(&Ok(()), Some(Duration::from_millis(40)));
    let text = visit.get("/metrics", &[]).await.into_body();
    let samples: std::collections::BTreeMap<_, _> = samples(&text).into_iter().collect();
    for (name, value) in [
        ("info{version=\"0.1.0\"}", 1.0),
        ("graph_requests_total{account=\"home\",outcome=\"ok\"}", 1.0),
        ("graph_requests_total{account=\"work\",outcome=\"ok\"}", 0.0),
        ("graph_request_duration_seconds_count{account=\"home\"}", 1.0),
        ("graph_request_duration_seconds_bucket{le=\"0.05\",account=\"home\"}", 1.0),
        ("graph_state{account=\"home\",state=\"sign_in_required\"}", 1.0),
        ("graph_state{account=\"work\",state=\"ok\"}", 1.0),
        ("request_budget{account=\"work\"}", 1500.0),
        ("poll_interval_seconds{account=\"home\"}", 5.0),
        ("poll_interval_seconds{account=\"work\"}", 7.0),
        ("users{health=\"ok\"}", 1.0),
    ] {
        assert_eq!(samples.get(format!("presence2mqtt_{name}").as_str()), Some(&value), "{name} in\n{text}");
    }
    assert!(!text.contains("last_success_timestamp_seconds{account=\"home\"}"), "{text}");
    let types: Vec<&str> = text.lines().filter(|line| line.starts_with("# TYPE")).collect();
    let once: std::collections::BTreeSet<&str> = types.iter().copied().collect();
    assert_eq!(types.len(), once.len(), "{text}");
}
