//! Files that the configuration names: where they are looked for, and a first look inside.

use std::path::{Path, PathBuf};

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::document::Origin;
use super::environment::Environment;
use crate::disk::named::{self, LARGEST_PEM};

/// Where relative file names are looked for.
pub(super) struct Places {
    credentials: Option<PathBuf>,
    beside: PathBuf,
}

impl Places {
    pub(super) fn new(origin: &Origin, environment: &Environment) -> Self {
        let beside = match origin {
            Origin::File(file) => file.parent().unwrap_or(Path::new("")).to_owned(),
            Origin::Environment => PathBuf::new(),
        };
        Self { credentials: environment.get("CREDENTIALS_DIRECTORY").map(PathBuf::from), beside }
    }

    /// A relative path in `$CREDENTIALS_DIRECTORY` if it is there, else beside the configuration.
    pub(super) fn find(&self, path: &Path) -> PathBuf {
        let credential = self.credentials.as_ref().map(|dir| dir.join(path));
        match credential {
            Some(credential) if path.is_relative() && credential.exists() => credential,
            _ => self.beside.join(path),
        }
    }
}

/// Whether a PEM file holds at least one certificate, and nothing broken.
pub(super) fn check_certificates(path: &Path) -> Result<(), String> {
    let pem = read(path)?;
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem).collect();
    match certificates {
        Ok(found) if !found.is_empty() => Ok(()),
        Ok(_) | Err(_) => Err(format!("{} must hold certificates in PEM form", path.display())),
    }
}

/// Whether a PEM file holds a private key.
pub(super) fn check_key(path: &Path) -> Result<(), String> {
    let pem = read(path)?;
    match PrivateKeyDer::from_pem_slice(&pem) {
        Ok(_) => Ok(()),
        Err(_) => Err(format!("{} must hold a private key in PEM form, not encrypted", path.display())),
    }
}

/// Reads a file, as far as a PEM file can reasonably go.
pub(super) fn read(path: &Path) -> Result<Vec<u8>, String> {
    let read = named::read(path, LARGEST_PEM).map_err(|error| format!("{} {error}", path.display()))?;
    Ok(read.bytes)
}
