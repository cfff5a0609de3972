//! Why a connection ended, in sentences that say what to do. For both versions of MQTT.

use std::error::Error;
use std::io::{self, ErrorKind};

use rustls::{AlertDescription, CertificateError};

use super::gate::Violation;
use crate::core::model::event::LinkFailure;

/// An open connection on which the broker has become silent.
pub(super) const NO_LONGER_ANSWERS: &str = "the broker no longer answers";
pub(super) const IS_SILENT: &str = "the broker is silent";

/// Whether to try the next address: this one never accepted the connection, became silent, sent something
/// that is not MQTT, or ended the connection with a reason. To find out which version of MQTT a broker
/// speaks, the same address is asked again.
pub(super) fn leaves_address(failure: &LinkFailure, was_open: bool) -> bool {
    match failure {
        LinkFailure::Lost(why) => !was_open || *why == NO_LONGER_ANSWERS || *why == IS_SILENT,
        LinkFailure::Refused(_) => true,
        LinkFailure::Closed | LinkFailure::NotLetIn | LinkFailure::TakenOver => !was_open,
        LinkFailure::NotUnderstood(_) => false,
    }
}

/// Whether the other end closed the connection, also as a cause inside another error.
pub(super) fn has_gone(error: &(dyn Error + 'static)) -> bool {
    let Some(io) = error.downcast_ref::<io::Error>() else { return error.source().is_some_and(has_gone) };
    matches!(
        io.kind(),
        ErrorKind::BrokenPipe
            | ErrorKind::ConnectionAborted
            | ErrorKind::ConnectionReset
            | ErrorKind::NotConnected
            | ErrorKind::UnexpectedEof
    )
}

/// The TLS error inside an error, if there is one. With TLS 1.3 a broker refuses a client's certificate only
/// after the client has finished its handshake (RFC 8446 section 4.4.2), so the refusal appears while reading
/// an answer.
pub(super) fn tls_error<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a rustls::Error> {
    let inner = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
    // `source()` of an `io::Error` skips the error that it wraps.
    let cause = inner.map(|inner| inner as &(dyn Error + 'static)).or_else(|| error.source());
    error.downcast_ref().or_else(|| cause.and_then(tls_error))
}

/// The reason for which the gate ended a connection. `asks_5`: the broker has not answered an MQTT 5 request
/// yet, so it may support only 3.1.1.
pub(super) fn of_violation(violation: Violation, asks_5: bool) -> LinkFailure {
    let why = violation.to_string();
    if asks_5 { LinkFailure::NotUnderstood(why.into()) } else { LinkFailure::Refused(why.into()) }
}

pub(super) fn of_tls(error: &rustls::Error) -> LinkFailure {
    let what = if let rustls::Error::InvalidCertificate(why) = error {
        of_certificate(why)
    } else if matches!(error, rustls::Error::InvalidMessage(_)) {
        "this port does not use TLS; write mqtt:// (or ws://) in mqtt.url, or another port"
    } else if matches!(error, rustls::Error::AlertReceived(alert) if is_about_our_certificate(*alert)) {
        "the broker does not accept this client's certificate; check mqtt.client_cert_file and mqtt.client_key_file"
    } else {
        "TLS failed"
    };
    LinkFailure::Refused(format!("{what} ({error})").into())
}

/// One sentence about the broker's certificate.
fn of_certificate(why: &CertificateError) -> &'static str {
    use CertificateError as Why;
    if matches!(why, Why::Expired | Why::ExpiredContext { .. }) {
        "the broker's certificate is no longer valid; renew it, or set this machine's clock"
    } else if matches!(why, Why::NotValidYet | Why::NotValidYetContext { .. }) {
        "the broker's certificate is not valid yet; set this machine's clock"
    } else if matches!(why, Why::NotValidForName | Why::NotValidForNameContext { .. }) {
        "the broker's certificate does not name the host in mqtt.url (as subjectAltName); write the name that it has"
    } else if matches!(why, Why::Other(error) if error.to_string().contains("UnsupportedCertVersion")) {
        "the broker's certificate is of version 1, which is no longer accepted; make one of version 3"
    } else {
        "the broker's certificate is not trusted; check mqtt.ca_file and the host in mqtt.url"
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn certificates_name_what_to_do() {
        let wrapped = |error: rustls::Error| io::Error::new(ErrorKind::InvalidData, error);
        let certificate = |why| rustls::Error::InvalidCertificate(why);
        for (error, words) in [
            (certificate(CertificateError::UnknownIssuer), "mqtt.ca_file"),
            (certificate(CertificateError::Expired), "this machine's clock"),
            (certificate(CertificateError::NotValidYet), "this machine's clock"),
            (certificate(CertificateError::NotValidForName), "subjectAltName"),
            (rustls::Error::AlertReceived(AlertDescription::CertificateRequired), "mqtt.client_cert_file"),
            (rustls::Error::AlertReceived(AlertDescription::ProtocolVersion), "TLS failed"),
            (rustls::Error::InvalidMessage(rustls::InvalidMessage::InvalidContentType), "does not use TLS"),
        ] {
            let found = wrapped(error);
            let failure = of_tls(tls_error(&found).unwrap());
            assert!(matches!(&failure, LinkFailure::Refused(why) if why.contains(words)), "{failure:?}");
        }
    }
}
