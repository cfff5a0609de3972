//! The relay between rumqttc and the broker.
//!
//! rumqttc accepts no ready-made stream. It should not talk to the network itself either: it parses strictly,
//! ends the connection at anything unknown, and would bring a second TLS and WebSocket implementation. But it
//! connects to Unix sockets. So each connection gets a socket inside the process, to which rumqttc speaks
//! plain MQTT. The relay does the name lookup, TCP, TLS and WebSocket ([`reach`](super::reach)), and passes
//! what comes back through the [gate](super::gate).

use std::convert::Infallible;
use std::io;
use std::ops::ControlFlow;
use std::time::Duration;

use futures_util::FutureExt;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use super::clock::now;
use super::dial::Resolver;
use super::entrance::Entrance;
use super::failure::{has_gone, of_tls, of_violation, tls_error};
use super::gate::Gate;
use super::reach::{Target, reach};
use crate::core::model::event::LinkFailure;
use crate::core::model::mqtt::Protocol;

/// The time for rumqttc to connect, which it does at its first poll.
const ACCEPT_LIMIT: Duration = Duration::from_secs(5);

/// The buffer sizes towards the broker and back.
const TO_BROKER: usize = 64 * 1024;
const FROM_BROKER: usize = 8 * 1024;

/// While the broker sends one packet after the other, the relay waits this long, or up to a millisecond
/// longer, before it reads on. Brokers acknowledge each message in a packet of its own, and each packet would
/// wake three tasks and the loop.
const GATHER_TIME: Duration = Duration::from_millis(1);

/// It passes on twenty times without a wait first: a start, a command, a few changes.
const AT_ONCE: Duration = Duration::from_millis(20);

/// It reads no further when it has so many bytes for rumqttc.
const GATHERED_MAX: usize = 64 * 1024;

/// The time for the last bytes to reach the broker, and for the broker to close the connection.
const GOODBYE_LIMIT: Duration = Duration::from_secs(1);

/// A relay that waits for its one connection.
pub(super) struct Line {
    entrance: Entrance,
    state: watch::Sender<State>,
}

/// The progress of the connection.
#[derive(Debug, Clone, PartialEq, Eq)]
enum State {
    Opening,
    Open,
    Shut(LinkFailure),
}

/// What rumqttc's side may know about the connection.
pub(super) struct LineWatch(watch::Receiver<State>);

impl Line {
    /// Opens the entrance.
    pub(super) fn bind() -> io::Result<(Self, LineWatch)> {
        let (state, watch) = watch::channel(State::Opening);
        Ok((Self { entrance: Entrance::open()?, state }, LineWatch(watch)))
    }

    /// Where rumqttc connects to.
    pub(super) fn path(&self) -> String {
        self.entrance.path()
    }

    /// Relays one connection until it ends. `keep_alive` in seconds.
    pub(super) async fn run(self, resolver: Resolver, target: Target, protocol: Protocol, keep_alive: u16) {
        let mut near = match timeout(ACCEPT_LIMIT, self.entrance.accept()).await {
            Ok(Ok(near)) => near,
            Ok(Err(error)) => return self.fails(&error.to_string()),
            Err(_) => return self.fails("no connection came in time"),
        };
        drop(self.entrance);
        let shut = match reach(&target, &resolver).await {
            Ok(far) => {
                self.state.send_replace(State::Open);
                let (read, write) = tokio::io::split(far);
                let (near_read, mut near_write) = near.split();
                // Both sides then notice the end.
                let gate = Gate::new(protocol, keep_alive);
                tokio::select! {
                    shut = inward(read, &mut near_write, gate, protocol) => shut,
                    never = outward(near_read, write) => match never {},
                }
            }
            Err(failure) => Some(failure),
        };
        // Reported before the connection is dropped, so that the reason is known when the drop is noticed.
        if let Some(failure) = shut {
            self.state.send_replace(State::Shut(failure));
        }
    }

    /// Reported before the entrance closes, so that it is not taken for the broker's doing.
    fn fails(&self, why: &str) {
        let why = format!("the relay inside this process does not work ({why})");
        self.state.send_replace(State::Shut(LinkFailure::Lost(why.into())));
    }
}

/// Passes the broker's bytes through the gate. Returns why this ended, if rumqttc cannot know.
async fn inward(
    mut far: impl AsyncRead + Unpin,
    near: &mut (impl AsyncWrite + Unpin),
    mut gate: Gate,
    protocol: Protocol,
) -> Option<LinkFailure> {
    let mut bytes = vec![0; FROM_BROKER];
    let mut sound = Vec::new();
    // After rumqttc has closed its side, `outward` may still send its DISCONNECT. So the relay goes on
    // reading until the broker ends the connection, or the session does.
    let mut is_heard = true;
    // A bucket: passing bytes on moves it by `GATHER_TIME`, and with time it falls behind again.
    let mut due = now();
    loop {
        let ahead = due.saturating_duration_since(now());
        if ahead > AT_ONCE {
            sleep(ahead - AT_ONCE).await;
        }
        let end = gather(&mut far, &mut bytes, &mut gate, &mut sound, protocol).await;
        is_heard = is_heard && near.write_all(&sound).await.is_ok();
        if let ControlFlow::Break(why) = end {
            return why;
        }
        sound.clear();
        sound.shrink_to(FROM_BROKER);
        due = due.max(now()) + GATHER_TIME;
    }
}

/// Waits for bytes of the broker and reads all that are there, as far as they fit. Breaks with why there are
/// no more, as [`inward`] does.
async fn gather(
    far: &mut (impl AsyncRead + Unpin),
    bytes: &mut [u8],
    gate: &mut Gate,
    sound: &mut Vec<u8>,
    protocol: Protocol,
) -> ControlFlow<Option<LinkFailure>> {
    let mut read = far.read(bytes).await;
    loop {
        match read {
            Ok(0) => return ControlFlow::Break(None),
            Ok(read) => {
                if let Err(violation) = gate.take(&bytes[..read], sound) {
                    let asks_5 = protocol == Protocol::V5 && !gate.is_answered();
                    return ControlFlow::Break(Some(of_violation(violation, asks_5)));
                }
            }
            Err(error) => return ControlFlow::Break(of_read(&error)),
        }
        // One read is one message of a WebSocket, or one record of TLS.
        let more = if sound.len() < GATHERED_MAX { far.read(bytes).now_or_never() } else { None };
        match more {
            Some(more) => read = more,
            None => return ControlFlow::Continue(()),
        }
    }
}

/// rumqttc notices when the broker closes the connection, which may mean that another client has connected.
fn of_read(error: &io::Error) -> Option<LinkFailure> {
    match tls_error(error) {
        Some(error) => Some(of_tls(error)),
        None if has_gone(error) => None,
        None => Some(LinkFailure::Lost(error.to_string().into())),
    }
}

/// Passes on what rumqttc sends. rumqttc writes each message by itself; bytes that have collected meanwhile
/// are sent together. When one side closes, the broker's last bytes are still read, because the other
/// direction ends by itself.
async fn outward(mut near: impl AsyncRead + Unpin, mut far: impl AsyncWrite + Unpin) -> Infallible {
    let mut bytes = vec![0; TO_BROKER];
    while let Ok(read @ 1..) = near.read(&mut bytes).await {
        if far.write_all(&bytes[..read]).await.is_err() || far.flush().await.is_err() {
            return std::future::pending().await;
        }
    }
    // The result of the shutdown does not matter.
    let _told = far.shutdown().await;
    std::future::pending().await
}

impl LineWatch {
    /// Why there is no connection, if rumqttc cannot see the reason.
    pub(super) fn shut(&self) -> Option<LinkFailure> {
        match &*self.0.borrow() {
            State::Shut(why) => Some(why.clone()),
            State::Opening | State::Open => None,
        }
    }

    /// Whether the relay connected to the broker.
    pub(super) fn was_open(&self) -> bool {
        *self.0.borrow() == State::Open
    }

    /// Waits, with a limit, until all bytes are passed on and the broker has closed the connection.
    pub(super) async fn is_over(&mut self) {
        let over = async { while self.0.changed().await.is_ok() {} };
        // The broker had enough time to close; the connection is cut.
        let _late = timeout(GOODBYE_LIMIT, over).await;
    }
}

#[cfg(test)]
mod tests {
    use std::pin::Pin;
    use std::task::{Context, Poll};

    use tokio::io::ReadBuf;
    use tokio::task::yield_now;

    use super::*;

    /// What a broker says that has accepted the client, and then acknowledges a message.
    const ACCEPTED: [u8; 4] = [0x20, 2, 0, 0];
    const ACKNOWLEDGED: [u8; 4] = [0x40, 2, 0, 1];

    /// A broker acknowledges a thousand messages. Returns how often rumqttc hears something, and how often it
    /// may: once in a millisecond, and as often as is at once.
    async fn acknowledged(far: impl AsyncRead + Unpin, broker: impl Future<Output = ()>) -> (u128, u128) {
        let (mut near, mut rumqttc) = tokio::io::duplex(64 * 1024);
        let began = now();
        let relay = inward(far, &mut near, Gate::new(Protocol::V3, 60), Protocol::V3);
        let rumqttc = async {
            let (mut bytes, mut times, mut heard) = ([0; 8 * 1024], 0, 0);
            while heard < 4 * 1001 {
                heard += rumqttc.read(&mut bytes).await.unwrap();
                times += 1;
            }
            times
        };
        let times = tokio::select! {
            (times, ()) = async { tokio::join!(rumqttc, broker) } => times,
            _ = relay => unreachable!("nothing ended"),
        };
        (times, (now().duration_since(began) + AT_ONCE).as_millis() + 2)
    }

    #[tokio::test]
    async fn what_the_broker_sends_one_by_one_is_passed_on_together() {
        let (far, mut broker) = tokio::io::duplex(64 * 1024);
        let broker = async {
            broker.write_all(&ACCEPTED).await.unwrap();
            for _ in 0..1000 {
                broker.write_all(&ACKNOWLEDGED).await.unwrap();
                yield_now().await;
            }
        };
        let (times, most) = acknowledged(far, broker).await;
        assert!(times <= most, "{times} of {most}");
    }

    /// Gives one packet for each read, as a WebSocket does.
    struct OneByOne(u16);

    impl AsyncRead for OneByOne {
        fn poll_read(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
            bytes: &mut ReadBuf<'_>,
        ) -> Poll<io::Result<()>> {
            match self.0 {
                0 => bytes.put_slice(&ACCEPTED),
                1..=1000 => bytes.put_slice(&ACKNOWLEDGED),
                _ => return Poll::Pending,
            }
            self.0 += 1;
            Poll::Ready(Ok(()))
        }
    }

    #[tokio::test]
    async fn packets_that_can_only_be_read_one_by_one_do_not_wait_for_each_other() {
        let (times, _) = acknowledged(OneByOne(0), async {}).await;
        assert_eq!(times, 1, "everything was there");
    }
}
