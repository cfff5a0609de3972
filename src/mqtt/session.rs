//! One connection, from its beginning to its end.
//!
//! rumqttc reconnects by itself, and loses messages when it does; its `poll` must never be cancelled, and its
//! client must never be waited for from where it is polled. So each connection has its own event loop in a
//! task that only polls, ends at the first error, and hands on what others need to know. What is to be sent
//! waits here until the broker has room for it.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};

use super::address::{Address, AddressError, Turn};
use super::client::{Client, Request, TakesNoMore};
use super::failure::{IS_SILENT, leaves_address};
use super::gate::Skipped;
use super::line::Line;
use super::transport::LARGEST_PACKET;
use super::window::{Sent, Window};
use super::wire::{Answer, Limits, Wire};
use super::{v3, v5};
use crate::core::model::effect::Message;
use crate::core::model::event::{Incoming, LinkFailure};
use crate::core::model::mqtt::{Protocol, Qos};

/// Requests that wait here, and that rumqttc holds for us: above the core's window, so that neither is ever
/// full.
const REQUESTS: usize = 1024;

/// Events that wait for the session. When it is full the poll task waits, and with it the socket.
const EVENTS: usize = 512;

/// The most that is around topic and payload in a packet that carries a message (MQTT 5 section 3.3).
const ENVELOPE: usize = 16;

/// What happens on a connection.
#[derive(Debug)]
pub(super) enum SessionEvent {
    /// The broker accepted the connection.
    Connected,
    /// The oldest unacknowledged message arrived (QoS 1), this long after it was handed over, or was written
    /// (QoS 0).
    Acknowledged { after: Option<Duration> },
    /// A message was not taken; it is acknowledged apart from this.
    PublishRefused { topic: String, why: String },
    /// The answer to the oldest unanswered subscription: for each filter, whether it was granted.
    Subscribed(Vec<Answer>),
    /// A message on a subscription.
    Message(Incoming),
    /// One that nobody can take, and that was not handed on.
    Skipped(Skipped),
    /// The end.
    Closed(LinkFailure),
}

/// One connection. Dropping it cuts it.
pub(super) struct Session {
    client: Client,
    wire: mpsc::Receiver<Wire>,
    limits: Limits,
    window: Window,
    waiting: VecDeque<Request>,
    /// What happened and was not asked for yet.
    happened: Vec<SessionEvent>,
    pub(super) silence: Duration,
    silent_at: Instant,
    /// Whether the broker has let this client in.
    was_open: bool,
    turn: Turn,
    /// The one that polls, and the line.
    tasks: JoinSet<()>,
}

impl Session {
    /// Begins to connect.
    pub(super) fn open(address: &Address, protocol: Protocol) -> Result<Self, AddressError> {
        let access = address.access()?;
        let (line, watch) = Line::bind().map_err(AddressError::Line)?;
        let (sender, wire) = mpsc::channel(EVENTS);
        let mut tasks = JoinSet::new();
        let client = match protocol {
            Protocol::V3 => {
                let (client, event_loop) = v3::client(&access, &line, REQUESTS);
                tasks.spawn(v3::poll(event_loop, watch, sender));
                Client::V3(client)
            }
            Protocol::V5 => {
                let (client, event_loop) = v5::client(&access, &line, REQUESTS);
                tasks.spawn(v5::poll(event_loop, watch, sender));
                Client::V5(client)
            }
        };
        // At most an hour: so the configuration is checked.
        let keep_alive = u16::try_from(access.keep_alive.as_secs()).unwrap_or(u16::MAX);
        tasks.spawn(line.run(address.resolver(), access.target, protocol, keep_alive));
        let silence = access.keep_alive * 2 + Duration::from_secs(5);
        Ok(Self {
            client,
            wire,
            // What the broker really takes is known before anything is sent.
            limits: Limits { in_flight: 0, packet: LARGEST_PACKET, at_least_once: true },
            window: Window::default(),
            waiting: VecDeque::new(),
            happened: Vec::new(),
            silence,
            silent_at: now() + silence,
            was_open: false,
            turn: address.turn(),
            tasks,
        })
    }

    /// Waits for events and adds them to `buffer`. A broker that is silent for too long is an end: rumqttc
    /// itself waits for ever on one that takes no more data in MQTT 5.
    pub(super) async fn next(&mut self, buffer: &mut Vec<SessionEvent>) {
        if self.happened.is_empty() {
            let mut came = Vec::new();
            match timeout_at(self.silent_at, self.wire.recv_many(&mut came, EVENTS)).await {
                Ok(0) => self.lost("the connection ended"),
                Ok(_) => self.silent_at = now() + self.silence,
                Err(_) => self.lost(IS_SILENT),
            }
            for event in came {
                self.digest(event);
            }
            self.hand_over();
        }
        buffer.append(&mut self.happened);
    }

    /// Takes a request; it is done in its turn, when the broker has room for it.
    pub(super) fn ask(&mut self, request: Request) -> Result<(), TakesNoMore> {
        if self.waiting.len() >= REQUESTS {
            return Err(TakesNoMore);
        }
        self.waiting.push_back(request);
        self.hand_over();
        Ok(())
    }

    /// Ends the tasks, wherever they are.
    pub(super) async fn cut(mut self) {
        self.tasks.shutdown().await;
    }

    fn digest(&mut self, event: Wire) {
        if self.is_over() {
            return;
        }
        let happened = match event {
            Wire::Opened(limits) => {
                self.limits = limits;
                self.was_open = true;
                self.window.open(limits.in_flight);
                SessionEvent::Connected
            }
            Wire::Written(id) => {
                self.window.written(id);
                if id != 0 {
                    return;
                }
                SessionEvent::Acknowledged { after: None }
            }
            Wire::Answered(id, refusal) => {
                let sent = self.window.answered(id);
                let after = sent.as_ref().map(|sent| sent.at.elapsed());
                if let (Some(Sent { topic: Some(topic), .. }), Some(why)) = (sent, refusal) {
                    self.happened.push(SessionEvent::PublishRefused { topic, why });
                }
                SessionEvent::Acknowledged { after }
            }
            Wire::Subscribed(granted) => SessionEvent::Subscribed(granted),
            Wire::Message(message) => SessionEvent::Message(message),
            Wire::Skipped(skipped) => SessionEvent::Skipped(skipped),
            Wire::Alive => return,
            Wire::Closed(failure) => return self.closed(failure),
        };
        self.happened.push(happened);
    }

    /// Hands over what waits, as far as there is room.
    fn hand_over(&mut self) {
        while let Some(mut request) = self.waiting.pop_front() {
            if let Request::Publish(message) = &mut request
                && !self.limits.at_least_once
            {
                // MQTT 5 section 3.2.2.3.4. It arrives all the same, as surely as TCP carries it.
                message.qos = Qos::AtMostOnce;
            }
            if !self.window.has_room(request.needs_id()) {
                self.waiting.push_front(request);
                return;
            }
            match &request {
                Request::Publish(message) if self.is_too_large(message) => {
                    self.refuse(message);
                    continue;
                }
                Request::Publish(message) => {
                    let topic = self.client.tells_refusals().then(|| message.topic.clone());
                    self.window.sent(topic, request.needs_id(), now());
                }
                Request::Subscribe(_) | Request::Unsubscribe(_) => self.window.id_taken(),
                Request::Disconnect => {}
            }
            if self.client.take(request).is_err() {
                // The connection is over, or about to be: why is said where it is polled.
                self.waiting.clear();
                return;
            }
        }
    }

    fn is_too_large(&self, message: &Message) -> bool {
        let correlation = message.correlation.as_ref().map_or(0, Vec::len);
        let bytes = ENVELOPE + message.topic.len() + message.payload.len() + correlation;
        bytes > self.limits.packet as usize
    }

    /// Sent, it would cost the connection, and again after each new one.
    fn refuse(&mut self, message: &Message) {
        let (bytes, most) = (message.payload.len(), self.limits.packet);
        let why =
            format!("its {bytes} bytes do not fit into a packet of {most} bytes; raise the broker's limit");
        self.happened.push(SessionEvent::PublishRefused { topic: message.topic.clone(), why });
        self.happened.push(SessionEvent::Acknowledged { after: None });
    }

    /// Whether the end is among what happened; nothing comes after it.
    fn is_over(&self) -> bool {
        matches!(self.happened.last(), Some(SessionEvent::Closed(_)))
    }

    fn lost(&mut self, why: &str) {
        self.closed(LinkFailure::Lost(why.into()));
    }

    fn closed(&mut self, failure: LinkFailure) {
        if leaves_address(&failure, self.was_open) {
            self.turn.passes();
        }
        self.happened.push(SessionEvent::Closed(failure));
    }
}

#[expect(clippy::disallowed_methods, reason = "a broker is silent by the clock of this edge")]
fn now() -> Instant {
    Instant::now()
}
