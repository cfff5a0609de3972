//! Reads a file that the configuration names. It may be a pipe that never ends, a device, or larger than the
//! memory.

use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use rustix::fs::OFlags;

use super::owner::Access;

/// More than all public certificate authorities together.
pub const LARGEST_PEM: u64 = 4 * 1024 * 1024;

/// A file that was read.
#[derive(Debug)]
pub struct Named {
    /// What is in it.
    pub bytes: Vec<u8>,
    /// Who may read or write it.
    pub access: Access,
}

/// Why a file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum NotRead {
    /// It cannot be opened or read.
    #[error("cannot be read: {0}")]
    Io(#[from] io::Error),
    /// Reading it could block or never end.
    #[error("is a folder, pipe or device; a regular file is required")]
    NotAFile,
    /// It is a link to another file.
    #[error("is a link, which is not followed here; name the file with --config")]
    Link,
    /// There is more in it than such a file can hold.
    #[error("is larger than {0} bytes")]
    TooLarge(u64),
}

impl NotRead {
    /// Whether there is no such file.
    #[must_use]
    pub fn is_missing(&self) -> bool {
        matches!(self, Self::Io(error) if error.kind() == io::ErrorKind::NotFound)
    }
}

/// Reads a regular file of at most `limit` bytes. Follows links, because Kubernetes mounts every secret as
/// one.
///
/// # Errors
///
/// If it cannot be read completely.
pub fn read(path: &Path, limit: u64) -> Result<Named, NotRead> {
    whole(open(path, true)?, limit)
}

/// Does the same with a file that the program found by itself, and follows no link: the link may be another
/// user's.
///
/// # Errors
///
/// The same, and if the file is a link.
pub fn read_unlinked(path: &Path, limit: u64) -> Result<Named, NotRead> {
    let is_link = || path.symlink_metadata().is_ok_and(|metadata| metadata.is_symlink());
    match open(path, false) {
        Err(_) if is_link() => Err(NotRead::Link),
        opened => whole(opened?, limit),
    }
}

/// Who may read or write a file; `None` if there is no file.
#[must_use]
pub fn access(path: &Path) -> Option<Access> {
    path.metadata().ok().map(|metadata| Access::from_metadata(&metadata))
}

fn whole(file: File, limit: u64) -> Result<Named, NotRead> {
    // From the open file, so that no user can replace it between the two steps.
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Err(NotRead::NotAFile);
    }
    let access = Access::from_metadata(&metadata);
    let mut bytes = Vec::new();
    file.take(limit + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit {
        return Err(NotRead::TooLarge(limit));
    }
    Ok(Named { bytes, access })
}

/// Without this flag, opening a pipe blocks until a program writes to it.
fn open(path: &Path, follow: bool) -> io::Result<File> {
    let unlinked = if follow { OFlags::empty() } else { OFlags::NOFOLLOW };
    let flags = OFlags::NONBLOCK | OFlags::NOCTTY | unlinked;
    OpenOptions::new().read(true).custom_flags(flags.bits().cast_signed()).open(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read_up_to_its_limit() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "0123456789").unwrap();
        assert_eq!(read(file.path(), 10).unwrap().bytes, b"0123456789");
        assert!(matches!(read(file.path(), 9), Err(NotRead::TooLarge(9))));
        assert!(read(Path::new("/nowhere/x"), 9).unwrap_err().is_missing());
    }

    #[test]
    fn what_could_wait_or_never_end_is_refused_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("pipe");
        rustix::fs::mknodat(
            rustix::fs::CWD,
            &pipe,
            rustix::fs::FileType::Fifo,
            rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR,
            0,
        )
        .unwrap();
        for path in [pipe.as_path(), Path::new("/dev/zero"), folder.path()] {
            assert!(matches!(read(path, 9), Err(NotRead::NotAFile)), "{}", path.display());
        }
    }
}
