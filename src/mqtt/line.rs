//! The line from rumqttc to the broker.
//!
//! rumqttc takes no ready-made stream, and need not see the network: it parses strictly, what it does not
//! know ends the connection, and its TLS and WebSocket would be second ones. It does take an HTTP proxy. So
//! each connection has a proxy of its own, inside the process: for one connection, to the one broker,
//! whatever it is asked for. Behind it are name, TCP, TLS and WebSocket ([`reach`](super::reach)), and the
//! [gate](super::gate) on the way back. rumqttc speaks plain MQTT to it.

use std::convert::Infallible;
use std::io;
use std::net::Ipv4Addr;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::time::timeout;

use super::dial::Resolver;
use super::failure::{has_gone, of_tls, of_violation, tls_error};
use super::gate::Gate;
use super::reach::{Target, reach};
use crate::core::model::event::LinkFailure;
use crate::core::model::mqtt::Protocol;

/// rumqttc sends its request in the moment in which it is connected.
const REQUEST_LIMIT: Duration = Duration::from_secs(5);

/// Bytes on the way to the broker that are gathered, and bytes on the way back.
const GATHERED: usize = 64 * 1024;
const ANSWERS: usize = 8 * 1024;

/// The last bytes reach the broker, and it hangs up.
const GOODBYE_LIMIT: Duration = Duration::from_secs(1);

/// The request is a few lines; more is somebody else's.
const LONGEST_REQUEST: usize = 2048;

/// The user name that goes with a line's key.
pub(super) const USER: &str = "presence2mqtt";

/// A line that waits for its one connection.
pub(super) struct Line {
    listener: TcpListener,
    port: u16,
    /// Known to nobody else: another process of this machine cannot take the connection.
    key: String,
    state: watch::Sender<State>,
}

/// How far the line is.
#[derive(Debug, Clone, PartialEq, Eq)]
enum State {
    Opening,
    Open,
    Shut(LinkFailure),
}

/// What the other end of the connection may know of it.
pub(super) struct LineWatch(watch::Receiver<State>);

impl Line {
    /// Listens on a free port of this machine.
    pub(super) fn bind() -> io::Result<(Self, LineWatch)> {
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        listener.set_nonblocking(true)?;
        let port = listener.local_addr()?.port();
        let key = uuid::Uuid::new_v4().as_simple().to_string();
        let (state, watch) = watch::channel(State::Opening);
        Ok((Self { listener: TcpListener::from_std(listener)?, port, key, state }, LineWatch(watch)))
    }

    pub(super) fn port(&self) -> u16 {
        self.port
    }

    pub(super) fn key(&self) -> &str {
        &self.key
    }

    /// Carries one connection to its end. `keep_alive` in seconds.
    pub(super) async fn run(self, resolver: Resolver, target: Target, protocol: Protocol, keep_alive: u16) {
        let Ok(Ok(mut near)) = timeout(REQUEST_LIMIT, self.accept()).await else { return };
        // Nobody listens to this port any more.
        drop(self.listener);
        let shut = match reach(&target, &resolver).await {
            Ok(far) => {
                self.state.send_replace(State::Open);
                if near.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.is_err() {
                    return;
                }
                let (read, write) = tokio::io::split(far);
                let (near_read, mut near_write) = near.split();
                // However it ends, both sides see that it has.
                let gate = Gate::new(protocol, keep_alive);
                tokio::select! {
                    shut = inward(read, &mut near_write, gate, protocol) => shut,
                    never = outward(near_read, write) => match never {},
                }
            }
            Err(failure) => Some(failure),
        };
        // Said before the connection is dropped, so that it is known when the drop is noticed.
        if let Some(failure) = shut {
            self.state.send_replace(State::Shut(failure));
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

/// Carries what the broker sends through the gate; returns why that ended, where rumqttc cannot know.
async fn inward(
    mut far: impl AsyncRead + Unpin,
    near: &mut (impl AsyncWrite + Unpin),
    mut gate: Gate,
    protocol: Protocol,
) -> Option<LinkFailure> {
    let mut bytes = vec![0; ANSWERS];
    let mut sound = Vec::new();
    loop {
        let read = match far.read(&mut bytes).await {
            Ok(0) => return None,
            Ok(read) => read,
            Err(error) => return of_read(&error),
        };
        let verdict = gate.take(&bytes[..read], &mut sound);
        if near.write_all(&sound).await.is_err() {
            return None;
        }
        if let Err(violation) = verdict {
            let asks_5 = protocol == Protocol::V5 && !gate.is_answered();
            return Some(of_violation(violation, asks_5));
        }
        sound.clear();
        sound.shrink_to(ANSWERS);
    }
}

/// A broker that hangs up is understood by rumqttc, and may mean that another client has come.
fn of_read(error: &io::Error) -> Option<LinkFailure> {
    match tls_error(error) {
        Some(error) => Some(of_tls(error)),
        None if has_gone(error) => None,
        None => Some(LinkFailure::Lost(error.to_string().into())),
    }
}

/// Carries what rumqttc sends, which writes each message by itself; what has gathered meanwhile goes on at
/// once. Whoever hangs up, what the broker has said at last is still read: the end is the other direction's.
async fn outward(mut near: impl AsyncRead + Unpin, mut far: impl AsyncWrite + Unpin) -> Infallible {
    let mut bytes = vec![0; GATHERED];
    while let Ok(read @ 1..) = near.read(&mut bytes).await {
        if far.write_all(&bytes[..read]).await.is_err() || far.flush().await.is_err() {
            return std::future::pending().await;
        }
    }
    // Told or not, it is over.
    let _told = far.shutdown().await;
    std::future::pending().await
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

impl LineWatch {
    /// Why there is no connection, where that is not to be seen at its other end.
    pub(super) fn shut(&self) -> Option<LinkFailure> {
        match &*self.0.borrow() {
            State::Shut(why) => Some(why.clone()),
            State::Opening | State::Open => None,
        }
    }

    /// Whether a connection to the broker came about.
    pub(super) fn was_open(&self) -> bool {
        *self.0.borrow() == State::Open
    }

    /// Waits, within its limit, until everything was carried over and the broker has hung up.
    pub(super) async fn is_over(&mut self) {
        let over = async { while self.0.changed().await.is_ok() {} };
        // A broker that does not hang up has had its time; the connection is cut.
        let _late = timeout(GOODBYE_LIMIT, over).await;
    }
}
