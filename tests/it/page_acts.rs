//! A visitor of the status page does everything there, against a simulated tenant and a broker.

use presence2mqtt::config::{self, Config, Environment};
use presence2mqtt::core::model::effect::Ending;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::login::landing;
use crate::sign_in::Home;
use crate::stage::{Running, Stage, within};

/// A browser, as far as forms need one.
struct Visitor {
    port: u16,
    /// What the page says last.
    page: String,
}

/// The text between two others.
fn between<'a>(text: &'a str, before: &str, after: &str) -> Option<&'a str> {
    text.split_once(before)?.1.split_once(after).map(|(found, _)| found)
}

fn plain(html: &str) -> String {
    html.replace("&amp;", "&").replace("&#x2f;", "/").replace("&#x27;", "'")
}

impl Visitor {
    async fn to(port: u16) -> Self {
        let mut visitor = Self { port, page: String::new() };
        // The page is there as soon as the bridge listens.
        within(async {
            while TcpStream::connect(("127.0.0.1", port)).await.is_err() {
                tokio::task::yield_now().await;
            }
        })
        .await;
        visitor.look("/").await;
        visitor
    }

    async fn say(&self, request: &str) -> String {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        within(stream.read_to_string(&mut answer)).await.unwrap();
        answer
    }

    async fn look(&mut self, path: &str) {
        let answer = self.say(&format!("GET {path} HTTP/1.1\r\nHost: localhost:{}\r\n\r\n", self.port)).await;
        self.page = match answer.starts_with("HTTP/1.1 303 ") {
            true => self.follow(&answer).await,
            false => answer,
        };
        assert!(self.page.starts_with("HTTP/1.1 200 "), "{}", self.page);
    }

    /// Goes where it is sent, and returns the page there.
    async fn follow(&self, answer: &str) -> String {
        let location = between(answer, "location: ", "\r\n").unwrap();
        let get = format!("GET /{location} HTTP/1.1\r\nHost: localhost:{}\r\n\r\n", self.port);
        self.say(&get).await
    }

    /// Looks again and again until the page says this.
    async fn until(&mut self, says: &str) {
        let looks = async {
            loop {
                self.look("/").await;
                if plain(&self.page).contains(says) {
                    return;
                }
            }
        };
        if tokio::time::timeout(crate::stage::LIMIT, looks).await.is_err() {
            panic!("{says} in {}", self.page);
        }
    }

    /// Sends a form of the page from this origin, and returns the whole answer.
    async fn send(&self, origin: &str, form: &str) -> String {
        let token = between(&self.page, "name=\"token\" value=\"", "\"").unwrap_or_default();
        let form = format!("token={token}&{form}");
        let (port, length) = (self.port, form.len());
        self.say(&format!(
            "POST / HTTP/1.1\r\nHost: localhost:{port}\r\nOrigin: {origin}\r\nContent-Length: {length}\r\n\
             Content-Type: application/x-www-form-urlencoded\r\n\r\n{form}"
        ))
        .await
    }

    /// Does something, and returns what is said about it.
    async fn does(&mut self, form: &str) -> String {
        let answer = self.send(&format!("http://localhost:{}", self.port), form).await;
        assert!(answer.starts_with("HTTP/1.1 303 "), "{form}: {answer}");
        self.page = self.follow(&answer).await;
        self.told()
    }

    fn told(&self) -> String {
        let told = between(&self.page, "id=\"told\"", "</p>").unwrap();
        plain(told.split_once('>').unwrap().1)
    }

    /// The link to the sign-in service.
    fn link(&self) -> String {
        let link = self.page.split("href=\"").find(|link| link.contains("authorize?")).unwrap();
        plain(link.split_once('"').unwrap().0)
    }
}

async fn stage(more: &str) -> (Home, Config, u16) {
    let home = Home::new().await;
    let port = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    let text = home.text().replace("announce_sign_in = true", "method = \"browser\"");
    let text = format!(
        "{text}[commands]\nenabled = true\n[http]\nlisten = \"127.0.0.1:{port}\"\n{more}\n[[lights]]\nname = \"door\"\n\
         users = [\"me\"]\npreset = \"custom\"\ntopic = \"door/set\"\npayload = \"{{{{ color }}}}\"\n"
    );
    let config = config::parse(&text, &home.file(), &Environment::from_iter([])).unwrap();
    (home, config, port)
}

fn person(stage: &Stage, number: usize) -> presence2mqtt::simulate::Person {
    stage.tenant.people().remove(number)
}

#[tokio::test]
async fn somebody_who_has_only_the_page_does_everything_there() {
    let (home, config, port) = stage("").await;
    let (alice, bob) = (person(&home.stage, 0).id, person(&home.stage, 1).id);
    home.stage.tenant.set_presence(bob, "Busy", "InACall");
    home.stage.tenant.set_presence(alice, "Away", "Away");
    let bridge = Running::start(&config);
    let mut visitor = Visitor::to(port).await;
    let mut listener = home.stage.listen(&config).await;

    // By browser, which comes back to the page.
    home.stage.tenant.sign_in_browser_as(bob);
    visitor.until("Microsoft's sign-in page").await;
    assert_eq!(visitor.does("act=browser&account=").await, "Sign in as shown below.");
    let link = visitor.link();
    assert!(link.contains(&format!("redirect_uri=http%3A%2F%2Flocalhost%3A{port}&")), "{link}");
    let landed = landing(&link).await;
    let path = landed.strip_prefix(&format!("http://localhost:{port}")).unwrap();
    visitor.look(path).await;
    assert_eq!(visitor.told(), "Signed in.");
    listener.until(&[("presence/me/availability", "Busy"), ("presence/bridge/state", "online")]).await;
    // The address is good for nothing now.
    visitor.look(path).await;
    assert!(visitor.told().contains("not the address of the waiting sign-in"), "{}", visitor.told());

    // What people do every day.
    visitor.until("value=\"pause\"").await;
    assert_eq!(visitor.does("act=pause&light=door").await, "The light is paused.");
    listener.until(&[("presence/bridge/light/door/follow", "OFF")]).await;
    assert!(visitor.page.contains("value=\"follow\""), "{}", visitor.page);
    assert_eq!(visitor.does("act=follow&light=door").await, "The light shows presence again.");
    listener.until(&[("presence/bridge/light/door/follow", "ON")]).await;
    let told = visitor.does("act=test&light=door").await;
    assert!(
        told.starts_with("The light shows every state now") && visitor.page.contains("is tested"),
        "{told}"
    );
    assert_eq!(visitor.does("act=test&light=door").await, "The test is over.");
    assert_eq!(visitor.does("act=refresh").await, "Reading all people now.");
    visitor.until("value=\"set\"").await;
    assert_eq!(visitor.does("act=set&user=me&presence=DoNotDisturb&lasts=1h").await, "The presence is set.");
    listener.until(&[("presence/me/availability", "DoNotDisturb")]).await;
    let told = visitor.does("act=set&user=me&presence=Busy&lasts=1s").await;
    assert!(told.contains("duration must be 5m to 7days"), "{told}");
    let told = visitor.does("act=set&user=me&presence=&lasts=1h").await;
    assert!(told.starts_with("nothing was chosen"), "{told}");
    assert_eq!(visitor.does("act=message&user=me&message=At+lunch&lasts=1h").await, "The presence is set.");
    let told = visitor.does("act=message&user=me&message=&lasts=1s").await;
    assert!(told.contains("1m to 365days"), "{told}");

    // As somebody else, by pasting, and only after a second thought.
    home.stage.tenant.sign_in_browser_as(alice);
    for (decision, told, followed) in [
        ("keep", "Nothing was changed.", "bob@contoso.example"),
        ("change", "Signed in.", "alice@contoso.example"),
    ] {
        assert_eq!(visitor.does("act=browser&account=").await, "Sign in as shown below.");
        let landed = landing(&visitor.link()).await;
        let wrong = visitor.does("act=landed&address=http%3A%2F%2Flocalhost%2F%3Fcode%3Dx%26state%3Dy").await;
        assert!(wrong.contains("copy the whole address"), "{wrong}");
        let pasted: String = url::form_urlencoded::byte_serialize(landed.as_bytes()).collect();
        let asked = visitor.does(&format!("act=landed&address={pasted}")).await;
        assert!(asked.starts_with("Another account signed in"), "{asked}");
        let question = "Follow alice@contoso.example instead of bob@contoso.example";
        assert!(visitor.page.contains(question), "{}", visitor.page);
        assert_eq!(visitor.does(&format!("act={decision}&account=")).await, told);
        assert!(home.told(&["whoami"]).await.1.contains(followed));
    }
    let is_alices = |info: &str| info.contains("alice@contoso.example");
    within(listener.until_topic("presence/bridge/info", is_alices)).await;
    listener.until(&[("presence/me/availability", "Away"), ("presence/me/health", "ok")]).await;

    let told = visitor.does("act=sign_out&account=").await;
    assert!(told.starts_with("The sign-in is deleted here."), "{told}");
    listener.until(&[("presence/me/health", "sign_in_required")]).await;
    assert!(home.told(&["whoami"]).await.1.contains("no account is signed in"));

    // Somebody else signs in after that, and is read.
    home.stage.tenant.sign_in_browser_as(bob);
    assert_eq!(visitor.does("act=browser&account=").await, "Sign in as shown below.");
    let landed = landing(&visitor.link()).await;
    visitor.look(landed.strip_prefix(&format!("http://localhost:{port}")).unwrap()).await;
    assert_eq!(visitor.told(), "Signed in.");
    listener.until(&[("presence/me/availability", "DoNotDisturb"), ("presence/me/health", "ok")]).await;
    assert_eq!(bridge.stop().await, Ending::Stopped);
}

#[tokio::test]
async fn another_website_does_nothing_there_and_a_page_that_only_shows_has_no_forms() {
    let (home, config, port) = stage("").await;
    let bridge = Running::start(&config);
    let visitor = Visitor::to(port).await;
    for origin in ["https://evil.example", "null", &format!("http://127.0.0.1:{port}")] {
        let answer = visitor.send(origin, "act=sign_out&account=").await;
        assert!(answer.starts_with("HTTP/1.1 403 "), "{answer}");
    }
    assert_eq!(bridge.stop().await, Ending::Stopped);

    let (_home, config, port) = stage("read_only = true").await;
    let bridge = Running::start(&config);
    let mut visitor = Visitor::to(port).await;
    visitor.until("Microsoft's sign-in page").await;
    assert!(!visitor.page.contains("method=\"post\"") && !visitor.page.contains("name=\"token\""));
    let answer = visitor.send(&format!("http://localhost:{port}"), "act=refresh").await;
    assert!(answer.starts_with("HTTP/1.1 403 ") && answer.contains("http.read_only"), "{answer}");
    assert_eq!(bridge.stop().await, Ending::Stopped);
    drop(home);
}
