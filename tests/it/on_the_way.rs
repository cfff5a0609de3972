//! What lies between here and Graph: each way in which a request does not arrive, or its answer does not come
//! back, is a failure that passes, in words that say which one it was and not whom it was about.

use std::net::SocketAddr;
use std::time::Duration;

use presence2mqtt::core::model::request::{ReadFailure, ReadPresence};
use presence2mqtt::graph::client::{Access, GraphClient};
use presence2mqtt::graph::sign_in::method::Method;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::task::JoinHandle;

use crate::stage::ask;

/// Whole requests end within this.
const TIMEOUT: Duration = Duration::from_secs(1);

const ID: &str = "66825e03-7ef5-42da-9069-724602c31f6b";

/// Two mebibytes on the wire in two kilobytes.
const SPACES: &[u8] = include_bytes!("two-mebibytes-of-spaces.gz");

/// A server for one connection: reads a request, writes these bytes, and then closes or goes on being silent.
struct Script {
    address: SocketAddr,
    task: JoinHandle<()>,
}

impl Script {
    async fn answers(answer: impl Into<Vec<u8>>) -> Self {
        Self::start(answer.into(), true).await
    }

    /// Is silent after these bytes.
    async fn falls_silent(answer: impl Into<Vec<u8>>) -> Self {
        Self::start(answer.into(), false).await
    }

    async fn start(answer: Vec<u8>, closes: bool) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let task = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = [0; 4096];
            let read = stream.read(&mut request).await.unwrap();
            assert!(read > 0);
            // Whoever asked may have had enough before the end.
            let _ = stream.write_all(&answer).await;
            if !closes {
                std::future::pending::<()>().await;
            }
        });
        Self { address, task }
    }

    /// What a client makes of it.
    async fn failure(self, scheme: &str) -> (String, Option<Duration>) {
        let failure = failure(&format!("{scheme}://{}", self.address)).await;
        self.task.abort();
        failure
    }
}

/// How reading somebody at this root fails.
async fn failure(root: &str) -> (String, Option<Duration>) {
    let root = root.parse().unwrap();
    let access = Access {
        graph_url: &root,
        login_url: &root,
        tenant: "contoso.example",
        ca_file: None,
        timeout: TIMEOUT,
    };
    let client = GraphClient::new(&access, Method::Fixed("t0ken-marker".to_owned().into())).unwrap();
    let failure = ask(&client, ReadPresence::User(ID.parse().unwrap())).await.unwrap_err();
    let ReadFailure::Passing { why, retry_after } = failure else { panic!("{failure:?}") };
    for unsaid in [ID, "t0ken-marker", "/v1.0"] {
        assert!(!why.contains(unsaid), "{why}");
    }
    assert!(why.chars().count() < 500 && !why.contains(char::is_control), "{why}");
    (why.to_string(), retry_after)
}

fn http(status: &str, headers: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\n{headers}\r\n{body}").into_bytes()
}

#[tokio::test]
async fn nobody_listens() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let (why, _) = failure(&format!("http://{address}")).await;
    assert!(why.starts_with("cannot connect to 127.0.0.1: "), "{why}");
    assert!(why.to_lowercase().contains("connection refused"), "{why}");
}

/// The queue of a listener that accepts nobody is filled, so that the kernel leaves the next one waiting.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_connection_that_is_never_made() {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let listener = socket.listen(1).unwrap();
    let address = listener.local_addr().unwrap();
    let mut queue = Vec::new();
    while let Ok(stream) = tokio::time::timeout(Duration::from_millis(300), TcpStream::connect(address)).await
    {
        queue.push(stream.unwrap());
        assert!(queue.len() < 100, "the queue has no end");
    }
    let (why, _) = failure(&format!("http://{address}")).await;
    assert_eq!(why, "no answer in time");
}

/// A label of more than 63 letters is refused by the resolver itself, so that no network is needed.
#[tokio::test]
async fn a_name_that_nobody_knows() {
    let name = format!("{}.example", "a".repeat(64));
    let (why, _) = failure(&format!("http://{name}")).await;
    assert!(why.starts_with(&format!("cannot connect to {name}: dns error")), "{why}");
}

#[tokio::test]
async fn no_tls_where_it_should_be() {
    let plain = Script::answers(http("400 Bad Request", "", "TLS? What is TLS?")).await;
    let (why, _) = plain.failure("https").await;
    assert!(why.starts_with("cannot connect to 127.0.0.1: ") && why.contains("InvalidContentType"), "{why}");
}

#[tokio::test]
async fn silence_before_and_within_an_answer() {
    let (why, _) = Script::falls_silent("").await.failure("http").await;
    assert_eq!(why, "no answer in time");
    let (why, _) = Script::falls_silent("HTTP/1.1 200 OK\r\nContent-Le").await.failure("http").await;
    assert_eq!(why, "no answer in time");
    let (why, wait) = Script::falls_silent("HTTP/1.1 503 X\r\nRetry-After: 9\r\nContent-Length: 9\r\n\r\n{")
        .await
        .failure("http")
        .await;
    assert_eq!(why, "the answer did not end in time");
    assert_eq!(wait, Some(Duration::from_secs(9)), "what was said before counts");
}

#[tokio::test]
async fn an_answer_that_is_cut() {
    let (why, _) = Script::answers("").await.failure("http").await;
    assert!(why.contains("error sending request"), "{why}");
    let (why, _) =
        Script::answers("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{").await.failure("http").await;
    assert_eq!(why, "the answer was cut");
    let (why, _) = Script::answers("SSH-2.0-OpenSSH_9.9\r\n").await.failure("http").await;
    assert!(why.contains("invalid HTTP version"), "{why}");
}

#[tokio::test]
async fn answers_that_are_not_graphs() {
    let portal = http("200 OK", "Content-Type: text/html\r\n", "<html>Sign in to the network</html>");
    let json = format!(r#"{{"id":"{ID}","availability":"Busy"}}"#);
    let not_json = "the answer is not JSON, so it is not from Graph, or was cut on the way";
    for (answer, words) in [
        (portal, not_json),
        (http("200 OK", "", &json[..40]), not_json),
        (http("204 No Content", "", ""), not_json),
        (http("200 OK", "", "{}"), "the answer is JSON, but not a presence"),
        (http("502 Bad Gateway", "", "<html>"), "Graph (or a proxy in between) answered 502 Bad Gateway"),
        (http("403 Forbidden", "", "<html>"), "Graph (or a proxy in between) answered 403 Forbidden"),
        (
            http("500 X", "", r#"{"error":{"code":"generalException","message":"Oh\nno"}}"#),
            "Graph answered 500 Internal Server Error: generalException: Oh no",
        ),
        (
            http("504 X", "", r#"{"error":{"code":"timeout","message":"Oh\u0000no"}}"#),
            "Graph answered 504 Gateway Timeout: timeout: Oh\u{fffd}no",
        ),
        (
            http("302 Found", "Location: https://portal.example/login?who=alice\r\n", ""),
            "the answer redirects to portal.example, and tokens are never sent elsewhere; is there a sign-in page of \
             the network in between?",
        ),
    ] {
        let (why, wait) = Script::answers(answer).await.failure("http").await;
        assert_eq!((why.as_str(), wait), (words, None));
    }
}

#[tokio::test]
async fn an_answer_without_end() {
    let words = "the answer is larger than 1048576 bytes, so it is not from Graph";
    let (why, _) = Script::answers(http("200 OK", "", &" ".repeat(2 << 20))).await.failure("http").await;
    assert_eq!(why, words);
    let length = SPACES.len();
    let mut packed =
        format!("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {length}\r\n\r\n").into_bytes();
    packed.extend_from_slice(SPACES);
    let (why, _) = Script::answers(packed).await.failure("http").await;
    assert_eq!(why, words, "what counts is the size when unpacked");
}

/// Every form of the header on the wire, with an overloaded server and with one that asks for fewer requests.
#[tokio::test]
async fn hints_to_wait() {
    let now = jiff::Zoned::now().with_time_zone(jiff::tz::TimeZone::UTC);
    let later = &now + Duration::from_secs(60);
    let hints = [
        "60".to_owned(),
        later.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string(),
        later.strftime("%A, %d-%b-%y %H:%M:%S GMT").to_string(),
        later.strftime("%a %b %e %H:%M:%S %Y").to_string(),
    ];
    for hint in hints {
        let header = format!("Retry-After: {hint}\r\n");
        let busy = http("503 Service Unavailable", &header, "");
        let (_, wait) = Script::answers(busy).await.failure("http").await;
        // Some seconds may pass meanwhile.
        assert!(wait.is_some_and(|wait| (40..=60).contains(&wait.as_secs())), "{hint}: {wait:?}");
    }
}

/// A person's tokens and a secret go to the simulated service on this machine, whatever the environment says
/// about proxies.
#[tokio::test]
async fn nothing_for_this_machine_goes_through_a_proxy() {
    let proxy = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let proxied = format!("http://{}", proxy.local_addr().unwrap());
    let service = Script::answers(http("400 Bad Request", "", r#"{"error":"invalid_client"}"#)).await;
    let home = crate::program::Home::with(&format!(
        "[mqtt]\nurl = \"mqtt://127.0.0.1:1\"\n[graph]\ntenant_id = \"contoso.example\"\n\
         client_id = \"11111111-2222-3333-4444-555555555555\"\nlogin_url = \"http://{}\"\n\
         graph_url = \"https://graph.example\"\n[graph.auth]\nmethod = \"client-secret\"\nclient_secret = \"s3cr3t\"\n\
         [[users]]\nname = \"alice\"\nid = \"{ID}\"\n",
        service.address
    ));
    let mut command = home.command(&["get"]);
    for variable in ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"] {
        command.env(variable, &proxied);
    }
    let told = tokio::task::spawn_blocking(move || crate::program::told(&mut command));
    let (code, _, err) = tokio::select! {
        told = crate::stage::within(told) => told.unwrap(),
        _ = proxy.accept() => panic!("the secret was on its way through the proxy"),
    };
    assert_eq!(code, Some(77), "{err}");
}
