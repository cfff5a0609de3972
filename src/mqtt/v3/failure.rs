//! Why an MQTT 3.1.1 connection ended.

use rumqttc::{ConnectReturnCode, ConnectionError, StateError, TlsError};

use crate::chain::chain;
use crate::core::model::event::LinkFailure;
use crate::mqtt::failure::{has_gone, of_tls, tls_error};

/// What an error of rumqttc means for the link; `is_open` once the broker has accepted the connection.
pub(super) fn of(error: &ConnectionError, is_open: bool) -> LinkFailure {
    if let Some(error) = tls_error(error) {
        return of_tls(error);
    }
    let lost = |why: &str| LinkFailure::Lost(why.into());
    match error {
        ConnectionError::ConnectionRefused(code) => of_refusal(*code),
        // A broker that goes away during the handshake is away, not unwilling.
        ConnectionError::Tls(TlsError::Io(error)) => LinkFailure::Lost(error.to_string().into()),
        ConnectionError::Tls(error) => LinkFailure::Refused(format!("TLS failed: {}", chain(error)).into()),
        ConnectionError::NetworkTimeout => lost("no answer in time"),
        ConnectionError::FlushTimeout => lost("the broker takes no more data"),
        ConnectionError::MqttState(StateError::AwaitPingResp) => lost("the broker no longer answers"),
        ConnectionError::MqttState(StateError::ConnectionAborted) => hung_up(is_open),
        ConnectionError::MqttState(error) if has_gone(error) => hung_up(is_open),
        ConnectionError::MqttState(StateError::Io(error)) | ConnectionError::Io(error) => {
            LinkFailure::Lost(error.to_string().into())
        }
        ConnectionError::MqttState(_)
        | ConnectionError::Websocket(_)
        | ConnectionError::WsConnect(_)
        | ConnectionError::NotConnAck(_)
        | ConnectionError::RequestsDone
        | ConnectionError::InvalidUrl(_)
        | ConnectionError::Proxy(_)
        | ConnectionError::ResponseValidation(_) => LinkFailure::Lost(error.to_string().into()),
    }
}

fn hung_up(is_open: bool) -> LinkFailure {
    if is_open { LinkFailure::Closed } else { LinkFailure::Lost("the broker closed the connection".into()) }
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
        ConnectReturnCode::RefusedProtocolVersion => {
            "the broker does not speak MQTT 3.1.1; set mqtt.protocol to \"5\""
        }
        ConnectReturnCode::ServiceUnavailable => {
            return LinkFailure::Lost("the broker is not available now".into());
        }
        ConnectReturnCode::Success => return hung_up(false),
    };
    LinkFailure::Refused(why.into())
}

#[cfg(test)]
mod tests {
    use std::io;

    use rustls::AlertDescription;

    use super::*;

    fn during_handshake(error: io::Error) -> LinkFailure {
        of(&ConnectionError::Tls(TlsError::Io(error)), false)
    }

    #[test]
    fn a_broker_that_goes_away_during_the_handshake_is_lost_and_soon_tried_again() {
        for kind in [io::ErrorKind::UnexpectedEof, io::ErrorKind::ConnectionReset] {
            assert!(matches!(during_handshake(kind.into()), LinkFailure::Lost(_)), "{kind}");
        }
    }

    #[test]
    fn a_broker_that_goes_away_without_a_word_is_suspicious_only_after_it_has_let_us_in() {
        let reset = || StateError::Io(io::ErrorKind::ConnectionReset.into());
        for error in [StateError::ConnectionAborted, reset()].map(ConnectionError::MqttState) {
            assert!(matches!(of(&error, false), LinkFailure::Lost(_)), "{error}");
            assert_eq!(of(&error, true), LinkFailure::Closed, "{error}");
        }
    }

    #[test]
    fn certificates_name_the_key_to_check() {
        let wrap = |error: rustls::Error| io::Error::new(io::ErrorKind::InvalidData, error);
        let unknown = rustls::Error::InvalidCertificate(rustls::CertificateError::UnknownIssuer);
        let required = rustls::Error::AlertReceived(AlertDescription::CertificateRequired);
        let other = rustls::Error::AlertReceived(AlertDescription::ProtocolVersion);
        let after_handshake = of(
            &ConnectionError::MqttState(StateError::Deserialization(wrap(required.clone()).into())),
            false,
        );
        for (failure, words) in [
            (during_handshake(wrap(unknown)), "mqtt.ca_file"),
            (during_handshake(wrap(required)), "mqtt.client_cert_file"),
            (after_handshake, "mqtt.client_cert_file"),
            (during_handshake(wrap(other)), "TLS failed"),
        ] {
            assert!(matches!(&failure, LinkFailure::Refused(why) if why.contains(words)), "{failure:?}");
        }
    }
}
