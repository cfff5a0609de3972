//! Why the folder of the tokens cannot be used.

use std::io;
use std::path::PathBuf;

/// Why a folder, or a file in it, cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PrivateError {
    /// The system returned an error.
    #[error("{what} {}", .path.display())]
    Io {
        /// The action that failed.
        what: &'static str,
        /// The file or folder of the action.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// Another user can reach it or created it. The program does not change it.
    #[error("{} {says}", .path.display())]
    NotPrivate {
        /// The file or folder.
        path: PathBuf,
        /// What is wrong, and how to correct it.
        says: String,
    },
}

impl PrivateError {
    /// Whether the disk can be read but not written to.
    #[must_use]
    pub fn takes_nothing(&self) -> bool {
        matches!(self, Self::Io { source, .. } if takes_nothing(source))
    }
}

/// Whether this error means that the disk can be read but not written to.
pub(super) fn takes_nothing(error: &io::Error) -> bool {
    use io::ErrorKind::{FileTooLarge, QuotaExceeded, ReadOnlyFilesystem, StorageFull};
    matches!(error.kind(), FileTooLarge | QuotaExceeded | ReadOnlyFilesystem | StorageFull)
}
