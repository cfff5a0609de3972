//! MQTT 5 by rumqttc.

mod failure;
mod reason;

use rumqttc::v5::mqttbytes::QoS;
use rumqttc::v5::mqttbytes::v5::{ConnAck, LastWill, Packet, PubAck, Publish, SubscribeReasonCode};
use rumqttc::v5::{AsyncClient, Event, EventLoop, MqttOptions};
use rumqttc::{Outgoing, Transport};
use secrecy::ExposeSecret;
use tokio::sync::mpsc;

use super::address::Access;
use super::gate::Skipped;
use super::line::{Line, LineWatch};
use super::transport::{CONNECT_LIMIT, INFLIGHT, LARGEST_PACKET, NO_PORT};
use super::wire::{Answer, Limits, Wire};
use crate::core::model::event::{Incoming, LinkFailure, ReplyTo};

/// A client whose queue holds this many requests, and its event loop.
pub(super) fn client(access: &Access, line: &Line, requests: usize) -> (AsyncClient, EventLoop) {
    // Never logged: `Debug` would show the password.
    let mut options = MqttOptions::new(&access.client_id, line.path(), NO_PORT);
    options.set_transport(Transport::Unix);
    if let Some((username, password)) = &access.credentials {
        options.set_credentials(username, password.expose_secret());
    }
    if let Some(will) = &access.will {
        // Without an expiry: `offline` stays true until the bridge is back.
        options.set_last_will(LastWill::new(&will.topic, will.payload, QoS::AtLeastOnce, true, None));
    }
    options.set_keep_alive(access.keep_alive);
    options.set_max_packet_size(Some(LARGEST_PACKET));
    options.set_outgoing_inflight_upper_limit(INFLIGHT);
    options.set_clean_start(true);
    options.set_connection_timeout(CONNECT_LIMIT);
    AsyncClient::new(options, requests)
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
            Ok(Event::Incoming(Packet::ConnAck(answer))) => match limits(&answer) {
                Ok(limits) => Wire::Opened(limits),
                Err(failure) => break failure,
            },
            Ok(event) => translate(event),
            Err(error) => break line.shut().unwrap_or_else(|| failure::of(&error, is_open, line.was_open())),
        };
        is_open |= matches!(event, Wire::Opened(_));
        if wire.send(event).await.is_err() {
            return;
        }
    };
    // If the session has ended, no one needs the reason.
    let _end = wire.send(Wire::Closed(end)).await;
}

/// The broker's limits. Absent properties have the defaults of sections 3.2.2.3.3 to 3.2.2.3.6.
fn limits(answer: &ConnAck) -> Result<Limits, LinkFailure> {
    let mut limits = Limits { in_flight: INFLIGHT, packet: LARGEST_PACKET, at_least_once: true };
    let Some(properties) = &answer.properties else { return Ok(limits) };
    if properties.retain_available == Some(0) {
        return Err(LinkFailure::Refused(reason::RETAIN_NOT_SUPPORTED.into()));
    }
    // Zero is forbidden, and with it rumqttc would never send anything.
    if properties.receive_max == Some(0) || properties.max_packet_size == Some(0) {
        return Err(LinkFailure::NotUnderstood("the broker's answer is not MQTT 5 (a limit of zero)".into()));
    }
    limits.in_flight = properties.receive_max.unwrap_or(INFLIGHT).min(INFLIGHT);
    limits.packet = properties.max_packet_size.unwrap_or(LARGEST_PACKET).min(LARGEST_PACKET);
    limits.at_least_once = properties.max_qos != Some(0);
    Ok(limits)
}

fn translate(event: Event) -> Wire {
    match event {
        Event::Outgoing(Outgoing::Publish(id)) => Wire::Written(id),
        Event::Incoming(Packet::PubAck(ack)) => Wire::Answered(ack.pkid, refusal(&ack)),
        Event::Incoming(Packet::SubAck(answer)) => {
            let said = answer.properties.as_ref().and_then(|properties| properties.reason_string.as_deref());
            let of_code = |code: &SubscribeReasonCode| match reason::of_filter(code, said) {
                None => Answer::Granted,
                why => Answer::Refused(why),
            };
            Wire::Subscribed(answer.return_codes.iter().map(of_code).collect())
        }
        Event::Incoming(Packet::Publish(publish)) => message(&publish),
        Event::Incoming(_) | Event::Outgoing(_) => Wire::Alive,
    }
}

fn refusal(ack: &PubAck) -> Option<String> {
    let said = ack.properties.as_ref().and_then(|properties| properties.reason_string.as_deref());
    reason::of_message(ack.reason).map(|why| reason::in_words(why, said))
}

fn message(publish: &Publish) -> Wire {
    // The client offers no topic aliases (section 3.1.2.11.5), so the topic is always present.
    let topic = String::from_utf8_lossy(&publish.topic).into_owned();
    if let Some(skipped) = Skipped::from_message(&topic, &publish.payload) {
        return Wire::Skipped(skipped);
    }
    let reply_to = publish.properties.as_ref().and_then(|properties| {
        let correlation = properties.correlation_data.as_ref().map(|data| data.to_vec());
        Some(ReplyTo { topic: properties.response_topic.clone()?, correlation })
    });
    Wire::Message(Incoming { topic, payload: publish.payload.to_vec(), retained: publish.retain, reply_to })
}
