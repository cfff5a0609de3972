//! Passes requests to rumqttc, for both versions of MQTT.

use std::time::Duration;

use rumqttc::v5::mqttbytes::QoS as QoS5;
use rumqttc::v5::mqttbytes::v5::{Filter, PublishProperties};
use rumqttc::{QoS, SubscribeFilter};

use crate::core::model::effect::{Message, Subscription};

use crate::core::model::mqtt::Qos;

/// A client of rumqttc, in either version.
pub(super) enum Client {
    V3(rumqttc::AsyncClient),
    V5(rumqttc::v5::AsyncClient),
}

/// A request to the broker.
#[derive(Debug)]
pub(super) enum Request {
    Publish(Message),
    Subscribe(Vec<Subscription>),
    Unsubscribe(String),
    Disconnect,
}

/// rumqttc's queue is full or closed, so the connection is not usable any more.
#[derive(Debug, thiserror::Error)]
#[error("the queue of the connection is full")]
pub(super) struct TakesNoMore;

impl Request {
    /// Whether the request uses a packet id (MQTT 5 section 2.2.1).
    pub(super) fn needs_id(&self) -> bool {
        match self {
            Self::Publish(message) => message.qos == Qos::AtLeastOnce,
            Self::Subscribe(_) | Self::Unsubscribe(_) => true,
            Self::Disconnect => false,
        }
    }
}

impl Client {
    /// Whether the broker reports refused messages. Up to MQTT 3.1.1 it acknowledges them like others.
    pub(super) fn tells_refusals(&self) -> bool {
        matches!(self, Self::V5(_))
    }

    /// Passes a request on, without waiting.
    pub(super) fn take(&self, request: Request) -> Result<(), TakesNoMore> {
        match self {
            Self::V3(client) => match request {
                Request::Publish(Message { topic, payload, qos, retain, expires: _, correlation: _ }) => {
                    client.try_publish(topic, quality(qos), retain, payload)
                }
                Request::Subscribe(subscriptions) => client.try_subscribe_many(
                    subscriptions.into_iter().map(|s| SubscribeFilter::new(s.filter, quality(s.qos))),
                ),
                Request::Unsubscribe(filter) => client.try_unsubscribe(filter),
                Request::Disconnect => client.try_disconnect(),
            }
            .map_err(|_| TakesNoMore),
            Self::V5(client) => match request {
                Request::Publish(Message { topic, payload, qos, retain, expires, correlation }) => {
                    let properties = properties(expires, correlation);
                    client.try_publish_with_properties(topic, quality5(qos), retain, payload, properties)
                }
                Request::Subscribe(subscriptions) => client.try_subscribe_many(
                    subscriptions.into_iter().map(|s| Filter::new(s.filter, quality5(s.qos))),
                ),
                Request::Unsubscribe(filter) => client.try_unsubscribe(filter),
                Request::Disconnect => client.try_disconnect(),
            }
            .map_err(|_| TakesNoMore),
        }
    }
}

/// MQTT 5 section 3.3.2.3.
fn properties(expires: Option<Duration>, correlation: Option<Vec<u8>>) -> PublishProperties {
    let seconds = expires.map(|expires| u32::try_from(expires.as_secs()).unwrap_or(u32::MAX));
    PublishProperties {
        message_expiry_interval: seconds,
        correlation_data: correlation.map(Into::into),
        ..PublishProperties::default()
    }
}

fn quality(qos: Qos) -> QoS {
    match qos {
        Qos::AtMostOnce => QoS::AtMostOnce,
        Qos::AtLeastOnce => QoS::AtLeastOnce,
    }
}

fn quality5(qos: Qos) -> QoS5 {
    match qos {
        Qos::AtMostOnce => QoS5::AtMostOnce,
        Qos::AtLeastOnce => QoS5::AtLeastOnce,
    }
}
