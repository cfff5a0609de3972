//! What every connection can end of, in words that say what to do.

use std::error::Error;
use std::io::{self, ErrorKind};

use rustls::AlertDescription;

use crate::core::model::event::LinkFailure;

/// Whether the other end hung up, politely or not, whoever wrapped it.
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

/// Where TLS itself failed, whoever wrapped it: with TLS 1.3 a broker refuses a client's certificate only after the
/// client's handshake is done (RFC 8446 section 4.4.2), so the refusal comes where an answer was read.
pub(super) fn tls_error<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a rustls::Error> {
    let inner = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
    // An `io::Error` passes over what it wraps when it is asked for its source.
    let cause = inner.map(|inner| inner as &(dyn Error + 'static)).or_else(|| error.source());
    error.downcast_ref().or_else(|| cause.and_then(tls_error))
}

pub(super) fn of_tls(error: &rustls::Error) -> LinkFailure {
    let what = if matches!(error, rustls::Error::InvalidCertificate(_)) {
        "the broker's certificate is not trusted; check mqtt.ca_file and the host in mqtt.url"
    } else if matches!(error, rustls::Error::AlertReceived(alert) if is_about_our_certificate(*alert)) {
        "the broker does not accept this client's certificate; check mqtt.client_cert_file and mqtt.client_key_file"
    } else {
        "TLS failed"
    };
    LinkFailure::Refused(format!("{what} ({error})").into())
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
