//! TLS towards the broker: the system's authorities, your own authority, a client certificate.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore};

use crate::config::Mqtt;
use crate::disk::named::{self, LARGEST_PEM, NotRead};

/// Why TLS cannot be configured.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// There is no authority to trust.
    #[error(
        "the system has no certificate authorities; install them (package ca-certificates) or set mqtt.ca_file"
    )]
    NothingToTrust,
    /// A file cannot be read.
    #[error("{}", .path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: NotRead,
    },
    /// A file is not PEM.
    #[error("{} holds no usable PEM", .path.display())]
    Pem {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        #[source]
        source: rustls::pki_types::pem::Error,
    },
    /// Authorities, certificate and key do not fit together.
    #[error("the TLS certificates of [mqtt] cannot be used")]
    Unusable(#[source] rustls::Error),
}

/// The configuration for one connection. Files are read again each time, because certificates are renewed.
pub(super) fn client_config(mqtt: &Mqtt) -> Result<Arc<ClientConfig>, TlsError> {
    let mut roots = RootCertStore::empty();
    // Authorities that cannot be loaded are skipped: one broken file of the system must not prevent a
    // connection.
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if let Some(path) = &mqtt.ca_file {
        for certificate in certificates(path)? {
            roots.add(certificate).map_err(TlsError::Unusable)?;
        }
    }
    if roots.is_empty() {
        return Err(TlsError::NothingToTrust);
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(TlsError::Unusable)?
        .with_root_certificates(roots);
    let config = match &mqtt.client_identity {
        None => builder.with_no_client_auth(),
        Some(identity) => {
            let path = &identity.key_file;
            let key = PrivateKeyDer::from_pem_slice(&read(path)?).map_err(pem(path))?;
            builder
                .with_client_auth_cert(certificates(&identity.cert_file)?, key)
                .map_err(TlsError::Unusable)?
        }
    };
    Ok(Arc::new(config))
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    CertificateDer::pem_slice_iter(&read(path)?).collect::<Result<_, _>>().map_err(pem(path))
}

fn read(path: &Path) -> Result<Vec<u8>, TlsError> {
    let read = named::read(path, LARGEST_PEM);
    Ok(read.map_err(|source| TlsError::Unreadable { path: path.to_owned(), source })?.bytes)
}

fn pem(path: &Path) -> impl FnOnce(rustls::pki_types::pem::Error) -> TlsError {
    |source| TlsError::Pem { path: path.to_owned(), source }
}
