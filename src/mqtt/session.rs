//! One connection, from beginning to end.
//!
//! rumqttc reconnects by itself and loses messages when it does; its `poll` must never be cancelled, and a
//! task must not both poll and wait for the client's queue. So each connection has its own task, which only
//! polls, ends at the first error, and passes events on. Requests wait here until the broker has room for
//! them.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};

use super::address::{Address, AddressError, Turn};
use super::client::{Client, Request, TakesNoMore};
use super::clock::now;
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

/// The capacity for waiting requests, here and in rumqttc: more than the core's window, so neither queue is
/// ever full.
const REQUESTS: usize = 1024;

/// Events that wait for the session. If the queue is full the poll task waits, and so does the socket.
const EVENTS: usize = 512;

/// The most bytes in a message's packet beside topic and payload (MQTT 5 section 3.3).
const ENVELOPE: usize = 16;

/// An event on a connection.
#[derive(Debug)]
pub(super) enum SessionEvent {
    /// The broker accepted the connection.
    Connected,
    /// The oldest unacknowledged message has arrived (QoS 1), or was written (QoS 0), this long after it was
    /// passed on.
    Acknowledged { after: Option<Duration> },
    /// The broker refused a message. Its acknowledgement is a separate event.
    PublishRefused { topic: String, why: String },
    /// The answer to the oldest unanswered subscription: for each filter, whether it was granted.
    Subscribed(Vec<Answer>),
    /// A message that matches a subscription.
    Message(Incoming),
    /// A message that the gate skipped.
    Skipped(Skipped),
    /// The end.
    Closed(LinkFailure),
}

/// One connection. Dropping it closes it without a DISCONNECT.
pub(super) struct Session {
    client: Client,
    wire: mpsc::Receiver<Wire>,
    limits: Limits,
    window: Window,
    waiting: VecDeque<Request>,
    /// Events that were not fetched yet.
    happened: Vec<SessionEvent>,
    pub(super) silence: Duration,
    silent_at: Instant,
    /// Whether the broker has accepted this client.
    was_open: bool,
    turn: Turn,
    /// The task that polls, and the relay.
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
        // The configuration allows at most an hour.
        let keep_alive = u16::try_from(access.keep_alive.as_secs()).unwrap_or(u16::MAX);
        tasks.spawn(line.run(address.resolver(), access.target, protocol, keep_alive));
        let silence = access.keep_alive * 2 + Duration::from_secs(5);
        Ok(Self {
            client,
            wire,
            // The broker's limits are known before any message is sent.
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

    /// Waits for events and appends them to `buffer`. Ends the connection when the broker has been silent for
    /// too long: with MQTT 5, rumqttc itself would wait for ever on a broker that accepts no more data.
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

    /// Queues a request. It is sent in its turn, when the broker has room for it.
    pub(super) fn ask(&mut self, request: Request) -> Result<(), TakesNoMore> {
        if self.waiting.len() >= REQUESTS {
            return Err(TakesNoMore);
        }
        self.waiting.push_back(request);
        self.hand_over();
        Ok(())
    }

    /// Ends the tasks immediately.
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

    /// Passes on waiting requests, as far as there is room.
    fn hand_over(&mut self) {
        while let Some(mut request) = self.waiting.pop_front() {
            if let Request::Publish(message) = &mut request
                && !self.limits.at_least_once
            {
                // MQTT 5 section 3.2.2.3.4. With QoS 0 the message arrives as reliably as TCP delivers it.
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
                // The connection has ended or is about to; the poll task reports why.
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

    /// Sending this message would end the connection, and every later one again.
    fn refuse(&mut self, message: &Message) {
        let (bytes, most) = (message.payload.len(), self.limits.packet);
        let why =
            format!("its {bytes} bytes do not fit into a packet of {most} bytes; raise the broker's limit");
        self.happened.push(SessionEvent::PublishRefused { topic: message.topic.clone(), why });
        self.happened.push(SessionEvent::Acknowledged { after: None });
    }

    /// Whether the connection has ended; no event follows that.
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
