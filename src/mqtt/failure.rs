//! Why a connection ended, in words that say what to do.

use std::error::Error;
use std::io;

use rumqttc::{ConnectReturnCode, ConnectionError, StateError, TlsError};
use rustls::AlertDescription;

use crate::core::event::LinkFailure;

/// What an error of rumqttc means for the link.
pub(super) fn of(error: &ConnectionError) -> LinkFailure {
    if let Some(error) = tls_error(error) {
        return of_tls(error);
    }
    match error {
        ConnectionError::ConnectionRefused(code) => of_refusal(*code),
        // A broker that goes away during the handshake is away, not unwilling.
        ConnectionError::Tls(TlsError::Io(error)) => LinkFailure::Lost(error.to_string()),
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

/// Where TLS itself failed, whoever wrapped it: with TLS 1.3 a broker refuses a client's certificate only after the
/// client's handshake is done (RFC 8446 section 4.4.2), so the refusal comes where an answer was read.
fn tls_error<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a rustls::Error> {
    let inner = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
    // An `io::Error` passes over what it wraps when it is asked for its source.
    let cause = inner.map(|inner| inner as &(dyn Error + 'static)).or_else(|| error.source());
    error.downcast_ref().or_else(|| cause.and_then(tls_error))
}

fn of_tls(error: &rustls::Error) -> LinkFailure {
    let what = if matches!(error, rustls::Error::InvalidCertificate(_)) {
        "the broker's certificate is not trusted; check mqtt.ca_file and the host in mqtt.url"
    } else if matches!(error, rustls::Error::AlertReceived(alert) if is_about_our_certificate(*alert)) {
        "the broker does not accept this client's certificate; check mqtt.client_cert_file and mqtt.client_key_file"
    } else {
        "TLS failed"
    };
    LinkFailure::Refused(format!("{what} ({error})"))
}

/// RFC 8446 section 6.2.
fn is_about_our_certificate(alert: AlertDescription) -> bool {
    matches!(
        alert,
        AlertDescription::AccessDenied
            | AlertDescription::BadCertificate
            | AlertDescription::CertificateExpired
            | AlertDescription::CertificateRequired
            | AlertDescription::CertificateRevoked
            | AlertDescription::CertificateUnknown
            | AlertDescription::UnknownCA
            | AlertDescription::UnsupportedCertificate
    )
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
pub(super) fn chain(what: &str, error: &dyn Error) -> String {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn during_handshake(error: io::Error) -> LinkFailure {
        of(&ConnectionError::Tls(TlsError::Io(error)))
    }

    #[test]
    fn a_broker_that_goes_away_during_the_handshake_is_lost_and_soon_tried_again() {
        for kind in [io::ErrorKind::UnexpectedEof, io::ErrorKind::ConnectionReset] {
            assert!(matches!(during_handshake(kind.into()), LinkFailure::Lost(_)), "{kind}");
        }
    }

    #[test]
    fn certificates_name_the_key_to_check() {
        let wrap = |error: rustls::Error| io::Error::new(io::ErrorKind::InvalidData, error);
        let unknown = rustls::Error::InvalidCertificate(rustls::CertificateError::UnknownIssuer);
        let required = rustls::Error::AlertReceived(AlertDescription::CertificateRequired);
        let other = rustls::Error::AlertReceived(AlertDescription::ProtocolVersion);
        let after_handshake =
            of(&ConnectionError::MqttState(StateError::Deserialization(wrap(required.clone()).into())));
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
