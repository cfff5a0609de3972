//! Requests to the status page: each gets one short answer, and nobody without the password gets past it.

use std::cell::RefCell;
use std::net::SocketAddr;
use std::time::Duration;

use presence2mqtt::config::{Http, Secret};
use presence2mqtt::http::door::{Door, Keys};
use presence2mqtt::http::question::questions;
use presence2mqtt::meters::Meters;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::runtime::{Builder, Runtime};

use super::said::MARKER;

/// A page that asks for a password, and nobody behind it: whoever is let in is told that the bridge is busy.
struct Page {
    runtime: Runtime,
    address: SocketAddr,
    _keys: Keys,
}

thread_local! {
    static PAGE: RefCell<Page> = RefCell::new(Page::open());
}

impl Page {
    fn open() -> Self {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        let door = runtime.block_on(async { Door::open(([127, 0, 0, 1], 0).into()) }).unwrap();
        let address = door.address().unwrap();
        let http = Http {
            listen: address,
            password: Some(Secret::Inline(MARKER.into())),
            any_host: false,
            read_only: false,
        };
        let (asker, _nobody) = questions();
        let (keys, task) = door.attend(&http, "mqtt://broker.example".to_owned(), Meters::default(), asker);
        drop(runtime.spawn(task));
        Self { runtime, address, _keys: keys }
    }

    /// All that comes back for these bytes.
    fn answer(&self, request: &[u8]) -> Vec<u8> {
        self.runtime.block_on(async {
            let mut stream = TcpStream::connect(self.address).await.unwrap();
            let mut answer = Vec::new();
            let told = async {
                // Whoever is refused may be hung up on before all is said.
                if stream.write_all(request).await.is_ok() && stream.shutdown().await.is_ok() {
                    let _cut = stream.read_to_end(&mut answer).await;
                }
            };
            tokio::time::timeout(Duration::from_secs(10), told)
                .await
                .expect("the page keeps its visitor waiting");
            answer
        })
    }
}

/// `input` is all that a visitor sends.
pub(super) fn check(input: &[u8]) {
    let answer = PAGE.with_borrow(|page| page.answer(input));
    let text = String::from_utf8_lossy(&answer);
    assert!(answer.len() < 4096 && !text.contains(MARKER), "{text}");
    if answer.is_empty() {
        return;
    }
    let status = text.strip_prefix("HTTP/1.").and_then(|rest| rest.get(2..5)).unwrap_or_default();
    let expected =
        ["200", "400", "401", "403", "404", "405", "408", "413", "414", "415", "429", "431", "503", "505"];
    assert!(expected.contains(&status), "{text}");
    // Only the probes say yes, and only readiness says that nobody answers.
    let path = String::from_utf8_lossy(input).split(' ').nth(1).unwrap_or_default().to_owned();
    if status == "200" || status == "503" {
        assert!(path.contains("/healthz") || path.contains("/readyz"), "{path} got {text}");
    }
}
