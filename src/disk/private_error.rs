//! Why the folder of the tokens cannot be used.

use std::io;
use std::path::PathBuf;

/// Why a folder, or a file in it, cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PrivateError {
    /// The system refuses.
    #[error("{what} {}", .path.display())]
    Io {
        /// What was tried.
        what: &'static str,
        /// With which file or folder.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// Somebody else can reach it, or put it there. It is left as it is.
    #[error("{} {says}", .path.display())]
    NotPrivate {
        /// The file or folder.
        path: PathBuf,
        /// What is wrong, and how to end it.
        says: String,
    },
}

impl PrivateError {
    /// Whether a disk that can be read takes nothing.
    #[must_use]
    pub fn takes_nothing(&self) -> bool {
        matches!(self, Self::Io { source, .. } if takes_nothing(source))
    }
}

/// Whether the system says that a disk which can be read takes nothing.
pub(super) fn takes_nothing(error: &io::Error) -> bool {
    use io::ErrorKind::{FileTooLarge, QuotaExceeded, ReadOnlyFilesystem, StorageFull};
    matches!(error.kind(), FileTooLarge | QuotaExceeded | ReadOnlyFilesystem | StorageFull)
}
