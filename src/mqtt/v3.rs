//! MQTT 3.1.1 by rumqttc.

mod failure;

use rumqttc::{
    AsyncClient, Event, EventLoop, LastWill, MqttOptions, NetworkOptions, Outgoing, Packet, QoS,
    SubscribeReasonCode,
};
use secrecy::ExposeSecret;
use tokio::sync::mpsc;

use super::address::Access;
use super::relay::{Line, Relay};
use super::transport::{CONNECT_LIMIT, INFLIGHT, LARGEST_PACKET, proxy, transport};
use super::wire::{Limits, Wire};
use crate::core::model::event::{Incoming, LinkFailure};

/// A client that holds so many requests, and what has to be polled for it.
pub(super) fn client(access: &Access, relay: &Relay, requests: usize) -> (AsyncClient, EventLoop) {
    // Never logged: `Debug` would show the password.
    let mut options = MqttOptions::new(&access.client_id, &access.target, access.port);
    options.set_transport(transport(access));
    options.set_proxy(proxy(relay));
    if let Some((username, password)) = &access.credentials {
        options.set_credentials(username, password.expose_secret());
    }
    if let Some(will) = &access.will {
        options.set_last_will(LastWill::new(&will.topic, will.payload, QoS::AtLeastOnce, true));
    }
    options.set_keep_alive(access.keep_alive);
    options.set_max_packet_size(LARGEST_PACKET as usize, LARGEST_PACKET as usize);
    options.set_inflight(INFLIGHT);
    options.set_clean_session(true);
    let (client, mut event_loop) = AsyncClient::new(options, requests);
    let mut network = NetworkOptions::new();
    network.set_tcp_nodelay(true);
    network.set_connection_timeout(CONNECT_LIMIT);
    event_loop.set_network_options(network);
    (client, event_loop)
}

/// Polls to the end of the connection: the first error, or our own goodbye, after which rumqttc would connect again.
pub(super) async fn poll(mut event_loop: EventLoop, mut line: Line, wire: mpsc::Sender<Wire>) {
    let mut is_open = false;
    let end = loop {
        let event = match event_loop.poll().await {
            Ok(Event::Outgoing(Outgoing::Disconnect)) => {
                drop(event_loop);
                line.is_over().await;
                break LinkFailure::Lost("closed as asked".into());
            }
            Ok(event) => translate(event),
            Err(error) => break line.shut().unwrap_or_else(|| failure::of(&error, is_open)),
        };
        is_open |= matches!(event, Wire::Opened(_));
        if wire.send(event).await.is_err() {
            return;
        }
    };
    // Where nobody listens any more, nobody asks how it ended.
    let _end = wire.send(Wire::Closed(end)).await;
}

fn translate(event: Event) -> Wire {
    match event {
        Event::Incoming(Packet::ConnAck(_)) => {
            Wire::Opened(Limits { in_flight: INFLIGHT, packet: LARGEST_PACKET, at_least_once: true })
        }
        Event::Outgoing(Outgoing::Publish(id)) => Wire::Written(id),
        // Up to this version a broker that does not want a message acknowledges it all the same.
        Event::Incoming(Packet::PubAck(ack)) => Wire::Answered(ack.pkid, None),
        Event::Incoming(Packet::SubAck(answer)) => {
            let granted = |code: &SubscribeReasonCode| matches!(code, SubscribeReasonCode::Success(_));
            Wire::Subscribed(answer.return_codes.iter().map(granted).collect())
        }
        Event::Incoming(Packet::Publish(publish)) => Wire::Message(Incoming {
            topic: publish.topic,
            payload: publish.payload.to_vec(),
            retained: publish.retain,
            reply_to: None,
        }),
        Event::Incoming(_) | Event::Outgoing(_) => Wire::Alive,
    }
}
