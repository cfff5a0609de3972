//! Secrets: where they are, and reading them without showing them.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use secrecy::{ExposeSecret, SecretString};

/// Longer than any password, client secret or token.
const MAX_BYTES: u64 = 64 * 1024;

/// A secret, or the file that holds it.
#[derive(Debug, Clone)]
pub enum Secret {
    /// Written in the configuration itself.
    Inline(SecretString),
    /// In a file, which may be replaced while the bridge runs.
    File(PathBuf),
}

/// Why a secret cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// The file cannot be opened or read.
    #[error("{} cannot be read: {error}", .path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// The file is no secret: too long, or not text.
    #[error("{} must hold one secret as UTF-8 text of at most 64 KiB", .path.display())]
    NotASecret {
        /// The file.
        path: PathBuf,
    },
    /// There is nothing in it.
    #[error("a secret must not be empty")]
    Empty,
}

/// Compares what is configured: two files are the same if their paths are, whatever is in them.
impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Inline(one), Self::Inline(other)) => one.expose_secret() == other.expose_secret(),
            (Self::File(one), Self::File(other)) => one == other,
            (Self::Inline(_), Self::File(_)) | (Self::File(_), Self::Inline(_)) => false,
        }
    }
}

impl Secret {
    /// Gives the secret; a file is read anew each time, without its last line break.
    ///
    /// # Errors
    ///
    /// If the file cannot be read, is too long, is not UTF-8, or if the secret is empty.
    pub fn read(&self) -> Result<SecretString, SecretError> {
        let secret = match self {
            Self::Inline(secret) => secret.clone(),
            Self::File(path) => read_file(path)?,
        };
        if secret.expose_secret().is_empty() {
            return Err(SecretError::Empty);
        }
        Ok(secret)
    }
}

fn read_file(path: &Path) -> Result<SecretString, SecretError> {
    let not_a_secret = || SecretError::NotASecret { path: path.to_owned() };
    let mut text = String::new();
    File::open(path).and_then(|file| file.take(MAX_BYTES + 1).read_to_string(&mut text)).map_err(
        |error| {
            if error.kind() == io::ErrorKind::InvalidData {
                return not_a_secret();
            }
            SecretError::Unreadable { path: path.to_owned(), error }
        },
    )?;
    if text.len() as u64 > MAX_BYTES {
        return Err(not_a_secret());
    }
    if text.ends_with('\n') {
        text.pop();
        if text.ends_with('\r') {
            text.pop();
        }
    }
    Ok(text.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read_anew_without_its_last_line_break() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let secret = Secret::File(file.path().to_owned());
        for (written, read) in [
            ("one", Some("one")),
            ("two\n", Some("two")),
            ("three\r\n", Some("three")),
            ("four\n\n", Some("four\n")),
            (" five ", Some(" five ")),
            ("", None),
            ("\n", None),
        ] {
            std::fs::write(file.path(), written).unwrap();
            let got = secret.read().ok();
            let got = got.as_ref().map(|s| s.expose_secret());
            assert_eq!(got, read, "{written:?}");
        }
        std::fs::write(file.path(), [0xff]).unwrap();
        assert!(matches!(secret.read(), Err(SecretError::NotASecret { .. })));
        std::fs::write(file.path(), "x".repeat(64 * 1024 + 1)).unwrap();
        assert!(matches!(secret.read(), Err(SecretError::NotASecret { .. })));
    }

    #[test]
    fn a_missing_file_is_named() {
        let error = Secret::File("/nowhere/secret".into()).read().unwrap_err();
        assert!(error.to_string().contains("/nowhere/secret"), "{error}");
    }
}
