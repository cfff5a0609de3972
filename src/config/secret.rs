//! Secrets: where they are, and reading them without showing them.

use std::path::{Path, PathBuf};

use secrecy::{ExposeSecret, SecretString};

use crate::disk::named::{self, NotRead};

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
    #[error("{} {error}", .path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        error: NotRead,
    },
    /// The file is no secret: too long, or not text.
    #[error("{} must hold one secret as UTF-8 text of at most 64 KiB", .path.display())]
    NotASecret {
        /// The file.
        path: PathBuf,
    },
    /// The file has several lines, so it is not clear which one is the secret.
    #[error("{} holds several lines; a secret is one line", .path.display())]
    SeveralLines {
        /// The file.
        path: PathBuf,
    },
    /// There is nothing in it.
    #[error("a secret must not be empty")]
    Empty,
}

/// Compares configurations: two files are the same if their paths are, whatever their content.
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
    /// Returns the secret. Reads a file again each time, without a byte order mark and line ends.
    ///
    /// # Errors
    ///
    /// If the file cannot be read, is too long, is not one line of UTF-8, or if the secret is empty.
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

    /// A warning about quotes or spaces around a secret, which is used as it is. One sentence.
    #[must_use]
    pub fn slip(&self) -> Option<String> {
        let Self::File(path) = self else { return None };
        let secret = self.read().ok()?;
        let text = secret.expose_secret();
        let quoted =
            text.len() > 1 && ['"', '\''].iter().any(|&mark| text.starts_with(mark) && text.ends_with(mark));
        let what = match text.trim() == text {
            true if !quoted => return None,
            true => "in quotes",
            false => "between spaces",
        };
        Some(format!(
            "the secret in {} is {what}, which are sent as part of it; remove them if they are not",
            path.display()
        ))
    }
}

fn read_file(path: &Path) -> Result<SecretString, SecretError> {
    let path = || path.to_owned();
    let read = named::read(&path(), MAX_BYTES).map_err(|error| match error {
        NotRead::TooLarge(_) => SecretError::NotASecret { path: path() },
        NotRead::Io(_) | NotRead::NotAFile | NotRead::Link => SecretError::Unreadable { path: path(), error },
    })?;
    let text = SecretString::from(
        String::from_utf8(read.bytes).map_err(|_| SecretError::NotASecret { path: path() })?,
    );
    let secret = bare(text.expose_secret());
    if secret.contains(['\n', '\r']) {
        return Err(SecretError::SeveralLines { path: path() });
    }
    Ok(secret.into())
}

/// Removes what is certainly not part of a secret: the byte order mark that Windows writes, and line ends.
fn bare(text: &str) -> &str {
    text.strip_prefix('\u{feff}').unwrap_or(text).trim_end_matches(['\n', '\r'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read_anew_without_what_is_certainly_not_the_secret() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let secret = Secret::File(file.path().to_owned());
        for (written, read) in [
            ("one", Some("one")),
            ("two\n", Some("two")),
            ("three\r\n", Some("three")),
            ("four\n\n", Some("four")),
            ("\u{feff}windows\r\n\r\n", Some("windows")),
            (" five ", Some(" five ")),
            ("\"six\"\n", Some("\"six\"")),
            ("two\nlines\n", None),
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
    fn what_may_be_a_slip_is_named_and_kept() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let secret = Secret::File(file.path().to_owned());
        for (written, slip) in [
            ("plain\n", None),
            ("in\"side", None),
            ("\"", None),
            ("\"quoted\"\n", Some("is in quotes")),
            ("'quoted'", Some("is in quotes")),
            (" spaced", Some("is between spaces")),
        ] {
            std::fs::write(file.path(), written).unwrap();
            let said = secret.slip();
            assert_eq!(said.is_some(), slip.is_some(), "{written:?}");
            assert!(
                said.is_none_or(|said| said.contains(slip.unwrap()) && !said.contains("quoted")),
                "{written:?}"
            );
        }
    }

    #[test]
    fn a_missing_file_is_named() {
        let error = Secret::File("/nowhere/secret".into()).read().unwrap_err();
        assert!(error.to_string().contains("/nowhere/secret"), "{error}");
    }
}
