//! MQTT 3.1.1 by rumqttc.

mod failure;

use rumqttc::{
    AsyncClient, Event, EventLoop, LastWill, MqttOptions, NetworkOptions, Outgoing, Packet, QoS,
    SubscribeReasonCode, Transport,
};
use secrecy::ExposeSecret;
use tokio::sync::mpsc;

use super::address::Access;
use super::gate::Skipped;
use super::line::{Line, LineWatch};
use super::transport::{CONNECT_LIMIT, INFLIGHT, LARGEST_PACKET, NO_PORT};
use super::wire::{Answer, Limits, Wire};
use crate::core::model::event::{Incoming, LinkFailure};

/// A client whose queue holds this many requests, and its event loop.
pub(super) fn client(access: &Access, line: &Line, requests: usize) -> (AsyncClient, EventLoop) {
    // Never logged: `Debug` would show the password.
    let mut options = MqttOptions::new(&access.client_id, line.path(), NO_PORT);
    options.set_transport(Transport::Unix);
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
    network.set_connection_timeout(CONNECT_LIMIT);
    event_loop.set_network_options(network);
    (client, event_loop)
}

/// Polls until the connection ends: at the first error, or at our own DISCONNECT, after which rumqttc would
/// reconnect.
pub(super) async fn poll(mut event_loop: EventLoop, mut line: LineWatch, wire: mpsc::Sender<Wire>) {
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
        if matches!(event, Wire::Opened(_)) {
            is_open = true;
            // From now on a full line only means that the broker is slow; a silent one the session gives up.
            let silence = event_loop.mqtt_options.keep_alive().as_secs() * 2;
            event_loop.network_options.set_connection_timeout(silence.max(CONNECT_LIMIT));
        }
        if wire.send(event).await.is_err() {
            return;
        }
    };
    // If the session has ended, no one needs the reason.
    let _end = wire.send(Wire::Closed(end)).await;
}

fn translate(event: Event) -> Wire {
    match event {
        Event::Incoming(Packet::ConnAck(_)) => {
            Wire::Opened(Limits { in_flight: INFLIGHT, packet: LARGEST_PACKET, at_least_once: true })
        }
        Event::Outgoing(Outgoing::Publish(id)) => Wire::Written(id),
        // Up to this version a broker acknowledges a message that it refuses, too.
        Event::Incoming(Packet::PubAck(ack)) => Wire::Answered(ack.pkid, None),
        Event::Incoming(Packet::SubAck(answer)) => {
            let of_code = |code: &SubscribeReasonCode| match code {
                SubscribeReasonCode::Success(_) => Answer::Granted,
                SubscribeReasonCode::Failure => Answer::Refused(None),
            };
            Wire::Subscribed(answer.return_codes.iter().map(of_code).collect())
        }
        Event::Incoming(Packet::Publish(publish)) => {
            match Skipped::from_message(&publish.topic, &publish.payload) {
                Some(skipped) => Wire::Skipped(skipped),
                None => Wire::Message(Incoming {
                    topic: publish.topic,
                    payload: publish.payload.to_vec(),
                    retained: publish.retain,
                    reply_to: None,
                }),
            }
        }
        Event::Incoming(_) | Event::Outgoing(_) => Wire::Alive,
    }
}
