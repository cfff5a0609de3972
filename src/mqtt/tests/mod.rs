//! One connection against a scripted broker: what real ones do rarely, and what only wrong ones do.
#![allow(clippy::wildcard_enum_match_arm, reason = "what a test does not expect, it shows and fails")]

mod addresses;
mod endings;
mod hostile;
mod names;
mod refusals;
mod sending;
mod tls;
mod websockets;

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

use super::address::Address;
use super::client::Request;
use super::dial::Resolver;
use super::session::{Session, SessionEvent};
use crate::config::{self, Environment, Mqtt};
use crate::core::model::effect::{Message, Subscription};
use crate::core::model::event::LinkFailure;
use crate::core::model::mqtt::{Protocol, Qos};

/// No wait in these tests is longer.
const LIMIT: Duration = Duration::from_secs(30);

/// Answers to CONNECT: accepted, in either version (section 3.2 of both).
const ACCEPTED_V3: &[u8] = &[0x20, 2, 0, 0];
const ACCEPTED_V5: &[u8] = &[0x20, 3, 0, 0, 0];

const BOTH: [Protocol; 2] = [Protocol::V3, Protocol::V5];

fn accepted(protocol: Protocol) -> &'static [u8] {
    match protocol {
        Protocol::V3 => ACCEPTED_V3,
        Protocol::V5 => ACCEPTED_V5,
    }
}

/// A broker that does what a test says.
struct Scripted(TcpListener);

/// The broker's end of a connection.
struct End(TcpStream);

impl Scripted {
    async fn start() -> Self {
        Self(TcpListener::bind("127.0.0.1:0").await.unwrap())
    }

    fn address(&self) -> SocketAddr {
        self.0.local_addr().unwrap()
    }

    /// The client's view of it.
    fn seen(&self) -> Address {
        Address::of_command(&mqtt(&self.address().to_string()), "test")
    }

    /// The next connection, its CONNECT taken.
    async fn taken(&self) -> End {
        let mut end = End(within(self.0.accept()).await.unwrap().0);
        let (kind, _) = end.packet().await;
        assert_eq!(kind, 0x10, "CONNECT");
        end
    }

    /// The next connection, accepted.
    async fn accepted(&self, protocol: Protocol) -> End {
        let mut end = self.taken().await;
        end.says(accepted(protocol)).await;
        end
    }
}

impl End {
    async fn says(&mut self, bytes: &[u8]) {
        self.0.write_all(bytes).await.unwrap();
    }

    /// The first byte of the next packet, and what follows its length.
    async fn packet(&mut self) -> (u8, Vec<u8>) {
        let read = async {
            let kind = self.0.read_u8().await.unwrap();
            let (mut length, mut shift) = (0, 0);
            loop {
                let byte = self.0.read_u8().await.unwrap();
                length |= usize::from(byte & 0x7f) << shift;
                shift += 7;
                if byte & 0x80 == 0 {
                    break;
                }
            }
            let mut rest = vec![0; length];
            self.0.read_exact(&mut rest).await.unwrap();
            (kind, rest)
        };
        within(read).await
    }

    /// Waits until the client has hung up; says what came before.
    async fn hung_up(&mut self) -> Vec<u8> {
        let mut rest = Vec::new();
        // A reset is an end too.
        let _end = within(self.0.read_to_end(&mut rest)).await;
        rest
    }
}

/// `[mqtt]` for a broker at this host and port.
fn mqtt(place: &str) -> Mqtt {
    let text = format!(
        "[mqtt]\nurl = \"mqtt://{place}\"\nkeep_alive = \"5s\"\nusername = \"bob\"\npassword = \"s3cr3t-marker\"\n\
         [graph]\ntenant_id = \"contoso.onmicrosoft.com\"\nclient_id = \"11111111-2222-3333-4444-555555555555\"\n\
         [graph.auth]\nmethod = \"client-secret\"\nclient_secret = \"x\"\n\
         [[users]]\nname = \"alice\"\nid = \"66825e03-7ef5-42da-9069-724602c31f6b\"\n"
    );
    config::parse(&text, Path::new("scripted.toml"), &Environment::from_iter([])).unwrap().mqtt
}

fn resolver(answers: impl IntoIterator<Item = Vec<SocketAddr>>) -> Resolver {
    Resolver::Scripted(Arc::new(Mutex::new(answers.into_iter().collect::<VecDeque<_>>())))
}

/// The next thing that happens.
async fn next(session: &mut Session, seen: &mut VecDeque<SessionEvent>) -> SessionEvent {
    let wait = async {
        loop {
            if let Some(event) = seen.pop_front() {
                return event;
            }
            let mut buffer = Vec::new();
            session.next(&mut buffer).await;
            seen.extend(buffer);
        }
    };
    within(wait).await
}

/// How the session ends, whatever happens before.
async fn end(session: &mut Session) -> LinkFailure {
    let mut seen = VecDeque::new();
    loop {
        if let SessionEvent::Closed(failure) = next(session, &mut seen).await {
            return failure;
        }
    }
}

fn message(topic: &str, payload: String, qos: Qos) -> Message {
    Message { topic: topic.to_owned(), payload, qos, retain: true, expires: None, correlation: None }
}

async fn within<T>(future: impl Future<Output = T>) -> T {
    timeout(LIMIT, future).await.expect("waited too long")
}
