//! Why a connection ended, in words that say what to do.

use std::io::ErrorKind;

use rumqttc::{ConnectReturnCode, ConnectionError, StateError, TlsError};

use crate::core::event::LinkFailure;

/// What an error of rumqttc means for the link.
pub(super) fn of(error: &ConnectionError) -> LinkFailure {
    match error {
        ConnectionError::ConnectionRefused(code) => of_refusal(*code),
        // A certificate that is not accepted is invalid data to the TLS library; anything else passes.
        ConnectionError::Tls(TlsError::Io(io)) if io.kind() != ErrorKind::InvalidData => {
            LinkFailure::Lost(format!("TLS failed: {io}"))
        }
        ConnectionError::Tls(error) => LinkFailure::Refused(chain("TLS failed", error)),
        ConnectionError::NetworkTimeout => LinkFailure::Lost("no answer in time".to_owned()),
        ConnectionError::FlushTimeout => LinkFailure::Lost("the broker takes no more data".to_owned()),
        ConnectionError::MqttState(StateError::AwaitPingResp) => {
            LinkFailure::Lost("the broker no longer answers".to_owned())
        }
        ConnectionError::MqttState(StateError::ConnectionAborted) => {
            LinkFailure::Lost("the broker closed the connection".to_owned())
        }
        ConnectionError::MqttState(StateError::Io(error)) | ConnectionError::Io(error) => {
            LinkFailure::Lost(error.to_string())
        }
        ConnectionError::MqttState(_)
        | ConnectionError::Websocket(_)
        | ConnectionError::WsConnect(_)
        | ConnectionError::NotConnAck(_)
        | ConnectionError::RequestsDone
        | ConnectionError::InvalidUrl(_)
        | ConnectionError::ResponseValidation(_) => LinkFailure::Lost(error.to_string()),
    }
}

/// MQTT 3.1.1 section 3.2.2.3.
fn of_refusal(code: ConnectReturnCode) -> LinkFailure {
    let why = match code {
        ConnectReturnCode::BadUserNamePassword => {
            "the broker refuses the user name or password; check mqtt.username and mqtt.password_file"
        }
        ConnectReturnCode::NotAuthorized => {
            "the broker does not let this client in; check mqtt.username, mqtt.password_file and the broker's access list"
        }
        ConnectReturnCode::BadClientId => "the broker refuses the client id; change mqtt.client_id",
        ConnectReturnCode::RefusedProtocolVersion => "the broker does not speak MQTT 3.1.1",
        ConnectReturnCode::ServiceUnavailable => {
            return LinkFailure::Lost("the broker is not available now".to_owned());
        }
        ConnectReturnCode::Success => {
            return LinkFailure::Lost("the broker closed the connection".to_owned());
        }
    };
    LinkFailure::Refused(why.to_owned())
}

/// An error and its causes, each once.
pub(super) fn chain(what: &str, error: &dyn std::error::Error) -> String {
    let mut text = format!("{what}: {error}");
    let mut source = error.source();
    while let Some(cause) = source {
        let words = cause.to_string();
        if !text.contains(&words) {
            text = format!("{text}: {words}");
        }
        source = cause.source();
    }
    text
}
