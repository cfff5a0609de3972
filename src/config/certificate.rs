//! The app's certificate and its key: where they are, reading them, and why they cannot be used.

use std::path::{Path, PathBuf};

use aws_lc_rs::rsa;
use aws_lc_rs::signature::KeyPair;
use jiff::Timestamp;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use x509_parser::prelude::{FromDer, X509Certificate};

use super::files;

/// The files of an app's certificate, which may be renewed while the bridge runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate {
    /// PEM: the certificate, and the key unless that is apart. A chain may be in it, in any order.
    pub certificate_file: PathBuf,
    /// PEM: the key.
    pub private_key_file: Option<PathBuf>,
}

/// A certificate with the key that belongs to it (RFC 5280, RFC 8017).
#[derive(Debug)]
pub struct KeyedCertificate {
    /// The certificate itself.
    pub der: Vec<u8>,
    /// Not valid before this.
    pub begins: Timestamp,
    /// Not valid after this.
    pub ends: Timestamp,
    /// Its private key; `Debug` shows the public half only.
    pub key: rsa::KeyPair,
}

/// Why a certificate cannot be used, and what to do.
#[derive(Debug, thiserror::Error)]
pub enum CertificateError {
    /// A file cannot be opened or read.
    #[error("{says}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system says about it.
        says: String,
    },
    /// It is PKCS #12.
    #[error(
        "{} is a PFX file; turn it into PEM with: openssl pkcs12 -in {} -nodes -out app.pem",
        .path.display(),
        .path.display()
    )]
    Pfx {
        /// The file.
        path: PathBuf,
    },
    /// There is no certificate in it.
    #[error("{} must hold a certificate in PEM form", .path.display())]
    NoCertificate {
        /// The file.
        path: PathBuf,
    },
    /// There is no key in it.
    #[error("{} holds no private key in PEM form; add it, or name its file in graph.auth.private_key_file", .path.display())]
    NoKey {
        /// The file.
        path: PathBuf,
    },
    /// The key asks for a password.
    #[error(
        "the key in {} is encrypted; decrypt it with: openssl pkey -in {} -out app.key",
        .path.display(),
        .path.display()
    )]
    EncryptedKey {
        /// The file.
        path: PathBuf,
    },
    /// The key is of another kind, too small, or broken.
    #[error(
        "the key in {} is not an RSA key of 2048 to 8192 bits, which this method needs; make a new certificate with: \
         openssl req -x509 -newkey rsa:2048 -nodes -days 365 -subj /CN=presence2mqtt -keyout app.key -out app.pem",
        .path.display()
    )]
    NotRsa {
        /// The file.
        path: PathBuf,
    },
    /// The two are not a pair.
    #[error("the key does not belong to the certificate in {}; give the two that were made together", .path.display())]
    NotAPair {
        /// The certificate's file.
        path: PathBuf,
    },
}

impl Certificate {
    /// Reads both files again.
    ///
    /// # Errors
    ///
    /// If they cannot be read, or do not hold an RSA certificate and its key. Expiry is not checked.
    pub fn read(&self) -> Result<KeyedCertificate, CertificateError> {
        let certificates = read(&self.certificate_file)?;
        let key = match &self.private_key_file {
            Some(path) => rsa_key(&read(path)?, path)?,
            None => rsa_key(&certificates, &self.certificate_file)?,
        };
        certificate_of(key, &certificates, &self.certificate_file)
    }
}

impl CertificateError {
    /// The file that is at fault.
    #[must_use]
    pub fn path(&self) -> &Path {
        match self {
            Self::Unreadable { path, .. }
            | Self::Pfx { path }
            | Self::NoCertificate { path }
            | Self::NoKey { path }
            | Self::EncryptedKey { path }
            | Self::NotRsa { path }
            | Self::NotAPair { path } => path,
        }
    }
}

fn read(path: &Path) -> Result<Vec<u8>, CertificateError> {
    let bytes =
        files::read(path).map_err(|says| CertificateError::Unreadable { path: path.to_owned(), says })?;
    if is_pfx(&bytes) {
        return Err(CertificateError::Pfx { path: path.to_owned() });
    }
    Ok(bytes)
}

/// PKCS #12 (RFC 7292): a sequence, its length in one to five bytes, then the number 3.
fn is_pfx(bytes: &[u8]) -> bool {
    const VERSION: [u8; 3] = [2, 1, 3];
    bytes.first() == Some(&0x30) && (2..=6).any(|at| bytes.get(at..at + 3) == Some(&VERSION))
}

fn rsa_key(text: &[u8], path: &Path) -> Result<rsa::KeyPair, CertificateError> {
    let path = || path.to_owned();
    // Both forms say so: "BEGIN ENCRYPTED PRIVATE KEY" and "Proc-Type: 4,ENCRYPTED".
    if text.windows(9).any(|word| word == b"ENCRYPTED") {
        return Err(CertificateError::EncryptedKey { path: path() });
    }
    let key = PrivateKeyDer::from_pem_slice(text);
    if matches!(key, Err(pem::Error::NoItemsFound)) {
        return Err(CertificateError::NoKey { path: path() });
    }
    let pair = match &key {
        Ok(PrivateKeyDer::Pkcs1(key)) => rsa::KeyPair::from_der(key.secret_pkcs1_der()).ok(),
        Ok(PrivateKeyDer::Pkcs8(key)) => rsa::KeyPair::from_pkcs8(key.secret_pkcs8_der()).ok(),
        Ok(PrivateKeyDer::Sec1(_) | _) | Err(_) => None,
    };
    pair.ok_or_else(|| CertificateError::NotRsa { path: path() })
}

/// Of the certificates in a file, the one whose public key belongs to the private key.
fn certificate_of(key: rsa::KeyPair, pem: &[u8], path: &Path) -> Result<KeyedCertificate, CertificateError> {
    let path = || path.to_owned();
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    let certificates = certificates.unwrap_or_default();
    let mut found_one = false;
    for der in certificates {
        let Ok((_, certificate)) = X509Certificate::from_der(&der) else { continue };
        let validity = certificate.validity();
        let times =
            [validity.not_before, validity.not_after].map(|at| Timestamp::from_second(at.timestamp()));
        let [Ok(begins), Ok(ends)] = times else { continue };
        found_one = true;
        if certificate.public_key().subject_public_key.data == key.public_key().as_ref() {
            return Ok(KeyedCertificate { der: der.to_vec(), begins, ends, key });
        }
    }
    Err(if found_one {
        CertificateError::NotAPair { path: path() }
    } else {
        CertificateError::NoCertificate { path: path() }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::tests::pem as made;

    struct Folder(tempfile::TempDir);

    impl Folder {
        fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
            let path = self.0.path().join(name);
            std::fs::write(&path, content).unwrap();
            path
        }
    }

    fn folder() -> Folder {
        Folder(tempfile::tempdir().unwrap())
    }

    fn says(certificate_file: PathBuf, private_key_file: Option<PathBuf>) -> String {
        Certificate { certificate_file, private_key_file }.read().unwrap_err().to_string()
    }

    #[test]
    fn a_certificate_and_its_key_in_one_file_or_two_in_either_form() {
        let folder = folder();
        let (certificate, key) = made::rsa();
        let chain = format!("{}{certificate}", made::rsa_of_another().0);
        let apart = folder.write("app.key", &key);
        let pkcs1 = folder.write("pkcs1.key", made::rsa_key_as_pkcs1());
        for (certificate_file, private_key_file) in [
            (folder.write("both.pem", format!("{certificate}{key}")), None),
            (folder.write("key-first.pem", format!("Bag Attributes\n{key}{certificate}")), None),
            (folder.write("apart.pem", &certificate), Some(apart.clone())),
            (folder.write("chain.pem", &chain), Some(apart)),
            (folder.write("old.pem", &certificate), Some(pkcs1)),
        ] {
            let read = Certificate { certificate_file, private_key_file }.read().unwrap();
            assert_eq!(read.der, *CertificateDer::from_pem_slice(certificate.as_bytes()).unwrap());
            assert_eq!(read.begins, "2020-01-01T00:00:00Z".parse().unwrap());
            assert_eq!(read.ends, "2099-12-13T00:00:00Z".parse().unwrap());
            assert!(!format!("{read:?}").contains("private"), "{read:?}");
        }
    }

    #[test]
    fn what_cannot_be_used_says_what_to_do() {
        let folder = folder();
        let (certificate, key) = made::rsa();
        let certificate_file = folder.write("app.pem", &certificate);
        let with_key = |key: String| says(certificate_file.clone(), Some(folder.write("app.key", key)));
        let encrypted = "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n";
        let old_encrypted = key.replace("PRIVATE KEY-----\n", "PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n");
        let cut = format!("{}-----END PRIVATE KEY-----\n", &key[..400]);
        for (says, expected) in [
            (says(certificate_file.clone(), None), "private_key_file"),
            (says(folder.write("key.pem", &key), None), "must hold a certificate"),
            (
                says(folder.write("app.pfx", [0x30, 0x82, 9, 0xA0, 2, 1, 3, 0x30, 0x82]), None),
                "openssl pkcs12 -in ",
            ),
            (says(folder.0.path().join("missing.pem"), None), "missing.pem cannot be read"),
            (
                says(
                    folder.write(
                        "nonsense.pem",
                        format!("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n{key}"),
                    ),
                    None,
                ),
                "must hold a certificate",
            ),
            (with_key(String::new()), "holds no private key"),
            (with_key(encrypted.to_owned()), "is encrypted"),
            (with_key(old_encrypted), "is encrypted"),
            (with_key(made::ec().1), "not an RSA key"),
            (with_key(cut), "RSA key"),
            (with_key(made::rsa_of_another().1), "does not belong to the certificate"),
        ] {
            assert!(says.contains(expected), "wanted {expected:?}: {says}");
        }
    }
}
