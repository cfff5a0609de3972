//! Why an MQTT 5 connection ended.

use rumqttc::v5::mqttbytes::Error as PacketError;
use rumqttc::v5::{ConnectionError, StateError, TlsError};

use super::reason;
use crate::chain::chain;
use crate::core::model::event::LinkFailure;
use crate::mqtt::failure::{has_gone, of_tls, tls_error};

/// What an error of rumqttc means for the link; `is_open` once the broker has accepted the connection, `was_reached`
/// once there was one at all.
pub(super) fn of(error: &ConnectionError, is_open: bool, was_reached: bool) -> LinkFailure {
    if let Some(error) = tls_error(error) {
        return of_tls(error);
    }
    let lost = |why: &str| LinkFailure::Lost(why.into());
    match error {
        ConnectionError::ConnectionRefused(code) => reason::of_refusal(*code),
        // A broker that goes away during the handshake is away, not unwilling.
        ConnectionError::Tls(TlsError::Io(error)) => LinkFailure::Lost(error.to_string().into()),
        ConnectionError::Tls(error) => LinkFailure::Refused(format!("TLS failed: {}", chain(error)).into()),
        // A broker that knows only MQTT 3.1.1 may wait for the rest of a packet that it takes for one of its own.
        ConnectionError::Timeout(_) if was_reached => {
            LinkFailure::NotUnderstood("the broker does not answer in MQTT 5".into())
        }
        ConnectionError::Timeout(_) => lost("no answer in time"),
        ConnectionError::NotConnAck(_) => not_mqtt_5(error),
        ConnectionError::MqttState(error) => of_state(error, is_open),
        ConnectionError::Io(_)
        | ConnectionError::Websocket(_)
        | ConnectionError::WsConnect(_)
        | ConnectionError::RequestsDone
        | ConnectionError::InvalidUrl(_)
        | ConnectionError::Proxy(_)
        | ConnectionError::ResponseValidation(_) => LinkFailure::Lost(error.to_string().into()),
    }
}

fn of_state(error: &StateError, is_open: bool) -> LinkFailure {
    match error {
        StateError::ServerDisconnect { reason_code, reason_string } => {
            reason::of_goodbye(*reason_code, reason_string.as_deref())
        }
        StateError::ConnFail { reason } => reason::of_refusal(*reason),
        StateError::AwaitPingResp => LinkFailure::Lost("the broker no longer answers".into()),
        StateError::ConnectionAborted => hung_up(is_open),
        // rumqttc does not name this as the cause of its error, so it has to be taken out by hand.
        StateError::Deserialization(PacketError::Io(error)) | StateError::Io(error) => {
            if let Some(error) = tls_error(error) {
                of_tls(error)
            } else if has_gone(error) {
                hung_up(is_open)
            } else if is_open {
                LinkFailure::Lost(error.to_string().into())
            } else {
                not_mqtt_5(error)
            }
        }
        // How rumqttc reads a DISCONNECT without a reason.
        StateError::Deserialization(PacketError::PayloadRequired) => hung_up(is_open),
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

/// A broker that knows only MQTT 3.1.1 refuses MQTT 5 with an answer in 3.1.1, which rumqttc cannot read and passes over,
/// or without one (MQTT 3.1.1 section 3.1.2.2); then it hangs up.
fn hung_up(is_open: bool) -> LinkFailure {
    if is_open {
        LinkFailure::Closed
    } else {
        LinkFailure::NotUnderstood("the broker hangs up when it is spoken to in MQTT 5".into())
    }
}

fn not_mqtt_5(error: &dyn std::error::Error) -> LinkFailure {
    LinkFailure::NotUnderstood(format!("the broker's answer is not MQTT 5 ({error})").into())
}
