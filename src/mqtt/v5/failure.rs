//! Why an MQTT 5 connection ended.

use rumqttc::v5::mqttbytes::Error as PacketError;
use rumqttc::v5::{ConnectionError, StateError};

use super::reason;
use crate::core::model::event::LinkFailure;
use crate::mqtt::failure::{NO_LONGER_ANSWERS, has_gone};

/// Translates an error of rumqttc. `is_open`: the broker has accepted the connection. `was_reached`: a
/// connection to the broker existed.
pub(super) fn of(error: &ConnectionError, is_open: bool, was_reached: bool) -> LinkFailure {
    let lost = |why: &str| LinkFailure::Lost(why.into());
    match error {
        ConnectionError::ConnectionRefused(code) => reason::of_refusal(*code),
        // A broker that supports only MQTT 3.1.1 may misread the request and wait for more bytes.
        ConnectionError::Timeout(_) if was_reached => {
            LinkFailure::NotUnderstood("the broker does not answer to MQTT 5".into())
        }
        ConnectionError::Timeout(_) => lost("no answer in time"),
        ConnectionError::NotConnAck(_) => not_mqtt_5(error),
        ConnectionError::MqttState(error) => of_state(error, is_open),
        ConnectionError::Io(_) | ConnectionError::RequestsDone => LinkFailure::Lost(error.to_string().into()),
    }
}

fn of_state(error: &StateError, is_open: bool) -> LinkFailure {
    match error {
        StateError::ServerDisconnect { reason_code, reason_string } => {
            reason::of_goodbye(*reason_code, reason_string.as_deref())
        }
        StateError::ConnFail { reason } => reason::of_refusal(*reason),
        StateError::AwaitPingResp => LinkFailure::Lost(NO_LONGER_ANSWERS.into()),
        StateError::ConnectionAborted => hung_up(is_open),
        // rumqttc does not return this as the source of its error, so it is extracted here.
        StateError::Deserialization(PacketError::Io(error)) | StateError::Io(error) => {
            if has_gone(error) {
                hung_up(is_open)
            } else if is_open {
                LinkFailure::Lost(error.to_string().into())
            } else {
                not_mqtt_5(error)
            }
        }
        StateError::Deserialization(_) | StateError::WrongPacket if !is_open => not_mqtt_5(error),
        StateError::Deserialization(_)
        | StateError::WrongPacket
        | StateError::Coversion(_)
        | StateError::InvalidState
        | StateError::Unsolicited(_)
        | StateError::CollisionTimeout
        | StateError::EmptySubscription
        | StateError::InvalidAlias { .. }
        | StateError::OutgoingPacketTooLarge { .. }
        | StateError::IncomingPacketTooLarge { .. } => LinkFailure::Lost(error.to_string().into()),
    }
}

/// A broker that supports only MQTT 3.1.1 refuses MQTT 5 with a 3.1.1 answer, which rumqttc cannot read and
/// ignores, or without an answer (MQTT 3.1.1 section 3.1.2.2). Then it closes the connection.
fn hung_up(is_open: bool) -> LinkFailure {
    if is_open {
        LinkFailure::Closed
    } else {
        LinkFailure::NotUnderstood("the broker closes the connection when it is asked for MQTT 5".into())
    }
}

fn not_mqtt_5(error: &dyn std::error::Error) -> LinkFailure {
    LinkFailure::NotUnderstood(format!("the broker's answer is not MQTT 5 ({error})").into())
}
