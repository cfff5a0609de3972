//! The way from rumqttc to the broker.
//!
//! rumqttc makes its own connections, one address of a name after the other, and takes no ready-made socket. It does
//! take an HTTP proxy, for every kind of transport and without a change to whom TLS expects. So each connection has a
//! proxy of its own, inside the process: for one connection, to the one broker, whatever it is asked for. That gives us
//! the choice of the address, and the difference between a broker that cannot be reached and one that does not answer.

use std::io;
use std::net::Ipv4Addr;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::time::timeout;

use super::dial::{Resolver, dial};
use crate::core::model::event::LinkFailure;

/// rumqttc sends its request in the moment in which it is connected.
const REQUEST_LIMIT: Duration = Duration::from_secs(5);

/// Bytes on the way to the broker that are gathered, and bytes on the way back.
const GATHERED: usize = 64 * 1024;
const ANSWERS: usize = 8 * 1024;

/// The last bytes reach the broker, and it hangs up.
const GOODBYE_LIMIT: Duration = Duration::from_secs(1);

/// The request is a few lines; more is somebody else's.
const LONGEST_REQUEST: usize = 2048;

/// The user name that goes with a relay's key.
pub(super) const USER: &str = "presence2mqtt";

/// A relay that waits for its one connection.
pub(super) struct Relay {
    listener: TcpListener,
    port: u16,
    /// Known to nobody else: another process of this machine cannot take the connection.
    key: String,
    way: watch::Sender<Way>,
}

/// How far the way to the broker is.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Way {
    Opening,
    Open,
    Shut(String),
}

/// What the other end of the connection may know of it.
pub(super) struct Line(watch::Receiver<Way>);

impl Relay {
    /// Listens on a free port of this machine.
    pub(super) fn bind() -> io::Result<(Self, Line)> {
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        listener.set_nonblocking(true)?;
        let port = listener.local_addr()?.port();
        let key = uuid::Uuid::new_v4().as_simple().to_string();
        let (way, line) = watch::channel(Way::Opening);
        Ok((Self { listener: TcpListener::from_std(listener)?, port, key, way }, Line(line)))
    }

    pub(super) fn port(&self) -> u16 {
        self.port
    }

    pub(super) fn key(&self) -> &str {
        &self.key
    }

    /// Carries one connection to its end.
    pub(super) async fn run(self, resolver: Resolver, host: String, port: u16) {
        let Ok(Ok(mut near)) = timeout(REQUEST_LIMIT, self.accept()).await else { return };
        // Nobody listens to this port any more.
        drop(self.listener);
        match dial(&resolver, &host, port).await {
            Ok(mut far) => {
                self.way.send_replace(Way::Open);
                if near.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.is_ok() {
                    // However it ends, both sides see that it has. rumqttc writes each message by itself; what has
                    // gathered meanwhile goes on at once.
                    let _end =
                        tokio::io::copy_bidirectional_with_sizes(&mut near, &mut far, GATHERED, ANSWERS)
                            .await;
                }
            }
            // Said before the connection is dropped, so that it is known when the drop is noticed.
            Err(error) => {
                self.way.send_replace(Way::Shut(error.to_string()));
            }
        }
    }

    /// The connection of the one who knows the key.
    async fn accept(&self) -> io::Result<TcpStream> {
        let credentials = STANDARD.encode(format!("{USER}:{}", self.key));
        let wanted = format!("\r\nProxy-Authorization: Basic {credentials}\r\n");
        loop {
            let (mut near, _) = self.listener.accept().await?;
            if matches!(request(&mut near).await, Ok(request) if request.contains(&wanted)) {
                near.set_nodelay(true)?;
                return Ok(near);
            }
        }
    }
}

/// Up to the empty line. Nothing follows it before it is answered.
async fn request(near: &mut TcpStream) -> io::Result<String> {
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") && request.len() < LONGEST_REQUEST {
        if near.read_buf(&mut request).await? == 0 {
            break;
        }
    }
    Ok(String::from_utf8_lossy(&request).into_owned())
}

impl Line {
    /// Why the broker could not be reached, if that is how it went.
    pub(super) fn shut(&self) -> Option<LinkFailure> {
        match &*self.0.borrow() {
            Way::Shut(why) => Some(LinkFailure::Lost(why.clone().into())),
            Way::Opening | Way::Open => None,
        }
    }

    /// Whether a connection to the broker came about.
    pub(super) fn was_open(&self) -> bool {
        *self.0.borrow() == Way::Open
    }

    /// Waits, within its limit, until everything was carried over and the broker has hung up.
    pub(super) async fn is_over(&mut self) {
        let over = async { while self.0.changed().await.is_ok() {} };
        // A broker that does not hang up has had its time; the connection is cut.
        let _late = timeout(GOODBYE_LIMIT, over).await;
    }
}
