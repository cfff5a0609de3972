//! One connection, from its beginning to its end: the only place that knows rumqttc.
//!
//! rumqttc reconnects by itself, and loses messages when it does; its `poll` must never be cancelled, and its
//! client must never be waited for from where it is polled. So each connection has its own event loop in a task
//! that only polls, ends at the first error, and hands on what others need to know.

use std::time::Duration;

use rumqttc::SubscribeReasonCode;
use rumqttc::{
    AsyncClient, ClientError, Event, EventLoop, NetworkOptions, Outgoing, Packet, QoS, SubscribeFilter,
};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::address::{Address, AddressError, Options};
use super::failure;
use crate::core::command::{Message, Qos, Subscription};
use crate::core::event::{Incoming, LinkFailure};

/// Requests that rumqttc holds for us: above the core's window, so that it is never full.
const REQUESTS: usize = 512;

/// Events that wait for the publisher. When it is full the poll task waits, and with it the socket.
const EVENTS: usize = 512;

/// What happens on a connection.
#[derive(Debug)]
pub(super) enum SessionEvent {
    /// The broker accepted the connection.
    Connected,
    /// The oldest unacknowledged message arrived (QoS 1) or was written (QoS 0).
    Acknowledged,
    /// The answer to the oldest unanswered subscription: for each filter, whether it was granted.
    Subscribed(Vec<bool>),
    /// A message on a subscription.
    Message(Incoming),
    /// Something else came; the broker is alive.
    Alive,
    /// The end.
    Closed(LinkFailure),
}

/// One connection. Dropping it cuts it.
pub(super) struct Session {
    client: AsyncClient,
    events: mpsc::Receiver<SessionEvent>,
    silence: Duration,
    poll_task: JoinSet<()>,
}

impl Session {
    /// Begins to connect.
    pub(super) fn open(address: &Address) -> Result<Self, AddressError> {
        let Options(options) = address.options()?;
        let (client, mut event_loop) = AsyncClient::new(options, REQUESTS);
        let mut network = NetworkOptions::new();
        network.set_tcp_nodelay(true);
        event_loop.set_network_options(network);
        let (sender, events) = mpsc::channel(EVENTS);
        let mut poll_task = JoinSet::new();
        poll_task.spawn(poll(event_loop, sender));
        let silence = address.keep_alive() * 2 + Duration::from_secs(5);
        Ok(Self { client, events, silence, poll_task })
    }

    /// Waits for events and adds them to `buffer`. A broker that is silent for too long is an end.
    pub(super) async fn next(&mut self, buffer: &mut Vec<SessionEvent>) {
        let waited = tokio::time::timeout(self.silence, self.events.recv_many(buffer, EVENTS)).await;
        let silent = |why: &str| SessionEvent::Closed(LinkFailure::Lost(why.to_owned()));
        match waited {
            Ok(0) => buffer.push(silent("the connection ended")),
            Ok(_) => {}
            Err(_) => buffer.push(silent("the broker is silent")),
        }
    }

    pub(super) fn publish(&self, message: Message) -> Result<(), ClientError> {
        self.client.try_publish(message.topic, quality(message.qos), message.retain, message.payload)
    }

    pub(super) fn subscribe(&self, subscriptions: &[Subscription]) -> Result<(), ClientError> {
        let filters = subscriptions.iter().map(|s| SubscribeFilter::new(s.filter.clone(), quality(s.qos)));
        self.client.try_subscribe_many(filters)
    }

    pub(super) fn unsubscribe(&self, filter: &str) -> Result<(), ClientError> {
        self.client.try_unsubscribe(filter)
    }

    /// Begins to close cleanly; the end follows as an event.
    pub(super) fn disconnect(&self) -> Result<(), ClientError> {
        self.client.try_disconnect()
    }

    /// Ends the poll task, wherever it is.
    pub(super) async fn cut(mut self) {
        self.poll_task.shutdown().await;
    }
}

async fn poll(mut event_loop: EventLoop, events: mpsc::Sender<SessionEvent>) {
    loop {
        let (event, last) = match event_loop.poll().await {
            Ok(event) => translate(event),
            Err(error) => (SessionEvent::Closed(failure::of(&error)), true),
        };
        if events.send(event).await.is_err() || last {
            return;
        }
    }
}

/// What an event of rumqttc means, and whether it is the last.
fn translate(event: Event) -> (SessionEvent, bool) {
    let event = match event {
        Event::Incoming(Packet::ConnAck(_)) => SessionEvent::Connected,
        // Quality 0 has packet id 0 and is done when it is written.
        Event::Incoming(Packet::PubAck(_)) | Event::Outgoing(Outgoing::Publish(0)) => {
            SessionEvent::Acknowledged
        }
        Event::Incoming(Packet::SubAck(answer)) => {
            SessionEvent::Subscribed(answer.return_codes.iter().map(granted).collect())
        }
        Event::Incoming(Packet::Publish(publish)) => SessionEvent::Message(Incoming {
            topic: publish.topic,
            payload: publish.payload.to_vec(),
            retained: publish.retain,
        }),
        Event::Outgoing(Outgoing::Disconnect) => {
            return (SessionEvent::Closed(LinkFailure::Lost("closed as asked".to_owned())), true);
        }
        Event::Incoming(_) | Event::Outgoing(_) => SessionEvent::Alive,
    };
    (event, false)
}

fn granted(code: &SubscribeReasonCode) -> bool {
    matches!(code, SubscribeReasonCode::Success(_))
}

fn quality(qos: Qos) -> QoS {
    match qos {
        Qos::AtMostOnce => QoS::AtMostOnce,
        Qos::AtLeastOnce => QoS::AtLeastOnce,
    }
}
